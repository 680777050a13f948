"""Events by the API: each lands once, and each fault is named."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.models import Customer, CustomerEvent

pytestmark = pytest.mark.django_db
URL = "/api/v1/events/"


def event(key: str = "e1", **fields: Any) -> dict[str, Any]:
    return {
        "external_id": key,
        "customer": "ana",
        "kind": "product_viewed",
        "occurred_at": "2026-01-05T10:00:00+01:00",
        "properties": {"sku": "T1"},
        **fields,
    }


@pytest.fixture(autouse=True)
def ana(db: None) -> Customer:
    return Customer.objects.create(external_id="ana")


def test_a_thousand_events_land_once(api: APIClient, ana: Customer) -> None:
    body = {"events": [event(f"e{n}") for n in range(1000)]}
    assert api.post(URL, body).json() == {"recorded": 1000, "known": 0, "failed": 0, "errors": []}
    again = api.post(URL, body)
    assert (again.status_code, again.json()["recorded"], again.json()["known"]) == (200, 0, 1000)
    page = api.get(URL, {"customer": ana.pk, "page_size": 2}).json()
    assert len(page["results"]) == 2
    assert api.get(page["next"]).status_code == 200
    assert len(api.get(URL, {"customer": ana.pk, "kind": "email_sent"}).json()["results"]) == 0


def test_every_body_may_be_packed(api: APIClient, settings: Any) -> None:
    def pack(body: Any) -> bytes:
        return gzip.compress(json.dumps(body).encode())

    def post(url: str, body: bytes, packed: str = "gzip") -> Any:
        return api.post(url, body, content_type="application/json", headers={"Content-Encoding": packed})

    assert post(URL, pack({"events": [event()]})).json()["recorded"] == 1
    assert post("/api/v1/customers/", pack({"external_id": "bo", "first_name": "Bo"})).status_code == 201
    assert post(URL, b"no gzip at all").status_code == 400
    assert post(URL, pack({"events": [event("e2")]})[:-9]).status_code == 400, "cut off"
    assert post(URL, b"{}", "br").status_code == 415
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
    assert post(URL, gzip.compress(b" " * 3_000_000)).status_code == 413, "small packed, large unpacked"
    assert CustomerEvent.objects.count() == 1


def test_what_is_good_is_kept_and_what_is_not_is_named(api: APIClient) -> None:
    wrong: list[tuple[Any, str]] = [
        (event(kind="danced"), "kind"),
        (event(customer="bob"), "customer"),
        (event(occurred_at="2026-01-05T10:00:00"), "occurred_at"),
        (event(occurred_at="1066-01-05T10:00:00Z"), "occurred_at"),
        (event(occurred_at="2096-01-05T10:00:00Z"), "occurred_at"),
        (event(occurred_at=10**30), "occurred_at"),
        (event(external_id=""), "external_id"),
        (event(external_id="x" * 161), "external_id"),
        (event(external_id="a\0b"), "external_id"),
        (event(properties={"a": "\0"}), "properties"),
        (event(properties={"a": "x" * 20_000}), "properties"),
        (event(properties=[1]), "properties"),
        (event(extra=1), "extra"),
        ({}, "customer"),
        (7, ""),
    ]
    response = api.post(URL, {"events": [event("good"), *(item for item, _path in wrong)]})
    assert response.status_code == 207, response.content
    body = response.json()
    assert (body["recorded"], body["failed"]) == (1, len(wrong))
    for index, (_item, field) in enumerate(wrong, 1):
        found = {error["path"] for error in body["errors"] if error["index"] == index}
        assert (f"events[{index}].{field}" if field else f"events[{index}]") in found
    assert CustomerEvent.objects.count() == 1


def test_when_nothing_is_good_nothing_is_kept(api: APIClient) -> None:
    response = api.post(URL, {"events": [event(customer="bob")]})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"path": "events[0].customer", "message": "This customer is not known; create it first."}
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"events": []}, "events"),
        ({"events": [event()] * 1001}, "events"),
        ({"source": "NO", "events": [event()]}, "source"),
        ({}, "events"),
        ({"events": {}}, "events"),
        ({"events": [event()], "more": 1}, "more"),
    ],
)
def test_a_wrong_body_is_refused_whole(api: APIClient, body: Any, path: str) -> None:
    response = api.post(URL, body)
    assert response.status_code == 400
    assert path in {error["path"] for error in response.json()["errors"]}


@pytest.mark.parametrize(
    "properties",
    ['{"a": "\\ud800"}', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": ' + "[" * 5000 + "]" * 5000 + "}"],
)
def test_json_that_cannot_be_kept_is_400(api: APIClient, properties: str) -> None:
    body = json.dumps({"events": [event()]}).replace('{"sku": "T1"}', properties)
    assert api.post(URL, body, content_type="application/json").status_code == 400


def test_another_content_type_is_415(api: APIClient) -> None:
    assert api.post(URL, "a=1", content_type="application/x-www-form-urlencoded").status_code == 415


def test_the_same_moment_in_another_offset_is_the_same_event(api: APIClient) -> None:
    api.post(URL, {"events": [event()]})
    assert api.post(URL, {"events": [event(occurred_at="2026-01-05T09:00:00Z")]}).json()["known"] == 1

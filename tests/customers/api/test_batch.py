"""The mixed request: every item is answered for itself, references within one request hold, and a second time nothing changes."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import ConsentRecord, Customer, CustomerAlias, CustomerEvent, Order, Product
from customers.privacy.erasure import erase_customer
from tests.conftest import MakeUser

from .conftest import client_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/batch"
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def customer(name: str = "ana", **fields: Any) -> dict[str, Any]:
    return {"type": "customer", "external_id": name, "email": f"{name}@shop.test", **fields}


def product(sku: str = "T1", **fields: Any) -> dict[str, Any]:
    return {"type": "product", "sku": sku, "name": "Tent", **fields}


def order(number: str = "o1", **fields: Any) -> dict[str, Any]:
    line = {"sku": "T1", "quantity": 2, "unit_price": "19.99"}
    whole = {
        "external_id": number,
        "customer": "ana",
        "ordered_at": "2026-01-05T10:00:00Z",
        "currency": "eur",
        "lines": [line],
    }
    return {"type": "order", **whole, **fields}


def event(key: str = "e1", **fields: Any) -> dict[str, Any]:
    whole = {"external_id": key, "customer": "ana", "kind": "product_viewed", "occurred_at": "2026-01-05T10:00:00Z"}
    return {"type": "event", **whole, **fields}


def consent(**fields: Any) -> dict[str, Any]:
    whole = {"customer": "ana", "status": "given", "legal_basis": "consent", "recorded_at": "2026-01-05T10:00:00Z"}
    return {"type": "consent", **whole, **fields}


def test_what_refers_to_each_other_may_come_in_one_request_and_in_any_order(api: APIClient) -> None:
    items = [consent(), event(), order(), product(), customer()]
    answer = api.post(URL, {"items": items})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["created"], body["failed"]) == (5, 0)
    assert [row["type"] for row in body["results"]] == ["consent", "event", "order", "product", "customer"]
    placed = Order.objects.get(external_id="o1")
    assert (placed.customer.external_id, placed.total, placed.currency) == ("ana", Decimal("39.98"), "EUR")
    assert placed.lines.get().product == Product.objects.get(sku="T1")
    assert CustomerEvent.objects.get().customer.external_id == "ana"
    assert ConsentRecord.objects.get().source == "api"


def test_the_same_request_again_changes_nothing(api: APIClient) -> None:
    items = [customer(), product(), order(), event(), consent()]
    api.post(URL, {"items": items})
    before = Customer.objects.get().updated_at
    again = api.post(URL, {"items": items}).json()
    assert (again["unchanged"], again["created"], again["updated"]) == (5, 0, 0)
    assert Customer.objects.get().updated_at == before
    assert (CustomerEvent.objects.count(), ConsentRecord.objects.count(), Order.objects.count()) == (1, 1, 1)


def test_each_item_says_whether_it_was_created_updated_or_known(api: APIClient) -> None:
    api.post(URL, {"items": [customer(), customer("bob"), product(), order()]})
    line = {"sku": "T1", "quantity": 1, "unit_price": "5"}
    items = [customer(first_name="Ana"), customer("bob"), customer("cleo"), order(lines=[line]), event(), event()]
    rows = api.post(URL, {"items": items}).json()["results"]
    assert [row["status"] for row in rows] == ["updated", "unchanged", "created", "updated", "created", "unchanged"]
    ana = Customer.objects.get(external_id="ana")
    assert (ana.first_name, ana.email) == ("Ana", "ana@shop.test")  # what was left out stays


def test_items_of_one_key_count_in_their_order(api: APIClient) -> None:
    api.post(URL, {"items": [customer(first_name="Ana"), customer(first_name="Anna", country="France")]})
    assert Customer.objects.values_list("first_name", "country").get() == ("Anna", "France")


def test_what_is_good_is_kept_and_what_is_not_is_named(api: APIClient) -> None:
    wrong: list[tuple[Any, str]] = [
        (customer("", email=""), "external_id"),
        (customer("b", email="no address"), "email"),
        (customer("b", phone="12"), "phone"),
        (customer("b", time_zone="UTC+8"), "time_zone"),
        (customer("b", joined_at="1066-01-01T00:00:00Z"), "joined_at"),
        (customer("b", attributes={"a": "\0"}), "attributes"),
        (customer("b", more=1), "more"),
        (customer("b", first_name="a\0b"), "first_name"),
        (product(""), "sku"),
        (product("T2", price="1.234"), "price"),
        (product("T2", price="-1"), "price"),
        (product("T2", url="ftp://shop.example/t2"), "url"),
        (product("T2", currency="XYZ"), "currency"),
        (product("T2", stock=2**40), "stock"),
        (product("T2", url="no address"), "url"),
        (order("o2", customer="nobody"), "customer"),
        (order("o2", lines=[]), "lines"),
        (order("o2", lines=[{"quantity": 0, "unit_price": 1}]), "lines[0].quantity"),
        (order("o2", lines=[{"quantity": 1, "unit_price": -1}]), "lines[0].unit_price"),
        (order("o2", lines=[{"sku": "none", "quantity": 1, "unit_price": 1}]), "lines[0].sku"),
        (order("o2", lines=[{"quantity": 10**9, "unit_price": "9999999999"}]), "lines"),
        (order("o2", ordered_at="2098-01-01T00:00:00Z"), "ordered_at"),
        (event("e2", kind="danced"), "kind"),
        (event("e2", occurred_at="2026-01-05T10:00:00"), "occurred_at"),
        (event("e2", properties={"a": "x" * 20_000}), "properties"),
        (event("e2", customer="nobody"), "customer"),
        (consent(legal_basis="test"), "legal_basis"),
        (consent(channel="pigeon"), "channel"),
        (consent(customer="nobody"), "customer"),
        (consent(recorded_at="2098-01-01T00:00:00Z"), "recorded_at"),
        ({"type": "wish"}, "type"),
        ({}, "type"),
        (7, ""),
    ]
    response = api.post(URL, {"items": [customer(), product(), *(item for item, _path in wrong)]})
    assert response.status_code == 207, response.content
    body = response.json()
    assert (body["created"], body["failed"]) == (2, len(wrong))
    for index, (_item, field) in enumerate(wrong, 2):
        row = body["results"][index]
        expected = f"items[{index}].{field}" if field else f"items[{index}]"
        assert row["status"] == "failed", row
        assert expected in {fault["path"] for fault in row["errors"]}, row
        assert all(fault["message"] and fault["code"] for fault in row["errors"])
    assert (Customer.objects.count(), Product.objects.count(), Order.objects.count()) == (1, 1, 0)


def test_what_a_refused_customer_has_is_refused_with_them(api: APIClient) -> None:
    answer = api.post(URL, {"items": [customer(time_zone="Nowhere"), event()]})
    assert answer.status_code == 400
    assert {error["path"] for error in answer.json()["errors"]} == {"items[0].time_zone", "items[1].customer"}
    assert not Customer.objects.exists()


def test_who_was_erased_does_not_come_back(api: APIClient, site_admin: User) -> None:
    api.post(URL, {"items": [customer()]})
    erase_customer(Customer.objects.get(), actor=site_admin, reason="asked", now=NOW)
    body = api.post(URL, {"items": [customer(), customer("bob")]}).json()
    assert [row["status"] for row in body["results"]] == ["failed", "created"]
    assert body["results"][0]["errors"][0]["code"] == "erased"


def test_an_id_that_was_merged_means_the_person_it_was_merged_into(api: APIClient) -> None:
    api.post(URL, {"items": [customer(), product()]})
    ana = Customer.objects.get()
    CustomerAlias.objects.create(customer=ana, source="shop", external_id="old-ana", merged_at=timezone.now())
    items = [
        customer("old-ana", first_name="Ana"),
        order(customer="old-ana"),
        event(customer="old-ana"),
        consent(customer="old-ana"),
    ]
    assert api.post(URL, {"items": items}).status_code == 200
    assert Customer.objects.values_list("external_id", "first_name").get() == ("ana", "Ana")
    assert (ana.orders.count(), ana.events.count(), ana.consents.count()) == (1, 1, 1)


def test_a_key_writes_only_what_its_rights_allow(make_user: MakeUser, outsider: User) -> None:
    from django.contrib.auth.models import Permission

    user = make_user("shop", "")
    user.user_permissions.add(*Permission.objects.filter(codename__in=["add_customer", "change_customer"]))
    body = client_of(user).post(URL, {"items": [customer(), product()]}).json()
    assert [row["status"] for row in body["results"]] == ["created", "failed"]
    assert body["results"][1]["errors"][0]["code"] == "right_missing"
    assert client_of(outsider).post(URL, {"items": [customer()]}).status_code == 403
    assert APIClient().post(URL, {"items": [customer()]}).status_code == 401


def test_the_role_of_a_shop_may_bring_in_everything(make_user: MakeUser) -> None:
    shop = client_of(make_user("shop", "integration"))
    assert shop.post(URL, {"items": [customer(), product(), order(), event(), consent()]}).status_code == 200


def test_an_idempotency_key_gets_the_same_answer(api: APIClient) -> None:
    first = api.post(URL, {"items": [customer()]}, HTTP_IDEMPOTENCY_KEY="once")
    again = api.post(URL, {"items": [customer()]}, HTTP_IDEMPOTENCY_KEY="once")
    assert again.json() == first.json()
    assert again.json()["created"] == 1
    assert again["Idempotent-Replayed"] == "true"


def test_too_many_requests_are_told_when_to_come_again(api: APIClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    answers = [api.post(URL, {"items": [customer()]}) for _number in range(3)]  # a minute may turn between two of them
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert 0 < int(refused[0]["Retry-After"]) <= 60


def test_gzip_is_read_and_a_megabyte_is_the_most(api: APIClient) -> None:
    packed = gzip.compress(json.dumps({"items": [customer()]}).encode())
    options: dict[str, Any] = {"content_type": "application/json", "HTTP_CONTENT_ENCODING": "gzip"}
    assert api.post(URL, packed, **options).status_code == 200
    large = {"items": [customer(attributes={"a": "x" * 1_000}, first_name="x" * 100) for _number in range(990)]}
    assert api.post(URL, large).status_code == 413


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"items": []}, "items"),
        ({"items": [{}] * 1001}, "items"),
        ({"items": [customer()], "source": "NO"}, "source"),
        ({"items": [customer()], "more": 1}, "more"),
        ([], ""),
    ],
)
def test_a_wrong_body_is_refused_whole(api: APIClient, body: Any, path: str) -> None:
    answer = api.post(URL, body)
    assert answer.status_code == 400
    assert path in {error["path"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"items": [{"type": "customer", "external_id": "\\ud800"}]}'])
def test_what_is_no_json_is_400(api: APIClient, raw: bytes) -> None:
    assert api.post(URL, raw, content_type="application/json").status_code == 400
    assert api.post(URL, raw, content_type="text/plain").status_code == 415


def test_a_thousand_items_ask_the_database_as_often_as_ten(api: APIClient, django_assert_max_num_queries: Any) -> None:
    def mixed(count: int, tag: str) -> list[dict[str, Any]]:
        people = [customer(f"{tag}{number}") for number in range(count // 2)]
        return people + [event(f"{tag}{number}", customer=f"{tag}{number}") for number in range(count // 2)]

    api.post(URL, {"items": mixed(10, "warm")})  # the month's partition
    with django_assert_max_num_queries(60) as few:
        api.post(URL, {"items": mixed(10, "few")})
    with django_assert_max_num_queries(60) as many:
        assert api.post(URL, {"items": mixed(1_000, "many")}).json()["created"] == 1_000
    assert len(many) == len(few)


def test_a_consent_is_not_raised_above_a_withdrawal(api: APIClient) -> None:
    told = [consent(status="withdrawn", recorded_at="2026-02-01T10:00:00Z"), customer()]
    assert api.post(URL, {"items": told}).status_code == 200
    answer = api.post(URL, {"items": [consent(recorded_at="2026-03-01T10:00:00Z"), told[0], customer()]})
    assert [row["status"] for row in answer.json()["results"]] == ["failed", "unchanged", "unchanged"]
    assert answer.json()["results"][0]["errors"][0]["code"] == "said_no"
    assert [record.status for record in ConsentRecord.objects.all()] == ["withdrawn"]

"""Segments by the API: the same functions as the pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from customers.models import Customer, Segment, SegmentRevision

from .conftest import client_of

pytestmark = pytest.mark.django_db
FRENCH = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "France"}]}
GERMAN = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "Germany"}]}


def test_a_segment_is_made_changed_and_counted(marketing: APIClient) -> None:
    Customer.objects.create(external_id="1", country="France")
    made = marketing.post("/api/v1/segments/", {"name": "French", "rule": FRENCH})
    assert (made.status_code, made.json()["number"]) == (201, 1)
    address = f"/api/v1/segments/{made.json()['id']}/"
    assert marketing.get(f"{address}count/").json()["count"] == 1
    assert marketing.patch(address, {"rule": GERMAN}).json()["number"] == 2
    assert marketing.patch(address, {"description": "Neighbours"}).json()["name"] == "French"
    assert SegmentRevision.objects.count() == 2
    assert marketing.get(f"{address}count/").json()["count"] == 0
    assert marketing.post("/api/v1/segments/count/", {"rule": FRENCH}).json()["count"] == 1
    assert [row["name"] for row in marketing.get("/api/v1/segments/").json()["results"]] == ["French"]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"match": "all", "rules": [{"field": "shoe_size", "op": "is", "value": 1}]}, "rule.rules[0].field"),
        ({"match": "all", "rules": [{"field": "country", "op": "is", "value": "\0"}]}, "rule"),
        ([], "rule"),
        ({}, "rule"),
        ({"match": "all", "rules": []}, "rule.rules"),
    ],
)
def test_a_wrong_rule_names_its_place(marketing: APIClient, rule: object, path: str) -> None:
    for address in ("/api/v1/segments/", "/api/v1/segments/count/"):
        response = marketing.post(address, {"name": "x", "rule": rule})
        assert response.status_code == 400
        assert {error["path"] for error in response.json()["errors"]} == {path}
    assert not Segment.objects.exists()


def test_a_name_is_taken_once(marketing: APIClient) -> None:
    assert marketing.post("/api/v1/segments/", {"name": "French", "rule": FRENCH}).status_code == 201
    again = marketing.post("/api/v1/segments/", {"name": "French", "rule": FRENCH})
    assert again.json()["errors"][0]["path"] == "name"


def test_rights_are_asked(approver: User, support_agent: User) -> None:
    body = {"name": "x", "rule": FRENCH}
    assert client_of(approver).post("/api/v1/segments/", body).status_code == 403
    assert client_of(approver).post("/api/v1/segments/count/", body).status_code == 200
    assert client_of(support_agent).get("/api/v1/segments/").status_code == 403

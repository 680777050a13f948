"""REST: list, merge and undo; old ids find whom they were merged into."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.merging.merge import merge_customers
from customers.models import AuditEntry, Customer, CustomerMerge, Order
from tests.conftest import MakeUser
from tests.customers.api.conftest import api, client_of

from .shops import NOW

__all__ = ["api"]
pytestmark = pytest.mark.django_db
URL = "/api/v1/merges/"


@pytest.fixture
def pair() -> tuple[Customer, Customer]:
    old = Customer.objects.create(source="crm", external_id="old/1", email="ruth@tarnside.test")
    return old, Customer.objects.create(external_id="new")


def told(loser: str = "old/1", survivor: str = "new") -> dict[str, Any]:
    return {
        "loser": {"source": "crm", "external_id": loser},
        "survivor": {"external_id": survivor},
        "note": "same till card",
    }


def test_merge_list_and_undo(api: APIClient, pair: tuple[Customer, Customer]) -> None:
    answer = api.post(URL, told(), "json")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["loser"], made["survivor"], made["reason"]) == (pair[0].pk, pair[1].pk, "api")
    assert "kept" not in made and "ruth@" not in answer.content.decode(), "what undoing needs is nobody's to read"
    assert [row["id"] for row in api.get(URL).json()["results"]] == [made["id"]]

    undone = api.post(f"{URL}{made['id']}/undo/", {}, "json")
    assert undone.status_code == 200 and undone.json()["undone_at"]
    assert api.post(f"{URL}{made['id']}/undo/", {}, "json").status_code == 409
    assert Customer.objects.known().count() == 2
    assert list(AuditEntry.objects.filter(action__startswith="m").values_list("action", flat=True)) == ["merge_undone"]


def test_what_cannot_be_merged_is_named(api: APIClient, pair: tuple[Customer, Customer]) -> None:
    unknown = api.post(URL, told(loser="nobody"), "json")
    assert unknown.status_code == 400 and "not known" in unknown.content.decode()
    assert (
        api.post(URL, {"loser": {"external_id": "new"}, "survivor": {"external_id": "new"}}, "json").status_code == 409
    )
    assert api.post(URL, {"loser": {"external_id": "new"}}, "json").status_code == 400
    assert api.post(f"{URL}999/undo/", {}, "json").status_code == 404
    assert not CustomerMerge.objects.exists()


def test_an_old_id_finds_the_survivor_everywhere(api: APIClient, pair: tuple[Customer, Customer]) -> None:
    api.post(URL, told(), "json")
    found = api.get("/api/v1/customers/crm/old/1/").json()
    assert (found["id"], found["external_id"]) == (pair[1].pk, "new")
    changed = api.put("/api/v1/customers/crm/old/1/", {"first_name": "Ruth"}, "json")
    assert changed.status_code == 200 and changed.json()["external_id"] == "new"
    line = {"quantity": 1, "unit_price": "9.00"}
    order = {
        "source": "crm",
        "external_id": "o1",
        "customer": "old/1",
        "ordered_at": "2026-01-05T10:00:00Z",
        "currency": "EUR",
    }
    assert api.post("/api/v1/orders/", order | {"lines": [line]}, "json").status_code == 201
    assert Order.objects.get().customer == pair[1]
    event = {"external_id": "e", "customer": "old/1", "kind": "page_viewed", "occurred_at": "2026-01-05T10:00:00Z"}
    assert api.post("/api/v1/events/", {"source": "crm", "events": [event]}, "json").json()["recorded"] == 1
    assert pair[1].events.count() == 1
    assert api.get("/api/v1/customers/crm/old/2/").status_code == 404


@pytest.mark.parametrize(
    ("role", "reads", "merges"),
    [("support", 200, 201), ("analyst", 200, 403), ("integration", 200, 201), ("", 403, 403)],
)
def test_merging_is_a_right_of_its_own(
    make_user: MakeUser, pair: tuple[Customer, Customer], role: str, reads: int, merges: int
) -> None:
    client = client_of(make_user("someone", role))
    assert client.get(URL).status_code == reads
    assert client.post(URL, told(), "json").status_code == merges
    assert APIClient().get(URL).status_code == 401


def test_the_list_asks_as_often_for_thirty_as_for_three(api: APIClient, django_assert_max_num_queries: Any) -> None:
    def fill(count: int) -> None:
        for _number in range(count):
            rows = [
                Customer.objects.create(source="crm", external_id=f"{role}{Customer.objects.count()}") for role in "ab"
            ]
            merge_customers(rows[0].pk, rows[1].pk, reason="staff", actor=None, now=NOW)

    fill(3)
    with django_assert_max_num_queries(12):
        assert len(api.get(URL).json()["results"]) == 3
    fill(27)
    with django_assert_max_num_queries(12):
        assert len(api.get(URL).json()["results"]) == 30

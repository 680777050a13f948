"""What came in and what was refused is counted by day, source and reason, and names nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from customers.ingest.intake import Refusal, mask_key, note_intake
from customers.models import Customer, Entrance, IntakeDay, RefusedItem
from tests.customers.api.conftest import client_of

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def api(site_admin: User) -> APIClient:
    return client_of(site_admin)


def figures() -> list[tuple[Any, ...]]:
    return list(IntakeDay.objects.order_by("entrance").values_list("entrance", "source", "accepted", "refused"))


def reasons() -> dict[tuple[str, str, str], int]:
    return {(row.kind, row.field, row.reason): row.count for row in RefusedItem.objects.all()}


def test_a_day_adds_up_and_the_next_day_is_another() -> None:
    bad = Refusal("email", "This is no e-mail address.", "customer", "email", "c-1")
    for _twice in range(2):
        note_intake(Entrance.BATCH, "shop", accepted=5, refusals=[bad, bad], now=NOW)
    note_intake(Entrance.BATCH, "shop", accepted=1, now=NOW + dt.timedelta(days=1))
    assert [row[2:] for row in figures()] == [(10, 4), (1, 0)]
    assert reasons() == {("customer", "email", "email"): 4}
    assert len(RefusedItem.objects.get().examples) == 3


def test_the_place_within_a_list_is_no_reason_of_its_own() -> None:
    places = [Refusal("less_than", "", "order", f"lines[{number}].quantity") for number in range(3)]
    note_intake(Entrance.API, "shop", accepted=0, refused=1, refusals=places, now=NOW)
    assert reasons() == {("order", "lines[].quantity", "less_than"): 3}
    assert figures() == [("api", "shop", 0, 1)]


@pytest.mark.parametrize(
    ("key", "shown"),
    [("17850", "17850"), ("order/2026-03.1", "order/2026-03.1"), ("ana@shop.test", "…"), ("Ana Smith", "…"),
     ("+447700900123", "…"), ("", "…"), ("安娜", "…"), ("x" * 81, "…")],
)  # fmt: skip
def test_an_id_that_may_name_somebody_is_not_kept(key: str, shown: str) -> None:
    assert mask_key(key) == shown


def test_every_way_in_counts(api: APIClient) -> None:
    api.post("/api/v1/customers/", {"external_id": "ana"})
    api.post("/api/v1/customers/", {"external_id": "bob", "email": "no address"})
    api.post("/api/v1/customers/bulk/", [{"external_id": "c1"}, {"external_id": "c2", "time_zone": "Nowhere"}])
    good = {"external_id": "e1", "customer": "ana", "kind": "product_viewed", "occurred_at": "2026-01-05T10:00:00Z"}
    api.post("/api/v1/events/", {"events": [good, {**good, "customer": "nobody"}]})
    api.post("/api/v1/batch", {"items": [{"type": "customer", "external_id": "d"}, {"type": "wish"}]})
    api.post("/v1/batch", {"batch": [{"type": "identify", "userId": "e"}, {"type": "track", "userId": "e"}]})
    assert figures() == [("api", "shop", 2, 4), ("batch", "shop", 1, 1), ("tracking", "shop", 1, 1)]
    assert ("customer", "email", "invalid") in reasons()
    assert ("customer", "time_zone", "invalid") in reasons()
    assert ("event", "customer", "customer") in reasons()
    assert ("", "type", "union_tag_invalid") in reasons()


def test_events_that_could_not_be_written_were_not_accepted(api: APIClient) -> None:
    Customer.objects.create(external_id="ana")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customerevent ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    good = {"external_id": "e1", "customer": "ana", "kind": "product_viewed", "occurred_at": "2026-01-05T10:00:00Z"}
    with pytest.raises(IntegrityError):
        api.post("/api/v1/events/", {"events": [good, {**good, "customer": "nobody"}]})
    assert figures() == []


def test_unknown_articles_of_several_lines_are_one_reason(api: APIClient) -> None:
    api.post("/api/v1/customers/", {"external_id": "ana"})
    lines = [{"sku": f"none-{number}", "quantity": 1, "unit_price": "5.00"} for number in range(3)]
    order = {
        "external_id": "o1",
        "customer": "ana",
        "ordered_at": "2026-01-05T10:00:00Z",
        "currency": "EUR",
    }
    assert api.post("/api/v1/orders/", {**order, "lines": lines}, format="json").status_code == 400
    assert [(kind, field, count) for (kind, field, _reason), count in reasons().items()] == [
        ("order", "lines[].sku", 3)
    ]


def test_a_request_of_somebody_without_a_right_counts_nowhere(marketer: User) -> None:
    assert client_of(marketer).post("/api/v1/customers/", {"external_id": ""}).status_code == 403
    assert figures() == []


def test_what_was_sent_is_not_said_back(api: APIClient) -> None:
    """Sentences quote what they refuse, and names of fields are chosen by whoever sends them."""
    odd = {"type": "customer", "external_id": "a", "time_zone": "ana@shop.test", "x\0 😀 ana@": 1}
    answer = api.post("/api/v1/batch", {"items": [odd]})
    assert answer.status_code == 400
    kept = " ".join(f"{row.field} {row.message} {row.reason}" for row in RefusedItem.objects.all())
    assert "ana@" not in kept and "time_zone" in kept

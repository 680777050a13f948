"""The event log takes each event once."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from customers.ingest.customers import upsert_customers
from customers.ingest.orders import UnknownReference
from customers.ingest.recorder import NewEvent, RecordedCounts, record_events, storable_json
from customers.models import Customer, CustomerEvent, EventKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> Customer:
    upsert_customers(pl.DataFrame({"external_id": ["ana"]}))
    return Customer.objects.get()


def event(customer: Customer, key: str, day: dt.datetime) -> NewEvent:
    return NewEvent(customer.pk, EventKind.PRODUCT_VIEWED, day, key, {"sku": "T1"})


def test_events_are_recorded_once_and_partitions_made(ana: Customer) -> None:
    days = [dt.datetime(2025, month, 3, tzinfo=dt.UTC) for month in range(1, 13)]
    events = [event(ana, str(day.month), day) for day in days]
    assert record_events(events, source="web") == RecordedCounts(12, 0)
    assert record_events([*events, event(ana, "new", days[0])], source="web") == RecordedCounts(1, 12)
    assert record_events(events[:1], source="other") == RecordedCounts(1, 0)
    assert CustomerEvent.objects.filter(external_id="1", source="web").get().properties == {"sku": "T1"}


def test_doubles_within_one_call_land_once(ana: Customer) -> None:
    day = dt.datetime(2025, 1, 31, 23, 59, tzinfo=dt.UTC)
    assert record_events([event(ana, "x", day)] * 3, source="web") == RecordedCounts(1, 2)


def test_a_frame_may_name_customers_by_the_shops_id(ana: Customer) -> None:
    frame = pl.DataFrame(
        {
            "customer": ["ana"],
            "kind": ["search_performed"],
            "external_id": ["s1"],
            "occurred_at": [dt.datetime(2024, 2, 29, tzinfo=dt.UTC)],
        }
    )
    assert record_events(frame, source="shop").recorded == 1
    with pytest.raises(UnknownReference, match="bob"):
        record_events(frame.with_columns(customer=pl.lit("bob"), external_id=pl.lit("s2")), source="shop")


def test_nothing_is_nothing() -> None:
    assert record_events([], source="web") == RecordedCounts(0, 0)


def test_a_broken_date_or_kind_is_refused(ana: Customer) -> None:
    with pytest.raises(ValueError, match="1990"):
        record_events([event(ana, "x", dt.datetime(1969, 1, 1, tzinfo=dt.UTC))], source="web")
    with pytest.raises(ValueError, match="kinds"):
        record_events([NewEvent(ana.pk, "danced", dt.datetime(2025, 1, 1, tzinfo=dt.UTC), "x")], source="web")


@pytest.mark.parametrize("value", [{"a": "\0"}, {"a": float("nan")}, {"a": float("inf")}, {"a": "\ud800"}])
def test_what_the_database_cannot_keep_is_a_value_error(value: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        storable_json(value)


def test_the_text_that_only_looks_like_nul_is_kept() -> None:
    assert storable_json({"a": "\\u0000"}) == '{"a":"\\\\u0000"}'

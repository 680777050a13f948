"""People, orders and events for tests of segments."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from customers.models import Customer, CustomerEvent, Order, Segment, ensure_event_partitions

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def make_person(**traits: Any) -> Customer:
    number = next(_numbers)
    return Customer.objects.create(**{"external_id": f"p{number}", "email": f"p{number}@x.test"} | traits)


def make_order(person: Customer, at: dt.datetime, total: int = 50) -> Order:
    return Order.objects.create(
        customer=person, external_id=f"o{next(_numbers)}", ordered_at=at, currency="EUR", total=total
    )


def make_event(person: Customer, kind: str, at: dt.datetime, **properties: Any) -> CustomerEvent:
    ensure_event_partitions(at.date(), at.date())
    return CustomerEvent.objects.create(
        source="shop",
        external_id=f"e{next(_numbers)}",
        occurred_at=at,
        customer=person,
        kind=kind,
        properties=properties,
    )


def make_segment(name: str, rule: dict[str, Any], number: int = 1) -> Segment:
    return Segment.objects.create(name=name, rule=rule, number=number)

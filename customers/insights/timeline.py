"""One customer's time line: orders, behaviour, messages and support in the order in which they happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from customers.models import Customer, CustomerEvent, EventKind, Order

Family = Literal["orders", "behaviour", "messages", "support"]
FAMILIES: dict[Family, frozenset[str]] = {
    "orders": frozenset(),
    "behaviour": frozenset(
        {
            EventKind.PRODUCT_VIEWED,
            EventKind.SEARCH_PERFORMED,
            EventKind.CART_UPDATED,
            EventKind.REVIEW_WRITTEN,
            EventKind.PAGE_VIEWED,
            EventKind.CUSTOM,
        }
    ),
    "messages": frozenset(kind for kind in EventKind.values if kind.startswith(("email_", "message_"))),
    "support": frozenset(kind for kind in EventKind.values if kind.startswith(("ticket_", "complaint_"))),
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened; `order` is set for orders, `properties` for the rest."""

    happened_at: dt.datetime
    kind: str
    family: Family
    order: Order | None = None
    properties: dict[str, Any] = field(default_factory=dict)


def read_timeline(
    customer: Customer, *, until: dt.datetime, family: str = "", before: dt.datetime | None = None, size: int = 40
) -> list[Entry]:
    """The newest `size` entries up to `until`, older than `before` where given; two queries whatever the length."""
    entries: list[Entry] = []
    if family in ("", "orders"):
        entries += _read_orders(customer, until, before, size)
    if family != "orders":
        entries += _read_events(customer, until, before, size, family)
    return sorted(entries, key=lambda entry: entry.happened_at, reverse=True)[:size]


def _read_orders(customer: Customer, until: dt.datetime, before: dt.datetime | None, size: int) -> list[Entry]:
    orders = customer.orders.filter(ordered_at__lte=until).prefetch_related("lines__product").order_by("-ordered_at")
    if before:
        orders = orders.filter(ordered_at__lt=before)
    return [
        Entry(order.ordered_at, "returned" if order.is_return else "ordered", "orders", order=order)
        for order in orders[:size]
    ]


def _read_events(
    customer: Customer, until: dt.datetime, before: dt.datetime | None, size: int, family: str
) -> list[Entry]:
    events = CustomerEvent.objects.filter(customer=customer, occurred_at__lte=until).order_by("-occurred_at")
    if before:
        events = events.filter(occurred_at__lt=before)
    if family in FAMILIES:
        events = events.filter(kind__in=FAMILIES[family])
    return [
        Entry(event.occurred_at, event.kind, _family_of(event.kind), properties=_as_dict(event.properties))
        for event in events[:size]
    ]


def _family_of(kind: str) -> Family:
    return next((family for family, kinds in FAMILIES.items() if kind in kinds), "behaviour")


def _as_dict(properties: Any) -> dict[str, Any]:
    return properties if isinstance(properties, dict) else {}

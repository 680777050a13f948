"""One customer's time line: orders, behaviour, messages, support and segments in the order in which they happened.

Pages are read by key: the place where one ended is where the next begins, so that the hundredth costs what the first does,
and nothing that happened at the same moment is left out between two.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from customers.models import Customer, CustomerEvent, CustomerMerge, EventKind, Order, SegmentChange
from customers.models.event import MESSAGE_KINDS, SUPPORT_KINDS

Family = Literal["orders", "behaviour", "messages", "support", "segments"]
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
    "messages": frozenset(MESSAGE_KINDS),
    "support": frozenset(SUPPORT_KINDS),
    "segments": frozenset(),
}
#: Of things at the same moment, the table of the higher number is told first.
_MERGES, _ORDERS, _EVENTS, _SEGMENTS = 4, 3, 2, 1


@dataclass(frozen=True)
class Place:
    """Where in a time line something stands: its moment, its table, and its key there."""

    at: dt.datetime
    table: int
    key: tuple[str, ...]

    def __str__(self) -> str:
        return "~".join((self.at.isoformat(), str(self.table), *self.key))


@dataclass(frozen=True)
class Entry:
    """One thing that happened; `order` is set for orders, `change` for segments, `merge` for merges, `properties` for the
    rest."""

    happened_at: dt.datetime
    kind: str
    family: Family
    place: Place
    order: Order | None = None
    change: SegmentChange | None = None
    merge: CustomerMerge | None = None
    properties: dict[str, Any] = field(default_factory=dict)


def read_place(text: str) -> Place | None:
    """The place that `str` wrote, or that of a moment alone; None for anything else."""
    if "\x00" in text:
        return None
    moment, _, rest = text.partition("~")
    table, _, key = rest.partition("~")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    if at is None or at.tzinfo is None or (rest and table not in {"1", "2", "3", "4"}):
        return None
    parts = tuple(key.split("~", 1)) if table == str(_EVENTS) else (key,)
    if rest and not (len(parts) == 2 if table == str(_EVENTS) else key.isascii() and key.isdecimal() and len(key) < 19):
        return None
    return Place(at, int(table), parts) if rest else Place(at, 0, ())


def read_timeline(
    customer: Customer, *, until: dt.datetime, family: str = "", before: Place | None = None, size: int = 40,
    with_segments: bool = True,
) -> list[Entry]:  # fmt: skip
    """The newest `size` entries up to `until`, after `before` in the line where given; five queries whatever the length."""
    entries: list[Entry] = []
    if family in ("", "orders"):
        entries += _read_orders(customer, until, before, size)
    if family not in ("orders", "segments"):
        entries += _read_events(customer, until, before, size, family)
    if family in ("", "segments") and with_segments:
        entries += _read_changes(customer, until, before, size)
    if not family:
        entries += _read_merges(customer, until, before)
    return sorted(entries, key=_rank, reverse=True)[:size]


def _rank(entry: Entry) -> tuple[Any, ...]:
    place = entry.place
    return (place.at, place.table, *(int(part) if place.table != _EVENTS else part for part in place.key))


def _read_orders(customer: Customer, until: dt.datetime, before: Place | None, size: int) -> list[Entry]:
    orders = customer.orders.filter(ordered_at__lte=until).prefetch_related("lines__product")
    if before:
        orders = orders.filter(_earlier("ordered_at", before, _ORDERS))
    return [
        Entry(
            order.ordered_at,
            "returned" if order.is_return else "ordered",
            "orders",
            Place(order.ordered_at, _ORDERS, (str(order.pk),)),
            order=order,
        )
        for order in orders.order_by("-ordered_at", "-pk")[:size]
    ]


def _read_merges(customer: Customer, until: dt.datetime, before: Place | None) -> list[Entry]:
    """Whom they were merged with, and where that was undone; all of them, because there are few."""
    entries = []
    for merge in CustomerMerge.objects.filter(survivor=customer).select_related("loser"):
        for at, kind, key in (
            (merge.merged_at, "merged", 2 * merge.pk),
            (merge.undone_at, "merge_undone", 2 * merge.pk + 1),
        ):
            if at is not None and at <= until:
                entries.append(Entry(at, kind, "behaviour", Place(at, _MERGES, (str(key),)), merge=merge))
    return [entry for entry in entries if before is None or _rank(entry) < _place_rank(before)]


def _place_rank(place: Place) -> tuple[Any, ...]:
    """Behind the table numbers keys are compared with those of the same table alone."""
    return (place.at, place.table, *(int(part) for part in place.key if place.table == _MERGES))


def _read_events(customer: Customer, until: dt.datetime, before: Place | None, size: int, family: str) -> list[Entry]:
    events = CustomerEvent.objects.filter(customer=customer, occurred_at__lte=until)
    if before:
        events = events.filter(_earlier("occurred_at", before, _EVENTS))
    if family in FAMILIES:
        events = events.filter(kind__in=sorted(FAMILIES[family]))
    return [
        Entry(
            event.occurred_at,
            event.kind,
            _family_of(event.kind),
            Place(event.occurred_at, _EVENTS, (event.source, event.external_id)),
            properties=_as_dict(event.properties),
        )
        for event in events.order_by("-occurred_at", "-source", "-external_id")[:size]
    ]


def _read_changes(customer: Customer, until: dt.datetime, before: Place | None, size: int) -> list[Entry]:
    changes = customer.segment_changes.filter(happened_at__lte=until).select_related("segment")
    if before:
        changes = changes.filter(_earlier("happened_at", before, _SEGMENTS))
    return [
        Entry(
            change.happened_at,
            "segment_entered" if change.has_entered else "segment_left",
            "segments",
            Place(change.happened_at, _SEGMENTS, (str(change.pk),)),
            change=change,
        )
        for change in changes.order_by("-happened_at", "-pk")[:size]
    ]


def _earlier(column: str, before: Place, table: int) -> Q:
    """What stands after a place in the line, among the rows of a table whose moment is `column`."""
    if table > before.table:
        return Q(**{f"{column}__lt": before.at})
    if table < before.table:
        return Q(**{f"{column}__lte": before.at})
    if table != _EVENTS:
        same = Q(**{column: before.at, "pk__lt": int(before.key[0])})
    else:
        source, external_id = before.key
        same = Q(**{column: before.at}) & (Q(source__lt=source) | Q(source=source, external_id__lt=external_id))
    return Q(**{f"{column}__lte": before.at}) & (Q(**{f"{column}__lt": before.at}) | same)


def _family_of(kind: str) -> Family:
    return next((family for family, kinds in FAMILIES.items() if kind in kinds), "behaviour")


def _as_dict(properties: Any) -> dict[str, Any]:
    return properties if isinstance(properties, dict) else {}

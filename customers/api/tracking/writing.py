"""Keeps what calls tell: people first, then products and orders, then events; those of unknown visitors are held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import transaction
from django.utils.translation import gettext as _

from customers.api.event_items import MAX_PROPERTIES_LENGTH
from customers.api.upserts import build_frame, write_groups
from customers.ingest.currency import read_shop_currency
from customers.ingest.customers import CUSTOMERS, upsert_customers
from customers.ingest.erased import find_erased
from customers.ingest.identity import (
    EVENT_FRAME,
    find_identities,
    find_people,
    find_visitors,
    link_visitors,
    record_or_hold,
)
from customers.ingest.orders import LINE_FRAME, ORDER_FRAME, upsert_orders
from customers.ingest.products import PRODUCTS, fill_products
from customers.ingest.recorder import storable_json
from customers.merging.suggesting import note_shops_word
from customers.models import Customer, ensure_event_partitions
from customers.tasks import merge_vouched_customers

from .calls import Fault, Received
from .clocks import keep_first_times
from .translating import (
    TrackedOrder,
    Untranslatable,
    is_order,
    translate_event,
    translate_order,
    translate_traits,
)
from .visitors import name_visitors


@dataclass(frozen=True)
class Kept:
    """What became of the calls of a request. `known`: they had come before."""

    people: int = 0
    orders: int = 0
    recorded: int = 0
    held: int = 0
    known: int = 0


@transaction.atomic
def keep_calls(received: Sequence[Received], faults: list[Fault], *, source: str, by: str, now: dt.datetime) -> Kept:
    """Write calls; those that cannot be kept go to `faults`, the others are kept all the same. Safe to run twice.

    A person whom nobody knew is made, with nothing but the id: Segment's clients do not say who is new.
    """
    received = _drop_erased(_drop_unstorable(received, faults), faults, source)
    if not received:
        return Kept()
    received = name_visitors(keep_first_times(received, source), faults, source)
    if not received:
        return Kept()
    # A new month locks the table of customers as well: before anything is written, or two requests wait for each other.
    days = [item.at.date() for item in received]
    ensure_event_partitions(min(days), max(days))
    people = _write_people(received, source)
    named = _note_people_who_are_one(received, people, source)
    visitors = {name: who for name, who in _newest_owners(received, people).items() if name not in named}
    released = link_visitors(visitors, source=source, by=by, now=now)
    orders = _write_orders([item for item in received if is_order(item.call)], faults, source)
    kept = _write_events([item for item in received if _is_event(item)], people, source)
    return Kept(len(people), orders, kept.recorded + released, kept.held, kept.known)


def _is_event(item: Received) -> bool:
    return item.call.type in {"track", "page", "screen"} and not is_order(item.call)


def _drop_unstorable(received: Sequence[Received], faults: list[Fault]) -> list[Received]:
    good = []
    for item in received:
        try:
            text = storable_json(item.call.properties) + storable_json(item.call.traits)
        except ValueError as error:
            faults.append(Fault(item.index, "", _("This cannot be kept: %(reason)s") % {"reason": error}))
            continue
        if len(text) > MAX_PROPERTIES_LENGTH:
            longest = _("Properties and traits may have %(most)d characters.") % {"most": MAX_PROPERTIES_LENGTH}
            faults.append(Fault(item.index, "", longest))
        else:
            good.append(item)
    return good


def _drop_erased(received: Sequence[Received], faults: list[Fault], source: str) -> list[Received]:
    """Who was erased is not made again by a shop that goes on telling of them, nor becomes their id another person's alias."""
    named = {name for item in received for _path, name in _name_people(item) if name}
    gone = {name for _source, name in find_erased((source, name) for name in named)}
    kept = []
    for item in received:
        path = next((path for path, name in _name_people(item) if name in gone), "")
        if path:
            faults.append(Fault(item.index, path, _("This person was erased.")))
        else:
            kept.append(item)
    return kept


def _name_people(item: Received) -> list[tuple[str, str | None]]:
    """Where in a call ids of the shop stand, and which."""
    return [("userId", item.call.userId), ("previousId", item.call.previousId if item.call.type == "alias" else None)]


def _write_people(received: Iterable[Received], source: str) -> dict[str, int]:
    """The identities of everybody named, by the shop's ids; what later calls say of the same person is laid over earlier ones."""
    told: dict[str, dict[str, Any]] = {}
    for item in received:
        call = item.call
        if not call.userId:
            continue
        said = told.setdefault(call.userId, {})
        if call.type == "identify":
            _lay_over(said, translate_traits(call.traits))
        elif call.type == "group":
            _lay_over(said, {"attributes": {"group_id": call.groupId, **call.traits}})
    known = find_people(source, told)
    written = {name: said for name, said in told.items() if said or name not in known}
    _keep_other_attributes(written, known)
    items = [{"source": source, "external_id": name, **said} for name, said in written.items()]
    if items:
        write_groups(items, CUSTOMERS, upsert_customers)
    return find_identities(source, told)


def _lay_over(said: dict[str, Any], more: Mapping[str, Any]) -> None:
    attributes = {**said.get("attributes", {}), **more.get("attributes", {})}
    said.update(more)
    if attributes:
        said["attributes"] = attributes


def _keep_other_attributes(written: Mapping[str, dict[str, Any]], known: Mapping[str, int]) -> None:
    """Attributes that a call does not name stay. The rows are locked, so that two requests do not undo each other."""
    names = {known[name]: name for name, said in written.items() if "attributes" in said and name in known}
    rows = Customer.objects.select_for_update().filter(pk__in=names).order_by("pk").values_list("pk", "attributes")
    for pk, present in rows:
        written[names[pk]]["attributes"] = {**present, **written[names[pk]]["attributes"]}


def _note_people_who_are_one(received: Iterable[Received], people: Mapping[str, int], source: str) -> Collection[str]:
    """An alias of an id that is a customer's own says that two customers are one; returns those ids. They are merged after the
    request, because a merge locks them."""
    aliases = {call.previousId: call.userId for call in (item.call for item in received) if call.type == "alias"}
    found = find_people(source, [name for name in aliases if name]) if aliases else {}
    current = find_people(source, people) if found else {}
    pairs = [(who, current[str(aliases[name])]) for name, who in found.items()]
    if pairs := [(who, keeps) for who, keeps in pairs if who != keeps]:
        note_shops_word(pairs)
        transaction.on_commit(lambda: merge_vouched_customers.delay())
    return found


def _newest_owners(received: Iterable[Received], people: Mapping[str, int]) -> dict[str, int]:
    """The person of each visitor: calls that name both, and aliases of an id that is nobody's; the newest counts."""
    owners: dict[str, int] = {}
    for item in sorted(received, key=lambda item: (item.at, item.index)):
        call = item.call
        if call.userId and call.anonymousId:
            owners[call.anonymousId] = people[call.userId]
        if call.type == "alias" and call.userId and call.previousId:
            owners[call.previousId] = people[call.userId]
    return owners


def _write_orders(received: Sequence[Received], faults: list[Fault], source: str) -> int:
    """An order needs a person: a guest's belongs to the visitor as a person of their own."""
    found: dict[str, tuple[Received, TrackedOrder]] = {}
    currency = read_shop_currency()
    for item in received:
        if not item.call.userId:
            faults.append(Fault(item.index, "userId", _("An order needs its customer: give userId.")))
            continue
        try:
            order = translate_order(item.call, item.key, currency)
        except (Untranslatable, TypeError) as error:
            faults.append(Fault(item.index, "properties", str(error)))
            continue
        found[order.number] = (item, order)
    if not found:
        return 0
    _fill_products(order for _item, order in found.values())
    heads = [
        {
            "source": source, "external_id": order.number, "customer": str(item.call.userId),
            "ordered_at": item.at, "currency": order.currency, "total": order.total, "discount": order.discount,
            "discount_code": order.code, "is_return": order.is_return,
        }
        for item, order in found.values()
    ]  # fmt: skip
    lines = [
        {"source": source, "order": order.number, "position": place, "sku": line.sku or None,
         "quantity": line.quantity, "unit_price": line.unit_price}
        for _item, order in found.values()
        for place, line in enumerate(order.lines, start=1)
    ]  # fmt: skip
    counts = upsert_orders(
        pl.DataFrame(heads, schema=ORDER_FRAME), pl.DataFrame(lines, schema=LINE_FRAME), source=source
    ).orders
    return counts.created + counts.updated


def _fill_products(orders: Iterable[TrackedOrder]) -> None:
    wares = {line.sku: line for order in orders for line in order.lines if line.sku}
    if not wares:
        return
    rows = [{"sku": sku, "name": line.name, "category": line.category} for sku, line in sorted(wares.items())]
    fill_products(build_frame(rows, PRODUCTS.types(["sku", "name", "category"])))


def _write_events(received: Sequence[Received], people: Mapping[str, int], source: str) -> Kept:
    visitors = find_visitors(source, {item.call.anonymousId for item in received if item.call.anonymousId})
    rows = []
    for item in received:
        call = item.call
        kind, properties = translate_event(call)
        who = people[call.userId] if call.userId else visitors.get(call.anonymousId or "")
        rows.append((item.key, item.at, who, call.anonymousId, str(kind), storable_json(properties)))
    frame = pl.DataFrame(rows, schema=EVENT_FRAME, orient="row").unique(
        ["external_id", "occurred_at"], maintain_order=True
    )
    recorded, held = record_or_hold(frame, source=source)
    doubles = len(rows) - frame.height
    return Kept(recorded=recorded.recorded, held=held.held, known=recorded.known + held.known + doubles)

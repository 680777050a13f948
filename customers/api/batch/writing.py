"""Keeps the good items of a mixed request in sets: people and articles first, then what refers to them, whatever their order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from customers.api.orders import total_of
from customers.api.upserts import build_frame, write_groups
from customers.ingest.consent import GIVEN_CONSENT, record_consents
from customers.ingest.customers import CUSTOMERS, upsert_customers
from customers.ingest.identity import find_both
from customers.ingest.orders import GIVEN_LINE, GIVEN_ORDER, upsert_orders
from customers.ingest.products import PRODUCTS, upsert_products
from customers.ingest.recorder import record_rows
from customers.models import Product, ensure_event_partitions

from .items import Batch

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
#: Two requests that write the same rows in another order may wait for each other; PostgreSQL ends one, which tries again.
MOST_TRIES: Final = 3

#: An id that was merged into another person stands for that person.
_PEOPLE = """
WITH given AS (SELECT %s AS source, unnest(%s::text[]) AS name)
SELECT name, md5(c::text) FROM given
LEFT JOIN customers_customeralias a ON a.source = given.source AND a.external_id = given.name AND NOT a.is_visitor
JOIN customers_customer c ON c.id = a.customer_id OR (a.id IS NULL AND c.source = given.source AND c.external_id = given.name)
"""
_PRODUCTS = "SELECT sku, md5(p::text) FROM customers_product p WHERE %s <> '' AND sku = ANY(%s)"
_ORDERS = """
SELECT external_id, md5(concat(o::text, (SELECT string_agg(l::text, ',' ORDER BY l.position) FROM customers_orderline l
                                         WHERE l.order_id = o.id)))
FROM customers_order o WHERE source = %s AND external_id = ANY(%s)
"""
_CONSENTS = """
SELECT c.id, r.channel, r.status, r.source, r.recorded_at FROM customers_customer c
JOIN customers_consentrecord r ON r.customer_id = c.id WHERE c.id = ANY(%s)
"""


def keep_batch(batch: Batch) -> dict[int, str]:
    """Write what is good, and say of each item whether it was created, updated or found already so. Safe to run twice.

    Items that name somebody or something unknown go to the faults; the others are kept all the same.
    """
    good, faults = dict(batch.good), list(batch.faults)
    for _number in range(MOST_TRIES - 1):
        try:
            return _keep(batch)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            batch.good, batch.faults = dict(good), list(faults)
            batch.sort()
    return _keep(batch)


@transaction.atomic
def _keep(batch: Batch) -> dict[int, str]:
    events = batch.of("event")
    if events:  # a new month locks the table of customers as well: before anything is written, or two requests deadlock
        moments = [item["occurred_at"] for item in events.values()]
        ensure_event_partitions(*(edge.astimezone(dt.UTC).date() for edge in (min(moments), max(moments))))
    outcomes = _keep_people(batch) | _keep_products(batch)
    named = {item["customer"] for kind in ("order", "event", "consent") for item in batch.of(kind).values()}
    known = find_both(batch.source, named) if named else {}
    if len(known) < len(named):
        for kind in ("order", "event", "consent"):
            for index, item in list(batch.of(kind).items()):
                if item["customer"] not in known:
                    sentence = _("This customer is not known; create it first.")
                    batch.refuse(index, "customer", sentence, "unknown_customer")
    return outcomes | _keep_orders(batch) | _keep_events(batch, known) | _keep_consents(batch, known)


def _keep_people(batch: Batch) -> dict[int, str]:
    items = batch.of("customer")
    if not items:
        return {}
    keys = {index: item["external_id"] for index, item in items.items()}
    rows = [
        {"source": batch.source, **fields, "external_id": name}
        for name, fields in _lay_over(items, keys, "external_id")
    ]
    return _compare(_PEOPLE, batch.source, keys, lambda: write_groups(rows, CUSTOMERS, upsert_customers))


def _keep_products(batch: Batch) -> dict[int, str]:
    items = batch.of("product")
    if not items:
        return {}
    keys = {index: item["sku"] for index, item in items.items()}
    rows = [{**fields, "sku": sku} for sku, fields in _lay_over(items, keys, "sku")]
    return _compare(_PRODUCTS, batch.source, keys, lambda: write_groups(rows, PRODUCTS, upsert_products))


def _keep_orders(batch: Batch) -> dict[int, str]:
    _refuse_unknown_articles(batch)
    items = batch.of("order")
    if not items:
        return {}
    keys = {index: item["external_id"] for index, item in items.items()}
    last = {item["external_id"]: item for item in items.values()}  # an order is given whole: the last one counts
    heads = [
        {
            "source": batch.source, "external_id": key, "customer": item["customer"],
            "ordered_at": item["ordered_at"], "currency": item["currency"], "total": total_of(item),
            "discount": item.get("discount", Decimal(0)), "discount_code": item.get("discount_code", ""),
            "is_return": all(line["quantity"] < 0 for line in item["lines"]),
        }
        for key, item in last.items()
    ]  # fmt: skip
    lines = [
        {"source": batch.source, "order": key, "position": place, "sku": line.get("sku"),
         "quantity": line["quantity"], "unit_price": line["unit_price"]}
        for key, item in last.items()
        for place, line in enumerate(item["lines"], start=1)
    ]  # fmt: skip
    return _compare(
        _ORDERS,
        batch.source,
        keys,
        lambda: upsert_orders(build_frame(heads, GIVEN_ORDER), build_frame(lines, GIVEN_LINE), source=batch.source),
    )


def _refuse_unknown_articles(batch: Batch) -> None:
    items = batch.of("order")
    skus = {line["sku"] for item in items.values() for line in item["lines"] if line.get("sku")}
    known = set(Product.objects.filter(sku__in=skus).values_list("sku", flat=True)) if skus else set()
    for index, item in list(items.items()):
        for place, line in enumerate(item["lines"]):
            if line.get("sku") and line["sku"] not in known:
                sentence = _("This article is not known; create the product first.")
                batch.refuse(index, f"lines[{place}].sku", sentence, "unknown_product")


def _keep_events(batch: Batch, known: Mapping[str, tuple[int, int]]) -> dict[int, str]:
    items = batch.of("event")
    if not items:
        return {}
    rows = [
        (item["external_id"], item["occurred_at"], known[item["customer"]][1], item["kind"].value, batch.texts[index])
        for index, item in items.items()
    ]
    written: set[tuple[str, Any]] = set()
    counts = record_rows(rows, source=batch.source, written=written, is_prepared=True)
    if not counts.known:
        return dict.fromkeys(items, CREATED)
    outcomes = {}
    for index, item in items.items():  # the second of two alike was known by then
        key = (item["external_id"], item["occurred_at"])
        outcomes[index] = CREATED if key in written else UNCHANGED
        written.discard(key)
    return outcomes


def _keep_consents(batch: Batch, known: Mapping[str, tuple[int, int]]) -> dict[int, str]:
    items = batch.of("consent")
    if not items:
        return {}
    rows, keys = [], {}
    for index, item in items.items():
        channel, said_at = str(item.get("channel", "email")), item.get("consent_source") or "api"
        keys[index] = (known[item["customer"]][0], channel, item["status"], said_at, item["recorded_at"])
        rows.append(
            {
                "source": batch.source,
                "customer": item["customer"],
                "channel": channel,
                "status": item["status"],
                "legal_basis": item["legal_basis"],
                "consent_source": said_at,
                "recorded_at": item["recorded_at"],
                "proof": item.get("proof") or {},
                "is_test": False,
            }
        )
    with connection.cursor() as cursor:
        cursor.execute(_CONSENTS, [[known[row["customer"]][0] for row in rows]])
        before = set(cursor.fetchall())
        record_consents(build_frame(rows, GIVEN_CONSENT), source=batch.source)
        # What a person said no to before is passed over, so what was written is read and not concluded.
        cursor.execute(_CONSENTS, [[known[row["customer"]][0] for row in rows]])
        after = set(cursor.fetchall())
    for index in [index for index, key in keys.items() if key not in after]:
        sentence = _("Only the person can give this consent: they said no, have yet to confirm, or it lapsed.")
        batch.refuse(index, "status", sentence, "said_no")
        del keys[index]
    return {index: UNCHANGED if key in before else CREATED for index, key in keys.items()}


def _lay_over(
    items: Mapping[int, Mapping[str, Any]], keys: Mapping[int, str], key_field: str
) -> Iterable[tuple[str, dict[str, Any]]]:
    """What later items say of the same row is laid over earlier ones, as if they had come one after the other."""
    told: dict[str, dict[str, Any]] = {}
    for index, item in items.items():
        fields = {name: value for name, value in item.items() if name not in {"type", key_field}}
        told.setdefault(keys[index], {}).update(fields)
    return told.items()


def _compare(query: str, source: str, keys: Mapping[int, str], write: Callable[[], Any]) -> dict[int, str]:
    """Write, and look at the rows before and after: what the database says became of each."""
    wanted = sorted(set(keys.values()))
    with connection.cursor() as cursor:
        cursor.execute(query, [source, wanted])
        before = dict(cursor.fetchall())
        write()
        cursor.execute(query, [source, wanted])
        after = dict(cursor.fetchall())
    changed = {key: CREATED if key not in before else UPDATED for key in wanted if before.get(key) != after.get(key)}
    return {index: changed.get(key, UNCHANGED) for index, key in keys.items()}

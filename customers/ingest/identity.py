"""Who is who: anonymous visitors, the people they turn out to be, and what they did before anybody knew."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.conf import settings
from django.db import connection, transaction

from .copying import copy_frame, staging
from .recorder import RecordedCounts, record_events

HELD_EVENT = {
    "source": "varchar(40)",
    "external_id": "varchar(160)",
    "occurred_at": "timestamptz",
    "visitor": "varchar(120)",
    "kind": "varchar(40)",
    "properties": "jsonb",
}
#: A frame of events of whom somebody may know (customer_id) and of visitors whom nobody does (null).
EVENT_FRAME: dict[str, Any] = {
    "external_id": pl.String,
    "occurred_at": pl.Datetime("us", "UTC"),
    "customer_id": pl.Int64,
    "visitor": pl.String,
    "kind": pl.String,
    "properties": pl.String,
}


@dataclass(frozen=True)
class HeldCounts:
    """Events of unknown visitors that are held now, and those that were held already."""

    held: int
    known: int


def find_people(source: str, names: Collection[str]) -> dict[str, int]:
    """Customers by the shop's ids, whether an id is a customer's own or one that was merged into them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, customer_id FROM customers_customeralias"
            " WHERE source = %(source)s AND NOT is_visitor AND external_id = ANY(%(names)s)"
            " UNION ALL SELECT external_id, id FROM customers_customer"
            " WHERE source = %(source)s AND external_id = ANY(%(names)s)",
            {"source": source, "names": sorted(names)},
        )
        return dict(cursor.fetchall())  # a customer's own id comes last, and so counts


def find_identities(source: str, names: Collection[str]) -> dict[str, int]:
    """The same, but of a merged id the row that it had of its own: what is recorded for that one comes to the survivor, and
    goes back with an undo."""
    return {name: identity for name, (_customer, identity) in find_both(source, names).items()}


def find_both(source: str, names: Collection[str]) -> dict[str, tuple[int, int]]:
    """What `find_people` and `find_identities` say, in one look: a request of a thousand items asks once."""
    with connection.cursor() as cursor:
        # As JSON, because an array of a thousand texts takes the driver longer to write down than the look itself.
        cursor.execute(_BOTH, {"source": source, "names": json.dumps(sorted(names))})
        return {name: (customer, identity) for name, customer, identity in cursor.fetchall()}


def find_visitors(source: str, visitors: Collection[str]) -> dict[str, int]:
    """The identity of each visitor (as `find_identities`), as far as they are known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, coalesce(came_as, customer_id) FROM customers_customeralias"
            " WHERE source = %s AND is_visitor AND external_id = ANY(%s)",
            [source, sorted(visitors)],
        )
        return dict(cursor.fetchall())


def record_or_hold(frame: pl.DataFrame, *, source: str) -> tuple[RecordedCounts, HeldCounts]:
    """Put events (an EVENT_FRAME, each one once) of known people into the log, and hold the others. Safe to run twice."""
    is_known = pl.col("customer_id").is_not_null()
    recorded = record_events(frame.filter(is_known).drop("visitor"), source=source)
    return recorded, hold_events(frame.filter(~is_known).drop("customer_id"), source=source)


@transaction.atomic
def hold_events(frame: pl.DataFrame, *, source: str) -> HeldCounts:
    """Keep events of visitors whom nobody knows, until `link_visitors`. Safe to run twice.

    Columns: external_id, occurred_at (UTC), visitor, kind, properties (JSON text).
    """
    if frame.is_empty():
        return HeldCounts(0, 0)
    frame = frame.with_columns(pl.lit(source).alias("source"))
    columns = ", ".join(HELD_EVENT)
    with staging(HELD_EVENT, until_commit=True) as (cursor, stage):
        copy_frame(cursor, stage, frame.select(list(HELD_EVENT)))
        cursor.execute(
            f"INSERT INTO customers_heldevent ({columns}) SELECT {columns} FROM {stage} s"
            # One that came before its visitor was known is in the log by now: a copy of it must not be held for ever.
            " WHERE NOT EXISTS (SELECT 1 FROM customers_customerevent e WHERE e.source = s.source"
            " AND e.external_id = s.external_id AND e.occurred_at = s.occurred_at)"
            " ORDER BY external_id, occurred_at ON CONFLICT DO NOTHING"
        )
        held = int(cursor.rowcount)
    return HeldCounts(held, frame.height - held)


@transaction.atomic
def link_visitors(people: Mapping[str, int], *, source: str, by: str, now: dt.datetime) -> int:
    """Note who each visitor is (identity by visitor), and put what was held of them into the log.

    Returns how many events went there. A visitor who was somebody else before is the new person from now on; what is in
    the log already stays where it is. Safe to run twice.
    """
    if not people:
        return 0
    visitors = sorted(people)  # locked in one order, so that two such calls cannot wait for each other
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customeralias
                (customer_id, source, external_id, is_visitor, merged_at, merged_by, came_as)
            SELECT coalesce(m.holder_id, who), %(source)s, visitor, true, %(now)s, %(by)s, m.loser_id
            FROM unnest(%(visitors)s::text[], %(people)s::bigint[]) AS given(visitor, who)
            LEFT JOIN customers_customermerge m ON m.loser_id = who AND m.undone_at IS NULL ORDER BY visitor
            ON CONFLICT (source, is_visitor, external_id) DO UPDATE
              SET customer_id = EXCLUDED.customer_id, merged_at = EXCLUDED.merged_at, merged_by = EXCLUDED.merged_by,
                  came_as = EXCLUDED.came_as
              WHERE customers_customeralias.customer_id <> EXCLUDED.customer_id
            """,
            {
                "source": source,
                "now": now,
                "by": by[:150],
                "visitors": visitors,
                "people": [people[visitor] for visitor in visitors],
            },
        )
        cursor.execute(
            "DELETE FROM customers_heldevent WHERE source = %s AND visitor = ANY(%s)"
            " RETURNING visitor, external_id, occurred_at, kind, properties::text",
            [source, visitors],
        )
        rows = cursor.fetchall()
    if not rows:
        return 0
    frame = pl.DataFrame(
        [(external_id, at, people[visitor], kind, properties) for visitor, external_id, at, kind, properties in rows],
        schema={
            "external_id": pl.String,
            "occurred_at": pl.Datetime("us", "UTC"),
            "customer_id": pl.Int64,
            "kind": pl.String,
            "properties": pl.String,
        },
        orient="row",
    )
    return record_events(frame, source=source).recorded


def forget_held_events(now: dt.datetime) -> int:
    """Delete what was held longer than HELD_EVENT_DAYS of visitors who never became known; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_heldevent WHERE received_at < %s",
            [now - dt.timedelta(days=settings.HELD_EVENT_DAYS)],
        )
        return int(cursor.rowcount)


# A customer's own id counts before one that was merged into somebody.
_BOTH = """
SELECT named.name, coalesce(c.id, a.customer_id),
       coalesce(CASE WHEN c.id IS NULL OR c.id = a.customer_id THEN a.came_as END, c.id, a.customer_id)
FROM jsonb_array_elements_text(%(names)s::jsonb) named(name)
LEFT JOIN customers_customer c ON c.source = %(source)s AND c.external_id = named.name
LEFT JOIN customers_customeralias a ON a.source = %(source)s AND NOT a.is_visitor AND a.external_id = named.name
WHERE c.id IS NOT NULL OR a.id IS NOT NULL
"""

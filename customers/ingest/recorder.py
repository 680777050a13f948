"""Writes to the append-only event log: the one door for events of the shop and of our own sending."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db import transaction

from customers.models import EventKind, ensure_event_partitions

from .copying import Cursor, copy_frame, staging
from .orders import UnknownReference

STAGED_EVENT = {
    "external_id": "varchar(160)",
    "occurred_at": "timestamptz",
    "customer_id": "bigint",
    "kind": "varchar(40)",
    "properties": "jsonb",
}
#: Rows staged and inserted at a time; it bounds the memory of the database's sort and of the COPY buffer.
BATCH_ROWS = 500_000
#: Below this many rows the planner's default guess serves as well as statistics, and ANALYZE costs more than it saves.
ANALYZED_ROWS = 10_000
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


#: external_id, occurred_at, customer id, kind, and properties as JSON text: in the order of STAGED_EVENT.
EventRow = tuple[str, dt.datetime, int, str, str]


@dataclass(frozen=True)
class NewEvent:
    """One thing a customer did. `external_id` makes it unique within its source and time."""

    customer_id: int
    kind: str
    occurred_at: dt.datetime
    external_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedCounts:
    """Events written now, and events that were there already."""

    recorded: int
    known: int


@transaction.atomic
def record_events(events: Sequence[NewEvent] | pl.DataFrame, *, source: str) -> RecordedCounts:
    """Append events; one that is there already (source, external_id, occurred_at) is left as it is.

    A frame has the columns kind, occurred_at (UTC), external_id, customer_id or customer (the shop's id, of the same
    source), and may have properties (JSON text). Makes the monthly partitions it needs. Raises ValueError for a kind
    that does not exist or a time outside 1990 to 2100, UnknownReference for a customer. Safe to run twice.
    """
    frame = events if isinstance(events, pl.DataFrame) else _to_frame(events)
    if frame.is_empty():
        return RecordedCounts(0, 0)
    if strange := set(frame["kind"].unique()) - set(EventKind.values):
        raise ValueError(f"unknown kinds of event: {sorted(map(str, strange))[:3]}")
    _make_partitions(frame["occurred_at"])
    recorded = sum(_append(part, source) for part in frame.iter_slices(BATCH_ROWS))
    return RecordedCounts(recorded, frame.height - recorded)


def record_rows(
    rows: Sequence[EventRow],
    *,
    source: str,
    written: set[tuple[str, dt.datetime]] | None = None,
    is_prepared: bool = False,
) -> RecordedCounts:
    """As `record_events`, for the some hundred checked events of a request: (external_id, occurred_at, customer id, kind,
    properties as JSON text). A frame of so few rows costs more than the rows. Into `written` go the ids and times of the
    events that are new.

    `is_prepared`: the caller has a transaction, which an error ends, and has made the partitions in it.
    """
    if not rows:
        return RecordedCounts(0, 0)
    with transaction.atomic(savepoint=not is_prepared), staging(STAGED_EVENT, until_commit=True) as (cursor, stage):
        if not is_prepared:
            moments = [row[1] for row in rows]
            ensure_event_partitions(*(edge.astimezone(dt.UTC).date() for edge in (min(moments), max(moments))))
        lines = io.StringIO()
        csv.writer(lines).writerows(rows)
        with cursor.copy(f"COPY {stage} FROM STDIN (FORMAT csv)") as copy:
            copy.write(lines.getvalue())
        recorded = _insert(cursor, stage, source, written, ((row[0], row[1]) for row in rows), len(rows))
    return RecordedCounts(recorded, len(rows) - recorded)


def record_staged(cursor: Cursor, lines: str, *, source: str, fresh: str) -> RecordedCounts:
    """As `record_events`, for a staged table of checked events (customer, kind, at, event, properties), without reading them:
    for the files. Its keys are unique. Rows of customers who are not known are passed over and not counted.

    Where some were known, the ids and times of the new ones go into the table `fresh`; where all are new it stays empty. Safe
    to run twice.
    """
    cursor.execute(f"SELECT min(at), max(at) FROM {lines}")
    first, last = cursor.fetchone()
    if first is None:
        return RecordedCounts(0, 0)
    ensure_event_partitions(*(edge.astimezone(dt.UTC).date() for edge in (first, last)))
    cursor.execute(_RECORD_STAGED.format(lines=lines, fresh=fresh), {"source": source})
    recorded, staged = cursor.fetchone()
    return RecordedCounts(recorded, staged - recorded)


def storable_json(value: Any) -> str:
    """JSON that PostgreSQL keeps as jsonb; raises ValueError for NaN, infinity, NUL and lone surrogates."""
    try:
        text = _ENCODER.encode(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    text.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    if "\\u0000" in text and _NUL.search(text):
        raise ValueError("the character NUL cannot be kept")
    return text


def _to_frame(events: Sequence[NewEvent]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "external_id": [event.external_id for event in events],
            "occurred_at": [event.occurred_at for event in events],
            "customer_id": [event.customer_id for event in events],
            "kind": [str(event.kind) for event in events],
            "properties": [storable_json(dict(event.properties)) if event.properties else "{}" for event in events],
        },
        schema_overrides={"occurred_at": pl.Datetime("us", "UTC"), "customer_id": pl.Int64},
    )


def _make_partitions(occurred_at: pl.Series) -> None:
    first, last = occurred_at.min(), occurred_at.max()
    if not isinstance(first, dt.datetime) or not isinstance(last, dt.datetime) or occurred_at.null_count():
        raise ValueError("an event has no time")
    ensure_event_partitions(first.date(), last.date())


def _append(frame: pl.DataFrame, source: str) -> int:
    columns = dict(STAGED_EVENT)
    if "customer" in frame.columns:
        columns["customer"] = "varchar(120)"
    with staging(columns, until_commit=True) as (cursor, stage):
        copy_frame(cursor, stage, frame.select(name for name in frame.columns if name in columns))
        if frame.height >= ANALYZED_ROWS:
            cursor.execute(f"ANALYZE {stage}")
        if "customer" in columns:
            _resolve_customers(cursor, stage, source)
        return _insert(cursor, stage, source, None, (), frame.height)


def _insert(
    cursor: Cursor,
    stage: str,
    source: str,
    written: set[tuple[str, dt.datetime]] | None,
    keys: Iterable[Any],
    staged: int,
) -> int:
    """Write the staged events into the log; returns how many are new. Their keys go into `written`."""
    insert = (
        "INSERT INTO customers_customerevent"
        " (source, external_id, occurred_at, customer_id, kind, properties, came_as)"
        " SELECT %s, s.external_id, s.occurred_at, coalesce(m.holder_id, s.customer_id), s.kind,"
        " coalesce(s.properties, '{}'), m.loser_id"
        f" FROM {stage} s LEFT JOIN customers_customermerge m ON m.loser_id = s.customer_id AND m.undone_at IS NULL"
        " ORDER BY s.occurred_at, s.external_id ON CONFLICT DO NOTHING"
    )
    if written is None:
        cursor.execute(insert, [source])
        return int(cursor.rowcount)
    recorded, ids, times = _insert_and_name(cursor, insert, source, staged)
    written.update(keys if ids is None else zip(ids, times, strict=True))
    return recorded


def _insert_and_name(cursor: Cursor, insert: str, source: str, staged: int) -> tuple[int, Any, Any]:
    """How many are new, and their ids and times; None for both where all of them are, which is usual and is not read back."""
    cursor.execute(
        f"WITH fresh AS ({insert} RETURNING external_id, occurred_at)"
        " SELECT count(*), CASE WHEN count(*) < %s THEN coalesce(array_agg(external_id), '{}') END,"
        " CASE WHEN count(*) < %s THEN coalesce(array_agg(occurred_at), '{}') END FROM fresh",
        [source, staged, staged],
    )
    recorded, ids, times = cursor.fetchone()
    return int(recorded), ids, times


def _resolve_customers(cursor: Cursor, stage: str, source: str) -> None:
    cursor.execute(
        f"UPDATE {stage} s SET customer_id = c.id FROM customers_customer c"
        " WHERE c.source = %s AND c.external_id = s.customer",
        [source],
    )
    unresolved = f"SELECT customer FROM {stage} WHERE customer_id IS NULL LIMIT 3"
    cursor.execute(unresolved)
    if not cursor.fetchall():
        return
    cursor.execute(
        f"UPDATE {stage} s SET customer_id = coalesce(a.came_as, a.customer_id) FROM customers_customeralias a"
        " WHERE s.customer_id IS NULL AND a.source = %s AND NOT a.is_visitor AND a.external_id = s.customer",
        [source],
    )
    cursor.execute(unresolved)
    if unknown := [str(row[0]) for row in cursor.fetchall()]:
        raise UnknownReference(f"These customers are not known: {', '.join(unknown)}.")


# The persons are looked up once for each of them. Rows are written in the order of time and id, by every writer here: two that
# meet cannot deadlock, and one month after the other fills up, which is a third less work than all of them at once.
_RECORD_STAGED = """
WITH people AS MATERIALIZED (
    SELECT named.customer, coalesce(m.holder_id, known.id) AS id, m.loser_id AS came_as
    FROM (SELECT DISTINCT customer FROM {lines}) named
    CROSS JOIN LATERAL (
        SELECT c.id FROM customers_customer c WHERE c.source = %(source)s AND c.external_id = named.customer
        UNION ALL
        SELECT coalesce(a.came_as, a.customer_id) FROM customers_customeralias a
        WHERE a.source = %(source)s AND NOT a.is_visitor AND a.external_id = named.customer LIMIT 1) known
    LEFT JOIN customers_customermerge m ON m.loser_id = known.id AND m.undone_at IS NULL),
written AS (
    INSERT INTO customers_customerevent (source, external_id, occurred_at, customer_id, kind, properties, came_as)
    SELECT %(source)s, l.event, l.at, p.id, l.kind, coalesce(l.properties, '{{}}'), p.came_as
    FROM {lines} l JOIN people p USING (customer) ORDER BY l.at, l.event
    ON CONFLICT DO NOTHING RETURNING external_id, occurred_at),
counted AS (SELECT (SELECT count(*) FROM written) AS recorded,
                   (SELECT count(*) FROM {lines} JOIN people USING (customer)) AS staged),
noted AS (
    INSERT INTO {fresh} (event, at)
    SELECT external_id, occurred_at FROM written WHERE (SELECT recorded < staged FROM counted))
SELECT recorded, staged FROM counted
"""

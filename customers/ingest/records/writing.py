"""Writes staged records with the functions of the API, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import polars as pl
from django.db import connection
from django.utils.translation import ngettext

from customers.ingest.apply import Applied, leave_out_erased, wait_for_turn
from customers.ingest.consent import record_consents, said_no_sql
from customers.ingest.copying import (
    Cursor,
    OnUpdate,
    Target,
    UpsertCounts,
    copy_frame,
    merge_stage,
    staging,
    with_rules,
)
from customers.ingest.customers import CUSTOMERS, in_shop_zone
from customers.ingest.lapses import write_lapses_of
from customers.ingest.merged import lay_on_survivors
from customers.ingest.places import guess_places
from customers.ingest.products import PRODUCTS
from customers.ingest.recorder import record_staged
from customers.ingest.resuming.fates import CREATED, UNCHANGED, note_all, note_by_key
from customers.ingest.schema import ImportOptions

from .cleaning import STAGED

_BATCH: Final = 20_000
#: Kinds of file that tell of people who are known already.
OF_KNOWN: Final = ("events", "consents")
_KEYS: Final = {"customers": ("customer",), "products": ("product",), "events": ("event", "at"), "consents": ()}


def leave_out_records(cursor: Cursor, lines: str, left_out: str, options: ImportOptions) -> None:
    """Move to those left out what only the whole file or the shop can tell: rows that stand again below, people who were erased
    or are not known, and consents of people who said no. Events that stand again lie in one part, and are left to it."""
    kind = options.kind
    if kind != "events":
        joined = dict.fromkeys(["line", *(["product"] if kind == "products" else ["customer"]), *_KEYS[kind]])
        # The other columns decide no plan, and JSON is dear to look at.
        cursor.execute(f"ANALYZE {lines} ({', '.join(joined)})")
    content = _content_of(kind)
    if kind != "products":
        leave_out_erased(cursor, lines, left_out, options.source)
    if kind == "customers":
        cursor.execute(_ONE_PERSON.format(lines=lines, left_out=left_out, content=content), {"source": options.source})
    if kind != "events":
        leave_out_repeated(cursor, lines, left_out, options)
    if kind in OF_KNOWN:
        leave_out_unknown(cursor, lines, left_out, options)
    if kind == "consents":
        write_lapses_of(lines, source=options.source)
        said_no = said_no_sql("c", "l.channel")
        cursor.execute(
            _SAID_NO.format(lines=lines, left_out=left_out, content=content, said_no=said_no), [options.source]
        )


def leave_out_repeated(cursor: Cursor, lines: str, left_out: str, options: ImportOptions) -> None:
    """Move the lines whose key stands again below to those left out."""
    if key := ", ".join(_KEYS[options.kind]):
        content = _content_of(options.kind)
        cursor.execute(_STANDS_AGAIN.format(lines=lines, left_out=left_out, content=content, key=key))


def leave_out_unknown(cursor: Cursor, lines: str, left_out: str, options: ImportOptions) -> None:
    """Move the lines of people who are not known here to those left out."""
    content = _content_of(options.kind)
    cursor.execute(_UNKNOWN.format(lines=lines, left_out=left_out, content=content), {"source": options.source})


def apply_records(cursor: Cursor, lines: str, options: ImportOptions, *, fates: str) -> Applied:
    """Write the staged records in the caller's transaction; `fates` takes what became of each. Safe to run twice.

    The lines hold all that the file says of a person or an article; of events a stretch of time, and so people are counted once
    all of it is written (`count_people`). One import at a time writes.
    """
    wait_for_turn(cursor)
    counts = _WRITERS[options.kind](cursor, lines, options, fates)
    people = 0
    if options.kind not in ("products", "events"):
        cursor.execute(f"SELECT count(DISTINCT customer) FROM {lines}")
        people = cursor.fetchone()[0]
    return Applied(people, 0, {options.kind: counts}, 0, counts)


def count_people(cursor: Cursor, lines: str, left_out: str) -> int:
    """How many customers the staged lines name, without the lines that are left out."""
    cursor.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT customer FROM {lines} l"
        f" WHERE NOT EXISTS (SELECT 1 FROM {left_out} o WHERE o.line = l.line)) people"
    )
    return int(cursor.fetchone()[0])


def note_bad_zones(cursor: Cursor, lines: str) -> list[str]:
    """A sentence on the time zones that are none, of all staged customers; nothing where all are good."""
    cursor.execute(f"SELECT count(*) FROM {lines} WHERE bad_zone")
    if not (bad := cursor.fetchone()[0]):
        return []
    words = ngettext(
        "%(n)s time zone is none; the shop's was taken.", "%(n)s time zones are none; the shop's was taken.", bad
    )
    return [words % {"n": f"{bad:,}"}]


def _content_of(kind: str) -> str:
    return "left(concat_ws(' | ', " + ", ".join(f"gone.{name}" for name in STAGED[kind] if name != "line") + "), 500)"


def _write_customers(cursor: Cursor, lines: str, options: ImportOptions, fates: str) -> UpsertCounts:
    """A blank cell keeps what is known. The zone of a new customer who has none is that of their country."""
    _fill_places(cursor, lines, options.source)
    chosen = [
        name for name in STAGED["customers"] if name in options.columns and name not in ("line", "customer", "at")
    ]
    given = ["source", "external_id", *dict.fromkeys([*chosen, "language", "time_zone"])]
    given += ["joined_at"] if "at" in options.columns else []
    rules = {name: OnUpdate.PREFER for name in given if name not in ("source", "external_id", "joined_at")}
    target = in_shop_zone(CUSTOMERS, **rules, **({"joined_at": OnUpdate.LEAST} if "joined_at" in given else {}))
    columns = ", ".join(
        {"external_id": "customer", "joined_at": "at", "source": "%s"}.get(name, name) for name in given
    )
    with _stage_of(target, given) as (stage, written):
        cursor.execute(
            f"INSERT INTO {stage} ({', '.join(given)}, line) SELECT {columns}, line FROM {lines}", [options.source]
        )
        # Language and zone may be guesses for somebody new: an undo does not give those back.
        lay_on_survivors(cursor, stage, noted=[name for name in given if name in options.columns])
        counts = merge_stage(cursor, stage, target, given, written=written)
        note_by_key(cursor, fates, stage, written, target.key, counts)
        # Of one person under two ids (they were merged in this moment) one row counts: the other came to nothing new.
        cursor.execute(
            f"INSERT INTO {fates} SELECT line, '{UNCHANGED}' FROM {lines} l"
            f" WHERE NOT EXISTS (SELECT 1 FROM {stage} s WHERE s.line = l.line)"
        )
        counts += UpsertCounts(unchanged=cursor.rowcount)
    return counts


@contextmanager
def _stage_of(target: Target, given: list[str]) -> Iterator[tuple[str, str]]:
    """Two empty tables: of the columns given and `line`, and of the rows that are written."""
    with (
        staging({**target.types(given), "line": "bigint"}) as (_cursor, stage),
        staging({**target.types(target.key), "created": "boolean"}) as (_same, written),
    ):
        yield stage, written


def _fill_places(cursor: Cursor, lines: str, source: str) -> None:
    cursor.execute(f"SELECT DISTINCT country FROM {lines} WHERE country IS NOT NULL")
    places = guess_places(row[0] for row in cursor.fetchall())
    with staging({"country": "varchar(80)", "time_zone": "varchar(64)", "language": "varchar(12)"}) as (
        _cursor,
        placed,
    ):
        copy_frame(cursor, placed, places)
        cursor.execute(
            f"UPDATE {lines} l SET time_zone = coalesce(l.time_zone, p.time_zone), language = coalesce(l.language, p.language)"
            f" FROM {placed} p WHERE p.country = l.country AND (l.time_zone IS NULL OR l.language IS NULL)"
            " AND NOT EXISTS (SELECT 1 FROM customers_customer c WHERE c.source = %s AND c.external_id = l.customer)",
            [source],
        )


def _write_products(cursor: Cursor, lines: str, options: ImportOptions, fates: str) -> UpsertCounts:
    chosen = [name for name in STAGED["products"] if name in options.columns and name not in ("line", "product")]
    given = ["sku", *dict.fromkeys([*chosen, *(["currency"] if "price" in chosen else [])])]
    target = with_rules(PRODUCTS, **{name: OnUpdate.PREFER for name in given if name != "sku"})
    columns = ", ".join("product" if name == "sku" else name for name in given)
    with _stage_of(target, given) as (stage, written):
        cursor.execute(f"INSERT INTO {stage} ({', '.join(given)}, line) SELECT {columns}, line FROM {lines}")
        counts = merge_stage(cursor, stage, target, given, written=written)
        note_by_key(cursor, fates, stage, written, target.key, counts)
    return counts


def _write_events(cursor: Cursor, lines: str, options: ImportOptions, fates: str) -> UpsertCounts:
    with staging({"event": "varchar(160)", "at": "timestamptz"}) as (_cursor, fresh):
        counts = record_staged(cursor, lines, source=options.source, fresh=fresh)
        if not counts.known:
            note_all(cursor, fates, lines, CREATED)
        else:
            cursor.execute(
                f"INSERT INTO {fates} SELECT l.line, CASE WHEN f.event IS NULL THEN '{UNCHANGED}' ELSE '{CREATED}' END"
                f" FROM {lines} l LEFT JOIN {fresh} f USING (event, at)"
            )
    return UpsertCounts(counts.recorded, 0, counts.known)


def _write_consents(cursor: Cursor, lines: str, options: ImportOptions, fates: str) -> UpsertCounts:
    """Withdrawals first: a consent in the same file that is older or newer never stands above one. What has lapsed until now is
    written down before all of them: what the file itself says makes none of its other lines a renewal."""
    write_lapses_of(lines, source=options.source)
    counts = UpsertCounts()
    columns = (
        "customer, status, 'consent' AS legal_basis, at AS recorded_at, channel, source AS consent_source,"
        " jsonb_strip_nulls(jsonb_build_object('by', 'file', 'wording', wording))::text AS proof"
    )
    standing = _STANDING.format(lines=lines)
    with staging({"line": "bigint"}) as (_cursor, before):
        cursor.execute(f"INSERT INTO {before} SELECT line FROM ({standing}) known", {"source": options.source})
        for frame in _read_staged(cursor, lines, columns, order="status DESC, line"):
            counts += record_consents(frame, source=options.source, is_part=True)
        cursor.execute(
            f"INSERT INTO {fates} SELECT l.line, CASE WHEN s.place = 1 AND b.line IS NULL THEN '{CREATED}'"
            f" ELSE '{UNCHANGED}' END FROM {lines} l LEFT JOIN ({standing}) s USING (line) LEFT JOIN {before} b USING (line)",
            {"source": options.source},
        )
    return counts


#: The staged consents that stand among those kept, each line once (a merge may have kept a record twice); `place` is 1 for the
#: first line of several that say the same.
_STANDING: Final = """
SELECT line, row_number() OVER (PARTITION BY record ORDER BY line) AS place FROM (
SELECT l.line, min(r.id) AS record FROM {lines} l
JOIN LATERAL (
    SELECT c.id FROM customers_customer c WHERE c.source = %(source)s AND c.external_id = l.customer
    UNION ALL
    SELECT a.customer_id FROM customers_customeralias a
    WHERE a.source = %(source)s AND NOT a.is_visitor AND a.external_id = l.customer LIMIT 1) person ON true
JOIN customers_consentrecord r ON r.customer_id = person.id AND r.channel = l.channel AND r.status = l.status
    AND r.source = l.source AND r.recorded_at = l.at
GROUP BY l.line) stands"""
#: Mostly no key stands twice, and to find that out is cheaper than to number all lines.
_STANDS_AGAIN: Final = """
WITH doubled AS MATERIALIZED (SELECT {key} FROM {lines} GROUP BY {key} HAVING count(*) > 1),
numbered AS (
    SELECT line, row_number() OVER (PARTITION BY {key} ORDER BY line DESC) AS place FROM {lines} JOIN doubled USING ({key})),
gone AS (DELETE FROM {lines} l USING numbered n WHERE n.line = l.line AND n.place > 1 RETURNING l.*)
INSERT INTO {left_out} SELECT line, 'stands_again', {content} FROM gone"""
_UNKNOWN: Final = """
WITH strangers AS MATERIALIZED (
    SELECT customer FROM (SELECT DISTINCT customer FROM {lines}) named
    WHERE NOT EXISTS (
        SELECT 1 FROM customers_customer c WHERE c.source = %(source)s AND c.external_id = named.customer)
    AND NOT EXISTS (
        SELECT 1 FROM customers_customeralias a
        WHERE a.source = %(source)s AND NOT a.is_visitor AND a.external_id = named.customer)),
gone AS (DELETE FROM {lines} l USING strangers s WHERE s.customer = l.customer RETURNING l.*)
INSERT INTO {left_out} SELECT line, 'unknown_customer', {content} FROM gone"""
#: Rows of one person under two ids (they were merged): their own counts before those of a merged id, of several the last.
_ONE_PERSON: Final = """
WITH named AS (
    SELECT l.line, coalesce(a.customer_id, c.id) AS person, a.id IS NULL AS is_own FROM {lines} l
    LEFT JOIN customers_customeralias a ON a.source = %(source)s AND a.external_id = l.customer AND NOT a.is_visitor
    LEFT JOIN customers_customer c ON c.source = %(source)s AND c.external_id = l.customer
    WHERE EXISTS (SELECT 1 FROM customers_customeralias WHERE NOT is_visitor)),
ranked AS (
    SELECT line, row_number() OVER (PARTITION BY person ORDER BY is_own DESC, line DESC) AS place
    FROM named WHERE person IS NOT NULL),
gone AS (DELETE FROM {lines} l USING ranked r WHERE r.line = l.line AND r.place > 1 RETURNING l.*)
INSERT INTO {left_out} SELECT line, 'stands_again', {content} FROM gone"""
#: As `record_consents` passes them over, told line by line.
_SAID_NO: Final = """
WITH gone AS (
    DELETE FROM {lines} l USING customers_customer c
    WHERE c.source = %s AND c.external_id = l.customer AND l.status = 'given' AND (
        {said_no}
        OR EXISTS (SELECT 1 FROM {lines} w WHERE w.customer = l.customer AND w.channel = l.channel
                   AND w.status = 'withdrawn' AND w.at <= l.at))
    RETURNING l.*)
INSERT INTO {left_out} SELECT line, 'said_no', {content} FROM gone"""


def _read_staged(cursor: Cursor, lines: str, columns: str, order: str) -> Iterator[pl.DataFrame]:
    """The staged rows in batches, so that memory does not grow with the file."""
    with connection.cursor() as reading:
        name = f"reading_{lines}"
        reading.execute(f"DECLARE {name} NO SCROLL CURSOR FOR SELECT {columns} FROM {lines} ORDER BY {order}")
        while True:
            reading.execute(f"FETCH {_BATCH} FROM {name}")
            rows = reading.fetchall()
            if not rows:
                break
            names = [column.name for column in reading.description]
            yield pl.DataFrame(rows, schema={name: _TYPES.get(name, pl.String) for name in names}, orient="row")
        reading.execute(f"CLOSE {name}")


_TYPES: Final[Mapping[str, Any]] = {"recorded_at": pl.Datetime("us", "UTC")}
_WRITERS: Final[Mapping[str, Callable[[Cursor, str, ImportOptions, str], UpsertCounts]]] = {
    "customers": _write_customers,
    "products": _write_products,
    "events": _write_events,
    "consents": _write_consents,
}

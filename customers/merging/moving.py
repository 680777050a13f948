"""Rows on their way from one customer to another, and back. Set-based: a statement or two per table, however many rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import models

from customers.ingest.copying import Cursor
from customers.ingest.merged import CUSTOMER_LOCKS, MERGING_LOCK
from customers.models import Customer, OnMerge, PrivacyRequest

from .tables import CAME_AS, MergedTable, list_merged_tables

#: How long a try waits for imports and requests that create customers; they queue behind it meanwhile.
PATIENCE_MS = 250
#: Keys of rows by table.
Keys = dict[str, list[list[str]]]
#: Whole rows by table, as PostgreSQL writes them in JSON.
Rows = dict[str, list[dict[str, Any]]]


def lock_rows(cursor: Cursor, loser: int, survivor: int) -> None:
    """Lock what a merge or its undo changes: raises OperationalError where somebody else is at it.

    It waits a moment for those who create customers and for marks of messages to either of the two, with no row locked yet, and
    then never again: who waits while holding locks can be part of a deadlock. Events are only ever added to, and their
    writers hold the customer's row.
    """
    people = [loser, survivor]
    cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS}")
    cursor.execute(f"SELECT pg_advisory_xact_lock({MERGING_LOCK})")
    for person in sorted(person % 2**31 for person in people):  # in the order of marks
        cursor.execute(f"SELECT pg_advisory_xact_lock({CUSTOMER_LOCKS}, %s::int)", [person])
    cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    cursor.execute("SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE NOWAIT", [people])
    cursor.execute(
        "SELECT id FROM customers_customermerge WHERE undone_at IS NULL AND (loser_id = ANY(%s) OR holder_id = ANY(%s))"
        " ORDER BY id FOR UPDATE NOWAIT",
        [people, people],
    )
    for table in list_merged_tables():
        if table.rule is not OnMerge.STAYS and table.label != "customers.CustomerEvent":
            cursor.execute(f'SELECT 1 FROM "{table.name}" WHERE "{table.column}" = ANY(%s) FOR UPDATE NOWAIT', [people])


def count_rows(cursor: Cursor, customer: int) -> dict[str, int]:
    """How many rows would follow, by table; none that has none."""
    counts = {}
    for table in list_merged_tables():
        if table.follows:
            cursor.execute(f'SELECT count(*) FROM "{table.name}" WHERE "{table.column}" = %s', [customer])
            if count := cursor.fetchone()[0]:
                counts[table.label] = count
    return counts


def move_rows(
    cursor: Cursor, loser: int, survivor: int, *, others: Iterable[Mapping[str, Any]]
) -> tuple[Keys, dict[str, int]]:
    """Bring over what follows. Returns the keys that the merge has to keep, and counts by table.

    `others` are the `rows` of the merges into the loser: what came from there goes back with those.
    """
    keys: Keys = {}
    counts: dict[str, int] = {}
    others = list(others)
    for table in list_merged_tables():
        if not table.follows:
            continue
        if table.says_whose:
            cursor.execute(
                f'UPDATE "{table.name}" SET "{table.column}" = %s, {CAME_AS} = coalesce({CAME_AS}, %s)'
                f' WHERE "{table.column}" = %s',
                [survivor, loser, loser],
            )
        else:
            cursor.execute(
                f'UPDATE "{table.name}" t SET "{table.column}" = %(survivor)s WHERE t."{table.column}" = %(loser)s'
                f" AND {_is_free_sql(table)} RETURNING {_key_sql(table)}",
                {"survivor": survivor, "loser": loser},
            )
            theirs = {tuple(key) for rows in others for key in rows.get(table.label, [])}
            own = [key for key in (_load(row) for (row,) in cursor.fetchall()) if tuple(key) not in theirs]
            if own:
                keys[table.label] = own
        if cursor.rowcount:
            counts[table.label] = cursor.rowcount
    if asked := _move_requests(loser, survivor):
        keys[PrivacyRequest._meta.label] = asked
    return keys, counts


def return_rows(
    cursor: Cursor, loser: int, survivor: int, *, rows: Sequence[Mapping[str, Any]], below: Sequence[int]
) -> None:
    """Give back what came from the loser or, before that, from those merged into them (`below`): `rows` are the keys that
    those merges kept."""
    for table in list_merged_tables():
        if not table.follows:
            continue
        if table.says_whose:
            cursor.execute(
                f'UPDATE "{table.name}" SET "{table.column}" = %s, {CAME_AS} = nullif({CAME_AS}, %s)'
                f' WHERE "{table.column}" = %s AND {CAME_AS} = ANY(%s)',
                [loser, loser, survivor, [loser, *below]],
            )
        elif keys := [key for kept in rows for key in kept.get(table.label, [])]:
            cursor.execute(
                f'UPDATE "{table.name}" t SET "{table.column}" = %s WHERE t."{table.column}" = %s'
                f" AND {_key_sql(table)} IN (SELECT jsonb_array_elements(%s::jsonb))",
                [loser, survivor, json.dumps(keys)],
            )
    asked = [int(key[0]) for kept in rows for key in kept.get(PrivacyRequest._meta.label, [])]
    PrivacyRequest.objects.filter(pk__in=asked, customer_number=survivor).update(customer_number=loser)


def take_rows(cursor: Cursor, customer: int) -> Rows:
    """Take away what is worked out anew, and return it."""
    taken: Rows = {}
    for table in list_merged_tables():
        if table.rule is OnMerge.WORKED_OUT:
            cursor.execute(
                f'DELETE FROM "{table.name}" t WHERE "{table.column}" = %s RETURNING to_jsonb(t)', [customer]
            )
            if rows := [_load(row) for (row,) in cursor.fetchall()]:
                taken[table.label] = rows
    return taken


def put_rows(cursor: Cursor, taken: Mapping[str, Any]) -> None:
    """Put such rows back as they were, as far as what they refer to is still there."""
    for table in list_merged_tables():
        if table.rule is OnMerge.WORKED_OUT and taken.get(table.label):
            rows = taken[table.label]
            present = [f'"{field.column}"' for field in table.model._meta.concrete_fields if field.column in rows[0]]
            names = ", ".join(present)
            cursor.execute(
                f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::"{table.name}", %s) r'
                f" WHERE {_parents_sql(table.model)} ON CONFLICT DO NOTHING",
                [json.dumps(rows)],
            )


def _key_sql(table: MergedTable) -> str:
    """A row's name beside its customer, as an array of texts in JSON; [] where the customer is all of it."""
    names = ", ".join(f'"{name}"::text' for name in table.keys)
    return f"jsonb_build_array({names})"


def _is_free_sql(table: MergedTable) -> str:
    """True for a row t that the survivor has nothing alike to."""
    alike = [
        f'NOT EXISTS (SELECT 1 FROM "{table.name}" o WHERE o."{table.column}" = %(survivor)s'
        + "".join(f' AND o."{name}" = t."{name}"' for name in names)
        + ")"
        for names in table.unique_beside
        if table.rule is OnMerge.UNLESS_THERE
    ]
    return " AND ".join(alike) or "true"


def _parents_sql(model: type[models.Model]) -> str:
    parents = [
        f'(r."{field.column}" IS NULL OR EXISTS (SELECT 1 FROM "{field.related_model._meta.db_table}" p'  # type: ignore[union-attr]
        f' WHERE p."{field.target_field.column}" = r."{field.column}"))'  # type: ignore[attr-defined]
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is not Customer
    ]
    return " AND ".join(parents) or "true"


def _move_requests(loser: int, survivor: int) -> list[list[str]]:
    """What the loser asked for is asked by the survivor; who asked for it as both has asked once."""
    undecided = PrivacyRequest.objects.filter(customer_number=survivor, status__in=PrivacyRequest.UNDECIDED)
    theirs = PrivacyRequest.objects.filter(customer_number=loser).exclude(
        status__in=PrivacyRequest.UNDECIDED, kind__in=list(undecided.values_list("kind", flat=True))
    )
    numbers = list(theirs.values_list("pk", flat=True))
    PrivacyRequest.objects.filter(pk__in=numbers).update(customer_number=survivor)
    return [[str(number)] for number in numbers]


def _load(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value

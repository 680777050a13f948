"""Customers of a shop: those it speaks of, by (source, the shop's number)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import polars as pl
from django.db import transaction

from customers.ingest.copying import OnUpdate, Target, UpsertCounts, copy_frame, merge_stage, staging
from customers.ingest.customers import CUSTOMERS, in_shop_zone
from customers.ingest.erased import drop_erased
from customers.ingest.merged import lay_on_survivors
from customers.ingest.phones import normalise_phones
from customers.ingest.places import guess_time_zone

from .told import ToldCustomer

_DTYPES: dict[str, Any] = {"joined_at": pl.Datetime("us", "UTC")}


def write_people(told: Sequence[ToldCustomer], *, source: str) -> int:
    """Create or change them; columns that are not told stay. Returns how many were written. Safe to run twice.

    A time zone is guessed from the country of who is new, and kept of who is known. What is said of somebody who was
    merged into another person is said of that person.
    """
    counts = UpsertCounts()
    newest = {one.id: one for one in sorted(told, key=lambda one: (not one.only_fills, str(one.changed_at or "")))}
    # Rows with the same columns go together; those that only fill apart from the others.
    shaped = sorted(((one.only_fills, _make_row(one, source)) for one in newest.values()), key=_shape)
    for (only_fills, _names), group in itertools.groupby(shaped, key=_shape):
        counts += _merge([row for _fills, row in group], _target(only_fills=only_fills))
    return counts.created + counts.updated


def _make_row(one: ToldCustomer, source: str) -> dict[str, Any]:
    row = {"source": source, "external_id": one.id, **one.fields}
    if country := str(one.fields.get("country", "")):
        row["time_zone"] = guess_time_zone(country)
    return row


def _shape(told: tuple[bool, dict[str, Any]]) -> tuple[bool, tuple[str, ...]]:
    only_fills, row = told
    return only_fills, tuple(sorted(row))


def _target(*, only_fills: bool) -> Target:
    rules = {"time_zone": OnUpdate.KEEP}
    if only_fills:
        rules |= {
            column.name: OnUpdate.FILL
            for column in CUSTOMERS.columns
            if column.name not in {*CUSTOMERS.key, "time_zone", "attributes"}
        }
    return in_shop_zone(CUSTOMERS, **rules)


@transaction.atomic
def _merge(rows: Sequence[dict[str, Any]], target: Target) -> UpsertCounts:
    names = list(target.types(list(rows[0])))
    columns = [pl.Series(name, [row[name] for row in rows], dtype=_DTYPES.get(name, pl.String)) for name in names]
    frame = normalise_phones(pl.DataFrame(columns).unique(CUSTOMERS.key, keep="last", maintain_order=True))
    with staging(target.types(frame.columns)) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        drop_erased(cursor, stage)
        lay_on_survivors(cursor, stage, noted=set(frame.columns) - {"time_zone"})
        return merge_stage(cursor, stage, target, frame.columns)

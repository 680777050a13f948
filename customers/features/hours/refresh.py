"""Writes everybody's hour as of a date, and what is known of all: once a night, beside the interests."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import structlog
from django.db import connection, transaction
from numpy.typing import NDArray

from customers.features.reader import Partition, split_customers
from customers.ingest.clock import choose_as_of
from customers.ingest.copying import Column, Target, copy_frame, merge_stage, staging
from customers.models import Customer, ReadingHour, ReadingPattern

from .backtest import HourBacktest, backtest_hours
from .estimate import HOURS, Counts, ShopModel, estimate_readers, fit_shop
from .reading import LOOK_BACK_DAYS, read_hours

#: What was opened in the last weeks is held back once, to see whether the hours before would have caught it.
HELD_BACK_DAYS: Final = 60
MOST_CUSTOMERS_IN_MEMORY: Final = 200_000
_TARGET: Final = Target(
    ReadingHour._meta.db_table,
    ("customer_id",),
    (
        Column("customer_id", "bigint"),
        Column("hour", "smallint"),
        Column("share", "float8"),
        Column("opens", "int"),
        Column("weak", "int"),
        Column("as_of", "timestamptz"),
    ),
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Readers:
    """People in the order of their ids, the time zone of each, and their opens and weaker signs by the 24 hours."""

    ids: NDArray[np.int64]
    zones: NDArray[Any]
    opens: Counts
    weak: Counts


def refresh_hours(*, as_of: dt.datetime) -> int:
    """Estimate the hour of every customer as of a date; returns how many have one. Safe to run twice.

    The model of all comes from the first part of the customers where they are too many for one.
    """
    parts = split_customers(Customer.objects.count(), most=MOST_CUSTOMERS_IN_MEMORY)
    first = parts[0] if parts else None
    since = as_of - dt.timedelta(days=LOOK_BACK_DAYS)
    readers = as_readers(read_hours(since=since, before=as_of, whose=first))
    model = fit_shop(readers.zones, readers.opens)
    found = sum(_refresh_part(model, part, since=since, as_of=as_of) for part in parts)
    ReadingHour.objects.exclude(as_of=as_of).delete()  # of whom nothing is known any more, or who object since
    test = try_out(first, as_of=as_of)
    ReadingPattern.objects.update_or_create(
        as_of=as_of,
        defaults={
            "shares": list(model.shop.shares),
            "concentration": model.shop.concentration,
            "best_hour": model.shop.best_hour if len(readers.ids) else None,
            "zone_hours": {zone: kept.best_hour for zone, kept in model.zones.items()},
            "people": found,
            "backtest": asdict(test) if test else {},
        },
    )
    log.info("reading hours", people=found, gain=test.gain if test else None)
    return found


def refresh_for_today(now: dt.datetime) -> int:
    """`refresh_hours` as of the current day; 0 at once while another worker does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('customers.hours.refresh'))")
        if not cursor.fetchone()[0]:
            return 0
        try:
            return refresh_hours(as_of=choose_as_of(now))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('customers.hours.refresh'))")


def try_out(part: Partition | None, *, as_of: dt.datetime) -> HourBacktest | None:
    """Hours as they were known HELD_BACK_DAYS ago against what was opened since."""
    then = as_of - dt.timedelta(days=HELD_BACK_DAYS)
    known = as_readers(read_hours(since=then - dt.timedelta(days=LOOK_BACK_DAYS), before=then, whose=part))
    if not len(known.ids):
        return None
    model = fit_shop(known.zones, known.opens)
    hours, _share = estimate_readers(model, known.zones, known.opens, known.weak)
    later = read_hours(since=then, before=as_of, whose=part)
    return backtest_hours(hours, model.usual_hours(known.zones), _count(later, "opens", known.ids))


def as_readers(rows: pl.DataFrame) -> Readers:
    """From what `read_hours` gives."""
    people = rows.select("customer_id", "zone").unique("customer_id").sort("customer_id")
    ids = people["customer_id"].to_numpy()
    return Readers(ids, people["zone"].to_numpy(), _count(rows, "opens", ids), _count(rows, "weak", ids))


def _count(rows: pl.DataFrame, name: str, ids: NDArray[np.int64]) -> Counts:
    """A row of 24 counts for each of `ids`, which are in order; others are left out."""
    kept = rows.filter(pl.col("customer_id").is_in(pl.Series(ids).implode()))
    counts = np.zeros((len(ids), HOURS))
    counts[np.searchsorted(ids, kept["customer_id"].to_numpy()), kept["hour"].to_numpy()] = kept[name].to_numpy()
    return counts


@transaction.atomic
def _refresh_part(model: ShopModel, part: Partition | None, *, since: dt.datetime, as_of: dt.datetime) -> int:
    readers = as_readers(read_hours(since=since, before=as_of, whose=part))
    hours, shares = estimate_readers(model, readers.zones, readers.opens, readers.weak)
    frame = pl.DataFrame(
        {
            "customer_id": readers.ids,
            "hour": hours,
            "share": shares,
            "opens": readers.opens.sum(axis=1).astype(np.int64),
            "weak": readers.weak.sum(axis=1).astype(np.int64),
        }
    ).with_columns(pl.col("hour").replace({-1: None}), pl.lit(as_of).cast(pl.Datetime("us", "UTC")).alias("as_of"))
    with staging(_TARGET.types(frame.columns)) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        merge_stage(cursor, stage, _TARGET, frame.columns)
    return int((hours >= 0).sum())

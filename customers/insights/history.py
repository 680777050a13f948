"""What every figure of retention is counted from: days with a purchase, and each customer's sums. No framework.

A return (an order of negative lines only) is no purchase, but its money counts. Several orders of one customer on one day
of the shop's time zone are one day with a purchase.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

Unit = Literal["week", "month"]
UNITS: tuple[Unit, ...] = ("week", "month")

_EPOCH = dt.date(1970, 1, 1)
_EPOCH_WEEKDAY = 3  # the first of January 1970 was a Thursday; weeks begin on Monday


@dataclass(frozen=True)
class History:
    """The purchases of a shop before `as_of`.

    - days: customer_id, day (of the shop's zone), one row per day with a purchase, sorted by both
    - customers: customer_id, first_at, last_at, first_on (day of the shop's zone), orders (purchases), cents (paid less
      returned, in `currency`), is_seen (whether any order was in it); one row per customer with a purchase, sorted
    """

    days: pl.DataFrame
    customers: pl.DataFrame
    as_of: dt.datetime
    zone: str
    currency: str

    @property
    def last_day(self) -> dt.date:
        """The last day of the shop of which something is known at `as_of`."""
        return (self.as_of - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(self.zone)).date()

    def is_over(self, period: int, unit: Unit) -> bool:
        """Whether the period has ended at `as_of`."""
        return period < number_period(self.as_of.astimezone(ZoneInfo(self.zone)).date(), unit)


def build_history(orders: pl.DataFrame, *, as_of: dt.datetime, zone: str, currency: str) -> History:
    """Orders: customer_id, ordered_at (UTC), is_return, cents (of an order in another currency: null)."""
    known = orders.lazy().filter(pl.col("ordered_at") < pl.lit(as_of).cast(pl.Datetime("us", "UTC")))
    bought = known.filter(~pl.col("is_return")).with_columns(
        day=pl.col("ordered_at").dt.convert_time_zone(zone).dt.date()
    )
    sums = bought.group_by("customer_id").agg(
        first_at=pl.col("ordered_at").min(),
        last_at=pl.col("ordered_at").max(),
        first_on=pl.col("day").min(),
        orders=pl.len().cast(pl.Int64),
    )
    money = known.group_by("customer_id").agg(pl.col("cents").sum(), is_seen=pl.col("cents").count() > 0)
    customers = sums.join(money, on="customer_id", how="left").sort("customer_id")
    days = bought.select("customer_id", "day").unique().sort("customer_id", "day")
    found_days, found_customers = pl.collect_all([days, customers])
    return History(found_days, found_customers, as_of, zone, currency)


def number_period(day: dt.date, unit: Unit) -> int:
    """Weeks (from Monday) or months, counted through."""
    if unit == "month":
        return day.year * 12 + day.month - 1
    return ((day - _EPOCH).days + _EPOCH_WEEKDAY) // 7


def number_periods(day: pl.Expr, unit: Unit) -> pl.Expr:
    """`number_period` of a column of days."""
    if unit == "month":
        return (day.dt.year().cast(pl.Int32) * 12 + day.dt.month().cast(pl.Int32) - 1).cast(pl.Int32)
    return (day.cast(pl.Int32) + _EPOCH_WEEKDAY) // 7


def begin_period(period: int, unit: Unit) -> dt.date:
    """The first day of a period."""
    if unit == "month":
        return dt.date(period // 12, period % 12 + 1, 1)
    return _EPOCH + dt.timedelta(days=period * 7 - _EPOCH_WEEKDAY)

"""What happened after a date: the labels that estimators learn and are judged by."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

SHORTEST_HORIZON_DAYS = 14
DEFAULT_HORIZON_DAYS = 90


def build_labels(orders: pl.DataFrame, *, as_of: dt.datetime, horizon_days: int) -> pl.DataFrame:
    """One row per customer with an order before `as_of`, sorted by customer.

    Columns: customer_id, churned (no order in [as_of, as_of + horizon_days)), orders (days with an order in it),
    value (orders less returns in it), next_in_days (from `as_of` to the first order in it, else null). The data must
    reach to the end of that window.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    until = pl.lit(as_of + dt.timedelta(days=horizon_days)).cast(pl.Datetime("us", "UTC"))
    moment, bought = pl.col("ordered_at"), ~pl.col("is_return")
    eligible = orders.lazy().filter((moment < at) & bought).select("customer_id").unique()
    later = orders.lazy().filter((moment >= at) & (moment < until))
    outcome = later.group_by("customer_id").agg(
        orders=moment.filter(bought).dt.date().n_unique().cast(pl.Float64),
        value=pl.col("total").sum(),
        next_in_days=(moment.filter(bought).min() - at).dt.total_microseconds() / 86_400_000_000,
    )
    return (
        eligible.join(outcome, on="customer_id", how="left")
        .with_columns(pl.col("orders", "value").fill_null(0.0))
        .with_columns(churned=(pl.col("orders") == 0).cast(pl.Int8))
        .select("customer_id", "churned", "orders", "value", "next_in_days")
        .sort("customer_id")
        .collect()
    )


def propose_horizon(orders: pl.DataFrame) -> int:
    """Days without an order after which the shop's customers seldom come back, from its own gaps.

    The 80th percentile of the days between a customer's orders, rounded up to 30, 60, 90, 120, 180 or 365, and never
    more than a third of the time the data cover (training needs a window before it and one to be judged by). Returns
    90 where nobody ordered twice.
    """
    days = (
        orders.filter(~pl.col("is_return"))
        .select("customer_id", day=pl.col("ordered_at").dt.date().cast(pl.Int32))
        .unique()
        .sort("customer_id", "day")
    )
    gaps = days.filter(pl.col("customer_id") == pl.col("customer_id").shift(1)).height
    if days.height == 0 or gaps == 0:
        return DEFAULT_HORIZON_DAYS
    between = days.select((pl.col("day") - pl.col("day").shift(1)).over("customer_id").alias("gap"))["gap"].drop_nulls()
    usual = float(np.quantile(between.to_numpy(), 0.8))
    span_days = int(days["day"].max()) - int(days["day"].min())  # type: ignore[arg-type]
    choices = [days for days in (30, 60, 90, 120, 180, 365) if days <= span_days / 3]
    if not choices:
        return max(SHORTEST_HORIZON_DAYS, span_days // 3)
    return next((days for days in choices if days >= usual), choices[-1])


def propose_label_horizon(history_days: int, horizon_days: int) -> int:
    """The longest horizon up to `horizon_days` of which a third of the history still is: several windows of it can be
    learned from. One of 30, 60, 90, 120, 180 or 365, where the history allows that much."""
    longest = min(horizon_days, history_days // 3)
    return max((days for days in (30, 60, 90, 120, 180, 365) if days <= longest), default=max(longest, 1))

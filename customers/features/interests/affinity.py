"""How much of a customer's attention each category has: orders, carts, searches and views with stated weights.

The weights are a choice, not learned: what somebody pays for says more than what they look at, and what they look at
says more about now. Shapes of the frames (`reading` makes them from the database):

- lines: customer_id, ordered_at (UTC), product_id, quantity (negative for returns), is_charge, unit_price, currency
- events: customer_id, kind, occurred_at, product_id (null where none is named), category (as the shop sent it), query
- labels: product_id, interest (`favourite.label_products`)
- matches: query, category ("" where none is clear; `searches.match_queries`)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import polars as pl

#: Events older than this say nothing about what somebody likes now, and are not read at all.
EVENT_WINDOW_DAYS: Final = 180


@dataclass(frozen=True)
class Weight:
    """What one act counts for, and after how many days it counts half of it."""

    value: float
    half_life_days: int


WEIGHTS: Final[dict[str, Weight]] = {
    "ordered": Weight(1.0, 180),
    "carts": Weight(0.5, 30),
    "searched": Weight(0.4, 30),
    "viewed": Weight(0.1, 30),
}
EVENT_ACTS: Final = {"cart_updated": "carts", "search_performed": "searched", "product_viewed": "viewed"}

_DAY_US = 86_400_000_000
_COLUMNS: dict[str, pl.DataType] = {
    "customer_id": pl.Int64(),
    "category": pl.String(),
    "act": pl.String(),
    "at": pl.Datetime("us", "UTC"),
}
_SCHEMA = pl.Schema(_COLUMNS)


def build_affinities(
    lines: pl.DataFrame, events: pl.DataFrame, labels: pl.DataFrame, matches: pl.DataFrame, *, as_of: dt.datetime
) -> pl.DataFrame:
    """One row per customer and category with a sign of interest before `as_of`, the strongest first.

    Columns: customer_id, category, share (0 to 1, adds up to 1 within a customer), weight, and how many acts it rests
    on: ordered (lines), carts, searched, viewed. Returns and charges count nothing; nothing at or after `as_of` is looked
    at, and no customer's row depends on another customer.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    acts = pl.concat([_acts_of_lines(lines, labels), _acts_of_events(events, labels, matches, at)])
    age = (at - pl.col("at")).dt.total_microseconds() / _DAY_US
    value, half_life = (
        pl.col("act").replace_strict({name: getattr(weight, part) for name, weight in WEIGHTS.items()}).cast(pl.Float64)
        for part in ("value", "half_life_days")
    )
    counts = {act: (pl.col("act") == act).sum().cast(pl.Int64) for act in WEIGHTS}
    summed = (
        acts.filter((pl.col("at") < at) & (pl.col("category") != ""))
        .with_columns(weight=value * 0.5 ** (age / half_life))
        .group_by("customer_id", "category")
        .agg(
            pl.col("weight").sum().round(9), **counts
        )  # what is a tie must stay one, in whichever order threads add up
    )
    return summed.with_columns(
        share=(pl.col("weight") / pl.col("weight").sum().over("customer_id")).fill_nan(0.0).round(6)
    ).sort(["customer_id", "weight", "category"], descending=[False, True, False])


def _acts_of_lines(lines: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    bought = lines.filter((pl.col("quantity") > 0) & ~pl.col("is_charge"))
    return (
        bought.join(labels, on="product_id", how="inner")
        .select("customer_id", category="interest", act=pl.lit("ordered"), at="ordered_at")
        .cast(_SCHEMA)
    )


def _acts_of_events(events: pl.DataFrame, labels: pl.DataFrame, matches: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    """The category of an event: its product's, else the one that the shop names, else the one its words mean."""
    known = labels.select(category="interest").unique()
    named = events.select(pl.col("category").unique()).join(known, on="category", how="semi")["category"]
    recent = pl.col("occurred_at") >= at - pl.duration(days=EVENT_WINDOW_DAYS)
    meant = matches.select("query", meant="category")
    return (
        events.filter(recent & pl.col("kind").cast(pl.String).is_in(list(EVENT_ACTS)))
        .join(labels, on="product_id", how="left")
        .join(meant, on="query", how="left")
        .select(
            "customer_id",
            category=pl.coalesce(
                "interest", pl.when(pl.col("category").is_in(named.implode())).then("category"), "meant", pl.lit("")
            ),
            act=pl.col("kind").cast(pl.String).replace_strict(EVENT_ACTS, default=""),
            at="occurred_at",
        )
        .cast(_SCHEMA)
    )

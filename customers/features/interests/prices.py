"""How dear the things are that a customer buys, within each category: cheap boots are not cheap socks.

A product's place is its mid-rank among the products of its category by the mean price paid for them in one currency:
0.1 is among the cheapest tenth, 0.9 among the dearest. A customer's level is the mean of the places of what they bought,
recent purchases counting more.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

HALF_LIFE_DAYS: Final = 180
#: A category with fewer priced products has no cheap and no dear end worth the name.
FEWEST_PRODUCTS: Final = 4
#: With fewer purchases a level would be chance.
FEWEST_LINES: Final = 3
LOW_BELOW: Final = 0.4
HIGH_FROM: Final = 0.6

_DAY_US = 86_400_000_000


def rank_products(prices: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """product_id, currency, place (above 0, below 1) of every product in a category with enough priced products.

    prices: product_id, currency, price (the mean paid before the date in question); labels: product_id, interest.
    """
    within = ("interest", "currency")
    ranked = prices.join(labels, on="product_id", how="inner").with_columns(pl.col("price").round(6))
    return (
        ranked.with_columns(rank=pl.col("price").rank("average").over(within), count=pl.len().over(within))
        .filter(pl.col("count") >= FEWEST_PRODUCTS)
        .select("product_id", "currency", place=(pl.col("rank") - 0.5) / pl.col("count"))
    )


def build_price_levels(
    lines: pl.DataFrame, ranks: pl.DataFrame, labels: pl.DataFrame, *, as_of: dt.datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two frames: per customer, and per customer and category; each with price_level (0 to 1), price_lines, price_band.

    The level is null and the band "" with fewer than `FEWEST_LINES` purchases whose place is known. Customers (and
    categories) without any such purchase have no row. `ranks` must come from prices before `as_of`.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    age = (at - pl.col("ordered_at")).dt.total_microseconds() / _DAY_US
    placed = (
        lines.filter((pl.col("ordered_at") < at) & (pl.col("quantity") > 0) & ~pl.col("is_charge"))
        .join(ranks, on=["product_id", "currency"], how="inner")
        .join(labels.rename({"interest": "category"}), on="product_id", how="inner")
        .with_columns(weight=0.5 ** (age / HALF_LIFE_DAYS))
    )
    return _average(placed, ["customer_id"]), _average(placed, ["customer_id", "category"])


def _average(placed: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    level = ((pl.col("place") * pl.col("weight")).sum() / pl.col("weight").sum()).round(6)
    band = (
        pl.when(pl.col("price_level").is_null()).then(pl.lit(""))
        .when(pl.col("price_level") < LOW_BELOW).then(pl.lit("low"))
        .when(pl.col("price_level") >= HIGH_FROM).then(pl.lit("high"))
        .otherwise(pl.lit("mid"))
    )  # fmt: skip
    return (
        placed.group_by(key)
        .agg(price_level=pl.when(pl.len() >= FEWEST_LINES).then(level), price_lines=pl.len().cast(pl.Int64))
        .with_columns(price_band=band)
        .sort(key)
    )

"""The map of recency by frequency: who bought lately, who often, and what they brought. No framework.

Bands are fifths of the customers. Ties stay together: where one value (a single order, mostly) holds more than a fifth,
it is a band of its own and the rest is cut into equal parts again. So there may be fewer than five bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from .history import History

BANDS = 5
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Band:
    """Whole days since the last order, or numbers of orders, from `low` to `high` (both in it; None: no end)."""

    low: int
    high: int | None
    customers: int


@dataclass(frozen=True)
class Cell:
    """Customers in one recency and one frequency band (places in the tuples of the map), and what they paid in cents."""

    recency: int
    frequency: int
    customers: int
    cents: int


@dataclass(frozen=True)
class RfmMap:
    """Recency from the latest on, frequency from the fewest on; cells without customers are left out."""

    recency: tuple[Band, ...]
    frequency: tuple[Band, ...]
    cells: tuple[Cell, ...]

    def rule(self, recency: int, frequency: int) -> dict[str, Any]:
        """The segment rule that means a cell's customers.

        Days since the last order are whole in a band and exact in a rule: a band of 10 to 19 days is a rule of 10 to 20.
        """
        bought_lately = _make_condition("recency_days", self.recency[recency], first=0, beyond=1)
        bought_often = _make_condition("orders_count", self.frequency[frequency], first=1, beyond=0)
        return {"match": "all", "rules": [bought_lately, bought_often]}


def build_rfm_map(history: History) -> RfmMap:
    """The map of everybody with a purchase; frequency counts orders, as segments do."""
    as_of = pl.lit(history.as_of).cast(pl.Datetime("us", "UTC"))
    surface = (
        history.customers.lazy()
        .select(
            recency=(as_of - pl.col("last_at")).dt.total_microseconds() // _DAY_US,
            frequency=pl.col("orders"),
            cents=pl.col("cents"),
        )
        .group_by("recency", "frequency")
        .agg(customers=pl.len().cast(pl.Int64), cents=pl.col("cents").sum())
        .collect()
    )
    recency, frequency = _cut(surface, "recency", first=0), _cut(surface, "frequency", first=1)
    cells = (
        surface.select(
            _place(pl.col("recency"), recency).alias("r"),
            _place(pl.col("frequency"), frequency).alias("f"),
            "customers",
            "cents",
        )
        .group_by("r", "f")
        .agg(pl.col("customers", "cents").sum())
        .sort("r", "f")
    )
    return RfmMap(recency, frequency, tuple(Cell(*row) for row in cells.iter_rows()))


def _cut(surface: pl.DataFrame, column: str, *, first: int) -> tuple[Band, ...]:
    counts = surface.group_by(column).agg(pl.col("customers").sum()).sort(column)
    return cut_bands(list(counts.iter_rows()), first=first)


def cut_bands(counts: Sequence[tuple[int, int]], *, first: int, bands: int = BANDS) -> tuple[Band, ...]:
    """Bands over (value, customers), sorted by value: each takes values until it holds its part of what is left."""
    made: list[Band] = []
    left, low, held = sum(customers for _value, customers in counts), first, 0
    for value, customers in counts:
        held += customers
        is_full = held * (bands - len(made)) >= left
        if is_full:
            made.append(Band(low, value, held))
            left, low, held = left - held, value + 1, 0
    last = made[-1]
    return (*made[:-1], Band(last.low, None, last.customers))


def _place(value: pl.Expr, bands: Sequence[Band]) -> pl.Expr:
    """The place of a value's band."""
    return pl.sum_horizontal([pl.lit(0), *((value >= band.low).cast(pl.Int32) for band in bands[1:])])


def _make_condition(field: str, band: Band, *, first: int, beyond: int) -> dict[str, Any]:
    if band.high is None:
        return {"field": field, "op": "gte", "value": band.low}
    if band.low == first:
        return {"field": field, "op": "lte", "value": band.high + beyond}
    return {"field": field, "op": "between", "value": [band.low, band.high + beyond]}

"""How long customers take from one order to the next, and how many never come back. No framework.

The percentiles describe those who did come again, and so flatter: whoever is still to come is not in them. The
Kaplan-Meier median counts everybody, and those who have not come yet for as long as they could be watched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from .history import History
from .shares import Share

PERCENTILES = (10, 25, 50, 75, 90)
#: From this order on, steps are taken together: few customers get so far.
LAST_STEP = 6


@dataclass(frozen=True)
class Step:
    """From the `number`-th day with an order to the next (of all orders: 0; LAST_STEP: that and all later).

    `again` of `reached` have come back by `as_of`; `percentiles` are their days, () where nobody has. `median_days` is
    Kaplan-Meier's: the day by which half of all have come back; None where the curve never falls to a half.
    """

    number: int
    reached: int
    again: int
    percentiles: tuple[int, ...]
    median_days: int | None
    within_horizon: int

    @property
    def not_again(self) -> Share:
        return Share(self.reached - self.again, self.reached)

    @property
    def is_open_ended(self) -> bool:
        return self.number == LAST_STEP

    @property
    def counts_once(self) -> bool:
        """Whether each customer is in it once; otherwise the interval of `not_again` would be too narrow."""
        return 0 < self.number < LAST_STEP


@dataclass(frozen=True)
class IntervalTable:
    """`overall` takes all steps together; `within_horizon` of its `again` came within `horizon_days`."""

    steps: tuple[Step, ...]
    overall: Step
    horizon_days: int


def build_intervals(history: History, *, horizon_days: int) -> IntervalTable:
    """Steps that nobody reached are left out. Needs at least one purchase."""
    tallies = _tally_gaps(history)
    steps = tuple(
        _describe(number, tally.drop("step"), horizon_days)
        for number in range(1, LAST_STEP + 1)
        if not (tally := tallies.filter(pl.col("step") == number)).is_empty()
    )
    whole = tallies.group_by("days", "is_again").agg(pl.col("gaps").sum())
    return IntervalTable(steps, _describe(0, whole, horizon_days), horizon_days)


def _tally_gaps(history: History) -> pl.DataFrame:
    """step, days, is_again, gaps: how many waited for `days`, and came again then or were still awaited."""
    place = pl.int_range(pl.len())
    is_first = (pl.col("customer_id") != pl.col("customer_id").shift(1)).fill_null(True)
    is_again = (pl.col("customer_id") == pl.col("customer_id").shift(-1)).fill_null(False)
    waited = pl.when(is_again).then(pl.col("day").shift(-1)).otherwise(pl.lit(history.last_day)) - pl.col("day")
    return (
        history.days.lazy()
        .select(
            step=(place - pl.when(is_first).then(place).forward_fill() + 1).clip(upper_bound=LAST_STEP),
            days=waited.dt.total_days(),
            is_again=is_again,
        )
        .group_by("step", "days", "is_again")
        .agg(gaps=pl.len().cast(pl.Int64))
        .collect()
    )


def _describe(number: int, tally: pl.DataFrame, horizon_days: int) -> Step:
    """Of a tally of days, is_again, gaps."""
    again = tally.filter("is_again").sort("days")
    count = int(again["gaps"].sum())
    reached = int(tally["gaps"].sum())
    within = int(again.filter(pl.col("days") <= horizon_days)["gaps"].sum())
    return Step(number, reached, count, _find_percentiles(again, count), _find_median(tally), within)


def _find_percentiles(again: pl.DataFrame, count: int) -> tuple[int, ...]:
    """The least number of days within which at least that share came again."""
    if not count:
        return ()
    reached = again["gaps"].cum_sum().to_numpy() * 100
    places = [int(np.searchsorted(reached, percentile * count)) for percentile in PERCENTILES]
    return tuple(int(again["days"][place]) for place in places)


def _find_median(tally: pl.DataFrame) -> int | None:
    """Kaplan and Meier (1958): survival falls by the share of those still awaited who come on a day."""
    days = (
        tally.group_by("days").agg(came=pl.col("gaps").filter("is_again").sum(), all=pl.col("gaps").sum()).sort("days")
    )
    came, leaving = days["came"].to_numpy(), days["all"].to_numpy()
    awaited = leaving.sum() - np.concatenate(([0], np.cumsum(leaving)[:-1]))
    survival = np.cumprod(1 - came / awaited)
    below = np.flatnonzero(survival <= 0.5 + 1e-12)
    return int(days["days"][int(below[0])]) if len(below) else None

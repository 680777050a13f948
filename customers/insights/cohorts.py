"""Cohorts by first order: what share of them orders in each later week or month. No framework.

A cohort is everybody whose first purchase fell into one period of the shop's calendar. Period k is the k-th period after
it. A period that is not over at `as_of` is left out (right-censored) rather than counted too low.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from .history import History, Unit, begin_period, number_periods
from .shares import Share


@dataclass(frozen=True)
class Cohort:
    """`customers` whose first purchase fell into the period that begins on `starts_on`.

    `ordered[k - 1]` of them ordered in period k, for all that are over. `is_growing`: its own period is not over yet.
    """

    starts_on: dt.date
    customers: int
    ordered: tuple[int, ...]
    is_growing: bool

    @property
    def shares(self) -> tuple[Share, ...]:
        return tuple(Share(count, self.customers) for count in self.ordered)


@dataclass(frozen=True)
class CohortTable:
    """All cohorts of the shop, oldest first; a period without a first purchase has none."""

    unit: Unit
    cohorts: tuple[Cohort, ...]

    @property
    def pooled(self) -> tuple[Share, ...]:
        """Period by period, all cohorts for which it is over, taken together."""
        longest = max((len(cohort.ordered) for cohort in self.cohorts), default=0)
        return tuple(self._pool(period) for period in range(longest))

    def _pool(self, place: int) -> Share:
        reached = [cohort for cohort in self.cohorts if len(cohort.ordered) > place]
        return Share(sum(c.ordered[place] for c in reached), sum(c.customers for c in reached))


def build_cohort_table(history: History, unit: Unit) -> CohortTable:
    """The cohorts of everybody with a purchase."""
    active = (
        history.days.lazy()
        .select("customer_id", period=number_periods(pl.col("day"), unit))
        .unique()
        .with_columns(cohort=pl.col("period").min().over("customer_id"))
        .group_by("cohort", "period")
        .agg(customers=pl.len())
        .sort("cohort", "period")
        .collect()
    )
    counts: dict[int, dict[int, int]] = {}
    for cohort, period, customers in active.iter_rows():
        counts.setdefault(cohort, {})[period] = customers
    return CohortTable(unit, tuple(_make_cohort(history, unit, first, found) for first, found in counts.items()))


def _make_cohort(history: History, unit: Unit, first: int, counts: dict[int, int]) -> Cohort:
    ordered, period = [], first + 1
    while history.is_over(period, unit):
        ordered.append(counts.get(period, 0))
        period += 1
    return Cohort(begin_period(first, unit), counts[first], tuple(ordered), not history.is_over(first, unit))

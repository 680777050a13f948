"""Who has left, by cohort and by where they come from. No framework.

Left means: no purchase in the `horizon_days` before `as_of`. Only customers who first bought before those days can have
left, so that a cohort counts once all of its period lies before them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from .history import History, Unit, begin_period, number_periods
from .shares import Share

GROUPS_SHOWN = 8


@dataclass(frozen=True)
class CohortChurn:
    """`left` is None for a cohort that is too young."""

    starts_on: dt.date
    customers: int
    left: Share | None


@dataclass(frozen=True)
class GroupChurn:
    """Customers of one group, "" for those of whom it is not known, `is_rest` for all smaller groups together."""

    name: str
    left: Share
    is_rest: bool = False


def measure_churn(history: History, *, horizon_days: int) -> Share | None:
    """Of all who first bought before the horizon, those who have left; None where there are none."""
    since = history.as_of - dt.timedelta(days=horizon_days)
    counts = history.customers.filter(_is_old_enough(since)).select(left=_has_left(since).sum(), of=pl.len())
    left, of = counts.row(0)
    return Share(left, of) if of else None


def build_cohort_churn(history: History, unit: Unit, *, horizon_days: int) -> tuple[CohortChurn, ...]:
    """Cohorts by first purchase, oldest first."""
    since = history.as_of - dt.timedelta(days=horizon_days)
    since_on = since.astimezone(ZoneInfo(history.zone)).date()
    counts = (
        history.customers.lazy()
        .group_by(cohort=number_periods(pl.col("first_on"), unit))
        .agg(customers=pl.len(), left=_has_left(since).sum())
        .sort("cohort")
        .collect()
    )
    return tuple(
        CohortChurn(
            begin_period(cohort, unit),
            customers,
            Share(left, customers) if begin_period(cohort + 1, unit) <= since_on else None,
        )
        for cohort, customers, left in counts.iter_rows()
    )


def build_group_churn(history: History, groups: pl.DataFrame, *, horizon_days: int) -> tuple[GroupChurn, ...]:
    """The largest groups of those who first bought before the horizon, largest first, then the rest together.

    `groups`: customer_id, name ("" where not known). Empty where there are not two names.
    """
    since = history.as_of - dt.timedelta(days=horizon_days)
    counts = (
        history.customers.lazy()
        .filter(_is_old_enough(since))
        .join(groups.lazy(), on="customer_id", how="left")
        .group_by(pl.col("name").fill_null(""))
        .agg(customers=pl.len(), left=_has_left(since).sum())
        .sort(["customers", "name"], descending=[True, False])
        .collect()
    )
    if counts.filter(pl.col("name") != "").height < 2:
        return ()
    shown = [GroupChurn(name, Share(left, of)) for name, of, left in counts.head(GROUPS_SHOWN).iter_rows()]
    rest = counts.slice(GROUPS_SHOWN)
    if rest.height:
        shown.append(GroupChurn("", Share(int(rest["left"].sum()), int(rest["customers"].sum())), is_rest=True))
    return tuple(shown)


def _is_old_enough(since: dt.datetime) -> pl.Expr:
    return pl.col("first_at") < pl.lit(since).cast(pl.Datetime("us", "UTC"))


def _has_left(since: dt.datetime) -> pl.Expr:
    return pl.col("last_at") < pl.lit(since).cast(pl.Datetime("us", "UTC"))

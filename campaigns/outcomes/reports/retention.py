"""The report Retention: how many customers stay, over time, and what campaigns added to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.outcomes.ratio import Bounded, add_up
from customers.insights.overview import read_overview
from customers.insights.retention import Cohort, RateChange, RetentionRate, find_change
from customers.insights.shares import Share

from .cost import begin_month
from .ledger import Ledger, Line, read_ledger


@dataclass(frozen=True)
class RatePoint:
    """The retention rate as of a day, with Wilson's interval."""

    rate: RetentionRate
    share: Share


@dataclass(frozen=True)
class AddedMonth:
    """What the campaigns that began in a month added: customers kept, and how many people were written to."""

    month: dt.date
    campaigns: int
    treated: int
    kept: Bounded
    total: Bounded


@dataclass(frozen=True)
class RetentionReport:
    """`points` oldest first; empty where nobody ever bought. `change` is that of Home, from the point before."""

    as_of: dt.datetime
    points: Sequence[RatePoint]
    change: RateChange | None
    cohorts: Sequence[Cohort]
    months: Sequence[AddedMonth]
    kept: Bounded | None
    campaigns: int

    @property
    def newest(self) -> RatePoint | None:
        return self.points[-1] if self.points else None

    @property
    def is_current(self) -> bool:
        """Whether the newest point is of today: after a pause of the shop nobody bought long enough ago for one."""
        return self.newest is not None and self.newest.rate.as_of == self.as_of


def read_retention_report(now: dt.datetime, ledger: Ledger | None = None) -> RetentionReport:
    """The rates are those of Home, kept for the day; what campaigns added comes from the ledger."""
    overview = read_overview(now)
    ledger = read_ledger() if ledger is None else ledger
    points = [RatePoint(rate, Share(rate.kept, rate.customers)) for rate in overview.rates if rate.customers]
    settled = ledger.settled
    kept = add_up([line.kept for line in settled]) if settled else None
    return RetentionReport(
        overview.as_of,
        points,
        find_change(overview.rates),
        overview.cohorts,
        _list_months(settled),
        kept,
        len(settled),
    )


def _list_months(settled: Sequence[Line]) -> list[AddedMonth]:
    by_month: dict[dt.date, list[Line]] = {}
    for line in sorted(settled, key=lambda line: line.result.figures["window_start"]):
        begun = begin_month(dt.datetime.fromisoformat(line.result.figures["window_start"]))
        by_month.setdefault(begun, []).append(line)
    months: list[AddedMonth] = []
    so_far: list[Bounded] = []
    for month, lines in by_month.items():
        kept = [line.kept for line in lines]
        so_far += kept
        treated = sum(line.retention["treated"] for line in lines)
        months.append(AddedMonth(month, len(lines), treated, add_up(kept), add_up(so_far)))
    return months

"""The figures as plain rows, for files and for the API: one row per cell, dates and shares as they are. No framework."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal

from .churn import CohortChurn
from .cohorts import CohortTable
from .history import begin_period, number_period
from .intervals import PERCENTILES, IntervalTable
from .rfm import RfmMap
from .value import ValueDistribution


@dataclass(frozen=True)
class CohortRow:
    """One cohort in one later period that is over. `period` counts from 1."""

    cohort: dt.date
    customers: int
    period: int
    period_starts_on: dt.date
    ordered: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class IntervalRow:
    """From the `step`-th day with an order to the next; step 0 is all together. Days are None where nobody came again.

    The interval is None where a customer may count several times (steps 0 and 6): it would be too narrow.
    """

    step: int
    reached: int
    again: int
    not_again: float
    not_again_low: float | None
    not_again_high: float | None
    p10: int | None
    p25: int | None
    p50: int | None
    p75: int | None
    p90: int | None
    median_days: int | None


@dataclass(frozen=True)
class RfmRow:
    """One cell of the map; days since the last order and orders from … to (None: no end)."""

    days_from: int
    days_to: int | None
    orders_from: int
    orders_to: int | None
    customers: int
    revenue: Decimal


@dataclass(frozen=True)
class TenthRow:
    """A tenth of the customers by revenue; 1 is the best."""

    tenth: int
    customers: int
    revenue_from: Decimal
    revenue_to: Decimal
    revenue: Decimal
    share: float | None


@dataclass(frozen=True)
class ChurnRow:
    """How many of a cohort left; None while it is too young to say."""

    cohort: dt.date
    customers: int
    left: int | None
    share: float | None
    low: float | None
    high: float | None


Row = CohortRow | IntervalRow | RfmRow | TenthRow | ChurnRow


def list_cohort_rows(table: CohortTable) -> list[CohortRow]:
    """Every cohort, oldest first, and every period that is over."""
    return [
        CohortRow(
            cohort.starts_on,
            cohort.customers,
            period,
            begin_period(number_period(cohort.starts_on, table.unit) + period, table.unit),
            share.count,
            share.value,
            share.low,
            share.high,
        )
        for cohort in table.cohorts
        for period, share in enumerate(cohort.shares, 1)
    ]


def list_interval_rows(table: IntervalTable) -> list[IntervalRow]:
    """All steps together first, then each."""
    names = [f"p{percentile}" for percentile in PERCENTILES]
    return [
        IntervalRow(
            step.number,
            step.reached,
            step.again,
            step.not_again.value,
            step.not_again.low if step.counts_once else None,
            step.not_again.high if step.counts_once else None,
            **dict(zip(names, step.percentiles or (None,) * len(names), strict=True)),
            median_days=step.median_days,
        )
        for step in (table.overall, *table.steps)
    ]


def list_rfm_rows(found: RfmMap) -> list[RfmRow]:
    """Each cell with customers."""
    rows = []
    for cell in found.cells:
        days, orders = found.recency[cell.recency], found.frequency[cell.frequency]
        revenue = Decimal(cell.cents).scaleb(-2)
        rows.append(RfmRow(days.low, days.high, orders.low, orders.high, cell.customers, revenue))
    return rows


def list_tenth_rows(value: ValueDistribution) -> list[TenthRow]:
    """The best tenth first; none for fewer than ten customers."""
    return [
        TenthRow(number, tenth.customers, tenth.low, tenth.high, tenth.revenue, value.share_of(tenth))
        for number, tenth in enumerate(value.tenths, 1)
    ]


def list_churn_rows(cohorts: Sequence[CohortChurn]) -> list[ChurnRow]:
    """Every cohort, oldest first."""
    return [
        ChurnRow(row.starts_on, row.customers, row.left.count, row.left.value, row.left.low, row.left.high)
        if row.left
        else ChurnRow(row.starts_on, row.customers, None, None, None, None)
        for row in cohorts
    ]


def write_csv(kind: type[Row], rows: Sequence[Row]) -> str:
    """The rows under their names; None is an empty cell."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(kind)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return out.getvalue()

"""The report Cost: what each customer kept cost, by campaign and in all, and what was left over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from campaigns.outcomes.ratio import Bounded, CostPerKept, add_up
from customers.ingest.clock import shop_day

from .ledger import Ledger, Line, pool_costs, read_ledger, sum_net


@dataclass(frozen=True)
class NetMonth:
    """The campaigns that began in a month: what they left, and what all up to it left together."""

    month: dt.date
    campaigns: int
    net: Bounded
    total: Bounded


@dataclass(frozen=True)
class CostReport:
    """Sums are over campaigns whose counting is over (`campaigns` of them). `parts` is money by part of the cost; `missing`
    names the parts whose price is not known for some of them. None: no such campaign, or the margin is not known. `unsound` are
    over, and left out because their arms are not as they were drawn."""

    ledger: Ledger
    campaigns: int
    open: int
    unsound: int
    costs: Bounded | None
    kept: Bounded | None
    per_kept: CostPerKept | None
    parts: dict[str, float]
    missing: list[str]
    net: Bounded | None
    months: list[NetMonth]

    @property
    def lines(self) -> Sequence[Line]:
        return self.ledger.lines


def read_cost_report(ledger: Ledger | None = None) -> CostReport:
    """The same number of queries whatever the size of the shop."""
    ledger = read_ledger() if ledger is None else ledger
    lines = ledger.priced
    pooled = pool_costs(lines, ledger.rates)
    costs, kept, per_kept = pooled or (None, None, None)
    return CostReport(
        ledger, len(lines), sum(not line.is_over for line in ledger.lines),
        sum(line.is_over and not line.is_sound for line in ledger.lines), costs, kept, per_kept,
        _add_parts(lines), sorted({name for line in lines if line.costs for name in line.costs.missing}),
        sum_net(lines), list_months(lines),
    )  # fmt: skip


def list_months(lines: Sequence[Line]) -> list[NetMonth]:
    """By the month of the shop's calendar in which a campaign began, oldest first; only those whose net value is known.

    Campaigns are taken as independent, so the interval of a sum is that of `ratio.add_up`: months may be added up, which
    differences of one running total could not.
    """
    by_month: dict[dt.date, list[Bounded]] = {}
    for line in sorted(lines, key=lambda line: line.result.figures["window_start"]):
        if line.left is not None:
            by_month.setdefault(_begun_in(line), []).append(line.left)
    months: list[NetMonth] = []
    so_far: list[Bounded] = []
    for month, parts in by_month.items():
        so_far += parts
        months.append(NetMonth(month, len(parts), add_up(parts), add_up(so_far)))
    return months


def begin_month(at: dt.datetime) -> dt.date:
    """The first day of the month of the shop's calendar."""
    return shop_day(at).replace(day=1)


def _begun_in(line: Line) -> dt.date:
    return begin_month(dt.datetime.fromisoformat(line.result.figures["window_start"]))


def _add_parts(lines: Sequence[Line]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for line in lines:
        for name, part in asdict(line.costs).items() if line.costs is not None else ():
            totals[name] = totals.get(name, 0.0) + (part or 0.0)
    return totals

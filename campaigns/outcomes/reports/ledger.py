"""Every campaign that was started, with its newest result and what it cost: the one source of all reports, of Home and the mail.

Four queries, however many customers there are: figures were counted when the day's result was stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign, CampaignResult, CostRates, StaffTime
from campaigns.outcomes.lift import MeanDifference
from campaigns.outcomes.pricing import price_spending, read_rates
from campaigns.outcomes.ratio import UNKNOWN, Bounded, CostPerKept, add_up, bound_ratio
from campaigns.outcomes.worth import ArmSpending, Costs, cost_per_kept, net_value, parts_of_ratio
from customers.ingest.currency import read_shop_currency

_Z = 1.959963984540054


@dataclass(frozen=True)
class Line:
    """One campaign. `costs` is None where the result is of a version that did not count them, or in another currency than the
    shop's now; `net` besides where the margin is not known. `minutes` are those that count, entered or estimated."""

    campaign: Campaign
    result: CampaignResult
    costs: Costs | None
    per_kept: CostPerKept
    net: MeanDifference | None
    minutes: float
    is_entered: bool

    @property
    def retention(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.result.figures["retention"]
        return found

    @property
    def is_over(self) -> bool:
        """Its counting is over and there were enough people."""
        return _is_over(self.retention)

    @property
    def is_sound(self) -> bool:
        """Whether both arms are as large as they were drawn: where people were lost from one, those left are not alike."""
        return _is_sound(self.result.figures)

    @property
    def is_settled(self) -> bool:
        """Over and sound: only then does it count in sums."""
        return self.is_over and self.is_sound

    @property
    def kept(self) -> Bounded:
        """Customers kept, with Newcombe's limits."""
        return _read_kept(self.retention)

    @property
    def points(self) -> Bounded:
        """The difference in the share that ordered, in percentage points."""
        return Bounded(self.retention["points"], self.retention["low"], self.retention["high"])

    @property
    def left(self) -> Bounded | None:
        """What is left after all costs; None where the margin is not known."""
        return None if self.net is None else Bounded(self.net.total, self.net.total_low, self.net.total_high)


@dataclass(frozen=True)
class Ledger:
    """All lines, the newest campaign first, and the prices that were put on them."""

    lines: Sequence[Line]
    rates: CostRates
    currency: str

    @property
    def settled(self) -> list[Line]:
        return [line for line in self.lines if line.is_settled]

    @property
    def priced(self) -> list[Line]:
        """Those of the settled whose costs were counted."""
        return [line for line in self.settled if line.costs is not None]


def read_ledger(campaigns: Sequence[Campaign] | None = None) -> Ledger:
    """Of the campaigns given, or of all that were started. One that has no result yet has no line."""
    if campaigns is None:
        started = Campaign.objects.filter(sending_started_at__isnull=False)
        campaigns = list(started.select_related("segment").order_by("-sending_started_at", "-pk"))
    results = CampaignResult.objects.newest_by_campaign(campaign.pk for campaign in campaigns)
    rates, currency = read_rates(), read_shop_currency()
    entered = dict(StaffTime.objects.filter(campaign__in=list(results)).values_list("campaign", "minutes"))
    lines = [
        _make_line(campaign, results[campaign.pk], rates, currency, entered.get(campaign.pk))
        for campaign in campaigns
        if campaign.pk in results and "points" in (results[campaign.pk].figures.get("retention") or {})
    ]
    return Ledger(lines, rates, currency)


def pool_costs(lines: Sequence[Line], rates: CostRates) -> tuple[Bounded, Bounded, CostPerKept] | None:
    """All costs, all customers kept and their ratio, over campaigns that are taken as independent; None without any."""
    parts = [
        parts_of_ratio(
            ArmSpending.from_json(line.result.figures["spending"]["treated"]), line.kept, line.costs,
            delivery_price=_delivery_price(line.result.figures["spending"], rates),
        )
        for line in lines
        if line.costs is not None
    ]  # fmt: skip
    if not parts:
        return None
    costs, kept = add_up([cost for cost, _kept, _r in parts]), add_up([kept for _cost, kept, _r in parts])
    doubt = _error(costs) * _error(kept)
    together = sum(r * _error(cost) * _error(kept) for cost, kept, r in parts)
    return costs, kept, bound_ratio(costs, kept, max(-1.0, min(1.0, together / doubt)) if doubt > 0 else 0.0)


def sum_net(lines: Sequence[Line]) -> Bounded | None:
    """What was left after all costs, over independent campaigns; None without any whose net value is known."""
    parts = [line.left for line in lines if line.left is not None]
    return add_up(parts) if parts else None


def _make_line(
    campaign: Campaign, result: CampaignResult, rates: CostRates, currency: str, entered: int | None
) -> Line:
    spending = result.figures.get("spending")
    if not spending or result.figures.get("currency") != currency:
        return Line(campaign, result, None, UNKNOWN, None, float(entered or 0), entered is not None)
    costs = price_spending(spending, rates, minutes=entered, currency=currency)
    treated, holdout = (ArmSpending.from_json(spending[arm]) for arm in ("treated", "holdout"))
    delivery, retention = _delivery_price(spending, rates), result.figures["retention"]
    per_kept, net = UNKNOWN, None
    if _is_over(retention) and _is_sound(result.figures):
        per_kept = cost_per_kept(treated, _read_kept(retention), costs, delivery_price=delivery)
    if rates.margin_share is not None:
        net = net_value(treated, holdout, costs, margin=float(rates.margin_share), delivery_price=delivery)
    minutes = spending["minutes"] if entered is None else float(entered)
    return Line(campaign, result, costs, per_kept, net, minutes, entered is not None)


def _is_over(retention: Mapping[str, Any]) -> bool:
    return str(retention["verdict"]) != "too_early"


def _is_sound(figures: Mapping[str, Any]) -> bool:
    return not (figures.get("sample_ratio") or {}).get("is_alarming")


def _read_kept(retention: Mapping[str, Any]) -> Bounded:
    return Bounded(retention["kept"], retention["kept_low"], retention["kept_high"])


def _delivery_price(spending: Mapping[str, Any], rates: CostRates) -> float:
    return float(rates.delivery or 0) if spending["sends_free"] else 0.0


def _error(part: Bounded) -> float:
    return math.fabs(part.high - part.low) / (2 * _Z)

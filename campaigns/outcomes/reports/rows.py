"""The reports as rows of plain values: what the files hold and what the API answers, so that neither differs from the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from campaigns.approval.fairness import AttributeFairness, Ratio
from campaigns.outcomes.ratio import Bounded
from customers.insights.retention import RateChange

from .cost import CostReport
from .fairness import AttributeReport
from .ledger import Line
from .lift import LiftReport
from .retention import RetentionReport

Cell = str | int | float | Decimal | bool | dt.date | None
Row = Mapping[str, Cell]

#: Parts of a campaign's cost, in the order in which they are told.
PARTS: Final = ("discounts", "delivery", "sending", "model", "staff")


def list_retention_rows(report: RetentionReport) -> Iterator[Row]:
    """The rates, the oldest first, then what the campaigns of each month added."""
    for point in report.points:
        share = point.share
        yield {
            "what": "retention_rate",
            "as_of_or_month": point.rate.as_of.date(),
            "customers": share.of,
            "kept": share.count,
            "share": round(share.value, 6),
            "low": round(share.low, 6),
            "high": round(share.high, 6),
        }
    for row in report.months:
        found = bounds(row.kept, "share", low="low", high="high")
        yield {
            "what": "kept_by_campaigns", "as_of_or_month": row.month, "customers": row.treated, "kept": None, **found,
        }  # fmt: skip


def list_lift_rows(report: LiftReport) -> Iterator[Row]:
    """One for each campaign, the newest first."""
    for row in report.lines:
        line = row.line
        yield {
            "campaign": line.campaign.name,
            "started_on": _started_on(line),
            "treated": line.retention["treated"],
            "treated_ordered": line.retention["treated_kept"],
            "held_out": line.retention["holdout"],
            "held_out_ordered": line.retention["holdout_kept"],
            **bounds(row.shown, "points"),
            "is_settled": line.is_settled,
            "p_holm": row.holm,
            "q_false_discovery": row.discovery,
            "verdict": row.verdict or "no_clear_difference",
            **bounds(line.kept if line.is_settled else None, "customers_kept"),
        }


def list_cost_rows(report: CostReport) -> Iterator[Row]:
    """One for each campaign, the newest first. A part that is empty is not known, nor who was kept before the counting is over:
    an interval of one look allows no second one."""
    for line in report.lines:
        costs, per = line.costs, line.per_kept
        yield {
            "campaign": line.campaign.name,
            "started_on": _started_on(line),
            "is_settled": line.is_settled,
            "currency": report.ledger.currency,
            "treated": line.retention["treated"],
            **{name: None if costs is None else _round(getattr(costs, name)) for name in PARTS},
            "total": None if costs is None else _round(costs.total),
            **bounds(line.kept if line.is_settled else None, "kept"),
            "verdict": per.verdict,
            "per_kept": _round(per.value),
            "per_kept_low": _round(per.low),
            "per_kept_high": _round(per.high),
            **bounds(line.left if line.is_settled else None, "net"),
            "minutes": line.minutes,
            "tokens": (line.result.figures.get("spending") or {}).get("tokens"),
        }


def list_fairness_rows(reports: list[AttributeReport]) -> Iterator[Row]:
    """Each group over all time (month empty) and by month; groups that are too small are left out here too."""
    for report in reports:
        yield from _list_groups(report.attribute, "", report.whole)
        for month in report.months:
            yield from _list_groups(report.attribute, month.month.isoformat()[:7], month.fairness)


def bounds(part: Bounded | RateChange | None, name: str, *, low: str = "", high: str = "") -> dict[str, float | None]:
    """An estimate and its limits under three names."""
    names = (name, low or f"{name}_low", high or f"{name}_high")
    values = (None, None, None) if part is None else (part.value, part.low, part.high)
    return {key: _round(value) for key, value in zip(names, values, strict=True)}


def _list_groups(attribute: str, month: str, found: AttributeFairness) -> Iterator[Row]:
    for group in found.groups:
        yield {
            "attribute": attribute,
            "month": month,
            "group": group.name,
            "people": group.eligible,
            "got_an_offer": group.reached,
            "share": _round(group.share, 6),
            "share_low": _round(group.share_low, 6),
            "share_high": _round(group.share_high, 6),
            **_spread_ratio(group.share_ratio, "share_ratio"),
            "discount_per_head": _round(group.nominal, 6),
            **_spread_ratio(group.nominal_ratio, "discount_ratio"),
            "is_clearly_low": group.is_low,
        }


def _spread_ratio(ratio: Ratio, name: str) -> dict[str, float | None]:
    values = {name: ratio.value, f"{name}_low": ratio.low, f"{name}_high": ratio.high}
    return {key: _round(value, 6) for key, value in values.items()}


def _started_on(line: Line) -> str:
    return str(line.result.figures["window_start"][:10])


def _round(value: float | None, places: int = 4) -> float | None:
    return None if value is None else round(value, places)

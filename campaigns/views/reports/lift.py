"""The report Lift: all campaigns on one axis, corrected for their number, and what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns.outcomes.ratio import Bounded
from campaigns.outcomes.reports.lift import LiftLine, LiftReport, read_lift_report
from campaigns.outcomes.reports.rows import list_lift_rows
from campaigns.outcomes.reports.truth import has_truth

from .files import stream_rows

#: No axis shows more than so many points to either side: one small campaign would press all others together.
WIDEST: Final = 40.0
#: A smaller p-value is not told to its last place.
TINY: Final = 0.001
#: The mean of fewer campaigns is told with a warning.
FEW: Final = 5
_HEADS: Final = (
    "campaign", "started_on", "treated", "treated_ordered", "held_out", "held_out_ordered", "points", "points_low",
    "points_high", "is_settled", "p_holm", "q_false_discovery", "verdict", "customers_kept", "customers_kept_low",
    "customers_kept_high",
)  # fmt: skip


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_lift(request: HttpRequest) -> HttpResponse:
    """Every campaign, the newest first."""
    report = read_lift_report()
    pooled = report.pooled
    parts = [line.shown for line in report.lines if line.shown]
    parts += [Bounded(pooled.effect, pooled.low, pooled.high)] if pooled else []
    axis = find_axis(parts)
    context: dict[str, Any] = {
        "report": report,
        "rows": [tell_row(line) for line in report.lines],
        "pooled": tell_pooled(report),
        "has_truth": has_truth(),
        "axis_low": -axis,
        "axis_high": axis,
    }
    return render(request, "campaigns/reports/lift.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_lift(request: HttpRequest) -> StreamingHttpResponse:
    """One row for each campaign."""
    return stream_rows(request, "lift", _HEADS, list_lift_rows(read_lift_report()))


def tell_row(line: LiftLine) -> dict[str, Any]:
    """Points become shares, as the tags that draw want them."""
    is_tiny = line.holm is not None and line.holm < TINY
    return {
        "lift": line,
        "line": line.line,
        "shown": as_shares(line.shown) if line.shown else None,
        "verdict": line.verdict,
        "is_tiny": is_tiny,
    }


def tell_pooled(report: LiftReport) -> dict[str, Any] | None:
    """The mean over campaigns in shares, with how much they differ; None where there is no group of them."""
    pooled = report.pooled
    if pooled is None:
        return None
    told: dict[str, Any] = {"found": pooled, "shown": as_shares(Bounded(pooled.effect, pooled.low, pooled.high))}
    told |= {"tau": pooled.tau / 100, "differ": pooled.p_value < 0.05, "is_few": pooled.campaigns < FEW}
    if pooled.next_low is not None and pooled.next_high is not None:
        told["next"] = (pooled.next_low / 100, pooled.next_high / 100)
    return told


def as_shares(part: Bounded) -> Bounded:
    return Bounded(part.value / 100, part.low / 100, part.high / 100)


def find_axis(parts: Sequence[Bounded]) -> float:
    """How far the axis goes to either side, in shares: a whole number of 5 points that holds all that is not too wide."""
    most = max((max(abs(part.low), abs(part.high)) for part in parts), default=0.0)
    return max(5.0, min(WIDEST, -(-most // 5) * 5)) / 100

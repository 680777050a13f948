"""Measured beside true: a page that only a shop has whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from campaigns.outcomes.reports.rows import Row, bounds
from campaigns.outcomes.reports.truth import Measured, TruthReport, has_truth, read_truth_report

from .files import stream_rows
from .lift import as_shares, find_axis

KIND_LABELS: Final = {
    "": gettext_lazy("Everybody"),
    "persuadable": gettext_lazy("Can be persuaded"),
    "sure_thing": gettext_lazy("Would have ordered anyway"),
    "lost_cause": gettext_lazy("Cannot be won back"),
    "sleeping_dog": gettext_lazy("Are put off by it"),
}
_HEADS: Final = (
    "campaign", "kind", "treated", "held_out", "measured_points", "low", "high", "true_points", "covers", "is_settled",
)  # fmt: skip


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_truth(request: HttpRequest) -> HttpResponse:
    """By campaign and kind of person, and how many intervals cover the truth."""
    report = _read_report()
    parts = [one.points for line in report.lines for one in (line.whole, *line.kinds) if one.points is not None]
    axis = find_axis(parts)
    rows = [{"line": line.line, "measured": [_tell(one) for one in (line.whole, *line.kinds)]} for line in report.lines]
    context: dict[str, Any] = {"report": report, "rows": rows, "axis_low": -axis, "axis_high": axis}
    return render(request, "campaigns/reports/truth.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_truth(request: HttpRequest) -> StreamingHttpResponse:
    """One row for each campaign and kind."""
    return stream_rows(request, "truth", _HEADS, _list_rows(_read_report()))


def _read_report() -> TruthReport:
    if not has_truth():
        raise Http404(_("Only a shop whose truth is known has this page."))
    return read_truth_report()


def _tell(one: Measured) -> dict[str, Any]:
    return {
        "label": KIND_LABELS.get(one.kind, one.kind),
        "one": one,
        "shown": None if one.points is None else as_shares(one.points),
        "truth": one.truth / 100,
    }


def _list_rows(report: TruthReport) -> Iterator[Row]:
    for line in report.lines:
        for one in (line.whole, *line.kinds):
            yield {
                "campaign": line.line.campaign.name,
                "kind": one.kind or "everybody",
                "treated": one.treated,
                "held_out": one.holdout,
                **bounds(one.points, "measured_points", low="low", high="high"),
                "true_points": one.truth,
                "covers": one.covers,
                "is_settled": one.is_settled,
            }

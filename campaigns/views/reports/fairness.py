"""The report Fairness: who got offers and how much of them, by group and over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.approval.fairness import AttributeFairness
from campaigns.outcomes.reports.fairness import AttributeReport, read_fairness_report
from campaigns.outcomes.reports.telling import tell_fairness
from customers.ingest.currency import read_shop_currency

from .files import Cell, stream_rows

_HEADS: Final = (
    "attribute", "month", "group", "people", "got_an_offer", "share", "share_low", "share_high", "share_ratio",
    "share_ratio_low", "share_ratio_high", "discount_per_head", "discount_ratio", "discount_ratio_low",
    "discount_ratio_high", "is_clearly_low",
)  # fmt: skip


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_fairness(request: HttpRequest) -> HttpResponse:
    """One card for each attribute that is marked as sensitive."""
    context = tell_fairness(read_fairness_report(timezone.now())) | {"currency": read_shop_currency()}
    return render(request, "campaigns/reports/fairness.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_fairness(request: HttpRequest) -> StreamingHttpResponse:
    """Each group over all time (month empty) and by month; groups that are too small are left out here too."""
    return stream_rows(request, "fairness", _HEADS, _list_rows(read_fairness_report(timezone.now())))


def _list_rows(reports: Sequence[AttributeReport]) -> Iterator[Sequence[Cell]]:
    for report in reports:
        yield from _list_groups(report.attribute, "", report.whole)
        for month in report.months:
            yield from _list_groups(report.attribute, month.month.isoformat()[:7], month.fairness)


def _list_groups(attribute: str, month: str, found: AttributeFairness) -> Iterator[Sequence[Cell]]:
    for group in found.groups:
        share, given = group.share_ratio, group.nominal_ratio
        yield (
            attribute,
            month,
            group.name,
            group.eligible,
            group.reached,
            *(_round(value) for value in (group.share, group.share_low, group.share_high)),
            *(_round(value) for value in (share.value, share.low, share.high)),
            _round(group.nominal),
            *(_round(value) for value in (given.value, given.low, given.high)),
            group.is_low,
        )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

"""The report Fairness: who got offers and how much of them, by group and over time."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.outcomes.reports.fairness import read_fairness_report
from campaigns.outcomes.reports.rows import list_fairness_rows
from campaigns.outcomes.reports.telling import tell_fairness
from customers.ingest.currency import read_shop_currency

from .files import stream_rows

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
    return stream_rows(request, "fairness", _HEADS, list_fairness_rows(read_fairness_report(timezone.now())))

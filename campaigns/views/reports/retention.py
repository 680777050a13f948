"""The report Retention: how many stay, over time, and what campaigns added."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from campaigns.outcomes.reports.retention import read_retention_report
from campaigns.outcomes.reports.rows import list_retention_rows

from .files import stream_rows

_HEADS: Final = ("what", "as_of_or_month", "customers", "kept", "share", "low", "high")


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_retention(request: HttpRequest) -> HttpResponse:
    """The rate, its course, and what the campaigns of each month added to it."""
    report = read_retention_report(timezone.now())
    context: dict[str, Any] = {
        "report": report,
        "rates": [
            (
                date_format(point.rate.as_of, pgettext("date format", "j M")),
                point.share.value,
                point.share.low,
                point.share.high,
            )
            for point in report.points
        ],
        "months": [(_name_month(row.month), row) for row in report.months],
        "cohorts": [
            (_name_month(cohort.month), cohort.customers, list(cohort.shares[1:]))
            for cohort in report.cohorts
            if len(cohort.shares) > 1
        ],
    }
    context["cohort_heads"] = range(1, 1 + max((len(row[2]) for row in context["cohorts"]), default=0))
    return render(request, "campaigns/reports/retention.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_retention(request: HttpRequest) -> StreamingHttpResponse:
    """The rates, then what the campaigns of each month added."""
    return stream_rows(request, "retention", _HEADS, list_retention_rows(read_retention_report(timezone.now())))


def _name_month(month: Any) -> str:
    return date_format(month, pgettext("date format", "M Y"))

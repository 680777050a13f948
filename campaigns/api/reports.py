"""The reports over the API: the same functions and the same rows as the pages and their files. Read-only.

An answer carries an ETag; who sends it back as If-None-Match is told 304 while nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Campaign, CampaignResult
from campaigns.outcomes.ratio import Bounded
from campaigns.outcomes.reports.cost import CostReport, read_cost_report
from campaigns.outcomes.reports.fairness import read_fairness_report
from campaigns.outcomes.reports.ledger import read_ledger
from campaigns.outcomes.reports.lift import read_lift_report
from campaigns.outcomes.reports.result import list_result_rows
from campaigns.outcomes.reports.retention import read_retention_report
from campaigns.outcomes.reports.rows import (
    bounds,
    list_cost_rows,
    list_fairness_rows,
    list_lift_rows,
    list_retention_rows,
)
from customers.api.permissions import HasModelRight
from customers.ingest.currency import read_shop_currency
from customers.insights.retention import RateChange

from .report_serializers import (
    CampaignReportSerializer,
    CostReportSerializer,
    FairnessReportSerializer,
    LiftReportSerializer,
    RetentionReportSerializer,
)


@method_decorator(conditional_page, name="dispatch")
class ReportView(APIView):
    """Reading a report takes the right to see results of campaigns."""

    permission_classes = (HasModelRight,)
    queryset = CampaignResult.objects.none()
    http_method_names = ("get", "head", "options")


class RetentionReportView(ReportView):
    @extend_schema(responses=RetentionReportSerializer)
    def get(self, request: Request) -> Response:
        """How many customers stay, over time, and what campaigns added to it."""
        report = read_retention_report(timezone.now())
        told = {
            "as_of": report.as_of,
            "change": _tell(report.change),
            "campaigns": report.campaigns,
            "kept": _tell(report.kept),
            "rows": list(list_retention_rows(report)),
        }
        return Response(RetentionReportSerializer(told).data)


class LiftReportView(ReportView):
    @extend_schema(responses=LiftReportSerializer)
    def get(self, request: Request) -> Response:
        """Every campaign against the people it held out, corrected for their number, and their mean."""
        report = read_lift_report()
        counts = {"better": report.better, "worse": report.worse, "open": report.open}
        pooled = vars(report.pooled) if report.pooled is not None else None
        told = counts | {"pooled": pooled, "rows": list(list_lift_rows(report))}
        return Response(LiftReportSerializer(told).data)


class CostReportView(ReportView):
    @extend_schema(responses=CostReportSerializer)
    def get(self, request: Request) -> Response:
        """What each customer kept cost, by campaign and in all, and what was left over time."""
        report = read_cost_report()
        return Response(CostReportSerializer(_tell_costs(report)).data)


class FairnessReportView(ReportView):
    @extend_schema(responses=FairnessReportSerializer)
    def get(self, request: Request) -> Response:
        """Who got offers and how much of them, by group and over time. Groups of fewer than 30 people are left out."""
        reports = read_fairness_report(timezone.now())
        told = {
            "currency": read_shop_currency(),
            "attributes": [
                {
                    "attribute": report.attribute,
                    "counted_on": report.day,
                    "clearly_low": [group.name for group in report.low],
                    "left_out_groups": report.whole.left_out_groups,
                    "left_out_people": report.whole.left_out_people,
                }
                for report in reports
            ],
            "rows": list(list_fairness_rows(reports)),
        }
        return Response(FairnessReportSerializer(told).data)


class MayReadResult(HasModelRight):
    """As its page: whoever may read the campaign and its results."""

    perms_map = HasModelRight.perms_map | {
        method: ["campaigns.view_campaign", "campaigns.view_campaignresult"] for method in ("GET", "HEAD")
    }


class CampaignReportView(ReportView):
    permission_classes = (MayReadResult,)

    @extend_schema(responses=CampaignReportSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What one campaign did: each number of its result page with its interval and how it was made; no rows before
        anything was measured."""
        campaign = get_object_or_404(Campaign, pk=pk)
        lines = read_ledger([campaign]).lines
        result = lines[0].result if lines else None
        figures: Mapping[str, Any] = result.figures if result else {}
        told = {
            "campaign": campaign.pk,
            "name": campaign.name,
            "measured_at": result.measured_at if result else None,
            "window_start": figures.get("window_start"),
            "window_end": figures.get("window_end"),
            "is_complete": bool(figures.get("is_complete")),
            "currency": figures.get("currency", ""),
            "verdict": lines[0].retention["verdict"] if lines else "too_early",
            "sample_ratio_is_alarming": bool((figures.get("sample_ratio") or {}).get("is_alarming")),
            "held_out_reached_by_others": (figures.get("reached_by_others") or {}).get("holdout", 0),
            "rows": list(list_result_rows(campaign, now=timezone.now(), lines=lines)),
        }
        return Response(CampaignReportSerializer(told).data)


def _tell_costs(report: CostReport) -> dict[str, Any]:
    per = report.per_kept
    return {
        "currency": report.ledger.currency,
        "campaigns": report.campaigns,
        "open": report.open,
        "costs": _tell(report.costs),
        "kept": _tell(report.kept),
        "per_kept": None if per is None else vars(per),
        "parts": report.parts,
        "missing": report.missing,
        "net": _tell(report.net),
        "months": [
            {"month": row.month, "campaigns": row.campaigns, "net": _tell(row.net), "total": _tell(row.total)}
            for row in report.months
        ],
        "rows": list(list_cost_rows(report)),
    }


def _tell(part: Bounded | RateChange | None) -> dict[str, float | None] | None:
    return None if part is None else bounds(part, "value", low="low", high="high")

"""The report Cost, the prices that it counts with, and the time that people say they worked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.forms.costs import RatesForm, list_doors
from campaigns.outcomes.pricing import enter_minutes, read_rates, save_rates
from campaigns.outcomes.reports.cost import read_cost_report
from campaigns.outcomes.reports.ledger import Line
from campaigns.outcomes.reports.rows import list_cost_rows
from campaigns.views.access import get_campaign_for
from customers.views.access import current_user

from .files import stream_rows

LABELS: Final = {
    "discounts": gettext_lazy("Discounts redeemed"),
    "delivery": gettext_lazy("Free delivery"),
    "sending": gettext_lazy("Sending messages"),
    "model": gettext_lazy("Language model"),
    "staff": gettext_lazy("Work"),
}
_HEADS: Final = (
    "campaign", "started_on", "is_settled", "currency", "treated", "discounts", "delivery", "sending", "model", "staff",
    "total", "kept", "kept_low", "kept_high", "verdict", "per_kept", "per_kept_low", "per_kept_high", "net", "net_low",
    "net_high", "minutes", "tokens",
)  # fmt: skip


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_cost(request: HttpRequest) -> HttpResponse:
    """What each customer kept cost, and what was left."""
    report = read_cost_report()
    context: dict[str, Any] = {
        "report": report,
        "parts": tell_parts(report.parts, report.missing),
        "rows": [tell_line(line) for line in report.lines],
        "trend": [(_name_month(row.month), row.total.value, row.total.low, row.total.high) for row in report.months],
        "months": [(_name_month(row.month), row) for row in report.months],
    }
    return render(request, "campaigns/reports/cost.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_cost(request: HttpRequest) -> StreamingHttpResponse:
    """One row for each campaign."""
    return stream_rows(request, "cost", _HEADS, list_cost_rows(read_cost_report()))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def edit_rates(request: HttpRequest) -> HttpResponse:
    """The prices: everybody who reads the report sees them, some may change them."""
    may_change = request.user.has_perm("campaigns.add_costrates")
    rates, doors = read_rates(), list_doors()
    form = RatesForm(request.POST if request.method == "POST" and may_change else None, rates=rates, doors=doors)
    status = 200
    if request.method == "POST" and not may_change:
        return HttpResponse(status=403)
    if request.method == "POST" and form.is_valid():
        try:
            save_rates(current_user(request), form.values(), now=timezone.now())
        except IntegrityError:
            messages.error(request, _("Somebody else saved prices at the same moment. Look at them, then save again."))
        else:
            messages.success(request, _("Saved. All reports count with these prices from now on."))
            return redirect("campaigns:report-cost")
        status = 409
    status = 422 if form.errors else status
    context = {"form": form, "rates": rates, "may_change": may_change}
    return render(request, "campaigns/reports/rates.html", context, status=status)


@require_POST
@permission_required("campaigns.change_campaign", raise_exception=True)
def set_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """How long people worked on a campaign; nothing typed goes back to the estimate."""
    campaign = get_campaign_for(request.user, pk)
    typed = request.POST.get("minutes", "").strip()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) <= 6 and int(typed) <= 100_000):
        messages.error(request, _("Give whole minutes, such as 90."))
    else:
        enter_minutes(current_user(request), campaign, int(typed) if typed else None, now=timezone.now())
        messages.success(request, _("Kept."))
    return redirect("campaigns:result", pk)


def tell_parts(parts: dict[str, float], missing: Sequence[str]) -> list[dict[str, Any]]:
    """Each part of the cost with its label; `is_known` False where a price is missing for some of it."""
    return [
        {"label": label, "amount": parts.get(name, 0.0), "is_known": name not in missing}
        for name, label in LABELS.items()
    ]


def tell_line(line: Line) -> dict[str, Any]:
    """One campaign for a table or its result page."""
    costs = line.costs
    parts = tell_parts(_amounts(line), costs.missing) if costs is not None else []
    minutes = round(line.minutes)
    return {"line": line, "costs": costs, "parts": parts, "net": line.left, "kept": line.kept, "minutes": minutes}


def _amounts(line: Line) -> dict[str, float]:
    return {name: getattr(line.costs, name) or 0.0 for name in LABELS} if line.costs is not None else {}


def _name_month(month: Any) -> str:
    return date_format(month, pgettext("date format", "M Y"))

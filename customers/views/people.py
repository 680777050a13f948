"""The list of customers and the page of one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from customers.filters import CustomerFilter
from customers.ingest.clock import read_shop_clock
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY
from customers.insights.timeline import FAMILIES, read_timeline
from customers.models import ConsentRecord, Customer, ModelVersion, Score, Segment
from customers.scoring.explain import describe_reason

PAGE_SIZE = 25
SORTS = {
    "risk": "score__churn_probability",
    "value": "score__expected_value",
    "last_order": "score__recency_days",
    "name": "last_name",
}


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def list_customers(request: HttpRequest) -> HttpResponse:
    """Customers by filters in the URL. htmx gets only the table's fragment."""
    filters = CustomerFilter(request.GET, queryset=Customer.objects.select_related("score"))
    found = filters.qs.order_by(*_read_sort(request))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filters": filters,
        "page": page,
        "segments": Segment.objects.filter(is_archived=False).only("pk", "name"),
        "at_risk": AT_RISK,
        "likely_to_stay": LIKELY_TO_STAY,
    }
    is_fragment = bool(getattr(request, "htmx", False)) and not getattr(request.htmx, "boosted", False)  # type: ignore[attr-defined]
    return render(request, "customers/_table.html" if is_fragment else "customers/list.html", context)


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def show_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer: predictions with reasons, consent, time line, likes."""
    customer = get_object_or_404(Customer.objects.select_related("score"), pk=pk)
    now = read_shop_clock(timezone.now())
    family = request.GET.get("show", "")
    before = _read_moment(request.GET.get("before", ""))
    entries = read_timeline(customer, until=now, family=family, before=before)
    context: dict[str, Any] = {
        "customer": customer,
        "shop_now": now,
        "entries": entries,
        "families": list(FAMILIES),
        "family": family if family in FAMILIES else "",
        "consents": ConsentRecord.objects.filter(customer=customer).order_by("-recorded_at", "-pk")[:10],
        "reasons": [],
    }
    score = getattr(customer, "score", None)
    if score is not None:
        context |= _describe_score(score)
    return render(request, "customers/detail.html", context)


def _describe_score(score: Score) -> dict[str, Any]:
    model = ModelVersion.objects.defer("artifact").get(pk=score.model_id)
    reasons = [
        {"sentence": describe_reason(reason), "points": float(reason.get("points") or 0)} for reason in score.reasons
    ]
    return {"score": score, "model": model, "reasons": reasons}


def _read_sort(request: HttpRequest) -> list[Any]:
    """The ordering of ?sort=-risk; unknown words give the riskiest first. Customers without a score come last."""
    from django.db.models import F

    wanted = request.GET.get("sort", "-risk")
    column = SORTS.get(wanted.lstrip("-"), SORTS["risk"])
    by = F(column).desc(nulls_last=True) if wanted.startswith("-") else F(column).asc(nulls_last=True)
    return [by, "pk"]


def _read_moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None

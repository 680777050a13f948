"""Why a customer's score is not what it was last week: a part of their page that is worked out when it is asked for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.features.catalogue import get_feature
from customers.models import Customer, ScoreStatus
from customers.scoring.change import Difference, explain_change
from customers.scoring.explain import describe_value


@require_safe
@permission_required("customers.view_score", raise_exception=True)
def show_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The reasons with the number then and now; a fragment for the customer's page, and a page of its own without script."""
    customer = get_object_or_404(Customer.objects.select_related("score"), pk=pk)
    score = getattr(customer, "score", None)
    change = explain_change(score) if score is not None and score.status == ScoreStatus.SCORED else None
    context: dict[str, Any] = {"customer": customer, "change": change}
    if change is not None:
        context["differences"] = [(_tell(row, change.currency), row.points) for row in change.reasons]
        context["most"] = max((abs(row.points) for row in change.reasons), default=0.0)
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "customers/_change.html" if fragment else "customers/change.html", context)


def _tell(row: Difference, currency: str) -> str:
    """“Days since the last order: 12 days then, 47 days now”."""
    feature = get_feature(row.feature)
    then, now = (
        _("not known") if value is None else describe_value(feature.unit, value, currency)
        for value in (row.then, row.now)
    )
    if row.then == row.now:
        return _("%(feature)s: %(now)s, unchanged, but it counts differently now") % {
            "feature": feature.label,
            "now": now,
        }
    return _("%(feature)s: %(then)s then, %(now)s now") % {"feature": feature.label, "then": then, "now": now}

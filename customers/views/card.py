"""The model card of a version: for whom it is, what it learned from, how good it is, how it bears groups and time."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from customers.models import ModelVersion
from customers.scoring import groups
from customers.scoring.card import read_card
from customers.views.calibration import place_calibration
from customers.views.drift import tell_drift
from customers.views.fairness import name_attribute, tell_report
from customers.views.predictions import name_estimator

KIND = "churn"


@require_safe
@permission_required("customers.view_modelversion", raise_exception=True)
def show_card(request: HttpRequest, version: int) -> HttpResponse:
    """One version's whole card; a retired one keeps its own."""
    model = _find(version)
    metrics = model.metrics
    reports = [tell_report(report) for report in groups.read_reports(model)]
    reviewed = {report["attribute"] for report in reports}
    context: dict[str, Any] = {
        "model": model,
        "card": model.card,
        "metrics": metrics,
        "name": name_estimator(model.estimator, metrics),
        "figures": metrics.get("estimators", {}).get(model.estimator),
        "rule": metrics.get("estimators", {}).get("plain_rule"),
        "rule_name": name_estimator("plain_rule", metrics),
        "orders": metrics.get("orders"),
        "bias": _tell_bias(metrics.get("orders", {})),
        "calibration_points": place_calibration(metrics.get("calibration", [])),
        "fairness": reports,
        "fairness_warnings": [sentence for report in reports for sentence in report["sentences"]],
        "not_reviewed": [name_attribute(key) for key in groups.read_sensitive() if key not in reviewed],
        **tell_drift(model),
    }
    return render(request, "customers/card.html", context)


@require_safe
@permission_required("customers.view_modelversion", raise_exception=True)
def download_card(request: HttpRequest, version: int) -> HttpResponse:
    """The same as JSON, with every figure."""
    response = JsonResponse(read_card(_find(version)), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="model-card-{version}.json"'
    return response


def _find(version: int) -> ModelVersion:
    return get_object_or_404(ModelVersion.objects.defer("artifact"), kind=KIND, version=version)


def _tell_bias(orders: dict[str, Any]) -> dict[str, float]:
    """By what share the totals of the back-test were off; only of what really came to pass."""
    return {
        name: orders[f"{name}_expected"] / orders[f"{name}_actual"] - 1
        for name in ("orders", "value")
        if orders.get(f"{name}_actual")
    }

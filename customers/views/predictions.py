"""The model's page: what it says, how good it is, what it was held against."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.features.catalogue import get_feature
from customers.insights.risk import AT_RISK, summarise_risk
from customers.models import ModelVersion, Order, ScoreStatus
from customers.scoring.attention import has_sequence_model
from customers.scoring.refresh import read_refresh_state
from customers.scoring.sequence import is_torch_installed
from customers.scoring.totals import BINS
from customers.tasks import train_and_score
from customers.views.calibration import place_calibration
from customers.views.drift import tell_drift
from customers.views.fairness import tell_fairness
from customers.views.model_health import list_lost_versions

DRIVERS_SHOWN = 8


@require_safe
@permission_required("customers.view_modelversion", raise_exception=True)
def show_predictions(request: HttpRequest) -> HttpResponse:
    """The champion's figures and card, and the scores of today in twenty bins; ?low=…&high=… chooses a range."""
    models = list(ModelVersion.objects.defer("artifact").order_by("-version")[:10])
    champion = next((model for model in models if model.status == ModelVersion.Status.CHAMPION), None)
    low, high = _read_share(request, "low", AT_RISK), _read_share(request, "high", 1.0)
    risk, refresh = summarise_risk(timezone.now()), read_refresh_state()
    context: dict[str, Any] = {
        "model": champion,
        "models": [
            {"version": row.version, "name": name_estimator(row.estimator, {}), "trained_at": row.trained_at}
            | {"status": row.status, "status_label": row.get_status_display()}
            for row in models
        ],
        "risk": risk,
        "bins": risk.bins,
        "low": low,
        "high": high,
        "chosen": _describe_range(risk.bins, champion, low, high),
        "unscored": [(ScoreStatus(status).label, number) for status, number in sorted(risk.unscored.items())],
        "refresh": refresh,
        "refreshed_at": dt.datetime.fromisoformat(refresh["at"]) if "at" in refresh else None,
        "has_orders": Order.objects.exists(),
        "newest_score": risk.newest_score,
    }
    if champion is not None:
        context |= _describe_model(champion) | tell_drift(champion) | tell_fairness(request, champion)
        context["lost_versions"] = list_lost_versions()
    return render(request, "customers/predictions.html", context)


@require_POST
@permission_required("customers.add_modelversion", raise_exception=True)
def request_training(request: HttpRequest) -> HttpResponse:
    """Train and score as soon as a worker is free; on the same data it makes no second version."""
    transaction.on_commit(train_and_score.delay)
    messages.info(request, _("Training has begun. New figures appear here when it is done, in a minute or two."))
    return redirect("customers:predictions")


def name_estimator(name: str, metrics: dict[str, Any]) -> str:
    """How an estimator is called on pages; the plain rule with its days where `metrics` knows them."""
    days = metrics.get("rule_days")
    rule = _("“no order in %(days)d days”") % {"days": round(days)} if days else _("plain rule")
    names = {
        "plain_rule": rule,
        "rfm_logistic": _("RFM logistic regression"),
        "bg_nbd": "BG/NBD",
        "pareto_nbd": "Pareto/NBD",
        "boosted_trees": _("gradient-boosted trees"),
        "rich_logistic": _("logistic regression on all features"),
        "blend": _("blend of trees and logistic"),
        "sequence": _("self-attention over orders and events"),
    }
    return names.get(name, name)


def _describe_model(model: ModelVersion) -> dict[str, Any]:
    metrics = model.metrics
    in_use = metrics.get("estimator", model.estimator)
    rows = [
        {
            "key": name,
            "name": name_estimator(name, metrics),
            "is_in_use": name == in_use,
            "is_rule": name == "plain_rule",
        }
        | figures
        | _compare_with_champion(name, metrics)
        for name, figures in metrics.get("estimators", {}).items()
    ]
    return {
        "metrics": metrics,
        "estimators": rows,
        "sequence_not_tried": "" if has_sequence_model(model) else _tell_how_to_try(),
        "calibration_points": place_calibration(metrics.get("calibration", [])),
        "drivers": [
            (get_feature(row["feature"]).label, row["points"], "ember" if row["direction"] > 0 else "kept")
            for row in metrics.get("drivers", [])[:DRIVERS_SHOWN]
        ],
        "backtests": metrics.get("backtests", []),
        "card": model.card,
        "grade_tone": {"beats_rule": "kept", "no_better": "warn", "worse": "stop"}.get(metrics.get("grade", ""), ""),
        "grade_words": {
            "beats_rule": _("beats the rule"),
            "no_better": _("no better than the rule"),
            "worse": _("worse than the rule"),
        }.get(metrics.get("grade", ""), ""),
    }


def _compare_with_champion(name: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """The AUC less that of the estimator which training chose, on the same resamples, and whether that is a win, tie or loss."""
    gain = metrics.get("gains", {}).get(name)
    if gain is None:
        return {"is_chosen": name == metrics.get("champion"), "against": None}
    low, high = gain["interval"]
    verdict = _("loses") if low > 0 else _("wins") if high < 0 else _("a tie")
    return {"against": {"auc": -gain["auc"], "low": -high, "high": -low, "verdict": verdict, "is_win": high < 0}}


def _tell_how_to_try() -> str:
    """One sentence on the self-attention model where it was not trained."""
    if not is_torch_installed():
        return _(
            "A self-attention model over each customer’s orders and events was not tried: PyTorch is not installed. With"
            " pip install torch and SEQUENCE_MODEL=1 the next training tries it."
        )
    if not settings.SEQUENCE_MODEL:
        return _(
            "A self-attention model over each customer’s orders and events was not tried: SEQUENCE_MODEL=1 in the"
            " settings makes the next training try it."
        )
    return _("A self-attention model over each customer’s orders and events will be tried by the next training.")


def _describe_range(bins: list[int], model: ModelVersion | None, low: float, high: float) -> dict[str, Any]:
    """How many the range selects, and of the back-test's leavers and stayers how many it would have."""
    inside = [low <= (i + 0.5) / BINS <= high for i in range(BINS)]
    tested = model.metrics.get("histogram", []) if model else []
    leavers = sum(row["leavers"] for row in tested)
    caught = sum(row["leavers"] for row, is_in in zip(tested, inside, strict=False) if is_in)
    bothered = sum(row["stayers"] for row, is_in in zip(tested, inside, strict=False) if is_in)
    return {
        "customers": sum(count for count, is_in in zip(bins, inside, strict=True) if is_in),
        "caught": caught / leavers if leavers else None,
        "right": caught / (caught + bothered) if caught + bothered else None,
        "from": round(low * 100),
        "to": round(high * 100),
    }


def _read_share(request: HttpRequest, name: str, default: float) -> float:
    try:
        value = float(request.GET.get(name, ""))
    except ValueError:
        return default
    return value if 0 <= value <= 1 else default

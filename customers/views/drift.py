"""What the Predictions page says of the passing of time, and which of it needs somebody's attention."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from customers.features.catalogue import get_feature
from customers.models import DriftReport, ModelVersion
from customers.scoring import watch
from customers.views.calibration import place_calibration

FEATURES_SHOWN = 8


def tell_drift(model: ModelVersion) -> dict[str, Any]:
    """The panel's context: the newest drift report of the model, or when there is something to judge."""
    report = DriftReport.objects.filter(model=model).order_by("-as_of").first()
    if report is None:
        return {"drift": None}
    figures = report.figures
    past = figures["past"]
    return {
        "drift": figures,
        "drift_features": [
            row | {"label": get_feature(row["feature"]).label} for row in figures["features"][:FEATURES_SHOWN]
        ],
        "drift_steady": sum(row["verdict"] == "steady" for row in figures["features"]),
        "past": past,
        "past_points": place_calibration(past["bins"]) if past else [],
        "past_from": None if past else watch.first_judged_on(model),
        "drift_alarms": list_alarms(report),
    }


def list_alarms(report: DriftReport) -> list[str]:
    """What of a drift report needs somebody's attention, as sentences with their numbers."""
    told, figures = [], report.figures
    if "score_moved" in report.alarms:
        sentence = _("Scores have moved since training: stability index %(psi).2f, where 0.25 calls for a look.")
        told.append(sentence % {"psi": figures["score"]["psi"]})
    if "past_off" in report.alarms:
        sentence = _("Past scores did not come true: %(expected)s were expected to leave, %(observed)s did.")
        past = figures["past"]
        told.append(sentence % {"expected": _percent(past["expected"]), "observed": _percent(past["observed"])})
    return told


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"

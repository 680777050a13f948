"""The whole model card of a version: what training wrote, and what was found since of groups of people and of time."""

from __future__ import annotations

from typing import Any

from customers.models import DriftReport, FairnessReport, ModelVersion

from .groups import read_reports, read_sensitive

#: What of the metrics a card tells beside what training wrote; pages draw the rest.
_FIGURES = (
    "cutoff",
    "customers",
    "churn_rate",
    "champion",
    "estimators",
    "gains",
    "orders",
    "appointment",
    "calibration",
)


def read_card(model: ModelVersion) -> dict[str, Any]:
    """JSON. `fairness` has a report for each attribute that is marked as sensitive now, `fairness_missing` those that have
    none for this version yet; `drift` is the newest report, None before there is one. Two queries and two small reads."""
    reports = read_reports(model)
    drift = DriftReport.objects.filter(model=model).order_by("-as_of").first()
    return {
        "kind": model.kind,
        "version": model.version,
        "status": model.status,
        "trained_at": model.trained_at.isoformat(),
        "beats_rule": model.beats_rule,
        **model.card,
        "figures": {name: model.metrics[name] for name in _FIGURES if name in model.metrics},
        "fairness": [_tell_report(report) for report in reports],
        "fairness_missing": [key for key in read_sensitive() if key not in {report.attribute for report in reports}],
        "drift": None if drift is None else _tell_drift(drift),
    }


def _tell_report(report: FairnessReport) -> dict[str, Any]:
    return {"attribute": report.attribute, "warnings": report.warnings, **report.figures}


def _tell_drift(report: DriftReport) -> dict[str, Any]:
    return {"as_of": report.as_of.isoformat(), "alarms": report.alarms, **report.figures}

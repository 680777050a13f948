"""What the Predictions page says of groups of people, and where the shop says which groups matter."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.features.catalogue import get_feature
from customers.ingest.country_names import name_country
from customers.ingest.language_names import name_language
from customers.models import FairnessReport, ModelVersion
from customers.scoring import groups
from customers.tasks import watch_model

PROXIES_SHOWN = 3


@require_POST
@permission_required("customers.add_sensitiveattributes", raise_exception=True)
def mark_sensitive(request: HttpRequest) -> HttpResponse:
    """Say which attributes of customers are sensitive; the reports follow as soon as a worker is free."""
    with transaction.atomic():
        if groups.mark_sensitive(request.user, request.POST.getlist("keys"), now=timezone.now()):
            transaction.on_commit(watch_model.delay)
    messages.success(request, _("Saved. What the model does to each group appears here in a minute or two."))
    return redirect(f"{reverse('customers:predictions')}#fairness")


def tell_fairness(request: HttpRequest, model: ModelVersion) -> dict[str, Any]:
    """The panel's context: reports by attribute in words, their warnings as sentences, and what can be marked."""
    marked = groups.read_sensitive()
    reports = [tell_report(report) for report in groups.read_reports(model)]
    may_mark = request.user.has_perm("customers.add_sensitiveattributes")
    return {
        "fairness": reports,
        "fairness_warnings": [sentence for report in reports for sentence in report["sentences"]],
        "fairness_waits": [name_attribute(key) for key in groups.missing_reports()],
        "attributes": [
            {"key": key, "label": name_attribute(key), "is_marked": key in marked} for key in groups.list_attributes()
        ]
        if may_mark
        else [],
        "marked": [name_attribute(key) for key in marked],
    }


def name_attribute(key: str) -> str:
    """Country, language, or the shop's own name for an attribute."""
    return {"country": _("Country"), "language": _("Language")}.get(key, key.replace("_", " ").capitalize())


def name_group(attribute: str, name: str) -> str:
    """What a group is called: a language and a country in words, anything else as the shop writes it."""
    named = {"language": name_language, "country": name_country}.get(attribute, str)
    return named(name) or _("not known")


def tell_report(report: FairnessReport) -> dict[str, Any]:
    """A report in words: its groups with their names, one sentence for each warning, and the strongest proxies."""
    label, figures = name_attribute(report.attribute), report.figures
    rows = [group | {"label": name_group(report.attribute, group["name"])} for group in figures["groups"]]
    return {
        "attribute": report.attribute,
        "label": label,
        "groups": rows,
        "threshold": figures["threshold"],
        "left_out_groups": figures["left_out_groups"],
        "left_out_customers": figures["left_out_customers"],
        "sentences": [sentence for row in rows for sentence in _tell_gaps(label, row)],
        "proxies": [
            {"group": row["label"], "feature": get_feature(proxy["feature"]).label, "auc": proxy["auc"]}
            for row in rows
            for proxy in row["proxies"][:PROXIES_SHOWN]
        ],
    }


def _tell_gaps(label: str, row: dict[str, Any]) -> list[str]:
    """One sentence for each gap that is past its limit beyond doubt."""
    told = {
        "selection": _(
            "%(attribute)s %(group)s: flagged %(value)s times as often as the others (%(low)s to %(high)s)."
        ),
        "false_negative": _(
            "%(attribute)s %(group)s: leavers overlooked, %(value)s points against the others (%(low)s to %(high)s)."
        ),
        "false_positive": _(
            "%(attribute)s %(group)s: stayers flagged, %(value)s points against the others (%(low)s to %(high)s)."
        ),
        "calibration": _(
            "%(attribute)s %(group)s: the risk told is %(value)s points off what happened (%(low)s to %(high)s)."
        ),
    }
    sentences = []
    for name, gap in row["gaps"].items():
        if gap["is_beyond"]:
            write = _ratio if name == "selection" else _points
            numbers = {key: write(gap[key]) for key in ("value", "low", "high")}
            sentences.append(told[name] % {"attribute": label, "group": row["label"], **numbers})
    return sentences


def _ratio(value: float) -> str:
    return f"{value:.2f}"


def _points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "\u2212")

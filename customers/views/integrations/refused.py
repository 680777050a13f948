"""Items that were refused: how many, of which source, for which reason, with examples that name nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from customers.models import Entrance, ImportRun, IntakeDay, RefusedItem
from customers.told import tell

KINDS = {
    "customer": _("customer"), "product": _("product"), "order": _("order"), "event": _("event"), "consent": _("consent"),
}  # fmt: skip
MOST_REASONS = 100
DAYS = 30


@require_safe
@permission_required("customers.view_refuseditem", raise_exception=True)
def show_refused(request: HttpRequest) -> HttpResponse:
    """The reasons of the last 30 days, the most frequent first, and the days of one source."""
    now = timezone.now()
    since = now.date() - dt.timedelta(days=DAYS - 1)
    refused, days = RefusedItem.objects.filter(on__gte=since), IntakeDay.objects.filter(on__gte=since)
    source, entrance = request.GET.get("source", ""), request.GET.get("entrance", "")
    if source:
        refused, days = refused.filter(source=source), days.filter(source=source)
    if entrance in Entrance.values:
        refused, days = refused.filter(entrance=entrance), days.filter(entrance=entrance)
    by_day = dict(days.values("on").annotate(left=Sum("refused")).values_list("on", "left"))
    context = {
        "reasons": [_tell(row) for row in _group(refused)],
        "chart": [(date_format(on, "j M"), count) for on, count in sorted(by_day.items(), reverse=True) if count],
        "total": sum(by_day.values()),
        "accepted": days.aggregate(n=Sum("accepted"))["n"] or 0,
        "chips": [
            {"label": label, "value": value, "without": "?" + "&".join(f"{k}={v}" for k, v in others if v)}
            for label, value, others in (
                (_("Source"), source, [("entrance", entrance)]),
                (_("Entrance"), Entrance(entrance).label if entrance in Entrance.values else "", [("source", source)]),
            )
            if value
        ],
        "runs": _list_runs(now, source) if entrance in {"", Entrance.IMPORT.value} else [],
        "days": DAYS,
    }
    return render(request, "customers/integrations/refused.html", context)


def _group(refused: Any) -> list[dict[str, Any]]:
    """One row for each reason over all days, with the newest examples."""
    names = ("source", "entrance", "kind", "field", "reason")
    grouped = refused.values(*names).annotate(times=Sum("count"), last=Max("on"), newest=Max("pk"))
    rows = list(grouped.order_by("-times", *names)[:MOST_REASONS])
    kept = RefusedItem.objects.in_bulk([row["newest"] for row in rows])
    return [{**row, "kept": kept[row["newest"]]} for row in rows if row["newest"] in kept]


def _tell(row: dict[str, Any]) -> dict[str, Any]:
    kept: RefusedItem = row["kept"]
    examples = [
        {"at": dt.datetime.fromisoformat(example["at"]), "key": example.get("key", "")} for example in kept.examples
    ]
    return {
        **row,
        "label": tell(kept.message) or kept.reason,
        "what": str(KINDS.get(kept.kind, kept.kind)),
        "entrance_label": kept.get_entrance_display(),
        "examples": examples,
    }


def _list_runs(now: dt.datetime, source: str) -> list[tuple[ImportRun, int]]:
    """Imports that left lines out; each lists them, with the reason, on its own page."""
    runs = ImportRun.objects.filter(created_at__gt=now - dt.timedelta(days=DAYS)).exclude(report={})
    found = []
    for run in runs.order_by("-created_at")[:100]:
        left = sum(run.report.get("left_out", {}).values())
        if left and (not source or run.options.get("source", "shop") == source):
            found.append((run, left))
    return found[:20]

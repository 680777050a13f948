"""How good the answers are: time to the first, what people made of suggestions, what customers say, who changed what."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.db.models import Avg, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from support.answers.figures import (
    count_suggestions,
    judge_triage,
    list_changes,
    measure_first_answers,
    measure_ratings,
    share,
)
from support.models import AutomaticAnswer, Ticket, TriageCorrection, TriageModel

from .access import read_number
from .wording import BYS, CHOICES

WINDOWS: Final = (30, 90, 365)
DAYS: Final = 90


@require_safe
@permission_required("support.view_answer", raise_exception=True)
def show_quality(request: HttpRequest) -> HttpResponse:
    """The figures of a window: ?days= 30, 90 or 365."""
    asked = read_number(request.GET.get("days", ""))
    days = asked if asked in WINDOWS else DAYS
    since = timezone.now() - dt.timedelta(days=days)
    tickets = Ticket.objects.filter(opened_at__gte=since)
    complaints = tickets.filter(is_complaint=True)
    handled = complaints.exclude(closed_at=None).aggregate(mean=Avg(F("closed_at") - F("opened_at")))["mean"]
    may_see = request.user.has_perm("support.view_ticket")
    context: dict[str, Any] = {
        "days": days,
        "windows": WINDOWS,
        "tickets": tickets.count(),
        "first": measure_first_answers(since),
        "complaints": complaints.count(),
        "handled_hours": _hours(handled),
        "rows": count_suggestions(since),
        "ratings": measure_ratings(since),
        "may_see": may_see,
        "changes": _name_changes(list_changes(since)) if may_see else None,
        "corrections": TriageCorrection.objects.filter(corrected_at__gte=since).exclude(was=F("becomes")).count(),
        "judged": [row | {"by": BYS[row["by"]]} for row in judge_triage(since)],
        "automatic": _measure_automatic(since),
        "models": _list_models(),
    }
    return render(request, "support/quality.html", context)


def _list_models() -> list[TriageModel]:
    """Of each field and language the classifier that is in use, and the newest where that is another."""
    known = TriageModel.objects.defer("artifact").order_by("field", "language", "-version")
    chosen = [*known.distinct("field", "language"), *known.filter(is_used=True).distinct("field", "language")]
    return sorted({one.pk: one for one in chosen}.values(), key=lambda one: (one.field, one.language, -one.version))


def _measure_automatic(since: dt.datetime) -> dict[str, Any]:
    """All categories together; the page about automatic answers has each."""
    sent = AutomaticAnswer.objects.filter(sent_at__gte=since)
    checked = sent.exclude(verdict="")
    n = sent.count()
    return {
        "sent": n,
        "good": share(checked.filter(verdict="good").count(), checked.count()),
        "wrong": checked.filter(verdict="wrong").count(),
        "to_check": sent.filter(is_sampled=True, verdict="").count(),
        "back": share(sent.exclude(answered_back_at=None, person_wanted_at=None).count(), n),
    }


def _name_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """Values of triage in words."""
    rows = []
    for one in changes["corrections"]:
        names = {str(value): str(label) for value, label in CHOICES[one.field]}
        rows.append({"row": one, "was": names.get(one.was, "–"), "becomes": names.get(one.becomes, one.becomes)})
    return changes | {"corrections": rows}


def _hours(span: dt.timedelta | None) -> float | None:
    return round(span.total_seconds() / 3600, 1) if span is not None else None

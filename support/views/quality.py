"""How good the answers are: time to the first, and what people made of the suggestions."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.db.models import Avg, Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from support.models import Answer, AnswerStatus, Ticket, TriageCorrection, TriageModel

DAYS: Final = 90
#: A suggestion counts as edited from here on; less is a salutation.
UNCHANGED_AT: Final = 0.05


@require_safe
@permission_required("support.view_answer", raise_exception=True)
def show_quality(request: HttpRequest) -> HttpResponse:
    """The figures of the last `DAYS` days."""
    since = timezone.now() - dt.timedelta(days=DAYS)
    tickets = Ticket.objects.filter(opened_at__gte=since)
    answered = tickets.exclude(first_answer_at=None)
    context: dict[str, Any] = {
        "days": DAYS,
        "tickets": tickets.count(),
        "answered": answered.count(),
        "first_answer_hours": _hours(answered.aggregate(mean=Avg(F("first_answer_at") - F("opened_at")))["mean"]),
        "complaints": tickets.filter(is_complaint=True).count(),
        "handled_hours": _hours(
            tickets.filter(is_complaint=True)
            .exclude(closed_at=None)
            .aggregate(mean=Avg(F("closed_at") - F("opened_at")))["mean"]
        ),
        "rows": count_suggestions(since),
        "corrections": TriageCorrection.objects.filter(corrected_at__gte=since).count(),
        "models": TriageModel.objects.defer("artifact").order_by("field", "language", "-version")[:12],
    }
    return render(request, "support/quality.html", context)


def count_suggestions(since: dt.datetime) -> list[dict[str, Any]]:
    """By origin and version of the prompt: how many were sent unchanged, edited, thrown away, refused."""
    sent = Q(status=AnswerStatus.SENT)
    rows = (
        Answer.objects.filter(made_at__gte=since)
        .values("origin", "prompt_version")
        .annotate(
            made=Count("pk"),
            unchanged=Count("pk", filter=sent & Q(share_changed__lt=UNCHANGED_AT)),
            edited=Count("pk", filter=sent & Q(share_changed__gte=UNCHANGED_AT)),
            discarded=Count("pk", filter=Q(status=AnswerStatus.DISCARDED)),
            refused=Count("pk", filter=Q(status=AnswerStatus.REFUSED)),
            unsupported=Count("pk", filter=Q(sentences__contains=[{"supported": False}])),
        )
        .order_by("origin", "prompt_version")
    )
    return [dict(row) | {"label": Answer.Origin(row["origin"]).label} for row in rows]


def _hours(span: dt.timedelta | None) -> float | None:
    return round(span.total_seconds() / 3600, 1) if span is not None else None

"""The list of segments: those in use, or those that were archived."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.ingest.clock import read_shop_clock
from customers.insights.browsing import count_customers
from customers.models import Segment
from customers.segments.names import read_names
from customers.segments.rules import read_gently
from customers.segments.telling import Told, tell_reading
from customers.segments.wording import describe_rule


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def list_segments(request: HttpRequest) -> HttpResponse:
    """Every segment with its rule in a sentence and how many it had when it was last looked at; one that was not counted
    yet is counted now. `?archived=1` shows those put away, of which nobody is counted, `?q=` those whose name or purpose has
    the words."""
    words = request.GET.get("q", "").strip()[:120].replace("\x00", "")
    shows_archived = bool(request.GET.get("archived"))
    found = Segment.objects.select_related("counted")
    if words:
        found = found.filter(Q(name__icontains=words) | Q(description__icontains=words))
    segments = list(found)
    kept = [segment for segment in segments if segment.is_archived == shows_archived]
    context = {
        "rows": _tell_rows(kept),
        "total": count_customers().number,
        "words": words,
        "shows_archived": shows_archived,
        "in_use": sum(not segment.is_archived for segment in segments),
        "archived": sum(segment.is_archived for segment in segments),
    }
    return render(request, "customers/segments.html", context)


def _tell_rows(segments: list[Segment]) -> list[dict[str, Any]]:
    as_of = read_shop_clock(timezone.now())
    readings = [read_gently(segment.rule) for segment in segments]
    names = read_names(*(reading.rule for reading in readings))
    rows = []
    for segment, reading in zip(segments, readings, strict=True):
        counted = getattr(segment, "counted", None)
        if counted is not None and counted.is_of_this_rule and not segment.is_archived:
            told = Told(describe_rule(reading.rule, names), counted.size, ())
        else:
            told = tell_reading(reading, as_of=as_of, names=names, counts=not segment.is_archived)
        rows.append({"segment": segment, "told": told, "counted": counted})
    return rows

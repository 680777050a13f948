"""Two revisions of a segment side by side: what was added and taken away, and how many people that moves."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.ingest.clock import read_shop_clock
from customers.models import Segment, SegmentRevision
from customers.segments.comparing import compare_sentences, count_moved
from customers.segments.names import read_names
from customers.segments.rules import read_gently


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def compare_revisions(request: HttpRequest, pk: int) -> HttpResponse:
    """`?before=` and `?after=` are numbers of revisions; without them the newest two."""
    segment = get_object_or_404(Segment, pk=pk)
    revisions = list(segment.revisions.select_related("saved_by").order_by("-number")[:200])
    after = _choose(revisions, request.GET.get("after", ""), 0)
    before = _choose(revisions, request.GET.get("before", ""), 1)
    may_change = request.user.has_perm("customers.change_segment") and not segment.is_archived
    context = {
        "segment": segment, "revisions": revisions, "before": before, "after": after, "may_change": may_change,
    }  # fmt: skip
    if before is not None and after is not None:
        old, new = (read_gently(revision.rule).rule for revision in (before, after))
        lines = compare_sentences(old, new, read_names(old, new))
        moved = count_moved(old, new, as_of=read_shop_clock(timezone.now()))
        context |= {"old_lines": lines[0], "new_lines": lines[1], "moved": moved}
    return render(request, "customers/segment_revisions.html", context)


def _choose(revisions: list[SegmentRevision], number: str, place: int) -> SegmentRevision | None:
    wanted = next((revision for revision in revisions if str(revision.number) == number), None)
    if wanted is not None or not revisions:
        return wanted
    return revisions[min(place, len(revisions) - 1)]

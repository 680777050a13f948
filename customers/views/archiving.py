"""Putting a segment away, and taking it back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import Segment
from customers.segments.archiving import SegmentInUse, archive_segment, restore_segment


@require_POST
@permission_required("customers.change_segment", raise_exception=True)
def put_away(request: HttpRequest, pk: int) -> HttpResponse:
    """No longer offered or counted; refused in words while something needs it."""
    segment = get_object_or_404(Segment, pk=pk)
    try:
        archive_segment(request.user, segment)
    except SegmentInUse as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("“%(name)s” is archived. It can be taken back here.") % {"name": segment.name})
    return redirect("customers:segment", pk)


@require_POST
@permission_required("customers.change_segment", raise_exception=True)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Offered and counted again."""
    segment = restore_segment(request.user, get_object_or_404(Segment, pk=pk))
    messages.success(request, _("“%(name)s” is back. It is counted within a minute.") % {"name": segment.name})
    return redirect("customers:segment", pk)

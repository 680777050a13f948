"""What the self-attention model looked at: a part of a customer's page that is worked out when it is asked for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.models import Customer, EventKind
from customers.scoring.attention import LookedAt, read_attention
from customers.scoring.sequence import TorchMissing
from customers.scoring.sequence.tokens import ORDERED, RETURNED


@require_safe
@permission_required("customers.view_score", raise_exception=True)
def show_attention(request: HttpRequest, pk: int) -> HttpResponse:
    """Dates, kinds and shares; a fragment for the customer's page, and a page of its own without script."""
    customer = get_object_or_404(Customer.objects.select_related("score"), pk=pk)
    score = getattr(customer, "score", None)
    context: dict[str, Any] = {"customer": customer}
    try:
        attention = read_attention(score) if score is not None else None
    except TorchMissing:
        attention, context["is_missing"] = None, True
    if attention is not None:
        context |= {"attention": attention, "rows": [(_name_kind(each), each) for each in attention.looked_at]}
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "customers/_attention.html" if fragment else "customers/attention.html", context)


def _name_kind(each: LookedAt) -> str:
    if each.kind == ORDERED:
        return _("ordered")
    if each.kind == RETURNED:
        return _("sent back or cancelled")
    return str(EventKind(each.kind).label)

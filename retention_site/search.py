"""One search over customers, segments and campaigns."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.models import Campaign
from customers.ingest.country_names import name_country
from customers.models import Customer, Segment

ROWS_PER_GROUP = 8


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """What the person may see that contains the words, by kind."""
    words = request.GET.get("q", "").strip()[:120].replace("\x00", "")
    groups = [group for group in _find_groups(request, words) if group["rows"]] if words else []
    return render(request, "search.html", {"words": words, "groups": groups})


def _find_groups(request: HttpRequest, words: str) -> list[dict[str, Any]]:
    groups = []
    if request.user.has_perm("customers.view_customer"):
        people = Customer.objects.matching(words)[:ROWS_PER_GROUP]
        rows = [
            _row(person.display_name, name_country(person.country), "customers:detail", person.pk) for person in people
        ]
        groups.append({"label": _("Customers"), "rows": rows})
    if request.user.has_perm("customers.view_segment"):
        segments = Segment.objects.filter(name__icontains=words, is_archived=False)[:ROWS_PER_GROUP]
        rows = [_row(segment.name, segment.description, "customers:segment", segment.pk) for segment in segments]
        groups.append({"label": _("Segments"), "rows": rows})
    if request.user.has_perm("campaigns.view_campaign"):
        campaigns = Campaign.objects.filter(name__icontains=words)[:ROWS_PER_GROUP]
        rows = [_row(found.name, str(found.get_status_display()), "campaigns:detail", found.pk) for found in campaigns]
        groups.append({"label": _("Campaigns"), "rows": rows})
    return groups


def _row(label: str, note: str, view: str, pk: int) -> dict[str, str]:
    return {"label": label, "note": note, "url": reverse(view, args=[pk])}

"""The time line on a customer's page, and its next part for endless scrolling."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.insights.timeline import FAMILIES, Entry, read_place, read_timeline
from customers.models import Customer, EventKind, Product, tell_asked
from customers.models.event import SUPPORT_KINDS
from customers.segments.complaints import MOOD

TIMELINE_SIZE = 30


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def show_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """The next part of a time line, a fragment for htmx: `?before=` says from where on, `?show=` which family."""
    customer = get_object_or_404(Customer.objects.known(), pk=pk)
    context = {"customer": customer} | tell_timeline(request, customer, timezone.now())
    return render(request, "customers/_timeline_rows.html", context)


def tell_timeline(request: HttpRequest, customer: Customer, now: dt.datetime) -> dict[str, Any]:
    """What the templates of a time line need; `older` is the address part of the next one, "" at the end."""
    may_see_segments = request.user.has_perm("customers.view_segment")
    families = [
        ("orders", _("Orders")),
        ("behaviour", _("Visits")),
        ("messages", _("Messages")),
        ("support", _("Support")),
        *([("segments", _("Segments"))] if may_see_segments else []),
    ]
    family = request.GET.get("show", "")
    family = family if family in FAMILIES and family in dict(families) else ""
    entries = read_timeline(
        customer, until=now, family=family, before=read_place(request.GET.get("before", "")), size=TIMELINE_SIZE,
        with_segments=may_see_segments,
    )  # fmt: skip
    older = str(entries[-1].place) if len(entries) == TIMELINE_SIZE else ""
    return {"entries": _fold_repeats(_tell_entries(entries)), "families": families, "family": family, "older": older}


def _tell_entries(entries: list[Entry]) -> list[dict[str, Any]]:
    names = _name_products(entries)
    labels = {
        **dict(EventKind.choices),
        "segment_entered": _("came into the segment"),
        "segment_left": _("left the segment"),
        "merged": _("was merged with"),
        "merge_undone": _("was parted again from"),
    }
    return [
        {
            "happened_at": entry.happened_at,
            "kind": entry.kind,
            "family": entry.family,
            "order": entry.order,
            "change": entry.change,
            "merge": entry.merge,
            "label": _label_rating(entry) or _label_hold(entry) or labels.get(entry.kind, entry.kind),
            "detail": _tell_detail(entry, names),
            "times": 1,
            "first_at": entry.happened_at,
        }
        for entry in entries
    ]


def _label_rating(entry: Entry) -> str:
    """A rating of support is an event by a name of its own."""
    if entry.kind != EventKind.CUSTOM or entry.properties.get("name") != "support_rated":
        return ""
    return _("rated how support helped: %(score)s of 5") % {"score": entry.properties.get("score", "–")}


def _label_hold(entry: Entry) -> str:
    """A hold for a mood, and one that was taken back, are events of complaints, and no complaints."""
    is_mood = entry.properties.get("because") == MOOD
    if entry.kind == EventKind.COMPLAINT_OPENED and is_mood:
        return _("wrote very unhappily: no promotions")
    if entry.kind == EventKind.COMPLAINT_CLOSED and entry.properties.get("withdrawn"):
        return _("was not as unhappy after all: promotions again") if is_mood else _("it was no complaint after all")
    if entry.kind == EventKind.COMPLAINT_CLOSED and is_mood:
        return _("promotions again, after the very unhappy letter")
    return ""


def _fold_repeats(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for a run of the same thing without particulars: twenty e-mails would hide the order among them."""
    folded: list[dict[str, Any]] = []
    for row in told:
        last = folded[-1] if folded else None
        if (
            last
            and row["order"] is None
            and not row["detail"]
            and (last["label"], last["detail"]) == (row["label"], "")
        ):
            last["times"] += 1
            last["first_at"] = row["happened_at"]
        else:
            folded.append(row)
    return folded


def _name_products(entries: list[Entry]) -> dict[str, str]:
    skus = {str(entry.properties["sku"]) for entry in entries if entry.properties.get("sku")}
    return dict(Product.objects.filter(sku__in=skus).values_list("sku", "name"))


def _tell_detail(entry: Entry, names: dict[str, str]) -> str:
    if entry.change is not None:
        return entry.change.segment.name
    if entry.merge is not None:  # the old id is with the merge while it stands, and with the row afterwards
        kept = entry.merge.kept.get("customer") or {}
        return str(kept.get("external_id") or (entry.merge.loser.external_id if entry.merge.undone_at else ""))
    properties = entry.properties
    if entry.kind == EventKind.CUSTOM and properties.get("name") not in (None, "", "support_rated"):
        return f"“{properties['name']}”"
    if entry.kind in SUPPORT_KINDS and (told := tell_asked(properties)):
        return told
    if properties.get("sku"):
        return names.get(str(properties["sku"]), str(properties["sku"]))
    for key in ("query", "campaign", "subject", "title", "topic", "category"):
        if properties.get(key) and not str(properties[key]).isdigit():  # a number is an id of ours, no name
            return f"“{properties[key]}”"
    return ""

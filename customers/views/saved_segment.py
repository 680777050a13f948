"""What a saved segment's page adds to the builder: how it grew, who came and went, what uses it, why somebody is in."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.ingest.clock import read_shop_clock
from customers.models import Customer, Segment
from customers.segments.archiving import list_uses
from customers.segments.evidence import explain
from customers.segments.membership import list_changes, read_sizes
from customers.segments.names import read_names
from customers.segments.rules import read_gently
from customers.segments.telling import tell_rule

#: So many people are offered whom the words of a search may mean.
MOST_FOUND: Final = 8


def tell_saved(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """What a saved segment adds to the builder."""
    sizes = read_sizes(segment)
    counted = getattr(segment, "counted", None)
    campaigns = list(segment.campaigns.order_by("-pk")[:20])
    known = {campaign.pk for campaign in campaigns}
    uses = list_uses(segment)
    return {
        "used_in": campaigns,
        "used_by": [use for use in uses if use.kind == "segment" or use.pk not in known],
        "is_used": bool(uses),
        "counted": counted,
        "fault": _tell_fault(segment) if counted and counted.fault else "",
        "sizes": sizes,
        "size_chart": [(date_format(size.day, "j M"), size.size) for size in sizes],
        "changes": list_changes(segment, size=6),
        "revisions": segment.revisions.select_related("saved_by").order_by("-number")[:8],
        "proposed": segment.revisions.exclude(proposed_by="").select_related("saved_by").order_by("-number").first(),
        "why": _tell_why(request, segment),
    }


def _tell_fault(segment: Segment) -> str:
    """Why it is not counted any more, in words."""
    faults = tell_rule(segment.rule, as_of=timezone.now(), counts=False).faults
    return " ".join(faults) or _(
        "Counting failed for a reason that is none of the rule’s. It is tried again every minute."
    )


def _tell_why(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """The person asked for held against each condition; several whom the words may mean, to choose from."""
    if not request.user.has_perm("customers.view_customer"):
        return {}
    asked, people = _find_people(request)
    if len(people) != 1:
        return {"asked": asked, "people": people, "is_unknown": bool(asked) and not people}
    person, reading = people[0], read_gently(segment.rule)
    lines = []
    if reading.is_whole:
        as_of = read_shop_clock(timezone.now())
        lines = explain(reading.rule, person, as_of=as_of, names=read_names(reading.rule))
    return {"asked": asked, "person": person, "lines": lines, "is_in": bool(lines) and lines[0].is_met}


def _find_people(request: HttpRequest) -> tuple[str, list[Customer]]:
    """What was asked, and whom it means: `?customer=` is our number, `?person=` the shop's id or an address, else any words of
    them. The shop's ids may be numbers too, so that one is never taken for the other."""
    known = Customer.objects.known().select_related("score")
    number, words = request.GET.get("customer", ""), request.GET.get("person", "").replace("\x00", "").strip()[:254]
    if number.isdecimal() and len(number) < 10:
        found = list(known.filter(pk=int(number)))
        return found[0].external_id if found else number, found
    if not words:
        return "", []
    whole = known.filter(external_id=words).first() or known.with_email(words).first()
    return words, [whole] if whole else list(known.matching(words).order_by("pk")[:MOST_FOUND])

"""What a marketer changes in how an audience is split, from the Audience page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns.approval.editing import edit_campaign, forget_shapes, merge_archetypes, take_out_part
from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype, Campaign
from customers.views.access import current_user

from .access import get_campaign_for, read_id


@require_POST
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Put two archetypes together."""
    campaign = get_campaign_for(request.user, pk)
    first, second = (_find_archetype(campaign, request.POST.get(name, "")) for name in ("first", "second"))

    def act(now: dt.datetime) -> tuple[str, int]:
        merged = merge_archetypes(current_user(request), campaign, first, second, now=now)
        told = _("“%(name)s” now holds both. Its texts stay, those of the other are gone.")
        return told % {"name": label_archetype(merged)}, merged.pk

    return _carry_out(request, campaign, act)


@require_POST
def take_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a part of an archetype one of its own."""
    campaign = get_campaign_for(request.user, pk)
    archetype = _find_archetype(campaign, request.POST.get("archetype", ""))
    side, value = request.POST.get("side", ""), request.POST.get("value", "")

    def act(now: dt.datetime) -> tuple[str, int]:
        taken = take_out_part(current_user(request), campaign, archetype, side, value, now=now)
        return _("“%(name)s” is an archetype of its own.") % {"name": label_archetype(taken)}, taken.pk

    return _carry_out(request, campaign, act)


@require_POST
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Split the audience again: into another number, or as if nobody had shaped it."""
    campaign = get_campaign_for(request.user, pk)

    def act(now: dt.datetime) -> tuple[str, int]:
        if request.POST.get("forget"):
            forget_shapes(current_user(request), campaign, now=now)
        else:
            edit_campaign(current_user(request), campaign, {"max_archetypes": _read_number(request)}, now=now)
        found = Archetype.objects.filter(campaign=campaign).count()
        told = ngettext("There is %(n)d archetype now.", "There are %(n)d archetypes now.", found)
        return told % {"n": found}, 0

    return _carry_out(request, campaign, act)


def _carry_out(request: HttpRequest, campaign: Campaign, act: Callable[[dt.datetime], tuple[str, int]]) -> HttpResponse:
    """Do it and go back to the archetype that it was about; what is refused is said at the top of the page."""
    anchor = "archetypes"
    try:
        told, archetype = act(timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, told)
        anchor = f"archetype-{archetype}" if archetype else anchor
    return redirect(f"{reverse('campaigns:audience', args=[campaign.pk])}#{anchor}")


def _find_archetype(campaign: Campaign, number: str) -> Archetype:
    return get_object_or_404(Archetype, campaign=campaign, pk=read_id(number))


def _read_number(request: HttpRequest) -> int:
    number = request.POST.get("max_archetypes", "")
    return int(number) if number.isdecimal() and len(number) < 6 else 0

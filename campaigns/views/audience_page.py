"""The Audience step: who is meant, who is left out and why, the arms, and the archetypes with what was put into what."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.editing import edit_campaign, refreeze_audience
from campaigns.audience.cards import Card, build_cards
from campaigns.audience.connected import is_sent, sent_channels
from campaigns.audience.freeze import EmptyAudience
from campaigns.audience.planning import find_smallest
from campaigns.forms import AudienceForm
from campaigns.models import Archetype, Campaign, ExclusionReason
from customers.ingest.clock import read_shop_clock
from customers.models import Channel, ConsentRecord, Score
from customers.scoring.explain import describe_value
from customers.segments.telling import tell_rule
from customers.views.access import current_user

from .access import get_campaign_for
from .narrowing import offer_narrowing, tell_narrowing
from .power import describe_power, expect_retention
from .steps import frame_step

#: Of many parts of one archetype the largest are named.
PARTS_SHOWN = 6


@require_safe
def show_audience(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is meant, who is left out and why, who is held out and what that can show."""
    campaign = get_campaign_for(request.user, pk)
    return render_audience(request, campaign, AudienceForm(campaign=campaign))


@require_POST
def freeze_audience(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the audience, again if need be: the same seed puts the same people into the same arm."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    form = AudienceForm(request.POST, campaign=campaign)
    if not form.is_valid():
        return render_audience(request, campaign, form, status=422)
    edit_campaign(user, campaign, form.cleaned_data, now=now)
    try:
        counts = refreeze_audience(user, campaign, now=now)
    except (EmptyAudience, ValidationError) as error:
        form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        campaign.refresh_from_db()
        return render_audience(request, campaign, form, status=422)
    messages.success(
        request,
        _("%(treated)s people will get the message, %(held)s are held out.")
        % {"treated": f"{counts.treatment:,}", "held": f"{counts.holdout:,}"},
    )
    return redirect("campaigns:audience", campaign.pk)


def render_audience(request: HttpRequest, campaign: Campaign, form: AudienceForm, status: int = 200) -> HttpResponse:
    """The Audience page: the segment, the frozen people, and their archetypes with what was put into what."""
    told = tell_rule(campaign.segment.rule, as_of=read_shop_clock(timezone.now()), counts=False)
    context = frame_step(request, campaign, "audience") | describe_audience(campaign)
    context |= {
        "form": form,
        "sentence": told.sentence,
        "rule_faults": told.faults,
        "has_scores": Score.objects.exists(),
        "archetypes": describe_cards(campaign),
        "has_shaped": campaign.archetypes.filter(is_shaped=True).exists(),
        "most_archetypes": settings.MOST_ARCHETYPES,
        **_tell_bounds(campaign),
        **offer_narrowing(campaign),
        "power": describe_power(campaign, form.data or request.GET, now=timezone.now()),
        "has_test_contacts": campaign.is_test_audience or ConsentRecord.objects.filter(is_test=True).exists(),
    }
    return render(request, "campaigns/audience.html", context, status=status)


def describe_cards(campaign: Campaign) -> list[dict[str, Any]]:
    """The archetypes with their cards, and which others each may be put together with."""
    archetypes = list(Archetype.objects.filter(campaign=campaign, size__gt=0))
    cards = build_cards(campaign, archetypes)
    return [
        {
            "archetype": archetype,
            "card": cards[archetype.pk],
            "sides": list(_tell_parts(cards[archetype.pk])),
            "others": [
                (other.pk, cards[other.pk].label)
                for other in archetypes
                if other.pk != archetype.pk
                and (other.language, other.channel) == (archetype.language, archetype.channel)
            ],
        }
        for archetype in archetypes
    ]


def _tell_parts(card: Card) -> Iterator[dict[str, Any]]:
    """Side by side what an archetype is made of: the largest parts, and how many people the others have."""
    heads = {"reason": _("Why they leave"), "interest": _("What they like"), "value_band": _("Their value")}
    for side, head in heads.items():
        parts = [part for part in card.parts if part.side == side]
        if parts:
            rest = parts[PARTS_SHOWN:]
            yield {
                "head": head,
                "parts": parts[:PARTS_SHOWN],
                "rest": len(rest),
                "rest_people": sum(part.size for part in rest),
            }


def describe_audience(campaign: Campaign) -> dict[str, Any]:
    """The frozen audience in numbers: exclusions with their reasons, the arms, and the effect that would show."""
    counts = campaign.audience_counts or {}
    labels = dict(ExclusionReason.choices)
    excluded = sorted((counts.get("excluded") or {}).items(), key=lambda item: -item[1])
    treated, held = counts.get("treatment", 0), counts.get("holdout", 0)
    base_rate = expect_retention(campaign)
    smallest = find_smallest(treated, held, base_rate)
    return {
        "counts": counts,
        "exclusions": [{"label": labels.get(reason, reason), "people": number} for reason, number in excluded],
        "arm_rows": [
            *_tell_channels(counts),
            (_("Held out"), held, "held"),
            *((str(labels.get(reason, reason)).capitalize(), number, "faint") for reason, number in excluded),
        ],
        "sent_people": sum(
            number
            for channel, number in (counts.get("channels") or {Channel.EMAIL: treated}).items()
            if is_sent(channel)
        ),
        "smallest_effect": smallest if math.isfinite(smallest) else None,
        "base_rate": base_rate,
        "narrowed": tell_narrowing(campaign),
    }


def _tell_channels(counts: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Those who get the message, by channel where there are several; what nothing sends yet is said so."""
    by_channel = counts.get("channels") or {}
    if set(by_channel) <= sent_channels():
        return [(_("Get the message"), counts.get("treatment", 0), "kept")]
    return [
        (
            _("Get the message by %(channel)s") % {"channel": Channel(channel).label}
            if is_sent(channel)
            else _("Prepared, not sent: %(channel)s") % {"channel": Channel(channel).label},
            number,
            "kept" if is_sent(channel) else "warn",
        )
        for channel, number in by_channel.items()
    ]


def _tell_bounds(campaign: Campaign) -> dict[str, str]:
    """Where the value bands lie, as money."""
    bounds = campaign.value_bounds
    return {
        name: describe_value("money", float(bounds[key]), bounds.get("currency", ""))
        for name, key in (("low_bound", "low_up_to"), ("high_bound", "high_from"))
        if key in bounds
    }

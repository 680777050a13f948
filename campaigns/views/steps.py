"""The steps of one campaign: goal, audience, messages, timing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Avg, Count, Q, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.editing import edit_campaign, refreeze_audience
from campaigns.approval.policy import may_cancel, may_edit, may_submit
from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.audience.cards import Card, build_cards
from campaigns.audience.connected import is_sent, sent_channels
from campaigns.audience.freeze import EmptyAudience
from campaigns.audience.power import power
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.steps import Step, read_steps
from campaigns.content.twins import find_twins
from campaigns.delivery.pace.forecast import forecast_send
from campaigns.forms import AudienceForm, GoalForm, OfferForm, TimingForm, shop_time
from campaigns.models import (
    Archetype,
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    DraftStatus,
    ExclusionReason,
    FollowUp,
    Offer,
)
from customers.ingest.clock import read_shop_clock
from customers.insights.overview import HOME_MONTHS, read_overview
from customers.models import Channel, ConsentRecord, Score
from customers.scoring.explain import describe_value
from customers.segments.telling import tell_rule

from .access import current_user, get_campaign_for
from .kind_form import KindForm
from .send_times import tell_times

#: Of many parts of one archetype the largest are named.
PARTS_SHOWN = 6

STEP_LABELS = (
    ("goal", gettext_lazy("Goal")),
    ("audience", gettext_lazy("Audience")),
    ("messages", gettext_lazy("Messages")),
    ("timing", gettext_lazy("Timing")),
    ("review-campaign", gettext_lazy("Review")),
    ("live", gettext_lazy("Live")),
    ("result", gettext_lazy("Result")),
)


def frame_step(request: HttpRequest, campaign: Campaign, step: str) -> dict[str, Any]:
    """What every step's page shows: the stepper, the state, and what this person may do."""
    user = current_user(request)
    texts = _state_of_texts(campaign)
    return {
        "campaign": campaign,
        "step": step,
        "steps": [
            {"name": name, "label": label, "url": reverse(f"campaigns:{name}", args=[campaign.pk]), "state": state}
            for name, label in STEP_LABELS
            for state in [_state_of(campaign, name, texts)]
        ],
        "may_edit": may_edit(user, campaign).allowed,
        "edit_decision": may_edit(user, campaign),
        "submit_decision": may_submit(user, campaign),
        "cancel_decision": may_cancel(user, campaign),
        "send_time": shop_time(campaign.scheduled_for),
        "is_due": campaign.scheduled_for is not None and campaign.scheduled_for <= timezone.now(),
        "shop_time_zone": settings.SHOP_TIME_ZONE,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def show_goal(request: HttpRequest, pk: int) -> HttpResponse:
    """Goal, segment and offer."""
    campaign = get_campaign_for(request.user, pk)
    data = request.POST if request.method == "POST" else None
    # A bound model form writes what was typed into its instance: give it copies, so that the page's own stay true.
    form = GoalForm(data, instance=Campaign.objects.get(pk=pk))
    offer_form = OfferForm(data, instance=Offer.objects.filter(campaign=campaign).first())
    context = frame_step(request, campaign, "goal") | {"form": form, "offer_form": offer_form}
    if request.method != "POST":
        return render(request, "campaigns/goal.html", context)
    if not (form.is_valid() and offer_form.is_valid()):
        return render(request, "campaigns/goal.html", context, status=422)
    if not _save_edit(request, campaign, form, form.cleaned_data, offer_form.offer_fields()):
        return render(request, "campaigns/goal.html", context, status=422)
    return redirect("campaigns:audience", campaign.pk)


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


@require_http_methods(["GET", "HEAD", "POST"])
def show_timing(request: HttpRequest, pk: int) -> HttpResponse:
    """When it goes out and for how long its effect is counted."""
    campaign, now = get_campaign_for(request.user, pk), timezone.now()
    context = frame_step(request, campaign, "timing") | tell_times(campaign)
    context["forecast"] = forecast_send(campaign, now=now)
    if request.method != "POST":
        form = TimingForm(initial=TimingForm.initial_for(campaign, now), now=now)
        kind_form = KindForm(initial=KindForm.initial_for(campaign))
        return render(request, "campaigns/timing.html", context | {"form": form, "kind_form": kind_form})
    form, kind_form = TimingForm(request.POST, now=now), KindForm(request.POST)
    is_valid = form.is_valid() & kind_form.is_valid()
    if not is_valid or not _save_edit(
        request, campaign, form, form.campaign_fields() | kind_form.campaign_fields(), None
    ):
        context |= {"form": form, "kind_form": kind_form}
        return render(request, "campaigns/timing.html", context, status=422)
    return redirect("campaigns:review-campaign", campaign.pk)


def describe_archetypes(campaign: Campaign) -> dict[str, Any]:
    """Cards of the archetypes with their texts, and how far drafting is."""
    figures = describe_people(campaign)
    archetypes = list(Archetype.objects.filter(campaign=campaign).prefetch_related("variants"))
    steps = read_steps(campaign.pk)
    twins = find_twins(archetypes)
    for variant in (variant for archetype in archetypes for variant in archetype.variants.all()):
        variant.twin = twins.get(variant.pk)
    cards: list[dict[str, Any]] = [
        {
            "archetype": archetype,
            "label": label_archetype(archetype),
            "figures": figures.get(archetype.pk),
            "variants": list(archetype.variants.all()),
            "parts": [_describe_part(archetype, step, steps) for step in steps],
            "is_narrow": _has_one_text_each(archetype),
            "is_connected": is_sent(archetype.channel),
        }
        for archetype in archetypes
    ]
    open_states = {DraftStatus.REQUESTED, DraftStatus.DRAFTING}
    waiting = sum(archetype.draft_status in open_states for archetype in archetypes)
    return {
        "cards": cards,
        "sequence": steps if len(steps) > 1 else [],
        "waiting": waiting,
        "drafted": len(archetypes) - waiting,
        "texts_written": sum(len(card["variants"]) for card in cards),
        "has_texts": any(card["variants"] for card in cards),
        "edited": sum(variant.edited_at is not None for card in cards for variant in card["variants"]),
        "blocked": sum(any(variant.is_blocked for variant in card["variants"]) for card in cards),
    }


def _describe_part(archetype: Archetype, step: Step, steps: list[Step]) -> dict[str, Any]:
    """The texts of one archetype at one step; `may_add` where there is one and room for more."""
    texts = [text for text in archetype.variants.all() if text.step == step.number]
    return {
        "step": step if len(steps) > 1 else None,
        "number": step.number,
        "variants": texts,
        "may_add": 0 < len(texts) < MOST_TEXTS,
    }


def _has_one_text_each(archetype: Archetype) -> bool:
    """Whether the steps of a sequence fit beside each other."""
    steps = [text.step for text in archetype.variants.all()]
    return len(steps) == len(set(steps))


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
    base_rate = _expected_retention(campaign)
    smallest = power(treated, held, base_rate) if treated and held else math.inf
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
        "smallest_effect": smallest / 100 if math.isfinite(smallest) else None,
        "base_rate": base_rate,
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


def _expected_retention(campaign: Campaign) -> float:
    """The share that would order anyway: from the scores of the members, else the shop's retention rate."""
    members = AudienceMember.objects.filter(campaign=campaign, arm__in=[Arm.TREATMENT, Arm.HOLDOUT])
    mean = members.aggregate(mean=Avg("churn_probability"))["mean"]
    if mean is not None:
        return min(1.0, max(0.0, 1 - float(mean)))
    rates = read_overview(timezone.now(), months=HOME_MONTHS).rates  # as on Home, kept for the day
    return (rates[-1].rate if rates else None) or 0.5


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
        "has_test_contacts": campaign.is_test_audience or ConsentRecord.objects.filter(is_test=True).exists(),
    }
    return render(request, "campaigns/audience.html", context, status=status)


def _save_edit(
    request: HttpRequest, campaign: Campaign, form: BaseForm, fields: dict[str, Any], offer: dict[str, Any] | None
) -> bool:
    """Write through the workflow; what it refuses as invalid goes to the form. Says so where approvals were voided."""
    before = campaign.status
    try:
        edit_campaign(current_user(request), campaign, fields, offer, now=timezone.now())
    except ValidationError as error:
        for sentence in error.messages:
            form.add_error(None, sentence)
        return False
    if before != campaign.status:
        messages.warning(request, _("The campaign is a draft again: what changed has to be approved again."))
    return True


def _state_of_texts(campaign: Campaign) -> str:
    """ "done" where every archetype has a text for each step, "trouble" where one is blocked or its draft failed, else
    "open"."""
    is_stuck = Q(variants__findings__contains=[{"verdict": "block"}]) | Q(draft_status=DraftStatus.FAILED)
    follow_ups = FollowUp.objects.filter(campaign=campaign).order_by().values("campaign").annotate(n=Count("pk"))
    rows = Archetype.objects.filter(campaign=campaign).annotate(
        written=Count("variants__step", distinct=True), stuck=Count("pk", filter=is_stuck)
    )
    steps = 1 + Coalesce(Subquery(follow_ups.values("n")), 0)
    found = rows.aggregate(
        all=Count("pk"), complete=Count("pk", filter=Q(written__gte=steps)), blocked=Count("pk", filter=Q(stuck__gt=0))
    )
    if found["blocked"]:
        return "trouble"
    return "done" if found["all"] and found["all"] == found["complete"] else "open"


def _state_of(campaign: Campaign, step: str, texts: str) -> str:
    """ "done", "open", "trouble" or "later" for the stepper."""
    if step == "messages" and campaign.status == CampaignStatus.DRAFT:
        return texts
    approved = {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.MISSED}
    launched = {CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SENT}
    done = {
        "goal": True,
        "audience": campaign.audience_frozen_at is not None,
        "messages": campaign.status != CampaignStatus.DRAFT,
        "timing": campaign.scheduled_for is not None,
        "review-campaign": campaign.status in approved | launched,
        "live": campaign.status == CampaignStatus.SENT,
        "result": False,
    }[step]
    if done:
        return "done"
    if step in {"live", "result"} and campaign.status not in launched:
        return "later"
    return "open"

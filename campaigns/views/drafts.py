"""The Messages step: the archetypes with their texts, and asking for drafts of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.texts import ask_for_drafts as have_drafts_written
from campaigns.approval.texts import stop_drafting
from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.audience.cards import build_cards
from campaigns.audience.connected import is_sent
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.steps import Step, read_steps
from campaigns.content.twins import find_twins
from campaigns.forms import DraftsForm
from campaigns.models import Angle, Archetype, Campaign, DraftStatus
from campaigns.tasks import draft_archetype
from customers.views.access import current_user
from llm.configuration import configured_model

from .access import get_campaign_for, read_id
from .comments import describe_threads, hang_threads
from .sequence import describe_sequence
from .steps import frame_step


@require_safe
def show_messages(request: HttpRequest, pk: int) -> HttpResponse:
    """The archetypes as cards: who they are and what is said to them."""
    return render_messages(request, get_campaign_for(request.user, pk), DraftsForm())


def render_messages(request: HttpRequest, campaign: Campaign, form: DraftsForm, status: int = 200) -> HttpResponse:
    """The Messages page, with what was asked of the drafts where that cannot be done."""
    context = frame_step(request, campaign, "messages") | describe_archetypes(campaign)
    people = build_cards(campaign)
    for card in context["cards"]:
        card["people"] = people.get(card["archetype"].pk)
    context |= describe_threads(current_user(request), campaign)
    hang_threads(context["cards"], context["threads_by_text"])
    context["back"] = request.path
    context |= describe_sequence(campaign, context["sequence"])
    context |= {"model": configured_model(), "angles": Angle.choices, "counts": DraftsForm.COUNTS, "form": form}
    template = "campaigns/_archetypes.html" if request.headers.get("HX-Request") else "campaigns/messages.html"
    return render(request, template, context, status=status)


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


@require_POST
def ask_for_drafts(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for drafts of all archetypes, or of one: so many texts for each, with an instruction for this time."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    form = DraftsForm(request.POST)
    chosen = request.POST.get("archetype", "")
    wanted = Archetype.objects.filter(campaign=campaign)
    if chosen:
        wanted = wanted.filter(pk=get_object_or_404(wanted, pk=read_id(chosen)).pk)
    if not form.is_valid():
        return render_messages(request, campaign, form, status=422)
    waiting = have_drafts_written(user, campaign, archetypes=wanted, **form.cleaned_data, now=now)
    if not waiting:
        messages.warning(
            request, _("Nothing was asked for: people wrote these texts, or they are being drafted right now.")
        )  # fmt: skip
    for archetype_id in wanted.filter(draft_status=DraftStatus.REQUESTED).values_list("pk", flat=True):
        transaction.on_commit(partial(draft_archetype.delay, archetype_id))
    return redirect("campaigns:messages", campaign.pk)


@require_POST
def stop_drafts(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back the drafts that are on their way; the texts that there are stay."""
    campaign = get_campaign_for(request.user, pk)
    stop_drafting(current_user(request), campaign, now=timezone.now())
    messages.success(request, _("Nothing is being drafted any more. The texts that there were stay."))
    return redirect("campaigns:messages", campaign.pk)


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

"""The steps of a sequence on the Messages page: added, changed, moved, removed, and what ends one early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns.approval.editing import edit_campaign
from campaigns.approval.sequence import add_follow_up, edit_follow_up, move_follow_up, remove_follow_up
from campaigns.audience.exits import EXIT_LABELS
from campaigns.content.steps import MOST_STEPS, Step
from campaigns.forms import ExitsForm, FollowUpForm, shop_time
from campaigns.models import Campaign, FollowUp
from campaigns.outcomes.funnel import Funnel
from customers.views.access import current_user

from .access import carry_out, get_campaign_for


def describe_sequence(campaign: Campaign, steps: Sequence[Step]) -> dict[str, Any]:
    """The steps as the page shows them, each with its form, and the exit rules. `steps` is empty where there is one alone."""
    return {
        "step_rows": [
            {
                "step": step,
                "when": tell_wait(step),
                "form": FollowUpForm(step=step) if step.number > 1 else None,
                "may_rise": step.number > 2,
                "may_sink": 1 < step.number < len(steps),
            }
            for step in steps
        ],
        "new_step_form": FollowUpForm(),
        "may_add_step": max(len(steps), 1) < MOST_STEPS,
        "exits": [(rule, label, rule in campaign.exit_on) for rule, label in EXIT_LABELS.items()],
        "exits_said": [label for rule, label in EXIT_LABELS.items() if rule in campaign.exit_on],
        "asks_for_opens": any(step.only_if == FollowUp.OnlyIf.NOT_OPENED for step in steps),
    }


def tell_funnel(funnel: Funnel | None) -> dict[str, Any] | None:
    """How far people have come, each step with its words and with who left between it and the one before it."""
    if funnel is None:
        return None
    return {
        "rows": [{"count": row, "when": tell_wait(row.step)} for row in funnel.steps],
        "treated_through": funnel.treated_through,
        "held_through": funnel.held_through,
        "next_at": shop_time(funnel.next_at),
    }


def tell_wait(step: Step) -> str:
    """When a step goes out, in words."""
    if step.number == 1:
        return _("at once")
    if step.wait_hours % 24:
        return ngettext("after %(n)d hour", "after %(n)d hours", step.wait_hours) % {"n": step.wait_hours}
    days = step.wait_hours // 24
    return ngettext("after %(n)d day", "after %(n)d days", days) % {"n": days}


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """One more step at the end."""
    campaign, form = get_campaign_for(request.user, pk), FollowUpForm(request.POST)
    user, now = current_user(request), timezone.now()
    done = _("The step was added. Its texts are still to be written.")
    return _save(request, campaign, form, lambda: add_follow_up(user, campaign, form.step_fields(), now=now), done)


@require_POST
def edit(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Wait, condition and purpose of a step."""
    campaign, follow_up = _get_step_for(request, pk, number)
    user, now, form = current_user(request), timezone.now(), FollowUpForm(request.POST)
    return _save(
        request, campaign, form, lambda: edit_follow_up(user, follow_up, form.step_fields(), now=now), _("Kept.")
    )


@require_POST
def move(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Change places with the step before (`way=up`) or after it."""
    campaign, follow_up = _get_step_for(request, pk, number)
    user, now, up = current_user(request), timezone.now(), request.POST.get("way") == "up"
    return carry_out(
        request, campaign, "messages", lambda: move_follow_up(user, follow_up, up=up, now=now),
        _("The steps changed places, with their texts."),
    )  # fmt: skip


@require_POST
def remove(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take a step away with its texts."""
    campaign, follow_up = _get_step_for(request, pk, number)
    user, now = current_user(request), timezone.now()
    return carry_out(
        request, campaign, "messages", lambda: remove_follow_up(user, follow_up, now=now),
        _("The step was removed with its texts."),
    )  # fmt: skip


@require_POST
def choose_exits(request: HttpRequest, pk: int) -> HttpResponse:
    """What ends a person's sequence early."""
    campaign, form = get_campaign_for(request.user, pk), ExitsForm(request.POST)
    user, now = current_user(request), timezone.now()
    return _save(request, campaign, form, lambda: edit_campaign(user, campaign, form.cleaned_data, now=now), _("Kept."))


def _get_step_for(request: HttpRequest, pk: int, number: int) -> tuple[Campaign, FollowUp]:
    campaign = get_campaign_for(request.user, pk)
    found = FollowUp.objects.select_related("campaign")
    return campaign, get_object_or_404(found, campaign=campaign, number=number)


def _save(request: HttpRequest, campaign: Campaign, form: Form, act: Callable[[], Any], done: str) -> HttpResponse:
    """Do what the form says; what is wrong with it is said on the page, which shows the steps as they are."""
    if form.is_valid():
        return carry_out(request, campaign, "messages", act, done)
    for name, sentences in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        messages.error(request, " ".join(filter(None, [f"{label}:" if label else "", *map(str, sentences)])))
    return redirect("campaigns:messages", campaign.pk)

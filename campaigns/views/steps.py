"""What all steps of one campaign show, and two of them: goal and timing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from campaigns.approval.editing import edit_campaign
from campaigns.approval.policy import may_cancel, may_edit, may_submit
from campaigns.content.steps import count_beyond, read_steps
from campaigns.delivery.pace.forecast import forecast_send
from campaigns.forms import GoalForm, OfferForm, TimingForm, shop_time
from campaigns.models import Archetype, Campaign, CampaignStatus, DraftStatus, FollowUp, Offer
from customers.views.access import current_user

from .access import get_campaign_for
from .kind_form import KindForm
from .send_times import tell_times

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


@require_http_methods(["GET", "HEAD", "POST"])
def show_timing(request: HttpRequest, pk: int) -> HttpResponse:
    """When it goes out and for how long its effect is counted."""
    campaign, now = get_campaign_for(request.user, pk), timezone.now()
    context = frame_step(request, campaign, "timing") | tell_times(campaign)
    context["forecast"] = forecast_send(campaign, now=now)
    context["beyond"] = count_beyond(read_steps(campaign.pk), campaign.attribution_days)
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

"""Getters that authorise, used by pages and API alike, and the way a workflow's answer reaches a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from campaigns.models import Campaign, CampaignStatus, Variant
from customers.views.access import act_and_tell

#: More digits than any id of the database has.
LONGEST_ID = 18
STEPS = ("goal", "audience", "messages", "timing", "review-campaign", "live", "result")


def get_campaign_for(user: User | AnonymousUser, pk: int) -> Campaign:
    """The campaign with its segment, offer and author; PermissionDenied without the right, Http404 where there is none."""
    if not user.has_perm("campaigns.view_campaign"):
        raise PermissionDenied("campaigns.view_campaign")
    return get_object_or_404(Campaign.objects.select_related("segment", "offer", "author"), pk=pk)


def get_variant_for(user: User | AnonymousUser, pk: int) -> Variant:
    """A text with its archetype and campaign; as `get_campaign_for`. Also one that was replaced while its campaign ran."""
    if not user.has_perm("campaigns.view_variant"):
        raise PermissionDenied("campaigns.view_variant")
    return get_object_or_404(Variant.everything.select_related("archetype__campaign__offer"), pk=pk)


def read_id(text: str) -> int:
    """A row's number as a form sends it. Raises Http404 for anything that no row can have."""
    if not text.isdecimal() or len(text) > LONGEST_ID:
        raise Http404
    return int(text)


def right_step(campaign: Campaign) -> str:
    """The step at which work on a campaign goes on."""
    if campaign.status in {CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.CANCELLED}:
        return "live"
    if campaign.status == CampaignStatus.SENT:
        return "result"
    if campaign.status != CampaignStatus.DRAFT:
        return "review-campaign"
    if campaign.audience_frozen_at is None:
        return "audience"
    if not Variant.objects.filter(archetype__campaign=campaign).exists():
        return "messages"
    return "timing" if campaign.scheduled_for is None else "review-campaign"


def carry_out(
    request: HttpRequest, campaign: Campaign, step: str, action: Callable[[], Any], done: str
) -> HttpResponse:
    """Do one change of state and go to a step; what staff must mend first becomes sentences on that page."""
    act_and_tell(request, action, done)
    return redirect(f"campaigns:{step}", campaign.pk)

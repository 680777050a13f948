"""Pause and resume a running campaign: by a person, or by the sender when going on would do harm."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.approval import policy
from campaigns.approval.policy import NotReady
from campaigns.approval.transitions import change_status
from campaigns.approval.validity import explain_expiry
from campaigns.approval.workflow import window_end
from campaigns.models import Campaign, CampaignStatus


def pause_campaign(user: User | None, campaign: Campaign, *, reason: str, now: dt.datetime) -> Campaign:
    """`sending -> paused`, with the reason that the page shows. `user` None is the circuit breaker.

    Messages that are on their way finish; every other one waits. Raises PermissionDenied, TransitionConflict.
    """
    if user is not None:
        campaign.refresh_from_db()
        policy.may_pause(user, campaign).enforce()
    change_status(
        campaign, sources=[CampaignStatus.SENDING], target=CampaignStatus.PAUSED, actor=user, reason=reason, now=now
    )
    return campaign


@transaction.atomic
def resume_campaign(user: User, campaign: Campaign, *, now: dt.datetime) -> Campaign:
    """`paused -> sending`: goes on exactly where it stopped. NotReady once the approved send window is over.

    The messages of a live campaign have each their own window, so it resumes whenever its approval still holds.
    """
    campaign.refresh_from_db()
    policy.may_resume(user, campaign).enforce()
    if campaign.is_live and (outlived := explain_expiry(campaign, now=now)):
        raise NotReady([outlived])
    if not campaign.is_live and now >= window_end(campaign):
        raise NotReady([_("The approved send window is over, so the rest cannot be sent. Cancel the campaign.")])
    change_status(campaign, sources=[CampaignStatus.PAUSED], target=CampaignStatus.SENDING, actor=user, now=now)
    return campaign

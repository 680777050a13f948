"""Pause and resume a running campaign: by a person, or by the sender when going on would do harm."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.approval import policy
from campaigns.approval.policy import NotReady
from campaigns.approval.transitions import change_status
from campaigns.approval.validity import explain_expiry, valid_until
from campaigns.approval.workflow import drop_waiting, window_end
from campaigns.models import Campaign, CampaignKind, CampaignStatus, TransitionConflict
from customers.models import AuditAction, record_audit
from customers.told import tell

from .entering.beginning import start_over
from .progression import has_open_entries


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
def resume_campaign(user: User, campaign: Campaign, *, now: dt.datetime, leaves_out_pause: bool = False) -> Campaign:
    """`paused -> sending`: goes on exactly where it stopped. NotReady once the approved send window is over.

    The messages of a live campaign have each their own window, so it resumes whenever its approval still holds; so have the
    further steps of a sequence, while anybody is on their way to one. What happened during the pause lets people into a live
    one as far as it is not older than the send window, and not at all with `leaves_out_pause`.
    """
    campaign.refresh_from_db()
    policy.may_resume(user, campaign).enforce()
    if campaign.is_live and (outlived := explain_expiry(campaign, now=now)):
        raise NotReady([tell(outlived)])
    if not campaign.is_live and now >= window_end(campaign) and not has_open_entries(campaign.pk):
        raise NotReady([_("The approved send window is over, so the rest cannot be sent. Cancel the campaign.")])
    change_status(campaign, sources=[CampaignStatus.PAUSED], target=CampaignStatus.SENDING, actor=user, now=now)
    if campaign.is_live and leaves_out_pause:
        start_over(campaign, now=now)
    return campaign


@transaction.atomic
def end_campaign(user: User, campaign: Campaign, *, now: dt.datetime, drops_waiting: bool = False) -> Campaign:
    """Nobody enters a live campaign any more. What waits still goes, and then it is `sent`; or it is dropped, at once.

    Raises PermissionDenied, TransitionConflict. Running it twice raises TransitionConflict.
    """
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    campaign.refresh_from_db()
    policy.may_end(user, campaign).enforce()
    Campaign.objects.filter(pk=campaign.pk).update(ended_at=now, updated_at=now)
    record_audit(AuditAction.CAMPAIGN_ENDED, actor=user, about=("campaign", campaign.pk), dropped=drops_waiting)
    campaign.refresh_from_db()
    if drops_waiting:
        drop_waiting(campaign, now=now)
        change_status(
            campaign, sources=[CampaignStatus.SENDING], target=CampaignStatus.SENT, actor=user, now=now,
            reason=gettext_noop("Ended by hand; what waited was dropped."), sending_finished_at=now,
        )  # fmt: skip
    return campaign


def pause_outlived(now: dt.datetime) -> int:
    """Pause every live campaign whose approval is over, and say so; returns how many. Safe to run twice and at once."""
    paused = 0
    live = Campaign.objects.filter(status=CampaignStatus.SENDING).exclude(kind=CampaignKind.ONE_OFF)
    for campaign in live.order_by("pk"):
        until = valid_until(campaign)
        if until is None or now < until:
            continue
        reason = gettext_noop("Its approval was valid for %(days)d days. Somebody has to look at it and renew it.")
        try:
            pause_campaign(None, campaign, reason=reason % {"days": campaign.valid_days}, now=now)
        except TransitionConflict:
            continue
        paused += 1
    return paused

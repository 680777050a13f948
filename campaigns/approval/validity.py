"""How long an approval holds: until its days are over, or until too many of its people are others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Min
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_noop, override

from campaigns.audience.drift import Drift, measure_drift
from campaigns.models import Approval, Campaign, CampaignStatus, TransitionConflict

from .voiding import return_to_draft

log = structlog.get_logger(__name__)

#: States in which an approval waits to be used.
WAITING = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)


@dataclass(frozen=True)
class Outlived:
    """How many approvals one look took back, and why."""

    expired: int = 0
    drifted: int = 0


def valid_until(campaign: Campaign) -> dt.datetime | None:
    """When the oldest valid approval ends; None where there is none."""
    first: dt.datetime | None = Approval.objects.filter(campaign=campaign, voided_at=None).aggregate(
        first=Min("approved_at")
    )["first"]
    return first + dt.timedelta(days=campaign.valid_days) if first is not None else None


def explain_expiry(campaign: Campaign, *, now: dt.datetime) -> str:
    """The sentence that voids an approval whose days are over, or ""; in English, as it is kept."""
    until = valid_until(campaign)
    if until is None or now < until:
        return ""
    with override("en"):
        ended = date_format(localtime(until), "j M Y H:i")
    sentence = gettext_noop(
        "The approval was valid for %(days)d days, until %(until)s. Look at it again and submit it again."
    )
    return sentence % {"days": campaign.valid_days, "until": ended}


def explain_drift(drift: Drift | None, campaign: Campaign) -> str:
    """The sentence that voids an approval whose people have changed too much, with the numbers, or ""; in English, as it is
    kept."""
    if drift is None:
        return gettext_noop(
            "The rule of the segment can no longer be read, so nobody can say whom it means. Save it again."
        )
    if not drift.is_beyond(campaign.most_drift):
        return ""
    sentence = gettext_noop(
        "The audience has drifted: of %(frozen)s people %(left)s left the segment and %(excluded)s may no longer be written "
        "to, and %(joined)s would newly be in. That is %(share)s, and %(most)s is allowed. Freeze it again."
    )
    return sentence % {
        "frozen": f"{drift.frozen:,}",
        "left": f"{drift.left:,}",
        "excluded": f"{drift.excluded:,}",
        "joined": f"{drift.joined:,}",
        "share": f"{drift.share:.1%}",
        "most": f"{campaign.most_drift:.1%}",
    }


def find_void_reason(campaign: Campaign, *, now: dt.datetime) -> str:
    """Why the approval no longer holds at `now`, or "". At most two queries and the one that measures the drift."""
    return explain_expiry(campaign, now=now) or explain_drift(measure_drift(campaign, now=now), campaign)


def void_outlived_approvals(now: dt.datetime) -> Outlived:
    """Look at every campaign that is approved or scheduled; take back what no longer holds. Safe to run twice and at once.

    The audience is measured before the row is locked: a second of counting holds nobody up. What was edited meanwhile is a
    draft already, and the guarded change of state then does nothing.
    """
    expired = drifted = 0
    for campaign in Campaign.objects.filter(status__in=WAITING).select_related("segment").order_by("pk"):
        expiry = explain_expiry(campaign, now=now)
        reason = expiry or explain_drift(measure_drift(campaign, now=now), campaign)
        if reason and _void(campaign, reason, now):
            expired += bool(expiry)
            drifted += not expiry
            log.info("approval_outlived", campaign=campaign.pk, cause="expiry" if expiry else "drift")
    return Outlived(expired, drifted)


@transaction.atomic
def _void(campaign: Campaign, reason: str, now: dt.datetime) -> bool:
    """False where somebody else changed the campaign since it was read."""
    seen = campaign.content_hash
    locked = Campaign.objects.select_for_update().filter(pk=campaign.pk, status__in=WAITING, content_hash=seen).first()
    if locked is None:
        return False
    try:
        return_to_draft(None, locked, reason=reason, now=now)
    except TransitionConflict:
        return False
    return True

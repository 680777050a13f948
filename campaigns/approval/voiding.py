"""Takes approvals back: the rows stay as history, and a campaign that stood on them is a draft again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User

from campaigns.models import Approval, Campaign, CampaignStatus
from customers.models.audit import name_actor

from .transitions import change_status, note_writer

#: Whose texts or facts turned out untrue goes back from here.
CHECKED: Final = (CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)
_EDITED: Final = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.MISSED)


def return_to_draft(
    user: User | None,
    campaign: Campaign,
    *,
    reason: str,
    now: dt.datetime,
    sources: Sequence[CampaignStatus] = _EDITED,
) -> None:
    """`sources -> draft`, approvals voided, history written. In `draft`: who writes is noted."""
    void_approvals(campaign, reason=reason, now=now, actor=user)
    if campaign.status == CampaignStatus.DRAFT:
        if user is not None:
            note_writer(campaign, user, reason=reason, now=now)
        return
    change_status(
        campaign,
        sources=sources,
        target=CampaignStatus.DRAFT,
        actor=user,
        reason=reason,
        now=now,
        content_hash="",
        submitted_at=None,
    )


def void_approvals(campaign: Campaign, *, reason: str, now: dt.datetime, actor: User | None = None) -> int:
    """Mark every valid approval as void; the rows stay as history. Returns how many."""
    name_actor(actor)  # a trigger writes each void into the audit log
    valid = Approval.objects.filter(campaign=campaign, voided_at=None)
    return valid.update(voided_at=now, void_reason=reason[:300])

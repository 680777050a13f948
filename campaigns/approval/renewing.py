"""Approves a live campaign once more, exactly as it was approved: an approval does not hold for ever."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.models import Approval, ApprovalPart, Campaign, TransitionConflict

from . import policy
from .hashing import combine_hashes, part_hashes
from .policy import NotReady
from .sender_domain import find_domain_obstacles
from .voiding import void_approvals


@transaction.atomic
def renew_approval(user: User, campaign: Campaign, *, now: dt.datetime, seen_hash: str = "") -> Campaign:
    """Put four new approvals in the place of the old ones, while it runs or is paused; nothing about it changes.

    Raises PermissionDenied; TransitionConflict where it is no longer what was approved, or what `seen_hash` says the page
    showed; NotReady where the sending domain forbids it. A paused one stays paused until somebody resumes it.
    """
    if not Campaign.objects.select_for_update().filter(pk=campaign.pk).exists():
        raise TransitionConflict(_("This campaign no longer exists."))
    campaign.refresh_from_db()
    policy.may_renew(user, campaign).enforce()
    if domain := find_domain_obstacles():
        raise NotReady(domain)
    hashes = part_hashes(campaign)
    if combine_hashes(hashes) != campaign.content_hash or seen_hash not in ("", campaign.content_hash):
        raise TransitionConflict(
            _("It is no longer what was approved: its segment or its offer was changed. End it and start another.")
        )
    is_own = policy.has_written(user, campaign)
    void_approvals(campaign, reason=gettext_noop("Renewed."), now=now, actor=user)
    Approval.objects.bulk_create(
        Approval(campaign=campaign, part=part, part_hash=hashes[part], approved_by=user, approved_at=now, is_own=is_own)
        for part in ApprovalPart
    )
    return campaign

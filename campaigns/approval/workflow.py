"""Submit, approve, ask for changes, schedule, cancel. Pages, API and admin call these and nothing else.

Every function checks the right, then makes a guarded change of state with its history row in one transaction.
Raises: PermissionDenied (no right), TransitionConflict (another state, or somebody was first), NotReady (something is
missing; `.messages` say what). Running one twice raises TransitionConflict and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.audience.drift import measure_drift
from campaigns.audience.send_groups import find_first_moment, make_schedule
from campaigns.audience.send_times import last_moment
from campaigns.content.editing import recheck_campaign
from campaigns.models import (
    Approval,
    ApprovalPart,
    Campaign,
    CampaignStatus,
    Entry,
    ExitReason,
    Message,
    MessageStatus,
    SendMode,
    SkipReason,
    TransitionConflict,
)
from campaigns.models.message import WAITING_STATUSES
from customers.told import tell

from . import policy
from .catalogue import find_untrue
from .comments import count_open, start_thread
from .editing import edit_campaign, edit_variant, refreeze_audience
from .group_reach import check_fairness
from .hashing import combine_hashes, part_hashes
from .policy import NotReady
from .sender_domain import find_domain_obstacles
from .transitions import change_status
from .validity import explain_drift, explain_expiry
from .voiding import void_approvals

__all__ = [
    "ALL_PARTS",
    "NotReady",
    "approve_campaign",
    "cancel_campaign",
    "check_audience",
    "drop_waiting",
    "edit_campaign",
    "edit_variant",
    "find_stale_parts",
    "refreeze_audience",
    "request_changes",
    "schedule_campaign",
    "submit_campaign",
    "unschedule_campaign",
    "void_approvals",
]

ALL_PARTS: tuple[ApprovalPart, ...] = tuple(ApprovalPart)
UNFINISHED = tuple(set(CampaignStatus.values) - {CampaignStatus.SENT, CampaignStatus.CANCELLED})


@transaction.atomic
def submit_campaign(user: User, campaign: Campaign, *, now: dt.datetime) -> Campaign:
    """`draft -> in_review`: lock it, and keep the hash of what is to be approved. NotReady lists what is missing.

    Comments may still be open: the history says how many.
    """
    _lock(campaign)
    policy.may_submit(user, campaign).enforce()
    recheck_campaign(campaign, now=now)  # products and prices may have changed since the texts were checked
    obstacles = policy.find_obstacles(campaign)
    if obstacles:
        raise NotReady(obstacles)
    kept = combine_hashes(part_hashes(campaign))
    change_status(
        campaign, sources=[CampaignStatus.DRAFT], target=CampaignStatus.IN_REVIEW, actor=user, now=now,
        reason=_tell_open(count_open(campaign)), content_hash=kept, submitted_at=now,
    )  # fmt: skip
    return campaign


@transaction.atomic
def approve_campaign(
    user: User,
    campaign: Campaign,
    *,
    now: dt.datetime,
    parts: Collection[ApprovalPart | str] = ALL_PARTS,
    seen_hash: str = "",
    fairness_reason: str = "",
) -> Campaign:
    """Approve `parts`, each bound to the hash of what it covers; the fourth one moves `in_review -> approved`.

    `seen_hash` is the `content_hash` that the page showed: another one now raises TransitionConflict, so that nobody
    approves what they have not seen. Four parts may come from different people, none of them a writer of the campaign
    unless four eyes are switched off; then the approval is marked as its writer's own. The audience is refused (NotReady)
    while it has drifted too far, and without a `fairness_reason` where a sensitive group gets clearly less of it.
    """
    _lock(campaign)
    policy.may_approve(user, campaign).enforce()
    if domain := find_domain_obstacles():
        raise NotReady(domain)
    hashes = part_hashes(campaign)
    if combine_hashes(hashes) != campaign.content_hash or seen_hash not in ("", campaign.content_hash):
        raise TransitionConflict(
            _("The campaign changed after it was submitted. Ask for changes, so that it is submitted again.")
        )
    valid = set(_valid_parts(campaign))
    wanted = [ApprovalPart(part) for part in parts if part not in valid]
    if not wanted:
        raise TransitionConflict(_("This was approved already. Reload the page and look again."))
    if ApprovalPart.MESSAGES in wanted and (untrue := find_untrue(campaign)):
        raise NotReady(untrue)
    fairness = check_audience(campaign, fairness_reason, now=now) if ApprovalPart.AUDIENCE in wanted else []
    is_own = policy.has_written(user, campaign)
    rows = [
        Approval(campaign=campaign, part=part, part_hash=hashes[part], approved_by=user, approved_at=now, is_own=is_own)
        for part in wanted
    ]
    for row in rows:
        if row.part == ApprovalPart.AUDIENCE:
            row.fairness, row.reason = fairness, fairness_reason.strip()[:1000]
    Approval.objects.bulk_create(rows)
    if valid | set(wanted) == set(ALL_PARTS):
        reason = gettext_noop("Approved by a person who wrote it: four eyes are switched off.") if is_own else ""
        change_status(
            campaign, sources=[CampaignStatus.IN_REVIEW], target=CampaignStatus.APPROVED, actor=user, reason=reason,
            now=now,
        )  # fmt: skip
    return campaign


def check_audience(campaign: Campaign, fairness_reason: str, *, now: dt.datetime) -> list[dict[str, Any]]:
    """What must hold before the audience can be approved; returns the figures of fairness to keep. NotReady otherwise."""
    drift = explain_drift(measure_drift(campaign, now=now), campaign)
    if drift:
        raise NotReady([tell(drift)])
    return check_fairness(campaign, reason=fairness_reason)


@transaction.atomic
def request_changes(user: User, campaign: Campaign, *, comment: str = "", now: dt.datetime) -> Campaign:
    """`in_review -> draft`, with what the reviewer wants changed in the history.

    `comment` is about the campaign as a whole and becomes a thread; it may be empty where a thread is open. NotReady
    without either.
    """
    _lock(campaign)
    policy.may_request_changes(user, campaign).enforce()
    comment, already_open = comment.strip(), count_open(campaign)
    if not comment and not already_open:
        raise NotReady([_("Say what should be changed.")])
    if comment:
        start_thread(user, campaign, body=comment, now=now)
    void_approvals(campaign, reason=gettext_noop("Changes were asked for."), now=now, actor=user)
    change_status(
        campaign, sources=[CampaignStatus.IN_REVIEW], target=CampaignStatus.DRAFT, actor=user,
        reason=comment or _tell_open(already_open), now=now, content_hash="", submitted_at=None,
    )  # fmt: skip
    return campaign


@transaction.atomic
def schedule_campaign(
    user: User, campaign: Campaign, *, send_at: dt.datetime | None = None, now: dt.datetime
) -> Campaign:
    """`approved -> scheduled`, at the time that was approved.

    `send_at` may be left out; another time than the approved one is refused (NotReady): change it under Timing, which
    voids the approvals. Refused as well when the send window is over, or when anything changed since the approval.
    """
    _lock(campaign)
    policy.may_schedule(user, campaign).enforce()
    if send_at is not None and send_at != campaign.scheduled_for:
        raise NotReady([_("Another time was approved. To change it, edit the timing; it then needs a new approval.")])
    if campaign.scheduled_for is None or now >= window_end(campaign):
        raise NotReady([_("The approved time to send is over. Choose a new one under Timing and submit again.")])
    if find_stale_parts(campaign):
        raise TransitionConflict(_("The campaign changed after it was approved. Edit or cancel it."))
    outlived = explain_expiry(campaign, now=now)
    if outlived:
        raise NotReady([tell(outlived)])
    if untrue := find_untrue(campaign):
        raise NotReady(untrue)
    change_status(
        campaign, sources=[CampaignStatus.APPROVED], target=CampaignStatus.SCHEDULED, actor=user, now=now,
        starts_at=None if campaign.send_mode == SendMode.TOGETHER else find_first_moment(campaign, now=now),
    )  # fmt: skip
    return campaign


@transaction.atomic
def unschedule_campaign(user: User, campaign: Campaign, *, now: dt.datetime) -> Campaign:
    """`scheduled -> draft`: take it back before it starts. Voids the approvals."""
    _lock(campaign)
    policy.may_unschedule(user, campaign).enforce()
    reason = gettext_noop("Taken back before it was sent.")
    void_approvals(campaign, reason=reason, now=now, actor=user)
    change_status(
        campaign, sources=[CampaignStatus.SCHEDULED], target=CampaignStatus.DRAFT, actor=user, reason=reason, now=now,
        content_hash="", submitted_at=None,
    )  # fmt: skip
    return campaign


@transaction.atomic
def cancel_campaign(user: User, campaign: Campaign, *, reason: str = "", now: dt.datetime) -> Campaign:
    """Any unfinished state `-> cancelled`. What waits in the outbox is skipped; what was sent stays sent, and of what may have
    been sent nobody knows."""
    _lock(campaign)
    policy.may_cancel(user, campaign).enforce()
    change_status(campaign, sources=UNFINISHED, target=CampaignStatus.CANCELLED, actor=user, reason=reason, now=now)
    drop_waiting(campaign, now=now)
    return campaign


def drop_waiting(campaign: Campaign, *, now: dt.datetime) -> None:
    """Skip what waits in the outbox, and let everybody go who is on their way. Safe to run twice."""
    waiting = Message.objects.filter(campaign=campaign, status__in=WAITING_STATUSES)
    waiting.filter(in_doubt_since__isnull=False).update(
        status=MessageStatus.UNKNOWN, lease_until=None, not_before=None, settled_at=now
    )
    waiting.filter(in_doubt_since__isnull=True).update(
        status=MessageStatus.SKIPPED, skip_reason=SkipReason.CANCELLED, lease_until=None, settled_at=now
    )
    Entry.objects.filter(campaign=campaign, exited_at__isnull=True).update(
        exited_at=now, exit_reason=ExitReason.ENDED, next_step=None, next_at=None
    )


def find_stale_parts(campaign: Campaign) -> list[ApprovalPart]:
    """The parts without a valid approval of exactly what they are now; empty means: may be sent.

    A writer's own approval counts only while four eyes are switched off.
    """
    valid = Approval.objects.filter(campaign=campaign, voided_at=None)
    if policy.needs_second_person():
        valid = valid.filter(is_own=False)
    approved = {(row.part, row.part_hash) for row in valid}
    return [part for part, now_hash in part_hashes(campaign).items() if (part.value, now_hash) not in approved]


def window_end(campaign: Campaign) -> dt.datetime:
    """When it is too late to send to anybody; needs `scheduled_for`."""
    return last_moment(make_schedule(campaign))


def _lock(campaign: Campaign) -> None:
    """Take the row lock that all of approval and editing serialise on, and see the row as it is now."""
    locked = Campaign.objects.select_for_update().filter(pk=campaign.pk).exists()
    if not locked:
        raise TransitionConflict(_("This campaign no longer exists."))
    campaign.refresh_from_db()


def _tell_open(number: int) -> str:
    if not number:
        return ""
    return gettext_noop("Comments that are open: %(n)d.") % {"n": number}


def _valid_parts(campaign: Campaign) -> list[str]:
    return list(Approval.objects.filter(campaign=campaign, voided_at=None).values_list("part", flat=True))

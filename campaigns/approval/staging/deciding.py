"""Submit, approve, refuse a change of a running campaign. Approving puts it in force, in one transaction.

Raises PermissionDenied, TransitionConflict (another state, or somebody was first), NotReady (something is missing).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from campaigns.approval import policy
from campaigns.approval.hashing import combine_hashes, part_hashes
from campaigns.approval.notifying import list_approvers, notify_people, settle_requests
from campaigns.approval.policy import NotReady
from campaigns.approval.sender_domain import find_domain_obstacles
from campaigns.approval.transitions import note_event
from campaigns.audience.archetypes import label_archetype
from campaigns.content.channels import find_writer
from campaigns.models import (
    Approval,
    ApprovalPart,
    Campaign,
    NotificationKind,
    StagedChange,
    TransitionConflict,
    Variant,
)
from customers.models import AuditAction, record_audit
from customers.models.audit import name_actor
from customers.told import tell

from .affected import count_affected
from .fields import check_values, read_wanted
from .preparing import is_outdated, lock_change, lock_open_change, put_words
from .trying import find_touched, try_out
from .writing import write_changes

log = structlog.get_logger(__name__)


@transaction.atomic
def submit_change(user: User, change: StagedChange, *, now: dt.datetime) -> StagedChange:
    """`open -> in_review`: tried out anew, locked, and bound to the hash of what the campaign would be. NotReady lists what is
    missing, TransitionConflict says that the campaign changed meanwhile."""
    campaign = lock_open_change(user, change)
    policy.may_submit_change(user, change).enforce()
    _refuse_outdated(change)
    wanted = read_wanted(change)
    check_values(campaign, wanted, now=now)
    change.outcome = try_out(campaign, change, now=now)
    obstacles = find_obstacles(change)
    if obstacles:
        raise NotReady(obstacles)
    change.status, change.submitted_at = StagedChange.Status.IN_REVIEW, now
    change.change_hash = combine_hashes({ApprovalPart(part): kept for part, kept in change.outcome["parts"].items()})
    change.affected = count_affected(change, now=now).as_json()
    change.writers = sorted({*change.writers, user.pk})
    change.save()
    sentence = gettext_noop("Change %(number)d was submitted: %(parts)s.")
    row = note_event(campaign, user, reason=sentence % {"number": change.number, "parts": name_parts(change)}, now=now)
    able = [person for person in list_approvers(campaign) if policy.may_approve_change(person, change).allowed]
    notify_people(NotificationKind.CHANGE_ASKED, able, campaign, row, now=now)
    record_audit(AuditAction.CHANGE_SUBMITTED, actor=user, about=("campaign", campaign.pk), change=change.number)
    return change


@transaction.atomic
def approve_change(user: User, change: StagedChange, *, seen_hash: str = "", now: dt.datetime) -> StagedChange:
    """`in_review -> applied`: put it in force and approve the parts that it touches, by the person who approves it.

    What was approved before stays for the other parts. `seen_hash` is the `change_hash` that the page showed. Refused where
    the campaign would no longer become what was submitted: it changed, or a product or price that a text shows did.
    """
    campaign = lock_change(change)
    policy.may_approve_change(user, change).enforce()
    if obstacles := find_domain_obstacles():
        raise NotReady(obstacles)
    if outlived := explain_change_expiry(change, now=now):
        raise NotReady([tell(outlived)])
    if seen_hash not in ("", change.change_hash):
        raise TransitionConflict(_("This change was submitted anew after you opened it. Look at it again."))
    _refuse_outdated(change)
    wanted, is_own = read_wanted(change), policy.has_written_change(user, change)
    check_values(campaign, wanted, now=now)
    write_changes(campaign, wanted, author=change.author, now=now)
    hashes = part_hashes(campaign)
    if combine_hashes(hashes) != change.change_hash:
        raise TransitionConflict(
            _(
                "What would be sent is no longer what was submitted: a product, a price or a policy changed. Bring it up to date."
            )
        )
    touched = find_touched(campaign, wanted, hashes, now=now)
    _approve_parts(user, campaign, touched, hashes, number=change.number, is_own=is_own, now=now)
    Campaign.objects.filter(pk=campaign.pk).update(content_hash=change.change_hash, updated_at=now)
    campaign.refresh_from_db()
    _decide(user, change, StagedChange.Status.APPLIED, "", now)
    sentence = gettext_noop("Change %(number)d is in force: %(parts)s.") % {
        "number": change.number,
        "parts": name_parts(change),
    }
    row = note_event(campaign, user, reason=sentence, now=now)
    notify_people(NotificationKind.CHANGE_APPLIED, _list_concerned(change), campaign, row, now=now)
    about, parts = ("campaign", campaign.pk), [part.value for part in touched]
    record_audit(AuditAction.CHANGE_APPLIED, actor=user, about=about, change=change.number, parts=parts)
    log.info("staged_change_applied", campaign=campaign.pk, change=change.number, texts=len(change.outcome["texts"]))
    return change


@transaction.atomic
def refuse_change(user: User, change: StagedChange, *, reason: str, now: dt.datetime) -> StagedChange:
    """`in_review -> refused`, with what is wrong with it; the campaign goes on as it is."""
    campaign = lock_change(change)
    policy.may_refuse_change(user, change).enforce()
    if not reason.strip():
        raise NotReady([_("Say what is wrong with it: its author reads it.")])
    _decide(user, change, StagedChange.Status.REFUSED, reason, now)
    sentence = gettext_noop("Change %(number)d was not approved: %(said)s") % {
        "number": change.number,
        "said": reason.strip(),
    }
    row = note_event(campaign, user, reason=sentence, now=now)
    notify_people(NotificationKind.CHANGE_REFUSED, _list_concerned(change), campaign, row, now=now)
    record_audit(AuditAction.CHANGE_REFUSED, actor=user, about=("campaign", campaign.pk), change=change.number)
    return change


def reopen_outlived_changes(now: dt.datetime) -> int:
    """`in_review -> open` for what nobody decided in the days that an approval is valid; returns how many. Safe to run twice."""
    reopened = 0
    for change in StagedChange.objects.filter(status=StagedChange.Status.IN_REVIEW).select_related("campaign"):
        if not explain_change_expiry(change, now=now):
            continue
        with transaction.atomic():
            campaign = lock_change(change)
            outlived = explain_change_expiry(change, now=now)
            if change.status != StagedChange.Status.IN_REVIEW or not outlived:
                continue
            change.status, change.submitted_at, change.change_hash = StagedChange.Status.OPEN, None, ""
            change.save()
            sentence = gettext_noop("Change %(number)d is open again: %(why)s")
            row = note_event(campaign, None, reason=sentence % {"number": change.number, "why": outlived}, now=now)
            notify_people(NotificationKind.CHANGE_REFUSED, _list_concerned(change), campaign, row, now=now)
        reopened += 1
    return reopened


def explain_change_expiry(change: StagedChange, *, now: dt.datetime) -> str:
    """Why a change that was submitted long ago can no longer be approved, or ""; in English, as it is kept."""
    days = change.campaign.valid_days
    if change.submitted_at is None or now < change.submitted_at + dt.timedelta(days=days):
        return ""
    return gettext_noop("Nobody decided within %(days)d days. Look at it again and submit it again.") % {"days": days}


def find_obstacles(change: StagedChange) -> list[str]:
    """Sentences: what must be mended before a change can go to review."""
    if not change.outcome.get("touched"):
        return [_("Nothing would be different, and what is approved still holds. Change something first.")]
    found = []
    texts = {text["variant"]: text for text in change.outcome.get("texts", [])}
    for variant in Variant.everything.filter(pk__in=texts).select_related("archetype").order_by("pk"):
        name = {"cell": f"{label_archetype(variant.archetype)} {variant.label}"}
        needed = {"subject", "opening"} & set(find_writer(variant.archetype.channel).parts)
        said = put_words(change, variant)
        if any(not getattr(said, part).strip() for part in needed):
            found.append(_("The text for “%(cell)s” is not complete.") % name)
        elif texts[variant.pk]["is_blocked"]:
            found.append(_("The text for “%(cell)s” has a finding that blocks it. Mend it first.") % name)
    return found + find_domain_obstacles()


def name_parts(change: StagedChange) -> str:
    """The parts that it touches; in English, as they are kept."""
    with override("en"):
        return ", ".join(str(ApprovalPart(part).label) for part in change.outcome.get("touched", []))


def _refuse_outdated(change: StagedChange) -> None:
    if is_outdated(change):
        raise TransitionConflict(
            _(
                "The campaign is no longer what this change was made from. Bring the change up to date, and look at it again."
            )
        )


def _approve_parts(
    user: User,
    campaign: Campaign,
    parts: Sequence[ApprovalPart],
    hashes: Mapping[ApprovalPart, str],
    *,
    number: int,
    is_own: bool,
    now: dt.datetime,
) -> None:
    """Void what was approved of these parts and approve what they are now. What was said of fairness stays with the audience."""
    name_actor(user)
    valid = Approval.objects.filter(campaign=campaign, part__in=parts, voided_at=None)
    before = {row.part: row for row in valid}
    valid.update(voided_at=now, void_reason=gettext_noop("Replaced by change %(number)d.") % {"number": number})
    Approval.objects.bulk_create(
        Approval(
            campaign=campaign, part=part, part_hash=hashes[part], approved_by=user, approved_at=now, is_own=is_own,
            **_keep_fairness(before.get(part.value)),
        )
        for part in parts
    )  # fmt: skip


def _keep_fairness(before: Approval | None) -> dict[str, Any]:
    return {"fairness": before.fairness, "reason": before.reason} if before else {}


def _decide(user: User, change: StagedChange, status: str, reason: str, now: dt.datetime) -> None:
    change.status, change.decided_by, change.decided_at = status, user, now
    change.decision_reason = reason.strip()[:500]
    change.save()
    settle_requests(change.campaign, NotificationKind.CHANGE_ASKED, now=now)


def _list_concerned(change: StagedChange) -> list[User]:
    people = {*change.writers, change.campaign.author_id}
    return list(User.objects.filter(pk__in=people, is_active=True).order_by("pk"))

"""Open a change of a running campaign, write what is to be different, bring it up to date, withdraw it.

The campaign goes on as it is. Every function takes the campaign's lock and checks the right. Raises PermissionDenied,
TransitionConflict (another state, or somebody was first), ValidationError (`NotReady` with sentences).
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.approval import policy
from campaigns.approval.hashing import content_hash
from campaigns.approval.policy import NotReady
from campaigns.content.editing import EDITABLE_FIELDS, hash_words
from campaigns.models import Campaign, StagedChange, TransitionConflict, Variant
from customers.models import AuditAction, record_audit

from .fields import Wanted, check_values, keep_differing, read_standing, read_wanted
from .trying import try_out

WAITING = (StagedChange.Status.OPEN, StagedChange.Status.IN_REVIEW)


@transaction.atomic
def open_change(
    user: User, campaign: Campaign, *, reason: str = "", like: StagedChange | None = None, now: dt.datetime
) -> StagedChange:
    """Begin a change; with the values of an earlier one where `like` is given. TransitionConflict where one waits already."""
    lock_campaign(campaign)
    policy.may_stage(user, campaign).enforce()
    waiting = StagedChange.objects.filter(campaign=campaign, status__in=WAITING).first()
    if waiting is not None:
        sentence = _("Change %(number)d waits already. Go on with that one, or withdraw it.")
        raise TransitionConflict(sentence % {"number": waiting.number})
    last = StagedChange.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0
    change = StagedChange(
        campaign=campaign, number=last + 1, author=user, writers=[user.pk], created_at=now, reason=reason.strip()[:500]
    )
    wanted = Wanted()
    if like is not None and like.campaign_id == campaign.pk:
        wanted, change.reason = _take_over(campaign, read_wanted(like)), change.reason or like.reason
    _keep(change, campaign, wanted, now=now)
    record_audit(AuditAction.CHANGE_PREPARED, actor=user, about=("campaign", campaign.pk), change=change.number)
    return change


@transaction.atomic
def stage_text(
    user: User,
    change: StagedChange,
    variant: Variant,
    fields: Mapping[str, str],
    *,
    shows_products: bool | None = None,
    seen: str = "",
    now: dt.datetime,
) -> StagedChange:
    """What a text is to say once the change is in force. The same words as now take the text out of the change.

    `seen` is the `hash_staged` of what the person had before them: NotReady where other words stand in the change by now.
    """
    campaign = lock_open_change(user, change)
    standing = Variant.objects.filter(pk=variant.pk, archetype__campaign=campaign).first()
    if standing is None:
        raise TransitionConflict(_("This text was replaced meanwhile. Look at the one that stands now."))
    if seen not in ("", hash_staged(change, standing)):
        raise NotReady([_("Somebody else changed this text in the change after you opened it. Look at it again.")])
    unknown = set(fields) - set(EDITABLE_FIELDS)
    if unknown:
        raise ValidationError(_("These cannot be written: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    words: dict[str, Any] = {name: value.replace("\r\n", "\n") for name, value in fields.items()}
    if shows_products is not None:
        words["shows_products"] = shows_products
    wanted = read_wanted(change)
    texts = {pk: said for pk, said in wanted.texts.items() if pk != standing.pk}
    words = dict(wanted.texts.get(standing.pk, {})) | words
    differing = {name: value for name, value in words.items() if getattr(standing, name) != value}
    if differing:
        texts[standing.pk] = differing
    _write(user, change, campaign, replace(wanted, texts=texts), now=now)
    return change


@transaction.atomic
def stage_fields(
    user: User,
    change: StagedChange,
    *,
    offer: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    follow_ups: Mapping[int, int] | None = None,
    reason: str | None = None,
    now: dt.datetime,
) -> StagedChange:
    """What offer, timing and steps are to be. Values that stand already are left out of the change."""
    campaign = lock_open_change(user, change)
    if reason is not None:
        change.reason = reason.strip()[:500]
    wanted = read_wanted(change)
    wanted = replace(
        wanted,
        offer={**wanted.offer, **(offer or {})},
        campaign={**wanted.campaign, **(fields or {})},
        follow_ups={**wanted.follow_ups, **(follow_ups or {})},
    )
    check_values(campaign, wanted, now=now)
    _write(user, change, campaign, wanted, now=now)
    return change


@transaction.atomic
def bring_up_to_date(user: User, change: StagedChange, *, now: dt.datetime) -> StagedChange:
    """Make the change from the campaign as it is now, and try it out again; one in review is open again.

    Texts that were replaced meanwhile are taken out of it.
    """
    campaign = lock_change(change)
    policy.may_edit_change(user, change).enforce()
    change.status, change.submitted_at, change.change_hash = StagedChange.Status.OPEN, None, ""
    _write(user, change, campaign, _take_over(campaign, read_wanted(change)), now=now)
    return change


@transaction.atomic
def withdraw_change(user: User, change: StagedChange, *, reason: str = "", now: dt.datetime) -> StagedChange:
    """Give it up; the campaign goes on as it is, and the page keeps what was wanted."""
    campaign = lock_change(change)
    policy.may_withdraw_change(user, change).enforce()
    change.status, change.decided_by, change.decided_at = StagedChange.Status.WITHDRAWN, user, now
    change.decision_reason = reason.strip()[:500]
    change.save()
    record_audit(AuditAction.CHANGE_WITHDRAWN, actor=user, about=("campaign", campaign.pk), change=change.number)
    return change


def hash_staged(change: StagedChange, variant: Variant) -> str:
    """Tells whether the words of a text in this change were written over since somebody looked."""
    return hash_words(put_words(change, copy.copy(variant)))


def put_words(change: StagedChange, variant: Variant) -> Variant:
    """The text with the words that the change has for it, in memory only."""
    for name, value in change.changes.get("texts", {}).get(str(variant.pk), {}).items():
        setattr(variant, name, value)
    return variant


def is_outdated(change: StagedChange) -> bool:
    """Whether the campaign is no longer what the change was made from."""
    return change.base_hash != content_hash(change.campaign)


def lock_campaign(campaign: Campaign) -> None:
    """Take the row lock that all of approval serialises on, and see the row as it is now."""
    if not Campaign.objects.select_for_update().filter(pk=campaign.pk).exists():
        raise TransitionConflict(_("This campaign no longer exists."))
    campaign.refresh_from_db()


def lock_change(change: StagedChange) -> Campaign:
    """As `lock_campaign`, and the change as it is now."""
    campaign = change.campaign
    lock_campaign(campaign)
    change.refresh_from_db()
    change.campaign = campaign
    return campaign


def lock_open_change(user: User, change: StagedChange) -> Campaign:
    """As `lock_change`, for somebody who wants to write. TransitionConflict where it is not open."""
    campaign = lock_change(change)
    policy.may_edit_change(user, change).enforce()
    if change.status != StagedChange.Status.OPEN:
        raise TransitionConflict(_("This change is in review, so it is locked. Take it back to go on writing."))
    return campaign


def _write(user: User, change: StagedChange, campaign: Campaign, wanted: Wanted, *, now: dt.datetime) -> None:
    change.writers = sorted({*change.writers, user.pk})
    _keep(change, campaign, wanted, now=now)


def _keep(change: StagedChange, campaign: Campaign, wanted: Wanted, *, now: dt.datetime) -> None:
    change.changes = keep_differing(wanted, read_standing(campaign))
    change.base_hash = content_hash(campaign)
    change.outcome = try_out(campaign, change, now=now)
    change.save()


def _take_over(campaign: Campaign, wanted: Wanted) -> Wanted:
    """What of it can still be wanted: texts that stand."""
    standing = set(
        Variant.objects.filter(pk__in=wanted.texts, archetype__campaign=campaign).values_list("pk", flat=True)
    )
    return replace(wanted, texts={pk: words for pk, words in wanted.texts.items() if pk in standing})

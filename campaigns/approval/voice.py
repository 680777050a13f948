"""Saves the shop's voice and policies, and holds all texts that are not yet sent against them, in one transaction.

A campaign that is in review, approved or scheduled goes back to draft only where one of its texts is now blocked; where
none is, what was approved stands, because no text has changed. Campaigns that are being sent or were sent are left alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.content.editing import recheck_standing
from campaigns.content.facts import read_standing_facts
from campaigns.content.policies import add_policies
from campaigns.content.revisions import Revision
from campaigns.content.voice import LANGUAGES, add_voice
from campaigns.models import BrandVoice, Campaign, CampaignStatus, ShopPolicies, TransitionConflict, Variant

from .transitions import change_status
from .voiding import CHECKED, void_approvals

#: From these a campaign can still be sent as it stands; it goes back where a text of it is blocked.
_UNSENT: Final = (CampaignStatus.DRAFT, CampaignStatus.MISSED, *CHECKED)


@dataclass(frozen=True)
class Saved(Generic[Revision]):
    """What was saved, how many texts were checked again, how many of them are blocked, and which campaigns went back."""

    revision: Revision
    checked: int
    blocked: int
    returned: Sequence[Campaign]


@transaction.atomic
def save_voice(
    user: User, texts: Mapping[str, Mapping[str, Any]], *, base: int, note: str = "", now: dt.datetime
) -> Saved[BrandVoice]:
    """Save how the shop speaks, in some languages or all; the others stay as in revision `base`, which the writer saw.

    Raises PermissionDenied, ValidationError (by field, or nothing was changed), TransitionConflict (somebody was first).
    """
    _enforce(user, "campaigns.add_brandvoice")
    revision = add_voice(user, texts, base=base, note=note, now=now)
    reason = gettext_noop("The brand voice v%(number)d blocks one of the texts.") % {"number": revision.number}
    return _recheck(user, revision, reason=reason, now=now)


@transaction.atomic
def restore_voice(user: User, number: int, *, base: int, now: dt.datetime) -> Saved[BrandVoice]:
    """Save an older revision again, under a new number. Raises as `save_voice`."""
    _enforce(user, "campaigns.add_brandvoice")
    old = BrandVoice.objects.filter(number=number).first()
    if old is None:
        raise TransitionConflict(_("There is no such version. Reload the page and look again."))
    note = gettext_noop("Restored v%(number)d") % {"number": number}
    revision = add_voice(user, old.texts, base=base, note=note, restored_from=old, now=now)
    reason = gettext_noop("The brand voice v%(number)d blocks one of the texts.") % {"number": revision.number}
    return _recheck(user, revision, reason=reason, now=now)


@transaction.atomic
def save_policies(
    user: User, texts: Mapping[str, Any], *, base: int, note: str = "", now: dt.datetime
) -> Saved[ShopPolicies]:
    """Save what the shop promises to everybody. Raises as `save_voice`."""
    _enforce(user, "campaigns.add_shoppolicies")
    revision = add_policies(user, texts, base=base, note=note, now=now)
    reason = gettext_noop("One of the texts promises what the shop policies v%(number)d do not.") % {
        "number": revision.number
    }
    return _recheck(user, revision, reason=reason, now=now)


@transaction.atomic
def restore_policies(user: User, number: int, *, base: int, now: dt.datetime) -> Saved[ShopPolicies]:
    """Save older policies again, under a new number. Raises as `save_voice`."""
    old = ShopPolicies.objects.filter(number=number).first()
    if old is None:
        raise TransitionConflict(_("There is no such version. Reload the page and look again."))
    note = gettext_noop("Restored v%(number)d") % {"number": number}
    return save_policies(user, old.texts, base=base, note=note, now=now)


def _enforce(user: User, right: str) -> None:
    if not user.is_active or not user.has_perm(right):
        raise PermissionDenied(_("Your role does not allow this."))


def _recheck(user: User, revision: Revision, *, reason: str, now: dt.datetime) -> Saved[Revision]:
    """Each campaign's row is locked first: a launch or an edit at the same moment comes wholly before or after this."""
    standing = {language: read_standing_facts(language) for language in LANGUAGES}
    checked: list[Variant] = []
    returned = []
    for campaign in Campaign.objects.select_for_update().filter(status__in=_UNSENT).order_by("pk"):
        texts = recheck_standing(campaign, standing)
        checked += texts
        if campaign.status in CHECKED and any(text.is_blocked and text.archetype.size for text in texts):
            void_approvals(campaign, reason=reason, now=now)
            change_status(
                campaign, sources=CHECKED, target=CampaignStatus.DRAFT, actor=user, reason=reason, now=now,
                content_hash="", submitted_at=None,
            )  # fmt: skip
            returned.append(campaign)
    return Saved(revision, len(checked), sum(text.is_blocked for text in checked), returned)

"""Changes to the steps of a sequence. Whoever adds, moves or removes one, or changes its wait or its condition, voids what was
approved; what a step is for is told only to who drafts it, as a campaign's goal is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.audience.exits import USUAL_EXITS
from campaigns.content.editing import recheck_campaign
from campaigns.content.plans import read_plan, take_back
from campaigns.content.steps import LONGEST_WAIT_HOURS, MOST_STEPS
from campaigns.models import Archetype, Campaign, FollowUp, TransitionConflict, Variant
from customers.models import AuditAction, record_audit

from .editing import lock_for_edit
from .policy import NotReady
from .voiding import return_to_draft

FOLLOW_UP_FIELDS: Final = frozenset({"purpose", "wait_hours", "only_if"})
#: The number under which a step waits while two change places; no campaign has so many.
_ASIDE: Final = 32_000


@transaction.atomic
def add_follow_up(user: User, campaign: Campaign, fields: Mapping[str, Any], *, now: dt.datetime) -> FollowUp:
    """One more step at the end; the first one makes the campaign a sequence, which ends on an order unless other exit rules
    were chosen. Raises ValidationError, NotReady where there are eight steps."""
    _begin(user, campaign, gettext_noop("A step was added."), now)
    last = FollowUp.objects.filter(campaign=campaign).order_by("number").values_list("number", flat=True).last() or 1
    if last >= MOST_STEPS:
        raise NotReady([_("A sequence has %(most)d steps at most.") % {"most": MOST_STEPS}])
    follow_up = FollowUp(campaign=campaign, number=last + 1)
    _set(follow_up, fields)
    follow_up.save()
    if last == 1 and not campaign.exit_on:
        Campaign.objects.filter(pk=campaign.pk).update(exit_on=list(USUAL_EXITS), updated_at=now)
        campaign.refresh_from_db()
    return follow_up


@transaction.atomic
def edit_follow_up(user: User, follow_up: FollowUp, fields: Mapping[str, Any], *, now: dt.datetime) -> FollowUp:
    """Change a step; writing the same values again changes nothing. Raises ValidationError."""
    campaign = follow_up.campaign
    lock_for_edit(user, campaign)
    follow_up = _refresh(follow_up)
    before = {name: getattr(follow_up, name) for name in FOLLOW_UP_FIELDS}
    _set(follow_up, fields)
    changed = {name for name in FOLLOW_UP_FIELDS if getattr(follow_up, name) != before[name]}
    if not changed:
        return follow_up
    if changed - {"purpose"}:
        return_to_draft(user, campaign, reason=gettext_noop("A step was changed."), now=now)
    follow_up.save()
    _note(user, campaign, sorted(changed))
    if "wait_hours" in changed:
        recheck_campaign(campaign, now=now)  # the texts were checked for the day on which they were to go out
    return follow_up


@transaction.atomic
def remove_follow_up(user: User, follow_up: FollowUp, *, now: dt.datetime) -> None:
    """Take a step away with its texts; those after it move up."""
    campaign, number = (
        follow_up.campaign,
        _begin(user, follow_up.campaign, gettext_noop("A step was removed."), now, follow_up),
    )
    _drop_drafts(campaign, number)
    Variant.objects.filter(archetype__campaign=campaign, step=number).delete()
    FollowUp.objects.filter(campaign=campaign, number=number).delete()
    later = FollowUp.objects.filter(campaign=campaign, number__gt=number).order_by("number")
    for old in list(later.values_list("number", flat=True)):  # one by one: a key must not be taken twice on the way
        _renumber(campaign, old, old - 1)
    recheck_campaign(campaign, now=now)


@transaction.atomic
def move_follow_up(user: User, follow_up: FollowUp, *, up: bool, now: dt.datetime) -> None:
    """Change places with the step before it (`up`) or after it, with texts, wait and condition. NotReady where there is none;
    the first message stays the first."""
    campaign, number = (
        follow_up.campaign,
        _begin(user, follow_up.campaign, gettext_noop("Steps changed places."), now, follow_up),
    )
    other = number - 1 if up else number + 1
    if not FollowUp.objects.filter(campaign=campaign, number=other).exists():
        raise NotReady([_("There is no further step on that side.")])
    _drop_drafts(campaign, min(number, other))
    for old, new in ((other, _ASIDE), (number, other), (_ASIDE, number)):
        _renumber(campaign, old, new)
    recheck_campaign(campaign, now=now)


def _begin(user: User, campaign: Campaign, reason: str, now: dt.datetime, follow_up: FollowUp | None = None) -> int:
    """Lock, void and write down; returns the number that the step has now."""
    lock_for_edit(user, campaign)
    number = _refresh(follow_up).number if follow_up else 0
    return_to_draft(user, campaign, reason=reason, now=now)
    _note(user, campaign, ["steps"])
    return number


def _note(user: User, campaign: Campaign, fields: list[str]) -> None:
    record_audit(AuditAction.CAMPAIGN_EDITED, actor=user, about=("campaign", campaign.pk), fields=fields, offer=[])


def _refresh(follow_up: FollowUp) -> FollowUp:
    found = FollowUp.objects.select_related("campaign").filter(pk=follow_up.pk).first()
    if found is None:
        raise TransitionConflict(_("This step was removed meanwhile."))
    return found


def _set(follow_up: FollowUp, fields: Mapping[str, Any]) -> None:
    unknown = set(fields) - FOLLOW_UP_FIELDS
    if unknown:
        raise NotReady([_("These cannot be edited: %(names)s.") % {"names": ", ".join(sorted(unknown))}])
    for name, value in fields.items():
        setattr(follow_up, name, value.strip() if isinstance(value, str) else value)
    follow_up.clean_fields(exclude=["campaign"])
    if not 1 <= follow_up.wait_hours <= LONGEST_WAIT_HOURS:
        most = {"most": LONGEST_WAIT_HOURS // 24}
        raise ValidationError({"wait_hours": _("From one hour to %(most)d days.") % most})


def _renumber(campaign: Campaign, old: int, new: int) -> None:
    FollowUp.objects.filter(campaign=campaign, number=old).update(number=new)
    Variant.objects.filter(archetype__campaign=campaign, step=old).update(step=new)


def _drop_drafts(campaign: Campaign, first: int) -> None:
    """What is being drafted for the step `first` and those after it is no longer wanted: they mean other steps by now."""
    for archetype in Archetype.objects.filter(campaign=campaign).exclude(draft_plan=[]):
        for text in read_plan(archetype):
            if text.step >= first:
                take_back(archetype, text.label, text.step)

"""Changes to which texts there are: ask for drafts, add, translate, remove. Each voids what was approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.content.drafting import request_drafts, request_text, request_translation
from campaigns.content.editing import EDITABLE_FIELDS, write_variant
from campaigns.content.plans import MOST_TEXTS, plan_one, take_back
from campaigns.models import Archetype, Campaign, TransitionConflict, Variant
from customers.models import AuditAction, record_audit

from .editing import lock_for_edit
from .policy import NotReady
from .voiding import return_to_draft


@transaction.atomic
def ask_for_drafts(
    user: User,
    campaign: Campaign,
    *,
    archetypes: Iterable[Archetype] | None = None,
    instruction: str = "",
    count: int | None = None,
    also_edited: bool = False,
    now: dt.datetime,
) -> int:
    """Have the texts of a campaign, or of some archetypes, drafted (again); how many archetypes now wait.

    Texts that a person has edited stay as they are unless `also_edited`.
    """
    _begin(user, campaign, _("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    target = campaign if archetypes is None else list(archetypes)
    return request_drafts(
        target, user=user, instruction=instruction, count=count, also_edited=also_edited, now=now
    )  # fmt: skip


@transaction.atomic
def stop_drafting(user: User, campaign: Campaign, *, now: dt.datetime) -> int:
    """Take back all drafts of a campaign that are on their way; of how many archetypes. The texts that there are stay."""
    lock_for_edit(user, campaign)
    return sum(take_back(archetype) for archetype in Archetype.objects.filter(campaign=campaign))


@transaction.atomic
def ask_for_text(
    user: User, archetype: Archetype, *, label: str = "", angle: str = "", instruction: str = "", now: dt.datetime
) -> None:
    """Have one text drafted: that label again, or one more. NotReady where there are four already."""
    _begin(user, archetype.campaign, _("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    if not request_text(archetype, user=user, label=label, angle=angle, instruction=instruction, now=now):
        _refuse(archetype, label)


@transaction.atomic
def ask_for_translation(user: User, source: Variant, target: Archetype, *, now: dt.datetime) -> None:
    """Have a finished text drafted in the language of another archetype of the campaign, which keeps its other texts."""
    _begin(user, target.campaign, _("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    if target.campaign_id != source.archetype.campaign_id or target.language == source.archetype.language:
        raise NotReady([_("Choose an archetype of this campaign with another language.")])
    if target.channel != source.archetype.channel:
        raise NotReady([_("Choose an archetype with the same channel.")])
    if source.is_blocked:
        raise NotReady([_("This text has a finding that blocks it. Mend it before it is translated.")])
    if not request_translation(source, target, user=user, now=now):
        _refuse(target, "")


@transaction.atomic
def copy_text(user: User, source: Variant, *, angle: str = "", now: dt.datetime) -> Variant:
    """One more text of the same archetype, with the same words, for a person to write. NotReady where there are four."""
    archetype = source.archetype
    _begin(user, archetype.campaign, _("A text was added."), AuditAction.TEXT_ADDED, now)
    plan = plan_one(archetype, angle=angle)
    if not plan:
        _refuse(archetype, "")
    copy = Variant(
        archetype=archetype, label=plan[0].label, angle=plan[0].angle, origin=Variant.Origin.PERSON,
        shows_products=source.shows_products,
    )  # fmt: skip
    return write_variant(copy, {name: getattr(source, name) for name in EDITABLE_FIELDS}, user=user, now=now)


@transaction.atomic
def remove_text(user: User, variant: Variant, *, now: dt.datetime) -> None:
    """Take a text away for good. One that was sent to anybody stays: then the campaign cannot be edited any more."""
    _begin(user, variant.archetype.campaign, _("A text was removed."), AuditAction.TEXT_REMOVED, now)
    if not user.has_perm("campaigns.change_variant"):
        raise PermissionDenied
    take_back(variant.archetype, variant.label)
    Variant.objects.filter(pk=variant.pk).delete()


def _begin(user: User, campaign: Campaign, reason: str, action: AuditAction, now: dt.datetime) -> None:
    lock_for_edit(user, campaign)
    return_to_draft(user, campaign, reason=reason, now=now)
    record_audit(action, actor=user, about=("campaign", campaign.pk))


def _refuse(archetype: Archetype, label: str) -> None:
    if not label and not plan_one(archetype):
        raise NotReady([_("An archetype has %(most)d texts at most.") % {"most": MOST_TEXTS}])
    raise TransitionConflict(_("This archetype is being drafted right now. Wait until it is done."))

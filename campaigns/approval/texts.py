"""Changes to which texts there are: ask for drafts, add, translate, remove. Each voids what was approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.content.drafting import request_drafts, request_text, request_translation
from campaigns.content.editing import EDITABLE_FIELDS, hash_words, write_variant
from campaigns.content.former import swap_former
from campaigns.content.plans import MOST_TEXTS, plan_one, take_back
from campaigns.content.steps import FIRST_STEP, read_steps
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
    steps: Collection[int] = (),
    now: dt.datetime,
) -> int:
    """Have the texts of a campaign, or of some archetypes, drafted (again); how many archetypes now wait.

    Texts that a person has edited stay as they are unless `also_edited`. `steps` are those that are meant; empty: all.
    """
    _begin(user, campaign, gettext_noop("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    target = campaign if archetypes is None else list(archetypes)
    return request_drafts(
        target, user=user, instruction=instruction, count=count, also_edited=also_edited, steps=steps, now=now
    )  # fmt: skip


@transaction.atomic
def stop_drafting(user: User, campaign: Campaign, *, now: dt.datetime) -> int:
    """Take back all drafts of a campaign that are on their way; of how many archetypes. The texts that there are stay."""
    lock_for_edit(user, campaign)
    return sum(take_back(archetype) for archetype in Archetype.objects.filter(campaign=campaign))


@transaction.atomic
def ask_for_text(
    user: User,
    archetype: Archetype,
    *,
    label: str = "",
    angle: str = "",
    instruction: str = "",
    step: int = FIRST_STEP,
    now: dt.datetime,
) -> None:
    """Have one text of a step drafted: that label again, or one more. NotReady where there are four already, or no such step."""
    _begin(user, archetype.campaign, gettext_noop("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    _refuse_no_step(archetype, step)
    if not request_text(
        archetype, user=user, label=label, angle=angle, instruction=instruction, step=step, now=now
    ):  # fmt: skip
        _refuse(archetype, label, step)


@transaction.atomic
def ask_for_translation(user: User, source: Variant, target: Archetype, *, now: dt.datetime) -> None:
    """Have a finished text drafted in the language of another archetype of the campaign, which keeps its other texts."""
    _begin(user, target.campaign, gettext_noop("New drafts were asked for."), AuditAction.DRAFTS_REQUESTED, now)
    if target.campaign_id != source.archetype.campaign_id or target.language == source.archetype.language:
        raise NotReady([_("Choose an archetype of this campaign with another language.")])
    if target.channel != source.archetype.channel:
        raise NotReady([_("Choose an archetype with the same channel.")])
    if source.is_blocked:
        raise NotReady([_("This text has a finding that blocks it. Mend it before it is translated.")])
    if not request_translation(source, target, user=user, now=now):
        _refuse(target, "", source.step)


@transaction.atomic
def copy_text(user: User, source: Variant, *, angle: str = "", step: int | None = None, now: dt.datetime) -> Variant:
    """One more text of the same archetype, of the same step unless another is named, with the same words, for a person to
    write. NotReady where there are four, or no such step."""
    archetype, step = source.archetype, step or source.step
    _begin(user, archetype.campaign, gettext_noop("A text was added."), AuditAction.TEXT_ADDED, now)
    _refuse_no_step(archetype, step)
    plan = plan_one(archetype, angle=angle, step=step)
    if not plan:
        _refuse(archetype, "", step)
    copy = Variant(
        archetype=archetype, step=step, label=plan[0].label, angle=plan[0].angle, origin=Variant.Origin.PERSON,
        shows_products=source.shows_products,
    )  # fmt: skip
    return write_variant(copy, {name: getattr(source, name) for name in EDITABLE_FIELDS}, user=user, now=now)


@transaction.atomic
def take_back_former(user: User, variant: Variant, *, seen: str = "", now: dt.datetime) -> Variant:
    """Put the text that a newer draft replaced in its place again; the newer one can then be taken back the same way.

    `seen` is the `hash_words` of what the person had before them. NotReady where there is no former text.
    """
    _begin(
        user, variant.archetype.campaign, gettext_noop("A former text was taken back."), AuditAction.TEXT_EDITED, now
    )
    if not user.has_perm("campaigns.change_variant"):
        raise PermissionDenied
    variant.refresh_from_db()
    if seen not in ("", hash_words(variant)):
        raise TransitionConflict(_("This text was changed after you opened it. Look at it again."))
    if not variant.former:
        raise NotReady([_("There is no former text.")])
    take_back(variant.archetype, variant.label, variant.step)
    return swap_former(variant, user=user, now=now)


@transaction.atomic
def remove_text(user: User, variant: Variant, *, now: dt.datetime) -> None:
    """Take a text away for good. One that was sent to anybody stays: then the campaign cannot be edited any more."""
    _begin(user, variant.archetype.campaign, gettext_noop("A text was removed."), AuditAction.TEXT_REMOVED, now)
    if not user.has_perm("campaigns.change_variant"):
        raise PermissionDenied
    take_back(variant.archetype, variant.label, variant.step)
    Variant.objects.filter(pk=variant.pk).delete()


def _begin(user: User, campaign: Campaign, reason: str, action: AuditAction, now: dt.datetime) -> None:
    lock_for_edit(user, campaign)
    return_to_draft(user, campaign, reason=reason, now=now)
    record_audit(action, actor=user, about=("campaign", campaign.pk))


def _refuse_no_step(archetype: Archetype, step: int) -> None:
    if step not in [one.number for one in read_steps(archetype.campaign_id)]:
        raise NotReady([_("This campaign has no step %(step)d.") % {"step": step}])


def _refuse(archetype: Archetype, label: str, step: int) -> None:
    if not label and not plan_one(archetype, step=step):
        raise NotReady([_("An archetype has %(most)d texts at most.") % {"most": MOST_TEXTS}])
    raise TransitionConflict(_("This archetype is being drafted right now. Wait until it is done."))

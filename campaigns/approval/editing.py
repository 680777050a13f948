"""Changes to a campaign, its texts and its audience: each one voids what was approved, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.audience import shaping
from campaigns.audience.entry_rules import EntryRuleError, dump_trigger, parse_trigger
from campaigns.audience.entry_wording import refuse_fault
from campaigns.audience.exits import tidy_exits
from campaigns.audience.freeze import AudienceCounts, freeze_audience
from campaigns.audience.holdout import draw_seed
from campaigns.audience.looks import tidy_looks
from campaigns.audience.recurrence import dump_recurrence, parse_recurrence
from campaigns.audience.shaping import split_again
from campaigns.audience.topics import TOPICS
from campaigns.content.editing import hash_words, recheck_campaign, write_variant
from campaigns.content.plans import take_back
from campaigns.models import (
    Archetype,
    Campaign,
    Offer,
    TransitionConflict,
    Variant,
)
from customers.models import AuditAction, Channel, record_audit
from customers.segments.faults import RuleError
from customers.segments.wording import describe_error

from . import policy
from .brief import tidy_talking_points
from .policy import NotReady
from .voiding import return_to_draft

Shaped = TypeVar("Shaped")

#: What `edit_campaign` may set. Everything else belongs to the workflow, the freeze or the sender.
CAMPAIGN_FIELDS = frozenset(
    {
        "name", "goal", "instruction", "tone", "avoid", "talking_points", "segment", "topic", "channels", "max_archetypes",
        "holdout_share", "is_test_audience", "scheduled_for", "send_window_hours", "send_mode",
        "priority", "attribution_days", "adapts_texts", "allowed_drift_share", "approval_valid_days", "write_share",
        "explore_share", "looked_at",
        "kind", "trigger", "recurrence", "re_entry_days", "live_until", "exit_on",
    }
)  # fmt: skip
#: A change of these makes the frozen audience stand for something else: it must be frozen again.
AUDIENCE_FIELDS = frozenset(
    {"segment", "topic", "holdout_share", "is_test_audience", "channels", "write_share", "explore_share", "looked_at"}
)
OFFER_FIELDS = frozenset({"kind", "value", "currency", "code", "min_basket", "valid_from", "valid_until", "url"})
#: A new name or goal is no new message, and how drafts should sound says nothing of those that stand; all else voids.
HARMLESS_FIELDS = frozenset({"name", "goal", "instruction", "tone", "avoid"})
#: What the texts were checked against.
FACT_FIELDS = frozenset({"scheduled_for", "talking_points"})


@transaction.atomic
def create_campaign(
    user: User, fields: Mapping[str, Any], offer_fields: Mapping[str, Any] | None = None, *, now: dt.datetime
) -> Campaign:
    """A new draft by `user` with its offer and a hold-out seed that is kept for ever.

    Takes the fields that `edit_campaign` takes; the hold-out is settings.HOLDOUT_SHARE unless given. Raises
    PermissionDenied, ValidationError.
    """
    if not user.is_active or not user.has_perm("campaigns.add_campaign"):
        raise PermissionDenied(_("Your role does not allow this."))
    _refuse_unknown(fields, CAMPAIGN_FIELDS)
    _refuse_unknown(offer_fields or {}, OFFER_FIELDS)
    values = {"holdout_share": settings.HOLDOUT_SHARE, "max_archetypes": settings.MAX_ARCHETYPES, **fields}
    values = _tidy_fields(values)
    campaign = Campaign(author=user, holdout_seed=draw_seed(), **values)
    campaign.clean_fields()
    campaign.save()
    Campaign.objects.filter(pk=campaign.pk).update(created_at=now, updated_at=now)
    campaign.refresh_from_db()
    _write_offer(Offer(campaign=campaign), offer_fields or {}, set(offer_fields or {}))
    record_audit(AuditAction.CAMPAIGN_CREATED, actor=user, about=("campaign", campaign.pk))
    return campaign


@transaction.atomic
def edit_campaign(
    user: User,
    campaign: Campaign,
    fields: Mapping[str, Any],
    offer_fields: Mapping[str, Any] | None = None,
    *,
    now: dt.datetime,
) -> Campaign:
    """Set fields of the campaign and its offer. Values are validated (ValidationError names the field).

    In `approved`, `scheduled` and `missed` a real change goes back to `draft` and voids the approvals; writing the same
    values again changes nothing. Refused in all other states but `draft` (TransitionConflict). A change of segment,
    hold-out or test audience discards the frozen audience.
    """
    _refuse_unknown(fields, CAMPAIGN_FIELDS)
    _refuse_unknown(offer_fields or {}, OFFER_FIELDS)
    fields = _tidy_fields(fields)
    lock_for_edit(user, campaign)
    offer, _created = Offer.objects.get_or_create(campaign=campaign)
    changed = _differing(campaign, fields)
    changed_offer = _differing(offer, offer_fields or {})
    if not changed and not changed_offer:
        return campaign
    if changed_offer or not changed <= HARMLESS_FIELDS:
        return_to_draft(user, campaign, reason=_describe_edit(changed, changed_offer), now=now)
    _write_campaign(campaign, fields, changed, now)
    if changed_offer:
        _write_offer(offer, offer_fields or {}, changed_offer)
    if "max_archetypes" in changed and campaign.audience_frozen_at:
        split_again(campaign, now=now)
    if changed_offer or changed & (FACT_FIELDS | {"max_archetypes"}):
        recheck_campaign(campaign, now=now)  # the texts were checked against what was so before
    about, offer_names = ("campaign", campaign.pk), sorted(changed_offer)
    record_audit(AuditAction.CAMPAIGN_EDITED, actor=user, about=about, fields=sorted(changed), offer=offer_names)
    return campaign


class StaleText(TransitionConflict):
    """The words are not those that the person saw when they began to write."""


@transaction.atomic
def edit_variant(
    user: User,
    variant: Variant,
    fields: Mapping[str, str],
    *,
    now: dt.datetime,
    shows_products: bool | None = None,
    seen: str = "",
) -> Variant:
    """Write a text (guard-rails run again) and void what was approved. A draft of it that is on its way is dropped.

    `seen` is the `hash_words` of what the person had before them: StaleText where other words stand there by now.
    """
    campaign = variant.archetype.campaign
    lock_for_edit(user, campaign)
    _refresh_text(variant)
    if seen not in ("", hash_words(variant)):
        raise StaleText(_("This text was changed after you opened it. Look at it again."))
    changed = [name for name, value in fields.items() if getattr(variant, name, None) != value]
    if shows_products not in (None, variant.shows_products):
        changed.append("shows_products")
    if changed:
        return_to_draft(user, campaign, reason=gettext_noop("A text was edited."), now=now)
        about = ("campaign", campaign.pk)
        record_audit(AuditAction.TEXT_EDITED, actor=user, about=about, variant=variant.pk, fields=sorted(changed))
    take_back(variant.archetype, variant.label, variant.step)
    return write_variant(variant, fields, user=user, now=now, shows_products=shows_products)


@transaction.atomic
def refreeze_audience(user: User, campaign: Campaign, *, now: dt.datetime) -> AudienceCounts:
    """Freeze the audience (again): same seed, same arms for the same people. Voids what was approved. Raises ValidationError
    where the segment's rule cannot be used any more."""
    lock_for_edit(user, campaign)
    return_to_draft(user, campaign, reason=gettext_noop("The audience was frozen again."), now=now)
    try:
        counts = freeze_audience(campaign, now=now, actor=user)
    except RuleError as error:
        raise ValidationError(describe_error(error)) from error
    about = ("campaign", campaign.pk)
    record_audit(
        AuditAction.AUDIENCE_FROZEN, actor=user, about=about, treatment=counts.treatment, holdout=counts.holdout
    )
    return counts


@transaction.atomic
def merge_archetypes(
    user: User, campaign: Campaign, first: Archetype, second: Archetype, *, now: dt.datetime
) -> Archetype:
    """Put two archetypes together; one of them goes on with its texts. Voids what was approved. Raises ValidationError."""
    return _shape(user, campaign, lambda: shaping.merge_archetypes(campaign, first, second, now=now), now=now)


@transaction.atomic
def take_out_part(
    user: User, campaign: Campaign, archetype: Archetype, side: str, value: str, *, now: dt.datetime
) -> Archetype:
    """Make a part of an archetype one of its own. Voids what was approved. Raises ValidationError."""
    return _shape(user, campaign, lambda: shaping.take_out_part(campaign, archetype, side, value, now=now), now=now)


@transaction.atomic
def forget_shapes(user: User, campaign: Campaign, *, now: dt.datetime) -> int:
    """Split the audience again as if nobody had merged or taken out anything; returns how many archetypes there are."""
    return _shape(user, campaign, lambda: split_again(campaign, now=now, forget=True), now=now)


def lock_for_edit(user: User, campaign: Campaign) -> None:
    """Take the campaign's row lock, refresh it, and refuse who may not edit or a state that is locked."""
    if not Campaign.objects.select_for_update().filter(pk=campaign.pk).exists():
        raise TransitionConflict(_("This campaign no longer exists."))
    campaign.refresh_from_db()
    policy.may_edit(user, campaign).enforce()


def _refresh_text(variant: Variant) -> None:
    """As it stands now, under the lock: what was read before may have been written over."""
    try:
        variant.refresh_from_db()
    except Variant.DoesNotExist:
        raise TransitionConflict(_("This text was removed meanwhile.")) from None


def _refuse_unknown(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = set(fields) - known
    if unknown:
        raise NotReady([_("These cannot be edited: %(names)s.") % {"names": ", ".join(sorted(unknown))}])


def _shape(user: User, campaign: Campaign, change: Callable[[], Shaped], *, now: dt.datetime) -> Shaped:
    lock_for_edit(user, campaign)
    return_to_draft(user, campaign, reason=gettext_noop("The archetypes were changed."), now=now)
    changed = change()
    recheck_campaign(campaign, now=now)  # what an archetype likes decides which wares its texts may name
    record_audit(AuditAction.ARCHETYPES_CHANGED, actor=user, about=("campaign", campaign.pk))
    return changed


def _tidy_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The brief in its shape; refuses a number of archetypes or channels that cannot be. The error names the field."""
    tidy = dict(fields)
    most, channels = fields.get("max_archetypes"), fields.get("channels")
    if "topic" in fields and fields["topic"] not in TOPICS:
        raise ValidationError({"topic": _("Choose a topic that there is.")})
    if getattr(fields.get("segment"), "is_archived", False):
        raise ValidationError({"segment": _("This segment is archived. Take it back, or choose another.")})
    if most is not None and not 1 <= most <= settings.MOST_ARCHETYPES:
        raise ValidationError({"max_archetypes": _("From 1 to %(most)d.") % {"most": settings.MOST_ARCHETYPES}})
    if channels is not None and not (isinstance(channels, list) and set(channels) <= set(Channel.values)):
        raise ValidationError({"channels": _("Choose at least one channel that there is.")})
    tidy |= _tidy_rules(fields)
    if "looked_at" in fields:
        try:
            tidy["looked_at"] = tidy_looks(fields["looked_at"])
        except ValidationError as error:
            raise ValidationError({"looked_at": error.messages}) from error
    if "exit_on" in fields:
        try:
            tidy["exit_on"] = tidy_exits(fields["exit_on"])
        except ValidationError as error:
            raise ValidationError({"exit_on": error.messages}) from error
    if "talking_points" in fields:
        try:
            tidy["talking_points"] = tidy_talking_points(fields["talking_points"])
        except ValidationError as error:
            raise ValidationError({"talking_points": error.messages}) from error
    return tidy


def _tidy_rules(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What lets people in, in its shape; {} where there is none, as in a campaign that goes out once."""
    tidy: dict[str, Any] = {}
    try:
        if fields.get("trigger"):
            tidy["trigger"] = dump_trigger(parse_trigger(fields["trigger"]))
    except EntryRuleError as error:
        raise refuse_fault("trigger", error) from error
    try:
        if fields.get("recurrence"):
            tidy["recurrence"] = dump_recurrence(parse_recurrence(fields["recurrence"]))
    except EntryRuleError as error:
        raise refuse_fault("recurrence", error) from error
    return tidy


def _differing(row: Campaign | Offer, fields: Mapping[str, Any]) -> set[str]:
    """Values are compared after the field's own conversion, so "10" equals Decimal("10.00")."""
    differing = set()
    for name, value in fields.items():
        column = row._meta.get_field(name)
        wanted = value if column.is_relation or value is None else column.to_python(value)  # type: ignore[union-attr]
        if getattr(row, name) != wanted:
            differing.add(name)
    return differing


def _describe_edit(changed: set[str], changed_offer: set[str]) -> str:
    names = sorted(changed - HARMLESS_FIELDS) + [f"offer {name}" for name in sorted(changed_offer)]
    return gettext_noop("Edited: %(names)s.") % {"names": ", ".join(names).replace("_", " ")}


def _write_campaign(campaign: Campaign, fields: Mapping[str, Any], changed: set[str], now: dt.datetime) -> None:
    if not changed:
        return
    for name in changed:
        setattr(campaign, name, fields[name])
    campaign.clean_fields()
    columns = {name: getattr(campaign, name) for name in changed}
    cannot_split = "max_archetypes" in changed and not campaign.cells.exists()  # frozen before cells were kept
    if changed & AUDIENCE_FIELDS or cannot_split:
        columns |= {"audience_frozen_at": None, "audience_as_of": None, "audience_counts": {}}
    Campaign.objects.filter(pk=campaign.pk).update(**columns, updated_at=now)
    campaign.refresh_from_db()


def _write_offer(offer: Offer, fields: Mapping[str, Any], changed: set[str]) -> None:
    for name in changed:
        setattr(offer, name, fields[name])
    offer.full_clean(exclude=["campaign"])
    offer.save(update_fields=sorted(changed) if offer.pk else None)

"""Writes a staged change into its campaign. A text that becomes another one stays, retired: what left with it can be replayed.

Under the campaign's lock, in the caller's transaction. Messages are not touched: one that waits is made of the text that
stands when it leaves (`campaigns.delivery.copies`), so that a change costs the same for ten people and for a million.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from campaigns.approval.hashing import hash_messages
from campaigns.content.editing import recompute, write_variant
from campaigns.models import Approval, ApprovalPart, Campaign, FollowUp, Offer, Variant

from .fields import Wanted

#: What a text may learn anew although it says the same.
_READ_FROM_FACTS = ("facts", "findings", "claims", "stands_on")
#: Of its own row.
_NOT_COPIED = frozenset({"id", "created_at", "retired_at", "archetype_id", "former"})


@dataclass(frozen=True)
class Replaced:
    """A text and the one that took its place. `is_edited`: its words are others, not only what code puts in."""

    old: Variant
    new: Variant
    is_edited: bool


def write_changes(campaign: Campaign, wanted: Wanted, *, author: User, now: dt.datetime) -> list[Replaced]:
    """Write the new values and put new texts in place of those that differ; returns those.

    All texts are composed anew where the offer changes, or where they are no longer what was approved because the shop's own
    data changed. Raises ValidationError.
    """
    compose_all = bool(wanted.offer) or not _is_approved(campaign)
    _write_rows(campaign, wanted, now)
    texts = Variant.objects.filter(archetype__campaign=campaign).order_by("pk")
    if not compose_all:
        texts = texts.filter(pk__in=wanted.texts)
    found = []
    for old in texts.select_related("archetype"):
        old.archetype.campaign = campaign
        words = wanted.texts.get(old.pk)
        new = _write_words(old, words, author, now) if words else _compose_again(old, now)
        if new is not None:
            found.append(Replaced(old, new, bool(words)))
    return found


def _is_approved(campaign: Campaign) -> bool:
    valid = Approval.objects.filter(campaign=campaign, part=ApprovalPart.MESSAGES, voided_at=None)
    return valid.filter(part_hash=hash_messages(campaign)).exists()


def _write_rows(campaign: Campaign, wanted: Wanted, now: dt.datetime) -> None:
    if wanted.campaign:
        for name, value in wanted.campaign.items():
            setattr(campaign, name, value)
        campaign.clean_fields(exclude={field.name for field in campaign._meta.fields} - set(wanted.campaign))
        Campaign.objects.filter(pk=campaign.pk).update(**wanted.campaign, updated_at=now)
    if wanted.offer:
        offer, _created = Offer.objects.get_or_create(campaign=campaign)
        for name, value in wanted.offer.items():
            setattr(offer, name, value)
        offer.full_clean(exclude=["campaign"])
        offer.save(update_fields=sorted(wanted.offer))
    for number, hours in wanted.follow_ups.items():
        FollowUp.objects.filter(campaign=campaign, number=number).update(wait_hours=hours)


def _write_words(old: Variant, words: Mapping[str, Any], author: User, now: dt.datetime) -> Variant:
    new = _copy(old)
    _retire(old, now)
    fields = {name: str(value) for name, value in words.items() if name != "shows_products"}
    return write_variant(new, fields, user=author, now=now, shows_products=words.get("shows_products"))


def _compose_again(old: Variant, now: dt.datetime) -> Variant | None:
    """The same words with what code puts in now; None where that makes no difference to a reader."""
    new = _copy(old)
    recompute(new, now=now)
    if new.content_hash == old.content_hash:
        Variant.objects.filter(pk=old.pk).update(**{name: getattr(new, name) for name in _READ_FROM_FACTS})
        return None
    _retire(old, now)
    new.save()
    return new


def _copy(old: Variant) -> Variant:
    columns = [column.attname for column in Variant._meta.concrete_fields if column.attname not in _NOT_COPIED]
    return Variant(archetype=old.archetype, **{name: getattr(old, name) for name in columns})


def _retire(old: Variant, now: dt.datetime) -> None:
    Variant.objects.filter(pk=old.pk).update(retired_at=now)

"""Tries a staged change out: writes it, looks what came of it, takes all of it back. What is approved is what was seen here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from campaigns.approval.hashing import part_hashes
from campaigns.content.editing import EDITABLE_FIELDS
from campaigns.content.rendering import RenderError, load_source, render_for
from campaigns.models import Approval, ApprovalPart, Campaign, StagedChange, Variant

from .fields import Wanted, read_wanted
from .writing import Replaced, write_changes


def try_out(campaign: Campaign, change: StagedChange, *, now: dt.datetime) -> dict[str, Any]:
    """What `StagedChange.outcome` keeps: {"texts": [...], "parts": {part: hash}, "touched": [part]}.

    A text is {"variant", "archetype", "step", "label", "is_edited", "was": its slots and the "text" that somebody of whom nothing
    is known would read, "will_be": the same, "source", "findings", "is_blocked"}. Under the campaign's lock. Nothing of it
    stays; raises ValidationError for values that cannot be.
    """
    wanted, scratch = read_wanted(change), Campaign.objects.get(pk=campaign.pk)
    with transaction.atomic():
        replaced = write_changes(scratch, wanted, author=change.author, now=now)
        hashes = part_hashes(scratch)
        transaction.set_rollback(True)
    return {
        "texts": [_tell_text(pair) for pair in replaced],
        "parts": {part.value: hashes[part] for part in ApprovalPart},
        "touched": [part.value for part in find_touched(campaign, wanted, hashes, now=now)],
    }


def find_touched(
    campaign: Campaign, wanted: Wanted, hashes: Mapping[ApprovalPart, str], *, now: dt.datetime
) -> list[ApprovalPart]:
    """The parts that have to be approved again: those of the fields, and any that is no longer what was approved, or was
    approved too long ago: a change without any difference renews the approval of a campaign that outlived it."""
    since = now - dt.timedelta(days=campaign.valid_days)
    approvals = Approval.objects.filter(campaign=campaign, voided_at=None, approved_at__gt=since)
    valid = dict(approvals.values_list("part", "part_hash"))
    return [part for part in ApprovalPart if part in wanted.parts or valid.get(part.value) != hashes[part]]


def _tell_text(pair: Replaced) -> dict[str, Any]:
    return {
        "variant": pair.old.pk,
        "archetype": pair.old.archetype_id,
        "step": pair.old.step,
        "label": pair.old.label,
        "is_edited": pair.is_edited,
        "was": _read_words(pair.old),
        "will_be": _read_words(pair.new),
        "source": pair.new.source,
        "findings": pair.new.findings,
        "is_blocked": pair.new.is_blocked,
    }


def _read_words(variant: Variant) -> dict[str, Any]:
    words = {name: getattr(variant, name) for name in (*EDITABLE_FIELDS, "shows_products")}
    source = load_source(variant)
    try:
        words["text"] = render_for(source, variant.archetype.language, None).text
    except RenderError:
        words["text"] = source.text
    return words

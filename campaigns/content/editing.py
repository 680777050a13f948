"""Writes the text of a variant; findings and hash are always those of the text that stands there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.contrib.auth.models import User

from campaigns.models import Campaign, Variant

EDITABLE_FIELDS = ("subject", "preheader", "opening", "story", "invitation", "button_label")


def write_variant(variant: Variant, fields: Mapping[str, str], *, user: User | None, now: dt.datetime) -> Variant:
    """Write the given fields and recompute findings, source and content_hash."""
    raise NotImplementedError


def recheck_campaign(campaign: Campaign, *, now: dt.datetime) -> int:
    """Recompute facts, findings, source and content_hash of all variants, after the offer changed; how many changed."""
    raise NotImplementedError

"""The text that a newer draft takes the place of: kept in the row, until another draft comes, so that it can be taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from campaigns.models import Variant

from .editing import EDITABLE_FIELDS, write_variant

#: Where the words came from. Of calls and people their ids.
_ORIGIN_FIELDS: Final = (
    "origin", "angle", "shows_products", "drafted_text", "prompt_name", "prompt_version", "model_label",
    "llm_request_id", "earlier_calls", "translated_from_id", "edited_by_id", "edited_at",
)  # fmt: skip


def keep_former(variant: Variant) -> None:
    """Put what stands there now aside, before a draft is written over it; does not save. Nothing of a text without words."""
    if variant.pk is not None and any(getattr(variant, name) for name in EDITABLE_FIELDS):
        variant.former = _describe(variant)


@transaction.atomic
def swap_former(variant: Variant, *, user: User, now: dt.datetime) -> Variant:
    """Write the former text again, read by the guard-rails as it stands; what stood there is the former one from now on.

    Who takes it back has edited the text, and so does not approve it.
    """
    former, variant.former = dict(variant.former), _describe(variant)
    words = {name: str(former.pop(name, "")) for name in EDITABLE_FIELDS}
    former |= {"edited_by_id": user.pk, "edited_at": now}
    for name in _ORIGIN_FIELDS:
        if name in former:
            setattr(variant, name, former[name])
    source = variant.translated_from_id
    if source is not None and not Variant.everything.filter(pk=source).exists():
        variant.translated_from_id = None  # the text that it translated was removed since
    return write_variant(variant, words, user=user, now=now)


def _describe(variant: Variant) -> dict[str, Any]:
    kept = {name: getattr(variant, name) for name in (*EDITABLE_FIELDS, *_ORIGIN_FIELDS)}
    edited_at, call = variant.edited_at, variant.llm_request_id
    return kept | {
        "edited_at": edited_at.isoformat() if edited_at else None,
        "llm_request_id": str(call) if call else None,
    }

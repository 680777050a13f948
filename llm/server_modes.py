"""Remembers how each model at each address wants to be asked, so that no call is spent on finding it again."""

from dataclasses import replace
from datetime import datetime, timedelta

from llm.configuration import ModelInfo
from llm.ladder import Manner, Mode
from llm.models import LlmServerMode

# Servers are upgraded: after so long the ladder is tried from the top again.
FORGET_AFTER = timedelta(days=7)


def recall_manner(info: ModelInfo, now: datetime) -> Manner:
    """The manner that worked last, or the top of the ladder when none is known."""
    known = LlmServerMode.objects.filter(address=info.address, model=info.model).first()
    if known is None or known.confirmed_at <= now - FORGET_AFTER:
        return Manner()
    return Manner(
        mode=Mode(known.mode),
        wants_max_completion_tokens=known.wants_max_completion_tokens,
        rejects_temperature=known.rejects_temperature,
        is_proven=True,
    )


def remember_manner(info: ModelInfo, manner: Manner, now: datetime) -> None:
    """Keep a manner by which an answer was had; one that is known already is not written again."""
    known = replace(manner, is_proven=True)
    if known == recall_manner(info, now):
        return
    LlmServerMode.objects.update_or_create(
        address=info.address,
        model=info.model,
        defaults={
            "mode": known.mode,
            "wants_max_completion_tokens": known.wants_max_completion_tokens,
            "rejects_temperature": known.rejects_temperature,
            "confirmed_at": now,
        },
    )

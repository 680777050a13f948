"""Has drafts written: the archetype's row is the queue, a language model or the template drafter the writer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User

from campaigns.models import Archetype, Campaign, Variant


def request_drafts(
    target: Campaign | Iterable[Archetype], *, user: User, instruction: str = "", now: dt.datetime
) -> int:
    """Ask for a draft of all archetypes of a campaign, or of some; returns how many are now waiting."""
    raise NotImplementedError


def archetypes_waiting(now: dt.datetime) -> list[int]:
    """Ids of the archetypes that a worker may draft now."""
    raise NotImplementedError


def draft_archetype(archetype_id: int, *, now: dt.datetime) -> Variant | None:
    """Draft one archetype; None when somebody else has it, or when it failed (its row then says why)."""
    raise NotImplementedError

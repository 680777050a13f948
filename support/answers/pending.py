"""Which conversations wait for a suggestion."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef

from support.inbox.waiting import list_waiting
from support.models import Answer

from .suggesting import suggest_answer


def suggest_pending(*, now: dt.datetime, most: int = 20) -> int:
    """Suggest an answer to what has none yet, the most urgent first. Returns how many; running it again finds the rest."""
    waiting = list_waiting().exclude(Exists(Answer.objects.filter(message=OuterRef("newest"))))[:most]
    return sum(suggest_answer(ticket, now=now) is not None for ticket in waiting)

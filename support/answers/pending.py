"""Which conversations wait for a suggestion."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Subquery

from support.models import Answer, Direction, Ticket, TicketMessage

from .suggesting import suggest_answer


def suggest_pending(*, now: dt.datetime, most: int = 20) -> int:
    """Suggest an answer to what has none yet, the most urgent first. Returns how many; running it again finds the rest."""
    newest = TicketMessage.objects.filter(ticket=OuterRef("pk")).newest_spoken()
    waiting = (
        Ticket.objects.to_answer()
        .annotate(newest=Subquery(newest.values("pk")[:1]), whose=Subquery(newest.values("direction")[:1]))
        .filter(whose=Direction.IN)
        .exclude(Exists(Answer.objects.filter(message=OuterRef("newest"))))
        .by_urgency()[:most]
    )
    return sum(suggest_answer(ticket, now=now) is not None for ticket in waiting)

"""Which conversations wait for a word of ours: the customer had the last one."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery

from support.models import Direction, Ticket, TicketMessage


def list_waiting() -> QuerySet[Ticket]:
    """Those to answer, the most urgent first, with the newest message that is no note as `newest`."""
    newest = TicketMessage.objects.filter(ticket=OuterRef("pk")).newest_spoken()
    return (
        Ticket.objects.to_answer()
        .annotate(newest=Subquery(newest.values("pk")[:1]), whose=Subquery(newest.values("direction")[:1]))
        .filter(whose=Direction.IN)
        .by_urgency()
    )

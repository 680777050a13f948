"""Conversations whose writer became a customer, or was merged into one, after they had written."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from support.models import MailSource, Ticket, TicketChannel, TiedBy

from .linking import find_writer
from .tying import tie_ticket


@transaction.atomic
def link_late_customers(*, most: int = 200) -> int:
    """Tie conversations of people who have become customers since; of mail only those whose sender was proved. Returns how many;
    safe to run again."""
    linked = 0
    proof = MailSource.objects.filter(
        message__ticket=OuterRef("pk"), is_proven=True, from_address__iexact=OuterRef("writer_email")
    )
    unknown = (
        Ticket.objects.filter(~Q(channel=TicketChannel.MAIL) | Exists(proof), customer=None)
        .exclude(writer_email="")
        .order_by(F("pk").desc())
        .select_for_update()
    )
    for ticket in unknown[:most]:
        customer = find_writer(ticket.writer_email)
        by = TiedBy.SERVER if ticket.channel == TicketChannel.MAIL else TiedBy.CHANNEL
        if customer is not None:
            linked += tie_ticket(ticket, customer, by=by, now=ticket.last_message_at)
    return linked

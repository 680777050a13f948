"""Conversations whose writer became a customer, or was merged into one, after they had written."""

from __future__ import annotations

from django.db import transaction

from support.models import Ticket

from .complaints import begin_hold
from .linking import find_writer
from .opening import note_opening


@transaction.atomic
def link_late_customers(*, most: int = 200) -> int:
    """Tie conversations of people who have become customers since. Returns how many; safe to run again."""
    linked = 0
    unknown = Ticket.objects.filter(customer=None).exclude(writer_email="").order_by("-pk").select_for_update()
    for ticket in unknown[:most]:
        customer = find_writer(ticket.writer_email)
        if customer is None:
            continue
        ticket.customer = customer
        ticket.save(update_fields=["customer"])
        note_opening(ticket)
        if ticket.is_complaint and ticket.is_unfinished:
            begin_hold(ticket, now=ticket.last_message_at, anew=False)
        linked += 1
    return linked

"""Hands a conversation from the machine to people: it stands escalated in the queue, with the reason."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from customers.models import AuditAction, record_audit
from support.inbox.clock import due_at
from support.models import AutomaticAnswer, Ticket, TicketStatus, Urgency

#: Reasons that code gives; people write theirs in words. `views.wording` says them.
ANSWERED_BACK: Final = "answered_back"
PERSON_WANTED: Final = "person_wanted"
NOT_SENT: Final = "not_sent"


@transaction.atomic
def hand_to_person(ticket_id: int, reason: str, *, now: dt.datetime) -> None:
    """Escalate; one that is escalated already stays as it is."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    if ticket.status == TicketStatus.ESCALATED:
        return
    if ticket.status == TicketStatus.CLOSED:
        ticket.move(TicketStatus.OPEN, closed_at=None)
    urgency = max(ticket.urgency, Urgency.HIGH)
    ticket.move(TicketStatus.ESCALATED, escalation=reason, urgency=urgency, due_at=due_at(now, urgency))
    record_audit(AuditAction.TICKET_ESCALATED, actor=None, about=("ticket", ticket.pk), reason=reason)


def note_answering_back(ticket: Ticket, *, now: dt.datetime) -> None:
    """The customer wrote again after an automatic answer: from here on people answer. Once for each such answer."""
    if AutomaticAnswer.objects.filter(ticket=ticket, answered_back_at=None).update(answered_back_at=now):
        hand_to_person(ticket.pk, ANSWERED_BACK, now=now)
        ticket.refresh_from_db()

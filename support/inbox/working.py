"""What people do with a conversation: take it, note something, escalate it, close it, open it again. Each with its history."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.ingest.recorder import NewEvent, record_events
from customers.models import AuditAction, EventKind, record_audit
from support.models import Direction, Ticket, TicketMessage, TicketStatus, Urgency

from .clock import due_at
from .complaints import EVENT_SOURCE, begin_hold, end_hold
from .opening import clean_text, tell_about

RIGHT = "support.answer_ticket"
MOST_TAGS, LONGEST_TAG = 12, 40


def require_right(user: User) -> None:
    if not user.has_perm(RIGHT):
        raise PermissionDenied(_("Your role does not allow this."))


@transaction.atomic
def assign_ticket(user: User, ticket: Ticket, assignee: User | None) -> None:
    """Who looks after it; None: nobody. Raises ValidationError for somebody who may not answer."""
    require_right(user)
    if assignee is not None and not assignee.has_perm(RIGHT):
        raise ValidationError(_("%(name)s may not answer tickets.") % {"name": assignee.get_username()})
    if Ticket.objects.filter(pk=ticket.pk).exclude(assignee=assignee).update(assignee=assignee):
        record_audit(
            AuditAction.TICKET_ASSIGNED, actor=user, about=("ticket", ticket.pk), to=assignee.pk if assignee else None
        )
    ticket.assignee = assignee


def add_note(user: User, ticket: Ticket, text: str, *, now: dt.datetime) -> TicketMessage:
    """A note that only colleagues see."""
    require_right(user)
    text = clean_text(text)
    if not text:
        raise ValidationError(_("Write the note first."))
    return TicketMessage.objects.create(ticket=ticket, direction=Direction.NOTE, text=text, author=user, written_at=now)


def set_tags(user: User, ticket: Ticket, tags: list[str]) -> None:
    """The tags of a ticket, in the order given, each once."""
    require_right(user)
    cleaned = list(dict.fromkeys(" ".join(tag.split())[:LONGEST_TAG] for tag in tags if tag.strip()))[:MOST_TAGS]
    Ticket.objects.filter(pk=ticket.pk).update(tags=cleaned)
    ticket.tags = cleaned


@transaction.atomic
def escalate_ticket(user: User, ticket: Ticket, reason: str, *, now: dt.datetime) -> None:
    """Hand it to somebody who decides more; it goes to the top of the queue."""
    require_right(user)
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ValidationError(_("Say why it is escalated."))
    ticket.move(TicketStatus.ESCALATED, escalation=reason, urgency=Urgency.AT_ONCE, due_at=due_at(now, Urgency.AT_ONCE))
    record_audit(AuditAction.TICKET_ESCALATED, actor=user, about=("ticket", ticket.pk))


@transaction.atomic
def close_ticket(user: User, ticket: Ticket, *, now: dt.datetime, outcome: str = "") -> None:
    """It is settled. A complaint's hold ends after the cooling time; its outcome and how long it took become an event."""
    require_right(user)
    ticket.move(TicketStatus.CLOSED, closed_at=now, outcome=" ".join(outcome.split())[:200], due_at=None)
    if ticket.customer_id is not None:
        event = NewEvent(
            customer_id=ticket.customer_id,
            kind=EventKind.TICKET_CLOSED,
            occurred_at=now,
            external_id=f"ticket:{ticket.pk}:closed",
            properties={"ticket": str(ticket.pk)} | tell_about(ticket),
        )
        record_events([event], source=EVENT_SOURCE)
    end_hold(ticket, now=now)
    record_audit(AuditAction.TICKET_CLOSED, actor=user, about=("ticket", ticket.pk))


@transaction.atomic
def reopen_ticket(user: User, ticket: Ticket, *, now: dt.datetime) -> None:
    """Not settled after all; a complaint holds promotions again from now on."""
    require_right(user)
    ticket.move(TicketStatus.OPEN, closed_at=None, due_at=due_at(now, ticket.urgency))
    if ticket.holds_promotions:
        begin_hold(ticket, now=now)
    record_audit(AuditAction.TICKET_REOPENED, actor=user, about=("ticket", ticket.pk))

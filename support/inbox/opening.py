"""Takes messages in: makes or continues a conversation, and ties it to its customer. Safe to run twice on the same message."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, EventKind
from support.models import Direction, Ticket, TicketChannel, TicketMessage, TicketStatus, TiedBy, Urgency

from .clock import due_at
from .complaints import EVENT_SOURCE, begin_hold
from .linking import find_writer

LONGEST_TEXT = 20_000
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Incoming:
    """A message from outside. `thread` names its conversation within the channel, `external_id` the message itself.

    `email` is where it says it comes from; only a `customer` that the channel itself has proved is certain. Of mail the
    address proves
    nothing: there `customer` says whose it is, or nobody's. `ticket` is the conversation that it answers, of whichever channel.
    """

    channel: TicketChannel
    thread: str
    external_id: str
    text: str
    written_at: dt.datetime
    subject: str = ""
    email: str = ""
    name: str = ""
    customer: Customer | None = None
    tied_by: TiedBy = TiedBy.CHANNEL
    ticket: int | None = None
    sent_number: int | None = None


@dataclass(frozen=True)
class TakenIn:
    """The ticket and the message; `is_new` where the message was not known yet, `opened` where the ticket was not either."""

    ticket: Ticket
    message: TicketMessage
    is_new: bool
    opened: bool


@transaction.atomic
def take_in(incoming: Incoming) -> TakenIn:
    """Write a message down. An answer to a closed conversation opens it again; one that is known changes nothing."""
    ticket, is_first = _find_ticket(incoming)
    message, is_new = TicketMessage.objects.get_or_create(
        ticket=ticket,
        external_id=incoming.external_id[:200],
        defaults={
            "direction": Direction.IN,
            "text": clean_text(incoming.text),
            "written_at": incoming.written_at,
        },
    )
    if is_new and not is_first:
        _continue(ticket, incoming.written_at)
    return TakenIn(ticket, message, is_new, is_first)


def clean_text(text: str) -> str:
    """Text as it is kept, of a bounded length: without control characters, which PostgreSQL refuses or terminals obey, and
    without those that turn the direction of what follows: "exe.gnp" would read as a picture."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n")).strip()[:LONGEST_TEXT]


def note_opening(ticket: Ticket) -> None:
    """Tell the event log that this customer asked, and what triage says of it. What they wrote stays in the ticket.

    Nothing where it is nobody's. Safe to run twice: the first word stands."""
    if ticket.customer_id is None:
        return
    event = NewEvent(
        customer_id=ticket.customer_id,
        kind=EventKind.TICKET_OPENED,
        occurred_at=ticket.opened_at,
        external_id=f"ticket:{ticket.pk}",
        properties={"ticket": str(ticket.pk), "channel": ticket.channel} | tell_about(ticket),
    )
    record_events([event], source=EVENT_SOURCE)


def tell_about(ticket: Ticket) -> dict[str, str]:
    """Its topic and intent as events tell them; without what nobody has sorted yet."""
    return {name: value for name, value in (("topic", ticket.topic), ("intent", ticket.intent)) if value}


def _find_ticket(incoming: Incoming) -> tuple[Ticket, bool]:
    if incoming.ticket is not None:
        return Ticket.objects.select_for_update().get(pk=incoming.ticket), False
    customer = incoming.customer
    if customer is None and incoming.channel != TicketChannel.MAIL:
        customer = find_writer(incoming.email)
    ticket, is_first = Ticket.objects.get_or_create(
        channel=incoming.channel,
        external_id=incoming.thread[:200],
        defaults={
            "customer": customer,
            "tied_by": incoming.tied_by if customer else TiedBy.CHANNEL,
            "sent_number": incoming.sent_number,
            "writer_email": incoming.email[:254],
            "writer_name": clean_text(incoming.name)[:120],
            "subject": " ".join(clean_text(incoming.subject).split())[:200],
            "opened_at": incoming.written_at,
            "last_message_at": incoming.written_at,
            "due_at": due_at(incoming.written_at, Urgency.USUAL),
        },
    )
    return Ticket.objects.select_for_update().get(pk=ticket.pk), is_first


def _continue(ticket: Ticket, now: dt.datetime) -> None:
    fields = {"last_message_at": now, "due_at": due_at(now, ticket.urgency), "triaged_at": None}
    if ticket.status in (TicketStatus.CLOSED, TicketStatus.WAITING):
        was_closed = ticket.status == TicketStatus.CLOSED
        ticket.move(TicketStatus.OPEN, closed_at=None, **fields)
        if was_closed and ticket.holds_promotions:
            begin_hold(ticket, now=now)
        return
    Ticket.objects.filter(pk=ticket.pk).update(**fields)
    ticket.refresh_from_db()

"""What a mail answers: a conversation, or a message that a campaign has sent. By its references alone, never by its subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from customers.models import Customer
from support.models import MailSource, Ticket

from .names import read_answer_id
from .reading import ReadMail, derive_key


@dataclass(frozen=True)
class SentMessage:
    """A message that the shop has sent to a customer, as whoever sends them knows it. `number` is its own in the outbox."""

    number: int
    customer: Customer


@dataclass(frozen=True)
class Answered:
    """What a mail answers. At most one of both is set; neither where it begins something new."""

    ticket: Ticket | None = None
    sent: SentMessage | None = None


def find_answered(mail: ReadMail) -> Answered:
    """The nearest reference that names something of ours."""
    for reference in mail.references:
        number = read_answer_id(reference)
        ticket = Ticket.objects.filter(pk=number).first() if number else _find_own(reference, mail.sender.address)
        if ticket is not None:
            return Answered(ticket=ticket)
        if (sent := _find_sent(reference)) is not None:
            return Answered(sent=sent)
    return Answered()


def _find_own(reference: str, address: str) -> Ticket | None:
    """People also answer their own mail, to which ours had no answer yet. That name is no secret of ours, so the address
    counts too."""
    source = MailSource.objects.filter(key=derive_key(reference), from_address=address).select_related(
        "message__ticket"
    )
    found = source.first() if address else None
    return found.message.ticket if found else None


def _find_sent(reference: str) -> SentMessage | None:
    """Asked of the app that sends, which this one does not know: the settings name the function."""
    find: Callable[[str], SentMessage | None] = import_string(settings.SUPPORT_FIND_SENT)
    return find(reference)

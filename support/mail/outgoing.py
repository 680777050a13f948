"""The header fields by which an answer and what is said to it find each other (RFC 5322, 3.6.4)."""

from __future__ import annotations

from django.conf import settings

from support.models import MailSource, Ticket, TicketMessage

from .names import derive_answer_id

MOST_REFERENCES = 10


def make_thread_headers(ticket: Ticket, message: TicketMessage) -> dict[str, str]:
    """Message-ID of ours, and what it answers: mail programs show it below the customer's own mail."""
    headers = {"Message-ID": derive_answer_id(ticket.pk, message.pk)}
    known = MailSource.objects.filter(message__ticket=ticket).exclude(internet_id="").order_by("pk")
    theirs = [f"<{name}>" for name in known.values_list("internet_id", flat=True)]
    ours = ticket.messages.filter(direction="out", pk__lt=message.pk).order_by("pk").values_list("pk", flat=True)
    chain = [
        *theirs[-MOST_REFERENCES:],
        *(derive_answer_id(ticket.pk, number) for number in [*ours][-MOST_REFERENCES:]),
    ]
    if chain:
        headers["In-Reply-To"] = theirs[-1] if theirs else chain[-1]
        headers["References"] = " ".join(chain)
    return headers


def make_sender() -> str:
    """From: the address that answers come to."""
    return f"{settings.SHOP_NAME} <{settings.SUPPORT_ADDRESS}>"

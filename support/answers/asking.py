"""The mail that ends a conversation and asks how it was, where no answer ended it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation
from django.utils.translation import gettext as _

from support.inbox.working import require_right
from support.models import Direction, Ticket, TicketMessage, TicketStatus
from support.models.message import SendStatus

from .rating import claim_asking
from .sending import hand_over


def ask_rating(user: User, ticket: Ticket, *, now: dt.datetime) -> TicketMessage | None:
    """Write once to the customer of a closed, answered conversation; None where nobody is asked. Not inside a transaction."""
    require_right(user)
    if ticket.status != TicketStatus.CLOSED or ticket.first_answer_at is None:
        return None
    footer = claim_asking(ticket, now=now)
    if not footer:
        return None
    with translation.override(ticket.interface_language):
        text = _("We have closed your question. If anything is still open, just answer this mail.")
        subject = _("Your question to %(shop)s [#%(number)s]") % {"shop": settings.SHOP_NAME, "number": ticket.pk}
    message = TicketMessage.objects.create(
        ticket=ticket, direction=Direction.OUT, text=text, author=user, written_at=now, send_status=SendStatus.SENDING
    )
    hand_over(ticket, message, footer=footer, subject=subject)
    return message

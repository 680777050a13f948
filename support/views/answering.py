"""Sends what a person wrote; what cannot be sent stays in its box, with what is to be mended."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.views.access import current_user
from support.answers.sending import send_answer
from support.inbox.working import close_ticket
from support.models import Ticket, TicketConflict
from support.models.message import SendStatus

from .access import get_ticket_for, read_number
from .conversation import render_ticket


@require_POST
def answer_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """Send what the person wrote, and close the conversation with it where they said so."""
    ticket = get_ticket_for(request.user, pk)
    try:
        told = _send(request, ticket)
    except ValidationError as error:
        return _give_back(request, pk, error.messages, status=422)
    except TicketConflict as error:
        return _give_back(request, pk, [str(error)], status=409)
    messages.success(request, told)
    return redirect("support:ticket", pk)


def _send(request: HttpRequest, ticket: Ticket) -> str:
    """What the page says of it."""
    user, now, ends = current_user(request), timezone.now(), bool(request.POST.get("close"))
    seen = read_number(request.POST.get("seen", ""))
    message = send_answer(user, ticket, request.POST.get("text", ""), seen=seen, now=now, ends=ends)
    if message.send_status != SendStatus.SENT:
        return f"{message.get_send_status_display()}: {message.send_response}"
    if not ends:
        return _("Sent.")
    ticket.refresh_from_db()
    close_ticket(user, ticket, now=timezone.now(), outcome=request.POST.get("outcome", ""))
    return _("Sent and closed.")


def _give_back(request: HttpRequest, pk: int, sentences: list[str], *, status: int) -> HttpResponse:
    """The conversation as it is now, with what was typed."""
    for sentence in sentences:
        messages.error(request, sentence)
    ticket = get_ticket_for(request.user, pk)
    return render_ticket(request, ticket, typed=request.POST.get("text", ""), status=status)

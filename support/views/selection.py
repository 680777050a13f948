"""Several conversations at once: taken, tagged or closed from the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from customers.views.access import current_user
from support.inbox import working
from support.models import Ticket, TicketConflict

from .access import read_number

#: More than a page has.
MOST: Final = 100


@require_POST
def act_on_several(request: HttpRequest) -> HttpResponse:
    """Each conversation that was ticked is changed by itself, as on its own page; those that cannot be are counted."""
    user = current_user(request)
    working.require_right(user)
    act = _choose_action(user, request.POST.get("do", ""), request.POST.get("tag", ""))
    numbers = [read_number(text) for text in request.POST.getlist("chosen")[:MOST]]
    tickets = list(Ticket.objects.filter(pk__in=numbers).select_related("customer").by_urgency())
    if act is None or not tickets:
        messages.error(request, _("Tick some tickets first, and say what to do with them."))
    else:
        _carry_out(request, tickets, act)
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "support:queue")


def _choose_action(user: User, name: str, tag: str) -> Callable[[Ticket], None] | None:
    if name == "take":
        return lambda ticket: working.assign_ticket(user, ticket, user)
    if name == "tag" and tag.strip():
        return lambda ticket: working.set_tags(user, ticket, [*ticket.tags, *tag.replace("，", ",").split(",")])
    if name == "close":
        return lambda ticket: working.close_ticket(user, ticket, now=timezone.now())
    return None


def _carry_out(request: HttpRequest, tickets: list[Ticket], act: Callable[[Ticket], None]) -> None:
    done = 0
    for ticket in tickets:
        try:
            act(ticket)
        except (TicketConflict, ValidationError):
            continue
        done += 1
    if done:
        messages.success(request, ngettext("%(n)d ticket changed.", "%(n)d tickets changed.", done) % {"n": done})
    if rest := len(tickets) - done:
        told = ngettext(
            "%(n)d ticket had changed in the meantime and was left alone.",
            "%(n)d tickets had changed in the meantime and were left alone.",
            rest,
        )
        messages.warning(request, told % {"n": rest})

"""Getters that authorise, used by pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from customers.views.access import act_and_tell
from support.models import Ticket


def get_ticket_for(user: User | AnonymousUser, pk: int) -> Ticket:
    """The ticket with its customer, order and assignee; PermissionDenied without the right, Http404 where there is none."""
    if not user.has_perm("support.view_ticket"):
        raise PermissionDenied("support.view_ticket")
    return get_object_or_404(Ticket.objects.select_related("customer", "order", "assignee"), pk=pk)


def read_number(text: str) -> int:
    """A row's number as a form sends it; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def carry_out(
    request: HttpRequest, ticket: Ticket, action: Callable[[], Any], done: str | Callable[[], str]
) -> HttpResponse:
    """Do one thing and go back to the conversation; what staff must mend first becomes sentences there."""
    act_and_tell(request, action, done)
    return redirect("support:ticket", ticket.pk)

"""Ties a conversation to its customer after it was opened: a hold that a complaint should have put begins then."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, Customer, record_audit
from support.models import Ticket, TiedBy

from .complaints import begin_hold
from .opening import note_opening
from .working import require_right

MOST_CANDIDATES = 5


@transaction.atomic
def tie_ticket(ticket: Ticket, customer: Customer, *, by: TiedBy, now: dt.datetime) -> bool:
    """False where it is somebody's already. Safe to run twice."""
    if not Ticket.objects.filter(pk=ticket.pk, customer=None).update(customer=customer, tied_by=by):
        return False
    ticket.refresh_from_db()
    note_opening(ticket)
    if ticket.holds_promotions and ticket.is_unfinished:
        begin_hold(ticket, now=now, anew=False)
    return True


@transaction.atomic
def tie_by_hand(user: User, ticket: Ticket, customer: Customer, *, now: dt.datetime) -> None:
    """A colleague says whose it is: one of those with its address. Raises ValidationError for anybody else."""
    require_right(user)
    if customer not in list_candidates(ticket):
        raise ValidationError(_("Only a customer with the address of this conversation can be chosen."))
    if tie_ticket(ticket, customer, by=TiedBy.PERSON, now=now):
        record_audit(AuditAction.TICKET_TIED, actor=user, about=("ticket", ticket.pk), customer=customer.pk)


def list_candidates(ticket: Ticket) -> list[Customer]:
    """Whose it may be: customers with the address that it was written from, while it is nobody's."""
    if ticket.customer_id is not None or not ticket.writer_email:
        return []
    return list(Customer.objects.known().with_email(ticket.writer_email)[:MOST_CANDIDATES])

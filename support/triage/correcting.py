"""What people say that triage got wrong: it counts at once, and the next training learns from it."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, record_audit
from support.inbox.clock import due_at
from support.inbox.complaints import note_complaint, withdraw_hold
from support.inbox.working import require_right
from support.models import Sentiment, Ticket, TriageCorrection, TriageField

from .deciding import VALUES


@transaction.atomic
def correct_triage(user: User, ticket: Ticket, field: str, value: str, *, now: dt.datetime) -> None:
    """A person's word for one field. Raises ValidationError for a field or value that does not exist."""
    require_right(user)
    if value not in VALUES.get(field, ()):
        raise ValidationError(_("“%(value)s” is not a value of triage.") % {"value": value})
    ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
    told = dict(ticket.triage)
    was = str((told.get(field) or {}).get("value", ""))
    kept = told.get(field) or {}
    told[field] = kept | {"value": value, "sureness": 1.0, "reasons": [], "by": "person"}
    _keep_word(user, ticket, field, was, value, now)
    changes: dict[str, object] = {"triage": told, "needs_look": False}
    if field == TriageField.URGENCY:
        changes |= {"urgency": int(value), "due_at": due_at(ticket.last_message_at, int(value))}
    elif field != TriageField.COMPLAINT:
        changes[field] = value
    Ticket.objects.filter(pk=ticket.pk).update(**changes)
    ticket.refresh_from_db()
    _hold_as_told(ticket, field, value, now)
    record_audit(AuditAction.TICKET_CORRECTED, actor=user, about=("ticket", ticket.pk), field=field)


def _hold_as_told(ticket: Ticket, field: str, value: str, now: dt.datetime) -> None:
    """A complaint holds from now on; what is none, or was written in no such mood, never did."""
    is_complaint = field == TriageField.COMPLAINT and value == "yes"
    if is_complaint and not ticket.is_complaint:
        note_complaint(ticket, now=now)
    elif field == TriageField.COMPLAINT and not is_complaint and ticket.holds_promotions:
        withdraw_hold(ticket, now=now)
    elif field == TriageField.SENTIMENT and value != Sentiment.NEGATIVE and ticket.is_upset:
        if ticket.is_complaint:
            Ticket.objects.filter(pk=ticket.pk).update(is_upset=False)
        else:
            withdraw_hold(ticket, now=now)


@transaction.atomic
def confirm_triage(user: User, ticket: Ticket, *, now: dt.datetime) -> None:
    """A person looked, and it is right as it stands: kept like a correction, so that training and its test learn from it."""
    require_right(user)
    ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
    for field, told in ticket.triage.items():
        if field in VALUES and isinstance(told, dict) and told.get("by") != "person":
            _keep_word(user, ticket, field, str(told.get("value", "")), str(told.get("value", "")), now)
    Ticket.objects.filter(pk=ticket.pk).update(needs_look=False)
    record_audit(AuditAction.TICKET_CORRECTED, actor=user, about=("ticket", ticket.pk), confirmed=True)


def _keep_word(user: User, ticket: Ticket, field: str, was: str, becomes: str, now: dt.datetime) -> None:
    """What triage said first stays beside the last word of people."""
    said = {"becomes": becomes, "corrected_by": user, "corrected_at": now}
    TriageCorrection.objects.update_or_create(
        ticket=ticket, field=field, defaults=said, create_defaults=said | {"was": was}
    )

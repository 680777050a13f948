"""Triage of a conversation: rules and, once there is one, the trained classifier side by side; where they differ a person looks.

A person's word stands above both. A complaint is never taken back by a machine.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from customers.models import Order
from support.inbox.clock import due_at
from support.inbox.complaints import begin_hold
from support.inbox.opening import Incoming, TakenIn, take_in
from support.models import Direction, Intent, Sentiment, Ticket, TriageField, Urgency

from .escalating import find_reason_to_escalate
from .learned import ask_classifier
from .order_at_hand import find_order
from .rules import Reading, Verdict, read_message

#: Two opinions that are each at least so sure and differ are for a person.
SURE = 0.6
#: Below this nobody relies on it.
LEAST_SURE = 0.4
VALUES: dict[str, tuple[str, ...]] = {
    TriageField.INTENT: tuple(Intent.values),
    TriageField.COMPLAINT: ("yes", "no"),
    TriageField.SENTIMENT: tuple(Sentiment.values),
    TriageField.URGENCY: tuple(str(value) for value in Urgency.values),
}


@transaction.atomic
def receive(incoming: Incoming, *, now: dt.datetime) -> TakenIn:
    """Take a message in and sort it in the same transaction: a complaint holds promotions from the commit on."""
    taken = take_in(incoming)
    if taken.is_new:
        triage_ticket(taken.ticket, now=now)
    return taken


@transaction.atomic
def triage_ticket(ticket: Ticket, *, now: dt.datetime) -> None:
    """Sort a conversation by what its customer has written since we last answered. Running it again changes nothing."""
    text = read_open_text(ticket)
    escalation = find_reason_to_escalate(text)
    reading = read_message(text, escalation=escalation)
    corrected = dict(ticket.corrections.values_list("field", "becomes"))
    told, in_doubt = {}, False
    for field in TriageField.values:
        verdict, doubt = _decide(field, reading, text)
        is_corrected = field in corrected
        told[field] = _describe(Verdict(corrected[field], 1.0) if is_corrected else verdict, is_corrected)
        in_doubt |= doubt and not is_corrected
    _write(ticket, reading.language, told, in_doubt, escalation, now)


def read_open_text(ticket: Ticket) -> str:
    """What waits for an answer: the subject and what reached us after our last message, as it was written."""
    ours = ticket.messages.newest_spoken().filter(direction=Direction.OUT).values_list("pk", flat=True).first() or 0
    theirs = ticket.messages.filter(direction=Direction.IN, pk__gt=ours)
    texts = theirs.order_by("written_at", "pk").values_list("text", flat=True)
    return "\n".join([ticket.subject, *texts]).strip()


def _decide(field: str, reading: Reading, text: str) -> tuple[Verdict, bool]:
    """The verdict, and whether it is in doubt."""
    rules = reading.verdicts[field]
    learned = ask_classifier(field, reading.language, text)
    if learned is None or learned.value not in VALUES[field]:
        return rules, rules.sureness < LEAST_SURE
    differ = learned.value != rules.value and min(learned.sureness, rules.sureness) >= SURE
    if field == TriageField.COMPLAINT and differ:  # to hold too much is mended with a click, to hold too little is not
        return next(one for one in (rules, learned) if one.value == "yes"), True
    return learned, differ or learned.sureness < LEAST_SURE


def _describe(verdict: Verdict, is_corrected: bool) -> dict[str, Any]:
    return {
        "value": verdict.value,
        "sureness": round(verdict.sureness, 3),
        "reasons": list(verdict.reasons),
        "by": "person" if is_corrected else "triage",
    }


def _write(
    ticket: Ticket, language: str, told: dict[str, Any], in_doubt: bool, escalation: str, now: dt.datetime
) -> None:
    urgency = int(told[TriageField.URGENCY]["value"])
    is_complaint = told[TriageField.COMPLAINT]["value"] == "yes"
    was_complaint = ticket.is_complaint
    order = ticket.order or find_order(ticket)
    Ticket.objects.filter(pk=ticket.pk).update(
        language=language,
        intent=told[TriageField.INTENT]["value"],
        sentiment=told[TriageField.SENTIMENT]["value"],
        urgency=urgency,
        due_at=due_at(ticket.last_message_at, urgency),
        needs_look=in_doubt,
        triage={**told, "escalation": escalation},
        triaged_at=now,
        order=order,
    )
    ticket.refresh_from_db()
    if is_complaint and not was_complaint:
        begin_hold(ticket, now=now)


def complete_triage(*, now: dt.datetime, most: int = 100) -> int:
    """Sort what was taken in and not sorted, such as after an interruption. Returns how many."""
    waiting = list(Ticket.objects.untriaged()[:most])
    for ticket in waiting:
        triage_ticket(ticket, now=now)
    return len(waiting)


def list_orders(ticket: Ticket, *, most: int = 5) -> list[Order]:
    """The newest orders of the customer, for the page."""
    return (
        list(Order.objects.filter(customer=ticket.customer).order_by("-ordered_at")[:most])
        if ticket.customer_id
        else []
    )

"""Triage of a conversation: rules, the trained classifier and what a model read, side by side; where they differ a person looks.

A person's word stands above all of them. A complaint is never taken back by a machine.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from customers.models import Order
from support.inbox.clock import due_at
from support.inbox.complaints import note_complaint, note_mood
from support.inbox.opening import Incoming, TakenIn, note_opening, take_in
from support.models import (
    Direction,
    Intent,
    SeenMail,
    Sentiment,
    Ticket,
    Topic,
    TriageCorrection,
    TriageField,
    TriageReading,
    Urgency,
)

from .escalating import find_reason_to_escalate
from .handing_over import note_answering_back
from .joining import Joined, join_opinions
from .learned import ask_classifier
from .order_at_hand import find_order
from .rules import read_message

#: From so sure on, negative sentiment stops promotions.
STRONG_FROM = 0.85
VALUES: dict[str, tuple[str, ...]] = {
    TriageField.TOPIC: tuple(Topic.values),
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
        note_answering_back(taken.ticket, now=now)
    if taken.opened:
        note_opening(taken.ticket)
    return taken


@transaction.atomic
def triage_ticket(ticket: Ticket, *, now: dt.datetime) -> None:
    """Sort a conversation by what its customer has written since we last answered. Running it again changes nothing."""
    text = read_open_text(ticket)
    escalation = find_reason_to_escalate(text)
    reading = read_message(text, escalation=escalation)
    read_by_model = _find_reading(ticket)
    words = _list_words_of_people(ticket)
    told, in_doubt = {}, False
    for field in TriageField.values:
        learned = ask_classifier(field, reading.language, text)
        if learned is not None and learned.value not in VALUES[field]:
            learned = None
        joined = join_opinions(field, reading.verdicts[field], learned, read_by_model.get(field))
        told[field] = _describe(joined, words.get(field))
        in_doubt |= joined.is_in_doubt and field not in words
    _write(ticket, reading.language, told, in_doubt or _is_held_by_one_alone(told), escalation, now)


def read_open_text(ticket: Ticket) -> str:
    """What waits for an answer: the subject and what reached us after our last message, as it was written."""
    ours = ticket.messages.newest_spoken().filter(direction=Direction.OUT).values_list("pk", flat=True).first() or 0
    theirs = ticket.messages.filter(direction=Direction.IN, pk__gt=ours)
    texts = theirs.order_by("written_at", "pk").values_list("text", flat=True)
    return "\n".join([ticket.subject, *texts]).strip()


def _find_reading(ticket: Ticket) -> dict[str, Any]:
    """What a model read in the newest message, by field; nothing where none did."""
    newest = ticket.messages.newest_spoken().values("pk")[:1]
    read = TriageReading.objects.filter(message__in=newest, status=TriageReading.Status.READ).first()
    return read.verdicts if read is not None else {}


def _list_words_of_people(ticket: Ticket) -> dict[str, str]:
    """What people said of it. A correction stays; what they only confirmed holds until the customer writes again."""
    came = _find_arrival(ticket)
    return {
        one.field: one.becomes
        for one in TriageCorrection.objects.filter(ticket=ticket)
        if one.was != one.becomes or came is None or one.corrected_at >= came
    }


def _find_arrival(ticket: Ticket) -> dt.datetime | None:
    """When the customer's newest message reached us; of mail the sender's own date may be any earlier one."""
    newest = ticket.messages.filter(direction=Direction.IN).order_by("-pk")
    found = newest.values_list("written_at", "external_id").first()
    if found is None:
        return None
    seen = SeenMail.objects.filter(key=found[1]).values_list("seen_at", flat=True).first() if found[1] else None
    return max(found[0], seen) if seen else found[0]


def _describe(joined: Joined, persons_word: str | None) -> dict[str, Any]:
    verdict = joined.verdict
    told = {
        "value": verdict.value,
        "sureness": round(verdict.sureness, 3),
        "reasons": list(verdict.reasons),
        "by": "triage",
        "opinions": [one.describe() for one in joined.opinions],
    }
    if persons_word is not None:
        told |= {"value": persons_word, "sureness": 1.0, "reasons": [], "by": "person"}
    return told


def _write(
    ticket: Ticket, language: str, told: dict[str, Any], in_doubt: bool, escalation: str, now: dt.datetime
) -> None:
    urgency = int(told[TriageField.URGENCY]["value"])
    is_complaint = told[TriageField.COMPLAINT]["value"] == "yes"
    was_complaint = ticket.is_complaint
    order = ticket.order or find_order(ticket)
    Ticket.objects.filter(pk=ticket.pk).update(
        language=language,
        topic=told[TriageField.TOPIC]["value"],
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
        note_complaint(ticket, now=now)
    elif _is_very_unhappy(told):
        note_mood(ticket, now=now)


def _is_very_unhappy(told: dict[str, Any]) -> bool:
    """Strong negative sentiment, by triage: it holds promotions though it is no complaint, unless a person said it is none."""
    sentiment, complaint = told[TriageField.SENTIMENT], told[TriageField.COMPLAINT]
    is_strong = sentiment["value"] == Sentiment.NEGATIVE and sentiment["sureness"] >= STRONG_FROM
    return bool(is_strong and sentiment["by"] != "person" and complaint["by"] != "person")


def _is_held_by_one_alone(told: dict[str, Any]) -> bool:
    """Its mood holds promotions, and not all who read it see that mood: one that is sure and wrong must not do so unseen."""
    opinions = told[TriageField.SENTIMENT]["opinions"]
    is_complaint = told[TriageField.COMPLAINT]["value"] == "yes"  # which holds for itself
    return not is_complaint and _is_very_unhappy(told) and any(one["value"] != Sentiment.NEGATIVE for one in opinions)


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

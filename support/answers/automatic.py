"""Whether a suggestion may be sent without a person: everything has to speak for it, and the first thing that does not is named.

Off by default. Never to a complaint, never twice in a ticket, never where the language model and the rules (or the trained
classifier) do not agree, never a sentence that no article carries.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from customers.segments.complaints import open_complaint_sql
from support.models import (
    Answer,
    AnswerStatus,
    Article,
    AutomaticAnswer,
    AutomaticCategory,
    Direction,
    Intent,
    PeopleOnly,
    Sentiment,
    Ticket,
    TicketChannel,
    TicketStatus,
    TiedBy,
    TriageField,
    Urgency,
)

from .slots import find_open_slots
from .switching import is_stopped

#: A model's "high"; the check has to be at least so sure.
MODEL_SURE: Final = 0.9
CHECK_SURE: Final = 0.5
#: What waited longer was not meant to be answered by itself when it came.
OLDEST: Final = dt.timedelta(hours=12)
#: Between two automatic answers to one writer: two machines that answer each other come to rest at once.
APART: Final = dt.timedelta(hours=24)


def find_obstacle(ticket: Ticket, answer: Answer, category: AutomaticCategory | None, *, now: dt.datetime) -> str:
    """Why it is not sent by itself, as a code (`views.wording` has the words); "" where it may be. Reads, and changes nothing."""
    if category is None or not category.is_on:
        return "off"
    if is_stopped():
        return "stopped"
    return (
        _look_at_ticket(ticket, category, now)
        or _look_at_sender(ticket)
        or _look_at_answer(answer, category)
        or _look_at_triage(ticket.triage)
        or _look_at_writer(ticket, now)
        or _look_at_rate(category, now)
    )


def is_drawn(ticket_id: int, share: float) -> bool:
    """Whether people look at this answer afterwards: by a hash of the ticket, so that nobody's timing changes it."""
    drawn = hashlib.sha256(f"support.sample:{ticket_id}".encode()).hexdigest()[:8]
    return int(drawn, 16) / 2**32 < share


def _look_at_ticket(ticket: Ticket, category: AutomaticCategory, now: dt.datetime) -> str:
    if ticket.status != TicketStatus.OPEN or ticket.topic != category.topic:
        return "not_open"
    if ticket.assignee_id is not None or ticket.messages.filter(direction=Direction.OUT).exists():
        return "persons"
    if ticket.is_complaint:
        return "complaint"
    if ticket.sentiment == Sentiment.NEGATIVE or ticket.urgency > Urgency.USUAL:
        return "mood"
    if ticket.needs_look or ticket.triage.get("escalation"):
        return "doubt"
    if ticket.last_message_at < max(now - OLDEST, category.switched_at):
        return "old"
    return "" if ticket.answer_address else "no_address"


def _look_at_sender(ticket: Ticket) -> str:
    """Anybody can write any From: mail is answered only where all of it is proven, or answers a mail of ours."""
    if ticket.channel != TicketChannel.MAIL or ticket.tied_by == TiedBy.REPLY:
        return ""
    theirs = ticket.messages.filter(direction=Direction.IN)
    return "unproven" if theirs.exclude(mail__is_proven=True).exists() else ""


def _look_at_answer(answer: Answer, category: AutomaticCategory) -> str:
    if answer.status != AnswerStatus.SUGGESTED or answer.refusal or answer.decided_at is not None:
        return "refused"
    told = answer.sentences
    carried = [one for one in told if one.get("article")]
    if not answer.text.strip() or not carried or not all(one.get("supported") for one in told):
        return "unsupported"
    if any(one.get("order") for one in told):
        return "own_order"
    if answer.sureness < category.least_sureness:
        return "unsure"
    if find_open_slots(answer.text):
        return "unsupported"
    versions = {(one["article"], one.get("version")) for one in carried}
    current = Article.objects.filter(is_published=True, number__in={number for number, _version in versions})
    return "" if versions <= set(current.values_list("number", "current__number")) else "stale"


def _look_at_triage(triage: dict[str, Any]) -> str:
    """The model and the check say the same topic, nobody sees a complaint or a wish for a person, and no person corrected it."""
    opinions = {field: (triage.get(field) or {}).get("opinions", []) for field in TriageField.values}
    if any((triage.get(field) or {}).get("by") == "person" for field in TriageField.values):
        return "persons"
    model = next((one for one in opinions[TriageField.TOPIC] if one["by"] == "model"), None)
    if model is None:
        return "no_model"
    checks = [one for one in opinions[TriageField.TOPIC] if one["by"] != "model"]
    check = checks[-1] if checks else None
    if check is None or check["value"] != model["value"]:
        return "disagree"
    if model["sureness"] < MODEL_SURE or check["sureness"] < CHECK_SURE:
        return "unsure"
    if any(one["value"] == "yes" for one in opinions[TriageField.COMPLAINT]):
        return "complaint"
    wished = {one["value"] for one in opinions[TriageField.INTENT]}
    if Intent.PERSON in wished:
        return "person_wished"
    return "complaint" if Intent.COMPLAIN in wished else ""


def _look_at_writer(ticket: Ticket, now: dt.datetime) -> str:
    if ticket.customer_id is not None:
        if PeopleOnly.objects.filter(customer=ticket.customer_id).exists():
            return "people_only"
        if _has_open_complaint(ticket.customer_id, now):
            return "complaint"
    who = Q(ticket__writer_email__iexact=ticket.answer_address)
    if ticket.customer_id is not None:
        who |= Q(ticket__customer=ticket.customer_id)
    return "lately" if AutomaticAnswer.objects.filter(who, sent_at__gt=now - APART).exists() else ""


def _look_at_rate(category: AutomaticCategory, now: dt.datetime) -> str:
    sent = AutomaticAnswer.objects.filter(topic=category.topic)
    in_hour = sent.filter(sent_at__gt=now - dt.timedelta(hours=1)).count()
    in_day = sent.filter(sent_at__gt=now - dt.timedelta(days=1)).count()
    return "rate" if in_hour >= category.most_per_hour or in_day >= category.most_per_day else ""


def _has_open_complaint(customer_id: int, now: dt.datetime) -> bool:
    is_open = open_complaint_sql("c", as_of="%(now)s", of_everybody=False)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {is_open} FROM customers_customer c WHERE c.id = %(pk)s", {"now": now, "pk": customer_id}
        )
        found = cursor.fetchone()
    return bool(found and found[0])

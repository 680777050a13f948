"""Has a language model read what waits for an answer, through the one door, masked: a second opinion with its passage.

The row is the queue. What is for people only (`escalating`) is never shown to a model, and what a model says beside the
text, or with a passage that does not stand in it, counts for nothing.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from llm.client import complete
from llm.configuration import configured_model
from llm.errors import BudgetExceeded, ModelError
from llm.retrying import wait_before_retry
from support.inbox.waiting import list_waiting
from support.models import Direction, Ticket, TriageField, TriageReading

from .deciding import read_open_text, triage_ticket
from .escalating import find_reason_to_escalate
from .personal import find_personal_values
from .prompt import SURENESS, TRIAGE, URGENCIES

PURPOSE: Final = "support.triage"
MOST_ATTEMPTS: Final = 3
SPENT_WAIT_S: Final = 3600.0
LEASE: Final = dt.timedelta(minutes=5)
#: Values that say nothing out of the ordinary: no words of a text can be quoted for them.
NEEDS_NO_QUOTE: Final = {
    ("complaint", "no"),
    ("sentiment", "neutral"),
    ("urgency", "1"),
    ("urgency", "2"),
    ("topic", "other"),
    ("intent", "other"),
}

log = structlog.get_logger(__name__)


def read_pending(*, now: dt.datetime, most: int = 10) -> int:
    """Have the model read what waits and was not read, the most urgent first. Returns how many were read; safe to run again."""
    if not configured_model().is_configured:
        return 0
    settled = TriageReading.objects.filter(message=OuterRef("newest")).filter(
        ~Q(status=TriageReading.Status.WAITING) | Q(not_before__gt=now)
    )
    sorted_ones = list_waiting().exclude(triaged_at=None).exclude(Exists(settled))
    waiting = sorted_ones.select_related("customer")[:most]
    return sum(read_ticket(ticket, now=now) for ticket in waiting)


def read_ticket(ticket: Ticket, *, now: dt.datetime) -> bool:
    """Ask the model about one conversation and sort it anew with what it says; False where nothing came of it.

    Not inside a transaction. A message is asked about by one worker at a time and settled once; what may pass is tried
    again later, three times at most.
    """
    message = ticket.messages.newest_spoken().first()
    if message is None or message.direction != Direction.IN:
        return False
    text = read_open_text(ticket)
    row, _made = TriageReading.objects.get_or_create(message=message, defaults={"ticket": ticket})
    if find_reason_to_escalate(text):
        TriageReading.objects.filter(pk=row.pk).update(status=TriageReading.Status.KEPT_BACK)
        return False
    if not _claim(row, now):
        return False
    try:
        completion = complete(
            TRIAGE, {"text": text}, purpose=PURPOSE, now=now, known_personal_values=find_personal_values(ticket)
        )
    except ModelError as error:
        _note_failure(row, error, now)
        return False
    _keep(row, check_verdicts(completion.data, text), f"{TRIAGE.name} {TRIAGE.version}", now)
    return True


def check_verdicts(data: Mapping[str, Any], text: str) -> dict[str, dict[str, Any]]:
    """What holds of a model's answer: a value of the vocabulary with a passage that stands in the text, where it needs one."""
    folded, verdicts = _fold(text), {}
    for field in TriageField.values:
        told = data[field]
        value = URGENCIES.get(told["value"], told["value"]) if field == TriageField.URGENCY else told["value"]
        quote = " ".join(str(told["quote"]).split())
        stands = bool(quote) and _fold(quote) in folded
        if stands or (field, value) in NEEDS_NO_QUOTE:
            sureness = SURENESS[told["sure"]]
            verdicts[str(field)] = {"value": value, "sureness": sureness, "quote": quote if stands else ""}
    return verdicts


def _claim(row: TriageReading, now: dt.datetime) -> bool:
    """The guarded UPDATE that claims a row, committed before the network is touched."""
    free = TriageReading.objects.filter(pk=row.pk, status=TriageReading.Status.WAITING, attempts=row.attempts)
    won = free.filter(Q(not_before=None) | Q(not_before__lte=now)).update(
        attempts=F("attempts") + 1, not_before=now + LEASE
    )
    row.attempts += won
    return bool(won)


@transaction.atomic
def _keep(row: TriageReading, verdicts: dict[str, dict[str, Any]], version: str, now: dt.datetime) -> None:
    ticket = Ticket.objects.select_for_update().get(pk=row.ticket_id)
    kept = TriageReading.objects.filter(pk=row.pk, status=TriageReading.Status.WAITING).update(
        status=TriageReading.Status.READ,
        verdicts=verdicts,
        prompt_version=version,
        not_before=None,
        error="",
        read_at=now,
    )
    if kept and ticket.is_unfinished:
        triage_ticket(ticket, now=now)


def _note_failure(row: TriageReading, error: ModelError, now: dt.datetime) -> None:
    is_spent = isinstance(error, BudgetExceeded)
    tries = row.attempts - (is_spent or not error.counts_as_try)
    again = tries < MOST_ATTEMPTS and (error.is_retryable or is_spent)
    wait = wait_before_retry(max(1, tries), seed=row.pk, retry_after_s=error.retry_after_s)
    if is_spent:  # the caps are by the day
        wait = SPENT_WAIT_S
    TriageReading.objects.filter(pk=row.pk, status=TriageReading.Status.WAITING).update(
        status=TriageReading.Status.WAITING if again else TriageReading.Status.FAILED,
        attempts=tries,
        not_before=now + dt.timedelta(seconds=wait) if again else None,
        error=error.kept[:300],
    )
    log.info("ticket_not_read", message=row.message_id, outcome=str(error.outcome))


def _fold(text: str) -> str:
    """Text as it is compared: of one width, one case, and one blank between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

"""Which conversations wait for a suggestion, and which questions are to be looked up again."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef

from support.inbox.waiting import list_waiting
from support.models import Answer, AnswerStatus
from support.models.answer import ANSWERED_SINCE, UNANSWERED
from support.models.ticket import TO_ANSWER

from .products import answer_from_base
from .suggesting import find_open_message, suggest_answer


def suggest_pending(*, now: dt.datetime, most: int = 20) -> int:
    """Suggest an answer to what has none yet, the most urgent first. Returns how many; running it again finds the rest."""
    waiting = list_waiting().exclude(Exists(Answer.objects.filter(message=OuterRef("newest"))))[:most]
    return sum(suggest_answer(ticket, now=now) is not None for ticket in waiting)


def look_again(*, now: dt.datetime, most: int = 50) -> int:
    """Look up again what the articles that have changed since may answer. Returns how many; running it again finds the rest.

    What waits gets another suggestion. What was answered by a person, or closed, without one stays refused, and is no
    gap any more where an article answers it now. An article that changes meanwhile has it looked up once more.
    """
    stale = list(Answer.objects.stale().select_related("ticket__customer", "ticket__order", "message")[:most])
    for answer in stale:
        if not Answer.objects.filter(pk=answer.pk, stale_since=answer.stale_since).exists():
            continue  # another worker has done it while the ones before were asked
        if _waits(answer):
            suggest_answer(answer.ticket, now=now)
        elif answer.status == AnswerStatus.REFUSED:
            _close_gap(answer)
        Answer.objects.filter(pk=answer.pk, stale_since=answer.stale_since).update(stale_since=None)
    return len(stale)


def _waits(answer: Answer) -> bool:
    newest = find_open_message(answer.ticket)
    return answer.ticket.status in TO_ANSWER and newest is not None and newest.pk == answer.message_id


def _close_gap(answer: Answer) -> None:
    """Asked as the suggestion was: with its subject, where the question often stands alone."""
    answered = answer_from_base(f"{answer.ticket.subject}\n{answer.message.text}".strip())
    refusal = UNANSWERED if answered.refused else ANSWERED_SINCE
    Answer.objects.filter(pk=answer.pk, status=AnswerStatus.REFUSED).update(
        refusal=refusal, lacking=list(answered.lacking)
    )

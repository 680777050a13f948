"""The queue of texts to be read: claiming rows for one request, and settling them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.utils.translation import gettext_noop

from customers.models import EventKind, ReadingStatus, TextReading
from llm.budget import estimate_tokens
from llm.completion import Completion
from llm.errors import BudgetExceeded, ModelAnswerInvalid, ModelError
from llm.retrying import wait_before_retry

from .prompts import LONGEST_TEXT, MOST_TEXTS
from .spoken import HASH_SQL, TEXT_SQL
from .vocabulary import VERSION, Reading

MOST_ATTEMPTS: Final = 3
#: Texts of one batch may hold so many tokens at most, by the upper estimate that the budget is held by.
MOST_TEXT_TOKENS: Final = 1_200
LEASE: Final = dt.timedelta(minutes=5)
LONGEST_WAIT: Final = dt.timedelta(minutes=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ClaimedText:
    """A claimed reading with the words that it is about."""

    row: TextReading
    words: str


def claim_batch(model: str, now: dt.datetime) -> list[ClaimedText]:
    """Claim texts that may be read together; another worker that wanted the same gets fewer or none.

    Searches are read together. A longer text shares a request only with texts of the same customer, because what one
    person writes could speak to the model about the others. What failed once is read alone. What was put back together
    untried (`not_before`) is claimed together again, so that it makes the same request.
    """
    waiting = TextReading.objects.waiting(now).filter(
        prompt_version=VERSION, model=model[:200], attempts__lt=MOST_ATTEMPTS
    )
    is_search = Case(
        When(kind=EventKind.SEARCH_PERFORMED, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    first = waiting.order_by("attempts", is_search, "pk").first()
    if first is None:
        _give_up_on_the_dead(now)
        return []
    together = waiting.filter(pk=first.pk)
    if first.attempts == 0:
        same = Q(kind=EventKind.SEARCH_PERFORMED)
        if first.kind != EventKind.SEARCH_PERFORMED:
            same = ~same & Q(customer_id=first.customer_id)
        together = waiting.filter(same, attempts=0, not_before=first.not_before)
    rows = list(together.order_by("pk").select_related("customer")[:MOST_TEXTS])
    return [ClaimedText(row, words) for row, words in _fit(rows, _fetch_words(rows), now) if _win(row, now)]


def store_reading(row: TextReading, reading: Reading, completion: Completion, now: dt.datetime) -> None:
    """Keep what was read; nothing where the row has meanwhile gone to another worker."""
    TextReading.objects.filter(pk=row.pk, status=ReadingStatus.READING, attempts=row.attempts).update(
        status=ReadingStatus.READ,
        lease_until=None,
        not_before=None,
        error="",
        topics=[{"topic": topic, "confidence": confidence} for topic, confidence in reading.topics],
        sentiment=reading.sentiment,
        sentiment_confidence=reading.confidence,
        model_label=completion.label[:200],
        llm_request_id=completion.call_id,
        read_at=now,
    )


def note_failure(texts: Sequence[ClaimedText], error: ModelError, now: dt.datetime) -> None:
    """Again later for what may pass, until the third try; failed with its sentence for the rest.

    An answer that does not fit may have been spoiled by one text of a batch, so it is always worth another try, alone.
    What was never sent, because the server is paused or busy or a batch of the provider is awaited, is no try.
    """
    may_pass = error.is_retryable or isinstance(error, ModelAnswerInvalid | BudgetExceeded)
    wait = dt.timedelta(days=1) if isinstance(error, BudgetExceeded) else _wait_after(error, texts[0].row)
    for text in texts:
        tries = text.row.attempts - (not error.counts_as_try)
        again = may_pass and tries < MOST_ATTEMPTS
        TextReading.objects.filter(pk=text.row.pk, status=ReadingStatus.READING, attempts=text.row.attempts).update(
            status=ReadingStatus.WAITING if again else ReadingStatus.FAILED,
            attempts=tries,
            not_before=now + wait if again else None,
            lease_until=None,
            error=error.kept[:500],
        )
    log.info("texts_not_read", texts=len(texts), outcome=str(error.outcome))


def _win(row: TextReading, now: dt.datetime) -> bool:
    """The guarded UPDATE that claims a row, committed before the network is touched."""
    won = (
        TextReading.objects.waiting(now)
        .filter(pk=row.pk, attempts=row.attempts)
        .update(status=ReadingStatus.READING, lease_until=now + LEASE, attempts=F("attempts") + 1)
    )
    row.attempts += won
    return bool(won)


def _fetch_words(rows: Sequence[TextReading]) -> dict[int, str]:
    """The words of each row's event by the row's id; none where the event or its text is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.id, {TEXT_SQL} FROM customers_textreading r JOIN customers_customerevent e"
            " ON e.source = r.event_source AND e.external_id = r.event_external_id AND e.occurred_at = r.occurred_at"
            f" WHERE r.id = ANY(%s) AND {HASH_SQL} = r.text_hash",
            [[row.pk for row in rows]],
        )
        return dict(cursor.fetchall())


def _fit(rows: Sequence[TextReading], words: dict[int, str], now: dt.datetime) -> list[tuple[TextReading, str]]:
    """As many rows as a request may hold. Those whose text is gone go too: another event may hold the same words."""
    fitting: list[tuple[TextReading, str]] = []
    tokens = 0
    for row in rows:
        if row.pk not in words:
            TextReading.objects.waiting(now).filter(pk=row.pk).delete()
            continue
        tokens += estimate_tokens(words[row.pk][:LONGEST_TEXT])
        if fitting and tokens > MOST_TEXT_TOKENS:
            break
        fitting.append((row, words[row.pk]))
    return fitting


def _wait_after(error: ModelError, row: TextReading) -> dt.timedelta:
    """Spread by the row, so that what was put back together has a time of its own."""
    longest = LONGEST_WAIT.total_seconds()
    seconds = wait_before_retry(
        row.attempts, seed=row.pk, retry_after_s=error.retry_after_s, first_s=120.0, longest_s=longest
    )  # fmt: skip
    return dt.timedelta(seconds=seconds)


def _give_up_on_the_dead(now: dt.datetime) -> None:
    """Rows whose worker died at their last try."""
    TextReading.objects.filter(status=ReadingStatus.READING, lease_until__lt=now, attempts__gte=MOST_ATTEMPTS).update(
        status=ReadingStatus.FAILED, lease_until=None, error=gettext_noop("Three workers died over this text.")
    )

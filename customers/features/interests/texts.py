"""Has a language model read what customers write: the row of a text is the queue, its hash the cache.

Nothing is read unless somebody with the right switched it on and a model is configured. Only masked texts leave the
house, and only words of the vocabulary come in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

import structlog
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from customers.ingest.clock import read_shop_clock
from customers.ingest.preferences import may_profile_sql
from customers.models import AuditAction, TextReadingSwitch, record_audit
from llm.budget import read_day_spend, read_limits
from llm.client import complete
from llm.completion import Completion
from llm.configuration import configured_model
from llm.errors import AnswerPending, ModelAnswerInvalid, ModelError
from llm.masking import PersonalValue, clean_untrusted, mask_values
from llm.models import LlmCall

from .favourite import label_products
from .personal import personal_values
from .prompts import LONGEST_TEXT, make_prompt
from .queueing import ClaimedText, claim_batch, note_failure, store_reading
from .reading import read_catalogue
from .spoken import HAS_TEXT_SQL, HASH_SQL, TEXT_WINDOW_DAYS
from .vocabulary import VERSION, OutsideVocabulary, Reading, check_reading, list_topics

PURPOSE: Final = "read_texts"
MOST_QUEUED: Final = 5_000
#: Reading stops for the day when models have used so much of the day's tokens: drafts that people wait for come first.
SHARE_OF_DAY: Final = 0.5
#: A text is cut to so much before it is masked; what is left out of it is not read at all.
LONGEST_CLEANED: Final = 20_000

_CUT_PLACEHOLDER = re.compile(r"\[[A-Z]*_?\d*$")

log = structlog.get_logger(__name__)


def is_switched_on() -> bool:
    """Somebody let the model read, and nobody stopped it since."""
    newest = TextReadingSwitch.objects.order_by("-pk").first()
    return newest is not None and newest.is_on


def is_reading() -> bool:
    """Switched on, and there is a model to read."""
    return is_switched_on() and configured_model().is_configured


def switch_reading(user: User | AnonymousUser, *, is_on: bool, now: dt.datetime) -> bool:
    """Let the model read what customers write, or stop it; False where it stood so already.

    Raises PermissionDenied without the right. What was read stays; what waits is not read while it is off.
    """
    if not isinstance(user, User) or not user.has_perm("customers.add_textreadingswitch"):
        raise PermissionDenied("customers.add_textreadingswitch")
    if is_switched_on() == is_on:
        return False
    TextReadingSwitch.objects.create(is_on=is_on, changed_by=user, changed_at=now)
    record_audit(AuditAction.READING_SWITCHED, actor=user, is_on=is_on)
    log.info("text_reading_switched", is_on=is_on, actor=user.pk)
    return True


def queue_texts(now: dt.datetime) -> int:
    """Make a row for each text of the last months that has none for this model; returns how many are new.

    One statement, at most `MOST_QUEUED` rows a time, the newest texts first. Nothing while reading is off.
    """
    if not is_reading():
        return 0
    until = read_shop_clock(now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_textreading (text_hash, prompt_version, model, customer_id, kind, event_source,"
            " event_external_id, occurred_at) SELECT f.hash, %(version)s, %(model)s, f.customer_id, f.kind, f.source,"
            f" f.external_id, f.occurred_at FROM (SELECT DISTINCT ON (hash) {HASH_SQL} AS hash, e.customer_id, e.kind,"
            f" e.source, e.external_id, e.occurred_at FROM customers_customerevent e WHERE {HAS_TEXT_SQL}"
            f" AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s AND {may_profile_sql('e.customer_id')}"
            " ORDER BY hash, e.occurred_at DESC, e.source, e.external_id) f"
            " WHERE NOT EXISTS (SELECT 1 FROM customers_textreading r WHERE r.text_hash = f.hash"
            " AND r.prompt_version = %(version)s AND r.model = %(model)s)"
            " ORDER BY f.occurred_at DESC LIMIT %(most)s ON CONFLICT DO NOTHING",
            {
                "version": VERSION,
                "model": configured_model().model[:200],
                "since": until - dt.timedelta(days=TEXT_WINDOW_DAYS),
                "until": until,
                "most": MOST_QUEUED,
            },
        )
        queued: int = cursor.rowcount
    if queued:
        log.info("texts_queued", texts=queued)
    return queued


def read_waiting_texts(now: dt.datetime, *, batches: int = 5) -> bool:
    """Have some batches of waiting texts read, one after the other; whether there may be more to read at once.

    Stops early where a batch was not read at all: a model that does not answer is not asked again and again.
    """
    for _batch in range(batches):
        if not is_reading() or _is_day_spent(now):
            return False
        claimed = claim_batch(configured_model().model, now)
        if not claimed:
            return False
        if not _read_batch(claimed, now):
            return False
    return True


def _is_day_spent(now: dt.datetime) -> bool:
    """Models have used this work's share of the day, or one of its calls was refused for the budget today."""
    cap = read_limits().day_tokens
    if cap is not None and read_day_spend(now).tokens >= cap * SHARE_OF_DAY:
        return True
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    refused = LlmCall.objects.filter(purpose=PURPOSE, outcome=LlmCall.Outcome.OVER_BUDGET, created_at__gte=today)
    return refused.exists()


def _read_batch(texts: list[ClaimedText], now: dt.datetime) -> bool:
    """Ask the model about claimed texts and settle every one of them; whether any was read, or left to a batch."""
    topics = list_topics(label_products(read_catalogue())["interest"].unique())
    known = [value for text in texts for value in personal_values(text.row.customer)]
    told = _tell_model(texts, known)
    try:
        completion = complete(
            make_prompt(topics), {"texts": told}, purpose=PURPOSE, now=now, known_personal_values=known, may_wait=True
        )
        found = _sort_answers(completion, len(texts), topics)
    except OutsideVocabulary as error:
        log.warning("texts_read_outside_vocabulary", what=str(error))
        note_failure(texts, _outside(), now)
        return False
    except AnswerPending as error:
        note_failure(texts, error, now)
        return True
    except ModelError as error:
        note_failure(texts, error, now)
        return False
    except Exception:
        note_failure(texts, ModelError(gettext_noop("Reading failed. The worker's log says why.")), now)
        log.exception("texts_not_read")
        return False
    missing = [text for n, text in enumerate(texts, 1) if n not in found]
    for number, reading in found.items():
        store_reading(texts[number - 1].row, reading, completion, now)
    if missing:
        note_failure(missing, ModelAnswerInvalid(gettext_noop("The model left this text out."), is_retryable=True), now)
    log.info("texts_read", read=len(found), left_out=len(missing))
    return bool(found)


def _tell_model(texts: list[ClaimedText], known: list[PersonalValue]) -> list[dict[str, object]]:
    """All that leaves the house. Masked before it is cut, so that no half of a personal value is left at the end."""
    clean = [clean_untrusted(text.words, LONGEST_CLEANED) for text in texts]
    masked: list[str] = mask_values(clean, known).values
    return [
        {"number": number, "kind": str(text.row.kind), "text": _CUT_PLACEHOLDER.sub("", words[:LONGEST_TEXT])}
        for number, (text, words) in enumerate(zip(texts, masked, strict=True), 1)
    ]


def _sort_answers(completion: Completion, count: int, topics: Sequence[str]) -> dict[int, Reading]:
    """The readings by the number of their text; raises OutsideVocabulary for a number that was never given, or twice."""
    found: dict[int, Reading] = {}
    for answer in completion.data["readings"]:
        number = answer["number"]
        if not 1 <= number <= count or number in found:
            raise OutsideVocabulary("the number of a text")
        found[number] = check_reading(answer, topics)
    return found


def _outside() -> ModelError:
    return ModelAnswerInvalid(
        gettext_noop("The answer was not in the vocabulary, so nothing of it was kept."), is_retryable=True
    )

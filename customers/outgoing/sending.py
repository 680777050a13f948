"""Sends deliveries that are due. A row is held before the network is touched and settled after it, so that workers share them.

At least once: a worker that dies between the answer and the note of it lets the same event go again, with the same id. The order
is not promised.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from customers.models import OutgoingAttempt, OutgoingDelivery, OutgoingEndpoint

from .composing import compose
from .endpoints import list_secrets
from .guarded import Answer, post
from .judging import PATIENCE, Verdict, find_next_try, find_rest, judge
from .signing import sign

log = structlog.get_logger(__name__)

TIMEOUT_S: Final = 15.0
#: Deliveries that one endpoint gets in a round; after a failure the rest of them goes back.
EACH: Final = 10
#: Longer than a round takes at its worst; after a crash the rows are free again then.
HOLD_S: Final = 300
Status = OutgoingDelivery.Status


@dataclass(frozen=True)
class Round:
    """What a round did."""

    tried: int
    taken: int


def send_due(now: Callable[[], dt.datetime] = timezone.now, *, seconds: float = 9.0) -> Round:
    """Send what is due, for about so many seconds. An endpoint that fails rests, so that it holds up no other."""
    end, tried, taken = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        held = _hold(now())
        if not held:
            break
        for place, (_endpoint, rows) in enumerate(groupby(held, key=lambda row: row.endpoint_id)):
            if place and time.monotonic() > end:
                _give_back(list(rows))
                continue
            done = _send_all(list(rows), now, end)
            tried, taken = tried + done.tried, taken + done.taken
    return Round(tried, taken)


def _hold(now: dt.datetime) -> Sequence[OutgoingDelivery]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_outgoingdelivery SET held_until = %(until)s, attempts = attempts + 1 WHERE id IN (
                SELECT due.id FROM customers_outgoingendpoint e CROSS JOIN LATERAL (
                    SELECT d.id FROM customers_outgoingdelivery d
                    WHERE d.endpoint_id = e.id AND d.status = 'waiting' AND d.next_try_at <= %(now)s
                      AND (d.held_until IS NULL OR d.held_until < %(now)s)
                    ORDER BY d.next_try_at LIMIT %(each)s FOR UPDATE SKIP LOCKED) AS due
                WHERE e.status = 'active' AND (e.rests_until IS NULL OR e.rests_until <= %(now)s))
            RETURNING id
            """,
            {"now": now, "until": now + dt.timedelta(seconds=HOLD_S), "each": EACH},
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = OutgoingDelivery.objects.filter(pk__in=ids).select_related("endpoint", "event")
    return list(found.order_by("endpoint_id", "next_try_at", "pk"))


def _send_all(rows: list[OutgoingDelivery], now: Callable[[], dt.datetime], end: float) -> Round:
    """One endpoint's. Stops at the first that is not taken, and where the time is up: the others go back."""
    taken = 0
    for place, row in enumerate(rows):
        if place and time.monotonic() > end:
            _give_back(rows[place:])
            return Round(place, taken)
        is_taken = _send(row, now)
        taken += is_taken
        if not is_taken:
            _give_back(rows[place + 1 :])
            return Round(place + 1, taken)
    return Round(len(rows), taken)


def _give_back(rows: Sequence[OutgoingDelivery]) -> None:
    held = OutgoingDelivery.objects.filter(pk__in=[row.pk for row in rows], status=Status.WAITING)
    held.update(held_until=None, attempts=F("attempts") - 1)


def _send(row: OutgoingDelivery, now: Callable[[], dt.datetime]) -> bool:
    body, began = compose(row.event), now()
    signed = sign(row.event.name, int(began.timestamp()), body, *list_secrets(row.endpoint, began))
    answer = post(
        row.endpoint.url,
        body,
        {**signed, "Content-Type": "application/json", "User-Agent": "Rekindle", "Accept-Encoding": "identity"},
        timeout_s=TIMEOUT_S,
        may_be_loopback=settings.OUTGOING_MAY_BE_LOOPBACK,
    )
    return _settle(row, answer, began, now())


@transaction.atomic
def _settle(row: OutgoingDelivery, answer: Answer, began: dt.datetime, now: dt.datetime) -> bool:
    """Write down what came of a try, and what follows for the delivery and its endpoint."""
    endpoint = OutgoingEndpoint.objects.select_for_update().get(pk=row.endpoint_id)
    number = row.tries.count() + 1
    OutgoingAttempt.objects.create(
        delivery=row, number=number, tried_at=began, took_ms=answer.took_ms, code=answer.code, answer=answer.text,
        error=answer.error,
    )  # fmt: skip
    verdict = judge(answer.code, row.attempts)
    mine = OutgoingDelivery.objects.filter(pk=row.pk, status=Status.WAITING)
    if verdict is Verdict.TAKEN:
        mine.update(status=Status.DELIVERED, finished_at=now, held_until=None)
        endpoint.failing_since = endpoint.rests_until = None
        endpoint.last_success_at = now
        endpoint.save(update_fields=["failing_since", "rests_until", "last_success_at"])
        return True
    log.info("outgoing_not_taken", delivery=row.pk, endpoint=endpoint.pk, code=answer.code, attempts=row.attempts)
    if verdict is Verdict.AGAIN:
        next_try_at = find_next_try(row.attempts, answer.retry_after, now, seed=row.pk)
        mine.update(next_try_at=next_try_at, held_until=None)
    else:
        mine.update(status=Status.FAILED, finished_at=now, held_until=None)
    _note_trouble(endpoint, answer, is_gone=verdict is Verdict.GONE, now=now)
    return False


def _note_trouble(endpoint: OutgoingEndpoint, answer: Answer, *, is_gone: bool, now: dt.datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.rests_until = find_rest(endpoint.failing_since, answer.retry_after, now)
    if is_gone or now - endpoint.failing_since >= PATIENCE:
        endpoint.status, endpoint.disabled_at = OutgoingEndpoint.Status.DISABLED, now
        endpoint.disabled_why = OutgoingEndpoint.Why.GONE if is_gone else OutgoingEndpoint.Why.FAILING
        log.warning("outgoing_endpoint_disabled", endpoint=endpoint.pk, why=endpoint.disabled_why)
    endpoint.save(update_fields=["failing_since", "rests_until", "status", "disabled_at", "disabled_why"])
    if is_gone:
        waiting = OutgoingDelivery.objects.filter(endpoint=endpoint, status=Status.WAITING)
        waiting.update(status=Status.DROPPED, finished_at=now, held_until=None)

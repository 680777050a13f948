"""Takes tokens from the meters before a message may leave: under row locks, by the database's clock, so that all workers
together keep every limit."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import connection, transaction

from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from customers.models import Channel

from .meters import Meter, day_start

#: Longer than this is not worth waiting for within a sweep.
FOREVER_S: Final = 86400.0


@transaction.atomic
def take_tokens(wants: Sequence[Sequence[Meter]]) -> list[bool]:
    """For each want, in order, a token of every one of its meters, or none of any. Returns which got them.

    Committed before anything is sent: a crash may waste tokens, and never lets a message out beyond a limit.
    """
    meters = {meter.key: meter for want in wants for meter in want}
    _lock(meters)
    held, now = _read(meters)
    left = {key: _refill(meter, *held[key]) for key, meter in meters.items()}
    granted = []
    for want in wants:
        has_all = all(left[meter.key] >= 1 for meter in want)
        granted.append(has_all)
        if has_all:
            for meter in want:
                left[meter.key] -= 1
    _store(left, now)
    return granted


@transaction.atomic
def give_back(wants: Iterable[Sequence[Meter]]) -> None:
    """Tokens of messages that did not leave after all."""
    meters = [meter for want in wants for meter in want]
    if not meters:
        return
    counted = Counter(meter.key for meter in meters)
    _lock({meter.key: meter for meter in meters})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_pacebucket b SET tokens = b.tokens + back.n"
            " FROM unnest(%s::text[], %s::float8[]) AS back(key, n) WHERE b.key = back.key",
            [list(counted), list(counted.values())],
        )


def peek(meters: Iterable[Meter]) -> dict[str, float]:
    """What each meter holds now, without taking or locking anything."""
    known = {meter.key: meter for meter in meters}
    held, _now = _read(known)
    return {
        key: _refill(meter, *held[key]) if key in held else float(_first_tokens(meter)) for key, meter in known.items()
    }


def wait_s(meter: Meter, tokens: float) -> float:
    """Seconds until it holds a whole token."""
    if tokens >= 1:
        return 0.0
    return (1 - tokens) / meter.per_s if meter.per_s else FOREVER_S


def _lock(meters: Mapping[str, Meter]) -> None:
    """In the order of their keys, so that two workers cannot wait for each other. A meter that is new gets its row."""
    keys = sorted(meters)
    query = "SELECT key FROM campaigns_pacebucket WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(query, [keys])
        new = set(keys) - {row[0] for row in cursor.fetchall()}
        if not new:
            return
        cursor.executemany(
            "INSERT INTO campaigns_pacebucket (key, tokens, refilled_at) VALUES (%s, %s, clock_timestamp())"
            " ON CONFLICT (key) DO NOTHING",
            [(key, _first_tokens(meters[key])) for key in sorted(new)],
        )
        cursor.execute(query, [keys])


def _read(meters: Mapping[str, Meter]) -> tuple[dict[str, tuple[float, float]], dt.datetime]:
    """Of each row its tokens and how many seconds ago that was, and now: one moment for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.key, b.tokens, extract(epoch FROM t.now - b.refilled_at)::float8, t.now
            FROM (SELECT clock_timestamp() AS now OFFSET 0) AS t
            LEFT JOIN campaigns_pacebucket b ON b.key = ANY(%s)
            """,
            [list(meters)],
        )
        rows = cursor.fetchall()
    return {key: (tokens, elapsed) for key, tokens, elapsed, _now in rows if key is not None}, rows[0][3]


def _store(left: Mapping[str, float], now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_pacebucket b SET tokens = v.tokens, refilled_at = %s"
            " FROM unnest(%s::text[], %s::float8[]) AS v(key, tokens) WHERE b.key = v.key",
            [now, list(left), list(left.values())],
        )


def _refill(meter: Meter, tokens: float, elapsed_s: float) -> float:
    return min(float(meter.capacity), tokens + meter.per_s * max(elapsed_s, 0.0))


def _first_tokens(meter: Meter) -> int:
    """A rate begins full; a day with what has not been sent on it yet."""
    if meter.day is None:
        return meter.capacity
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM campaigns_message WHERE sending_at >= %s AND channel = %s AND status = ANY(%s)",
            [day_start(meter.day), Channel.EMAIL, [status.value for status in STATUSES_THAT_REACHED]],
        )
        return max(meter.capacity - int(cursor.fetchone()[0]), 0)

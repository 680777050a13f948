"""What an answer means for a delivery and for its endpoint, and when to try again. Pure."""

from __future__ import annotations

import datetime as dt
import email.utils
import enum
import random
from typing import Final

#: Waits after each try that failed, seconds: the schedule that Standard Webhooks suggests, three days in all.
WAITS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_WAIT_S: Final = 86_400.0
#: An endpoint that takes nothing for so long is switched off.
PATIENCE: Final = dt.timedelta(days=5)


class Verdict(enum.Enum):
    TAKEN = "taken"
    AGAIN = "try again"
    GIVE_UP = "tried often enough"
    GONE = "the endpoint is not there any more"


def judge(code: int | None, attempts: int) -> Verdict:
    """2xx is taken, 410 ends the endpoint; all else, redirects included, is tried again as long as the schedule lasts."""
    if code is not None and 200 <= code <= 299:
        return Verdict.TAKEN
    if code == 410:
        return Verdict.GONE
    return Verdict.AGAIN if attempts <= len(WAITS_S) else Verdict.GIVE_UP


def find_next_try(attempts: int, retry_after: str, now: dt.datetime, *, seed: int) -> dt.datetime:
    """After `attempts` tries: the schedule with a tenth of jitter, and never before the receiver wants it."""
    wait_s = WAITS_S[min(max(attempts, 1), len(WAITS_S)) - 1]
    jitter = random.Random(f"{seed}/{attempts}").uniform(0.9, 1.1)  # noqa: S311 it only spreads the load
    return now + dt.timedelta(seconds=max(wait_s * jitter, read_retry_after(retry_after, now)))


def find_rest(failing_since: dt.datetime, retry_after: str, now: dt.datetime) -> dt.datetime:
    """How long nothing at all is sent to an endpoint in trouble: a tenth of how long it has been in it, 5 s to 15 min."""
    rest_s = min(max((now - failing_since).total_seconds() / 10, 5.0), 900.0)
    return now + dt.timedelta(seconds=max(rest_s, read_retry_after(retry_after, now)))


def read_retry_after(value: str, now: dt.datetime, *, longest_s: float = LONGEST_WAIT_S) -> float:
    """Seconds, from a number or a date (RFC 9110, 10.2.3); 0 for none and for nonsense, `longest_s` at most."""
    value = value.strip()
    if value.isdecimal():
        return min(float(value[:9]), longest_s)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return min(max((until - now).total_seconds(), 0.0), longest_s)

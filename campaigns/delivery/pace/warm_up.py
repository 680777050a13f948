"""The ramp of a new sender: arithmetic of days and messages. No database, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, Protocol

#: Mailbox providers judge a new sender by its first weeks; a ramp that is longer than this is a mistake in its figures.
LONGEST_RAMP_DAYS: Final = 120


class Ramp(Protocol):
    """The figures of a `WarmUp`."""

    first_day: int
    factor: float
    goal: int
    started_on: dt.date


def allowance_on(ramp: Ramp, day: dt.date) -> int | None:
    """Messages that may leave on `day`; None once the ramp is over, and 0 before it begins."""
    number = (day - ramp.started_on).days
    if number < 0:
        return 0
    if number > LONGEST_RAMP_DAYS:
        return None
    allowed = int(ramp.first_day * ramp.factor**number)
    return None if allowed >= ramp.goal else allowed


def list_days(ramp: Ramp) -> Iterator[tuple[dt.date, int]]:
    """Each day of the ramp with what may leave on it."""
    for number in range(LONGEST_RAMP_DAYS + 1):
        day = ramp.started_on + dt.timedelta(days=number)
        allowed = allowance_on(ramp, day)
        if allowed is None:
            return
        yield day, allowed


def days_needed(ramp: Ramp, first_on: dt.date, messages: int, *, used: int = 0) -> int:
    """On how many days a send of `messages` leaves that begins on `first_on`, when `used` of that day are gone. At least 1."""
    day, rest = first_on, messages
    while True:
        allowed = allowance_on(ramp, day)
        if allowed is None:
            break
        rest -= max(allowed - (used if day == first_on else 0), 0)
        if rest <= 0:
            break
        day += dt.timedelta(days=1)
    return (day - first_on).days + 1

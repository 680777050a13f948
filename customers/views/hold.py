"""Why, and until when, promotions to a customer are held: an open complaint, the time after it, or a very unhappy letter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from customers.models import Customer, CustomerEvent, EventKind
from customers.segments.complaints import MOOD, OpenComplaint, find_open_complaints

#: The source of events that our own support writes, whose tickets have a page.
SUPPORT: Final = "support"


@dataclass(frozen=True)
class Hold:
    """`until` is the end of the time that was set after the closing, None while what holds is open; `ticket` is its number,
    0 where the shop's own system told of it; `is_mood` where nobody complained."""

    since: dt.datetime
    until: dt.datetime | None
    ticket: int
    is_mood: bool


def find_hold(customer: Customer, *, now: dt.datetime) -> Hold | None:
    """What holds longest; None where promotions may go."""
    opened = find_open_complaints(customer.pk, as_of=now)
    if not opened:
        return None
    kind = EventKind.COMPLAINT_CLOSED
    closings = list(
        CustomerEvent.objects.filter(customer=customer, kind=kind, occurred_at__gt=now).order_by("occurred_at")
    )
    holds = [_describe(event, closings) for event in opened]
    return max(holds, key=lambda hold: (hold.until is None, hold.until or hold.since, hold.since))


def _describe(opened: OpenComplaint, closings: list[CustomerEvent]) -> Hold:
    """A closing that is still to come ends it where it names the same ticket, or where one of the two names none."""
    either = (None, opened.ticket)
    ends = (one.occurred_at for one in closings if opened.ticket is None or one.properties.get("ticket") in either)
    number = (opened.ticket or "").partition(".")[0] if opened.source == SUPPORT else ""
    return Hold(opened.opened_at, next(ends, None), int(number) if number.isdecimal() else 0, opened.because == MOOD)

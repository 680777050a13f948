"""The steps of a campaign as texts and dates need them: the first message, and the follow-ups of a sequence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import FollowUp

FIRST_STEP: Final = 1
#: A sequence that needs more has lost its reader.
MOST_STEPS: Final = 8
#: Half a year: a person who waits longer is in another campaign.
LONGEST_WAIT_HOURS: Final = 24 * 180


@dataclass(frozen=True)
class Step:
    """One step. `wait_hours` is after the step before it, `only_if` of FollowUp.OnlyIf; the first waits for nothing."""

    number: int
    purpose: str = ""
    wait_hours: int = 0
    only_if: str = FollowUp.OnlyIf.ALWAYS.value

    @property
    def only_if_label(self) -> str:
        return str(FollowUp.OnlyIf(self.only_if).label)


def read_steps(campaign_id: int) -> list[Step]:
    """All steps in order; a campaign without follow-ups has one."""
    rows = FollowUp.objects.filter(campaign_id=campaign_id).order_by("number")
    return [Step(FIRST_STEP), *(Step(row.number, row.purpose, row.wait_hours, row.only_if) for row in rows)]


def find_step_moment(begins_at: dt.datetime, steps: list[Step], number: int) -> dt.datetime:
    """When a step is due at the earliest for somebody who entered at `begins_at`."""
    moment = begins_at
    for step in steps:
        if FIRST_STEP < step.number <= number:
            moment = add_wait(moment, step.wait_hours)
    return moment


def count_beyond(steps: list[Step], days: int) -> int:
    """How many steps are due only when orders are no longer counted, so many days after the first: what those do is not seen."""
    return sum(hours >= 24 * days for hours in accumulate(step.wait_hours for step in steps))


def add_wait(moment: dt.datetime, wait_hours: int) -> dt.datetime:
    """The moment after a wait. Whole days are days of the shop's calendar, so that nine o'clock stays nine o'clock when the
    clocks change; other waits are hours that pass. `wait_sql` says the same to PostgreSQL."""
    if wait_hours % 24:
        return moment + dt.timedelta(hours=wait_hours)
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    # Arithmetic on a local time is by the calendar.
    return (moment.astimezone(zone) + dt.timedelta(days=wait_hours // 24)).astimezone(dt.UTC)


def wait_sql(moment: str, hours: str) -> str:
    """`add_wait` as SQL, of two SQL expressions; NULL where either is."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE).key  # raises where there is no such zone
    return (
        f"CASE WHEN mod({hours}, 24) = 0"
        f" THEN (({moment}) AT TIME ZONE '{zone}' + make_interval(days => ({hours}) / 24)) AT TIME ZONE '{zone}'"
        f" ELSE ({moment}) + make_interval(hours => ({hours})) END"
    )

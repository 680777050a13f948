"""When each person of a campaign is written to: their own hour, outside their quiet hours, inside the window. No Django here.

People with the same zone, the same quiet hours and the same best hour are one group: a million people have a few hundred
groups, whose moments are computed here and joined to the people in SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .wall_time import QuietHours, find_zone, instant_of, span_of_wall_time

#: What stands for a time zone that there is not, such as "Mars/Olympus".
NO_ZONE = "?"
#: Of somebody whose best hour is not known.
NO_HOUR = -1


@dataclass(frozen=True)
class Schedule:
    """What was approved: the mode (of SendMode), the shop's time and zone, how many hours a message may be late.

    `zone_hours` are the hours in which most people of a time zone read, `shop_hour` that of the others, None where too few are
    known.
    """

    mode: str
    send_at: dt.datetime
    window_hours: int
    shop_zone: str
    shop_hour: int | None = None
    zone_hours: Mapping[str, int] = field(default_factory=dict)

    @property
    def wall_time(self) -> dt.datetime:
        """The day and hour as the shop's clock shows them, naive."""
        return self.send_at.astimezone(find_zone(self.shop_zone) or dt.UTC).replace(tzinfo=None)

    @property
    def window(self) -> dt.timedelta:
        return dt.timedelta(hours=self.window_hours)

    @property
    def is_personal(self) -> bool:
        return self.mode != "together"


@dataclass(frozen=True)
class PeopleGroup:
    """`zone` is "" where none is known and NO_ZONE where it is none; `quiet` as `QuietHours` writes itself, "" for none."""

    zone: str
    quiet: str
    hour: int
    people: int


@dataclass(frozen=True)
class SendTime:
    """When one group is written to. `target` is their hour, `not_before` the first moment that is not quiet, `send_by` the end
    of their window. `skip_reason` (of SkipReason) says why they are not written to at all."""

    group: PeopleGroup
    target: dt.datetime
    not_before: dt.datetime
    send_by: dt.datetime
    skip_reason: str = ""

    @property
    def waits_for_quiet(self) -> bool:
        return not self.skip_reason and self.not_before > self.target and bool(self.group.quiet)


def plan_times(schedule: Schedule, groups: Iterable[PeopleGroup], *, now: dt.datetime) -> list[SendTime]:
    """The moment of each group if the campaign is launched at `now`; those whose hour is over go at once while their window
    is open."""
    return [_plan_group(schedule, group, now) for group in groups]


def _plan_group(schedule: Schedule, group: PeopleGroup, now: dt.datetime) -> SendTime:
    zone = find_zone(group.zone) or find_zone(schedule.shop_zone) or dt.UTC
    target = _find_target(schedule, group, zone)
    send_by, begin = target + schedule.window, max(target, now)
    if group.zone == NO_ZONE and schedule.is_personal:
        return SendTime(group, target, begin, send_by, "bad_time_zone")
    if begin >= send_by:
        return SendTime(group, target, begin, send_by, "window_closed")
    quiet = QuietHours.parse(group.quiet)
    allowed = quiet.end_after(begin, zone) if quiet else begin
    return SendTime(group, target, allowed, send_by, "quiet_hours" if allowed >= send_by else "")


def _find_target(schedule: Schedule, group: PeopleGroup, zone: dt.tzinfo) -> dt.datetime:
    if not schedule.is_personal:
        return schedule.send_at
    wall = schedule.wall_time
    if schedule.mode == "best_hour":
        usual = schedule.zone_hours.get(group.zone, schedule.shop_hour)
        hour = usual if group.hour == NO_HOUR else group.hour
        wall = wall if hour is None else wall.replace(hour=hour, minute=0, second=0, microsecond=0)
    return instant_of(wall, zone)


def last_moment(schedule: Schedule) -> dt.datetime:
    """When it is too late for everybody, wherever on earth they are."""
    if not schedule.is_personal:
        return schedule.send_at + schedule.window
    wall = schedule.wall_time
    if schedule.mode == "best_hour":
        wall = max(wall, wall.replace(hour=23, minute=0, second=0, microsecond=0))
    return span_of_wall_time(wall)[1] + schedule.window

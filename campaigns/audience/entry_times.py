"""When those who enter a live campaign are written to: at once, or at their next hour, outside their quiet hours."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import replace

from django.db import connection

from campaigns.models import Arm, Campaign

from .connected import sent_channels
from .country_rules import read_country_rules
from .people import PEOPLE
from .send_groups import HOUR_SQL, HOURS_JOIN, QUIET_SQL, ZONE_SQL, group_params, make_schedule
from .send_times import PeopleGroup, Schedule, SendTime, plan_times
from .wall_time import find_zone, instant_of

#: By no clock on earth is the next time of an hour further away than this many of the shop's days.
DAYS_AHEAD = range(-1, 4)


def plan_entry_times(schedule: Schedule, groups: Iterable[PeopleGroup], *, now: dt.datetime) -> list[SendTime]:
    """The moment of each group that enters at `now`. By their own clock it is the next time of their hour, and their window
    begins with it; otherwise both begin now."""
    if not schedule.is_personal:
        return plan_times(replace(schedule, send_at=now), groups, now=now)
    return [_plan_next(schedule, group, now) for group in groups]


def read_entry_times_json(campaign: Campaign, *, now: dt.datetime) -> str:
    """For `send_groups.JOIN_TIMES_SQL`, of the treated among the judged people; "" where everybody is due at once.

    Must run in the transaction of `judge_entrants`. One query.
    """
    schedule = make_schedule(campaign)
    if not (schedule.is_personal or read_country_rules().has_quiet_hours):
        return ""
    times = plan_entry_times(schedule, _read_groups(campaign), now=now)
    if not schedule.is_personal and not any(time.skip_reason or time.not_before > now for time in times):
        return ""
    return json.dumps([_as_row(time, now) for time in times])


def _plan_next(schedule: Schedule, group: PeopleGroup, now: dt.datetime) -> SendTime:
    shop = find_zone(schedule.shop_zone) or dt.UTC
    wall, today = schedule.wall_time, now.astimezone(shop).date()
    for days in DAYS_AHEAD:
        day = dt.datetime.combine(today + dt.timedelta(days=days), wall.time())
        time = plan_times(replace(schedule, send_at=instant_of(day, shop)), [group], now=now)[0]
        if time.target >= now:
            break
    return time


def _read_groups(campaign: Campaign) -> list[PeopleGroup]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
SELECT {ZONE_SQL}, {QUIET_SQL}, {HOUR_SQL}, count(*)
FROM {PEOPLE} m CROSS JOIN LATERAL (SELECT m.channel) AS a(channel)
JOIN customers_customer c ON c.id = m.customer_id{HOURS_JOIN}
WHERE m.arm = '{Arm.TREATMENT}' AND m.channel = ANY(%(sent)s) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
            {"sent": sorted(sent_channels()), **group_params(campaign)},
        )
        return [PeopleGroup(*row) for row in cursor.fetchall()]


def _as_row(time: SendTime, now: dt.datetime) -> dict[str, str | int | None]:
    is_later = not time.skip_reason and time.not_before > now
    return {
        "zone": time.group.zone,
        "quiet": time.group.quiet,
        "hour": time.group.hour,
        "not_before": time.not_before.isoformat() if is_later else None,
        "send_by": time.send_by.isoformat(),
        "reason": time.skip_reason,
    }

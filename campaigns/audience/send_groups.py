"""Who of a campaign's people share their moment: zone, quiet hours and best hour of each, read and joined in SQL."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from django.conf import settings
from django.db import connection

from campaigns.models import Arm, Campaign, SendMode
from customers.models import ReadingPattern

from .connected import sent_channels
from .country_rules import read_country_rules
from .send_times import NO_HOUR, NO_ZONE, PeopleGroup, Schedule, SendTime, plan_times
from .wall_time import zone_names

#: SQL for the group of a row of customers_customer called c who is reached by the channel of an archetype called a. The
#: parameters are `group_params`.
ZONE_SQL: Final = f"CASE WHEN c.time_zone = '' OR c.time_zone = ANY(%(g_zones)s) THEN c.time_zone ELSE '{NO_ZONE}' END"
QUIET_SQL: Final = (
    "coalesce(%(g_quiet)s::jsonb -> a.channel ->> lower(btrim(c.country)), %(g_quiet)s::jsonb -> a.channel ->> '', '')"
)
#: Row h is there where everybody's own hour counts; of those who object to profiling since, it does not.
HOUR_SQL: Final = f"coalesce(h.hour, {NO_HOUR})"
HOURS_JOIN: Final = """
LEFT JOIN customers_readinghour h ON %(g_personal)s AND h.customer_id = c.id AND NOT EXISTS (
  SELECT 1 FROM customers_preference o WHERE o.customer_id = c.id AND o.objects_to_profiling_at IS NOT NULL
)"""

#: Finds the moment of each person: row t, all null for somebody whom `read_groups` did not see. The members are m.
JOIN_TIMES_SQL: Final = f"""
JOIN customers_customer c ON c.id = m.customer_id{HOURS_JOIN}
LEFT JOIN json_to_recordset(%(g_times)s::json)
  AS t(zone text, quiet text, hour int, not_before timestamptz, send_by timestamptz, reason text)
  ON t.zone = {ZONE_SQL} AND t.quiet = {QUIET_SQL} AND t.hour = {HOUR_SQL}"""


def make_schedule(campaign: Campaign) -> Schedule:
    """What was approved of the timing; needs `scheduled_for`."""
    assert campaign.scheduled_for is not None
    known = ReadingPattern.objects.first() if _has_hours(campaign) else None
    return Schedule(
        campaign.send_mode,
        campaign.scheduled_for,
        campaign.send_window_hours,
        settings.SHOP_TIME_ZONE,
        known.best_hour if known else None,
        known.zone_hours if known else {},
    )


def group_params(campaign: Campaign) -> dict[str, Any]:
    """The parameters of the fragments above. One small query."""
    quiet = json.dumps(read_country_rules().quiet_by_channel())
    return {"g_zones": sorted(zone_names()), "g_quiet": quiet, "g_personal": _has_hours(campaign)}


def _has_hours(campaign: Campaign) -> bool:
    return campaign.send_mode == SendMode.BEST_HOUR


def read_groups(campaign: Campaign) -> list[PeopleGroup]:
    """The treated people whom a connected channel reaches, by what their moment depends on. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
SELECT {ZONE_SQL} AS zone, {QUIET_SQL} AS quiet, {HOUR_SQL} AS hour, count(*)
FROM campaigns_audiencemember m
JOIN campaigns_archetype a ON a.id = m.archetype_id
JOIN customers_customer c ON c.id = m.customer_id{HOURS_JOIN}
WHERE m.campaign_id = %(campaign)s AND m.arm = '{Arm.TREATMENT}' AND a.channel = ANY(%(sent)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
            {"campaign": campaign.pk, "sent": sorted(sent_channels()), **group_params(campaign)},
        )
        return [PeopleGroup(*row) for row in cursor.fetchall()]


def plan_campaign(campaign: Campaign, *, now: dt.datetime) -> list[SendTime]:
    """When its people will be written to if it is launched at `now`; empty without a time."""
    if campaign.scheduled_for is None:
        return []
    return plan_times(make_schedule(campaign), read_groups(campaign), now=now)


def find_first_moment(campaign: Campaign, *, now: dt.datetime) -> dt.datetime | None:
    """When the first of its people is to be written to; its own time where all are written to together."""
    if campaign.send_mode == SendMode.TOGETHER:
        return campaign.scheduled_for
    return min((time.not_before for time in plan_campaign(campaign, now=now) if not time.skip_reason),
               default=campaign.scheduled_for)  # fmt: skip


def read_times_json(campaign: Campaign, *, now: dt.datetime | None) -> str:
    """For `JOIN_TIMES_SQL`, if it is launched at `now` (its own time where None); "" where everybody is due at once."""
    launched, is_personal = now or campaign.scheduled_for, campaign.send_mode != SendMode.TOGETHER
    if launched is None or not (is_personal or read_country_rules().has_quiet_hours):
        return ""
    times = plan_campaign(campaign, now=launched)
    if not is_personal and not any(time.skip_reason or time.not_before > launched for time in times):
        return ""
    return json.dumps([_as_row(time, launched, is_personal) for time in times])


def times_params(campaign: Campaign, times: str) -> dict[str, Any]:
    """The parameters of `JOIN_TIMES_SQL`."""
    return {"g_times": times, **group_params(campaign)}


def _as_row(time: SendTime, launched: dt.datetime, is_personal: bool) -> dict[str, Any]:
    """A moment that has come is null, and so is the window where it is the campaign's."""
    is_later = not time.skip_reason and time.not_before > launched
    return {
        "zone": time.group.zone,
        "quiet": time.group.quiet,
        "hour": time.group.hour,
        "not_before": time.not_before.isoformat() if is_later else None,
        "send_by": time.send_by.isoformat() if is_personal else None,
        "reason": time.skip_reason,
    }

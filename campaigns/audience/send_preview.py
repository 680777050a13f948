"""When a campaign's people will be written to, in figures: what Timing, Review and the API tell."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import Campaign, SendMode

from .send_groups import plan_campaign
from .send_times import NO_HOUR, SendTime
from .wall_time import find_zone


@dataclass(frozen=True)
class Ending:
    """The first or the last moment: in UTC, and as the clock there shows it (naive)."""

    at: dt.datetime
    local: dt.datetime
    zone: str


@dataclass(frozen=True)
class SendPreview:
    """`people` are written to, `waiting` of them when their quiet hours are over; of `by_shop_clock` no zone is known, of
    `without_hour` no best hour. `skips` is by SkipReason. `hours` are messages by full hour of the shop's clock."""

    people: int = 0
    first: Ending | None = None
    last: Ending | None = None
    waiting: int = 0
    by_shop_clock: int = 0
    without_hour: int = 0
    skips: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[dt.datetime, int] = field(default_factory=dict)


def preview_times(campaign: Campaign) -> SendPreview | None:
    """As it will be if it is launched in time; None without a frozen audience or a time. One query over its people."""
    if campaign.scheduled_for is None or campaign.audience_frozen_at is None:
        return None
    early = dt.timedelta(0 if campaign.send_mode == SendMode.TOGETHER else 3)
    times = plan_campaign(campaign, now=campaign.scheduled_for - early)
    going = [time for time in times if not time.skip_reason]
    if not going:
        return SendPreview(skips=_count_skips(times))
    return SendPreview(
        people=sum(time.group.people for time in going),
        first=_tell_ending(min(going, key=lambda time: time.not_before)),
        last=_tell_ending(max(going, key=lambda time: time.not_before)),
        waiting=sum(time.group.people for time in going if time.waits_for_quiet),
        by_shop_clock=sum(time.group.people for time in going if find_zone(time.group.zone) is None),
        without_hour=sum(time.group.people for time in going if time.group.hour == NO_HOUR),
        skips=_count_skips(times),
        hours=_count_by_hour(going),
    )


def _tell_ending(time: SendTime) -> Ending:
    zone = find_zone(time.group.zone) or ZoneInfo(settings.SHOP_TIME_ZONE)
    return Ending(time.not_before, time.not_before.astimezone(zone).replace(tzinfo=None), zone.key)


def _count_skips(times: Sequence[SendTime]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for time in times:
        if time.skip_reason:
            counts[time.skip_reason] += time.group.people
    return dict(counts.most_common())


def _count_by_hour(times: Sequence[SendTime]) -> dict[dt.datetime, int]:
    counts: Counter[dt.datetime] = Counter()
    for time in times:
        local = time.not_before.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE))
        counts[local.replace(minute=0, second=0, microsecond=0)] += time.group.people
    return {hour: counts[hour] for hour in sorted(counts)}

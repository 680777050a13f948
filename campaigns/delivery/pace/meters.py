"""Which limits hold for a message: each a meter that gives out one token a message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import PaceLimit, WarmUp
from customers.ingest.clock import shop_day
from customers.models import Channel

from .warm_up import allowance_on

MINUTE_S: Final = 60
HOUR_S: Final = 3600
#: A meter holds so much of its rate at most: a sweep that looks twice a second still gets all of it.
BURST_S: Final = {MINUTE_S: 2.0, HOUR_S: 60.0}
KEPT_BACK: Final = 0.99


@dataclass(frozen=True)
class Meter:
    """Holds `capacity` tokens at most and gets `per_s` a second. `day` is set for what is counted by the day: then it is never
    refilled, and begins with what that day has left."""

    key: str
    capacity: int
    per_s: float
    day: dt.date | None = None


@dataclass(frozen=True)
class PacePlan:
    """The meters of everything that leaves, and further ones by the recipient's domain. `groups` names the limit of a domain."""

    of_all: tuple[Meter, ...]
    by_group: Mapping[str, tuple[Meter, ...]] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def group_of(self, address: str) -> str:
        """The limit that the address' domain falls under, or ""."""
        return self.groups.get(address.rpartition("@")[2].lower(), "")

    def meters_for(self, address: str) -> tuple[Meter, ...]:
        return self.of_all + self.by_group.get(self.group_of(address), ())

    @property
    def meters(self) -> list[Meter]:
        return [*self.of_all, *(meter for meters in self.by_group.values() for meter in meters)]


def read_plan(*, now: dt.datetime, channel: str = Channel.EMAIL) -> PacePlan | None:
    """What holds now for what leaves by `channel`; None where nothing does, which costs two small queries a sweep."""
    limits = list(PaceLimit.objects.all())
    doors = [limit for limit in limits if limit.scope == PaceLimit.Scope.ROUTE and limit.name == channel]
    of_all = [meter for limit in doors for meter in make_meters(limit)]
    by_group: dict[str, tuple[Meter, ...]] = {}
    groups: dict[str, str] = {}
    if channel == Channel.EMAIL:
        of_all += _warm_up_meters(now)
        for limit in limits:
            if limit.scope == PaceLimit.Scope.DOMAIN:
                by_group[limit.name] = make_meters(limit)
                groups |= dict.fromkeys(limit.domains, limit.name)
    return PacePlan(tuple(of_all), by_group, groups) if of_all or by_group else None


def make_meters(limit: PaceLimit) -> tuple[Meter, ...]:
    """One for the minute, one for the hour, where they are set."""
    rates = ((MINUTE_S, limit.per_minute), (HOUR_S, limit.per_hour))
    return tuple(make_meter(f"limit:{limit.pk}:{window}", most, window) for window, most in rates if most)


def make_meter(key: str, most: int, window_s: int) -> Meter:
    """So that never more than `most` leave within any `window_s` seconds.

    With a capacity of c and a rate of r, at most c + r x window leave in a window, so r is a little less than
    (most - c + 1) / window: a message leaves some milliseconds after its token was taken.
    """
    capacity = max(1, min(most, round(most * BURST_S[window_s] / window_s)))
    return Meter(key, capacity, KEPT_BACK * (most - capacity + 1) / window_s)


def sender_domain() -> str:
    return settings.SHOP_FROM_EMAIL.rpartition("@")[2].lower()


def day_start(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.SHOP_TIME_ZONE))


def find_warm_up() -> WarmUp | None:
    """The ramp in force for the shop's sender."""
    return WarmUp.objects.select_related("started_by").filter(domain=sender_domain(), ended_at=None).first()


def _warm_up_meters(now: dt.datetime) -> list[Meter]:
    ramp, day = find_warm_up(), shop_day(now)
    allowed = allowance_on(ramp, day) if ramp is not None else None
    if ramp is None or allowed is None:
        return []
    return [Meter(f"warm-up:{ramp.pk}:{day.isoformat()}", allowed, 0.0, day)]

"""What a clock on somebody's wall shows, and when: hours of the day in a time zone, summer time and all. No Django here.

Python's zone rules are the only ones: SQL is given the moments that come out of here and compares them.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

#: The clocks of the earth that are furthest ahead and furthest behind, in hours from UTC.
FIRST_ZONE_H, LAST_ZONE_H = 14, -12


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name that is a time zone."""
    return frozenset(zoneinfo.available_timezones())


@functools.lru_cache(maxsize=1024)
def find_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of that name; None where it is none, such as "" or "UTC+8"."""
    return zoneinfo.ZoneInfo(name) if name in zone_names() else None


def instant_of(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """When a clock in `zone` shows `local` (naive), in UTC.

    An hour that comes twice (the clock is put back) counts the first time, and once. One that is left out (the clock is
    put forward) counts at the first moment after the gap, to the second.
    """
    moment = local.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return moment
    # PEP 495: in a gap fold=0 reckons with the offset before it and so comes out behind it, fold=1 before it.
    return _find_jump(local.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), moment, zone)


def _find_jump(before: dt.datetime, after: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The first second after `before` at which the zone has another offset; by halving."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + dt.timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + dt.timedelta(seconds=high)


@dataclass(frozen=True)
class QuietHours:
    """From one hour of the day to another, by the person's own clock; may run over midnight. Equal ends are no hours."""

    start: dt.time
    end: dt.time

    @classmethod
    def parse(cls, text: str) -> QuietHours | None:
        """As `str` writes it; None for ""."""
        start, _dash, end = text.partition("-")
        return cls(dt.time.fromisoformat(start), dt.time.fromisoformat(end)) if end else None

    def __str__(self) -> str:
        return f"{self.start.isoformat()}-{self.end.isoformat()}"

    def covers(self, moment: dt.datetime, zone: dt.tzinfo) -> bool:
        """Whether a clock in `zone` shows a quiet hour at that moment."""
        shown = moment.astimezone(zone).time()
        if self.start <= self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def end_after(self, moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
        """The first moment from `moment` on that is not quiet: `moment` itself, or the end of these hours."""
        return _next_showing(self.end, moment, zone) if self.covers(moment, zone) else moment

    def start_after(self, moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
        """When it becomes quiet next; `moment` itself where it is already."""
        return moment if self.covers(moment, zone) else _next_showing(self.start, moment, zone)


def _next_showing(time: dt.time, moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The first moment after `moment` at which a clock in `zone` shows `time`, the second of two equal hours included."""
    today = moment.astimezone(zone).date()
    for days in range(4):  # a zone that crosses the date line may leave out a day
        local = dt.datetime.combine(today + dt.timedelta(days=days), time)
        for found in (instant_of(local, zone), _second_instant(local, zone)):
            if found > moment:
                return found
    raise ValueError(f"no {time} after {moment}")


def _second_instant(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """When an hour that comes twice comes again; else as `instant_of`."""
    again = local.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    first = instant_of(local, zone)
    return again if again > first else first


def span_of_wall_time(local: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """When the first and when the last clock on earth shows `local`: no person's hour lies outside."""
    return tuple(
        local.replace(tzinfo=dt.timezone(dt.timedelta(hours=hours))).astimezone(dt.UTC)
        for hours in (FIRST_ZONE_H, LAST_ZONE_H)
    )  # type: ignore[return-value]

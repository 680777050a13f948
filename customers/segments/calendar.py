"""Relative and absolute time as moments and days: the shop's calendar, and the day it is where a customer lives. No framework.

Every stretch of time is `(after, upto]`: moments are kept to the microsecond, so that "from midnight on" is "after the
microsecond before midnight".
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from functools import cached_property, lru_cache

from .nodes import Day, Window

_TICK = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Calendar:
    """Now, and the shop's time zone."""

    as_of: dt.datetime
    zone: zoneinfo.ZoneInfo

    @property
    def today(self) -> dt.date:
        return self.as_of.astimezone(self.zone).date()

    def read_day(self, day: Day) -> dt.date:
        """The date that a day means in the shop's calendar."""
        return day.date or self.today + dt.timedelta(days=day.days)

    def start_of(self, date: dt.date) -> dt.datetime:
        """The shop's midnight that a day begins with."""
        return dt.datetime.combine(date, dt.time(), self.zone).astimezone(dt.UTC)

    def span(self, window: Window) -> tuple[dt.datetime | None, dt.datetime]:
        """`(after, upto]` of a window; it never reaches beyond now. `after` is None where it has no beginning."""
        if window.days is not None:
            return self.as_of - dt.timedelta(days=window.days), self.as_of
        if window.ago is not None:
            near, far = window.ago
            return self.as_of - dt.timedelta(days=far), self.as_of - dt.timedelta(days=near)
        first, last = self._period(window.period) if window.period else (window.first, window.last)
        after = self.start_of(first) - _TICK if first else None
        upto = self.start_of(last + dt.timedelta(days=1)) - _TICK if last else self.as_of
        return after, min(upto, self.as_of)

    @cached_property
    def days_elsewhere(self) -> dict[dt.date, list[str]]:
        """The time zones in which it is another day than at the shop, by that day."""
        elsewhere: dict[dt.date, list[str]] = {}
        for name in _list_zones():
            date = self.as_of.astimezone(zoneinfo.ZoneInfo(name)).date()
            if date != self.today:
                elsewhere.setdefault(date, []).append(name)
        return elsewhere

    def _period(self, period: str) -> tuple[dt.date, dt.date]:
        which, _sep, unit = period.rpartition("_")
        if not which:
            day = self.today - dt.timedelta(days=unit == "yesterday")
            return day, day
        first = _first_of(unit, self.today)
        if which == "this":
            return first, self.today
        last = first - dt.timedelta(days=1)
        return _first_of(unit, last), last


def year_days(first: dt.date, last: dt.date) -> list[str]:
    """ "MM-DD" of the days from `first` to `last`; whoever was born on 29 February has the 28th in other years."""
    days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
    found = {f"{day:%m-%d}" for day in days}
    if any((day.month, day.day) == (2, 28) and not _is_leap(day.year) for day in days):
        found.add("02-29")
    return sorted(found)


def _first_of(unit: str, day: dt.date) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@lru_cache(maxsize=1)
def _list_zones() -> tuple[str, ...]:
    return tuple(sorted(zoneinfo.available_timezones()))

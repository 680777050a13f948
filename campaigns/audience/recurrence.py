"""When a recurring campaign takes place, read from JSON and worked out on the shop's calendar. No framework, no database.

- `{"every": "day", "interval": 2, "at": "09:00"}`
- `{"every": "week", "weekdays": [0, 3], "at": "09:00"}`: Monday is 0
- `{"every": "month", "day": 31, "at": "09:00"}`: in shorter months the last day

`interval` (1 unless said) counts from the day that the campaign goes live: every second day, week or month. `at` is the
shop's time. A time that the clock skips in spring happens as much later as the clock was put forward; one that comes twice
in autumn happens the first time.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from .entry_rules import EntryRuleError, read_whole

Every = Literal["day", "week", "month"]

MOST_INTERVAL: Final = 52
#: Nobody plans further than this; it ends a search for an occurrence that never comes.
LAST_YEAR: Final = 2200

_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Recurrence:
    """Every `interval` days, weeks (on `weekdays`) or months (on `day`), `at` the shop's time."""

    every: Every
    at: dt.time
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    day: int = 1

    def list_between(
        self, after: dt.datetime, until: dt.datetime, *, anchor: dt.datetime, zone: dt.tzinfo
    ) -> list[dt.datetime]:
        """Occurrences later than `after`, up to and with `until`, none before `anchor`; in UTC, in order."""
        return list(self._walk(after, until, anchor, zone))

    def find_next(self, after: dt.datetime, *, anchor: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
        """The first occurrence later than `after`."""
        return next(self._walk(after, dt.datetime(LAST_YEAR, 1, 1, tzinfo=dt.UTC), anchor, zone), None)

    def _walk(
        self, after: dt.datetime, until: dt.datetime, anchor: dt.datetime, zone: dt.tzinfo
    ) -> Iterator[dt.datetime]:
        first = anchor.astimezone(zone).date()
        begin = max(first, after.astimezone(zone).date() - dt.timedelta(days=1))
        for day in self._days(first, begin):
            moment = dt.datetime.combine(day, self.at, tzinfo=zone).astimezone(dt.UTC)
            if moment > until:
                return
            if moment > after and moment >= anchor:
                yield moment

    def _days(self, first: dt.date, begin: dt.date) -> Iterator[dt.date]:
        if self.every == "month":
            yield from self._month_days(first, begin)
            return
        monday, day = first - dt.timedelta(days=first.weekday()), begin
        while day.year < LAST_YEAR:
            if self.every == "day":
                is_on = (day - first).days % self.interval == 0
            else:
                is_on = (day - monday).days // 7 % self.interval == 0 and day.weekday() in self.weekdays
            if is_on:
                yield day
            day += dt.timedelta(days=1)

    def _month_days(self, first: dt.date, begin: dt.date) -> Iterator[dt.date]:
        start, month = first.year * 12 + first.month - 1, begin.year * 12 + begin.month - 1
        while month < LAST_YEAR * 12:
            year, number = divmod(month, 12)
            if (month - start) % self.interval == 0:
                last = calendar.monthrange(year, number + 1)[1]
                yield dt.date(year, number + 1, min(self.day, last))
            month += 1


def parse_recurrence(tree: Any) -> Recurrence:
    """Read a recurrence. Raises EntryRuleError with the place of the first fault."""
    if not isinstance(tree, Mapping):
        raise EntryRuleError("", "not_an_object")
    every = tree.get("every")
    if every not in ("day", "week", "month"):
        raise EntryRuleError("every", "unknown_recurrence", str(every)[:40])
    own = {"week": {"weekdays"}, "month": {"day"}}.get(every, set())
    if strange := sorted(map(str, tree.keys() - {"every", "at", "interval"} - own)):
        raise EntryRuleError(strange[0][:40], "does_not_belong", every)
    at = _read_time(tree.get("at"))
    interval = read_whole(tree.get("interval", 1), "interval", low=1, high=MOST_INTERVAL)
    if every == "week":
        return Recurrence("week", at, interval, weekdays=_read_weekdays(tree.get("weekdays")))
    if every == "month":
        return Recurrence("month", at, interval, day=read_whole(tree.get("day"), "day", low=1, high=31))
    return Recurrence("day", at, interval)


def dump_recurrence(rule: Recurrence) -> dict[str, Any]:
    """The JSON that `parse_recurrence` reads back to the same rule."""
    dumped: dict[str, Any] = {"every": rule.every, "at": f"{rule.at:%H:%M}"}
    if rule.interval > 1:
        dumped["interval"] = rule.interval
    if rule.every == "week":
        dumped["weekdays"] = list(rule.weekdays)
    if rule.every == "month":
        dumped["day"] = rule.day
    return dumped


def _read_time(value: Any) -> dt.time:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise EntryRuleError("at", "not_a_time", str(value)[:40])
    return dt.time(int(found[1]), int(found[2]))


def _read_weekdays(value: Any) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value or len(value) > 7:
        raise EntryRuleError("weekdays", "no_weekday")
    return tuple(sorted({read_whole(day, "weekdays", low=0, high=6) for day in value}))

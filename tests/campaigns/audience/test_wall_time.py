"""Hours of the day in time zones: a year of daily slots over both changes of the clock, and quiet hours, against a slow truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import campaigns
from campaigns.audience.wall_time import QuietHours, find_zone, instant_of, span_of_wall_time, zone_names

#: Both hemispheres, half an hour of summer time, and one that changes the clock at midnight.
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana")
YEAR = [dt.date(2026, 1, 1) + dt.timedelta(days=day) for day in range(365)]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("clock", ["00:00", "00:30", "01:30", "02:00", "02:15", "02:59", "09:00", "23:30"])
def test_a_year_of_daily_slots_comes_once_a_day_in_order(name: str, clock: str) -> None:
    zone, time = ZoneInfo(name), dt.time.fromisoformat(clock)
    moments = [instant_of(dt.datetime.combine(day, time), zone) for day in YEAR]
    assert len(set(moments)) == 365  # none missed, none doubled
    assert [moment.astimezone(zone).date() for moment in moments] == YEAR
    gaps = [(later - earlier).total_seconds() / 3600 for earlier, later in pairwise(moments)]
    assert gaps.count(24) >= 360 and all(23 <= gap <= 25 for gap in gaps)


def test_a_slot_that_the_clock_leaves_out_comes_at_the_first_moment_after() -> None:
    new_york = ZoneInfo("America/New_York")
    for minute in (0, 1, 30, 59):
        found = instant_of(shown(f"2026-03-08 02:{minute:02}"), new_york)
        assert found.astimezone(new_york).isoformat() == "2026-03-08T03:00:00-04:00"
    assert instant_of(shown("2026-03-08 01:59"), new_york).isoformat() == "2026-03-08T06:59:00+00:00"
    assert instant_of(shown("2026-03-08 03:00"), new_york).isoformat() == "2026-03-08T07:00:00+00:00"
    # A whole day that an island left out when it crossed the date line.
    assert instant_of(shown("2011-12-30 09:00"), ZoneInfo("Pacific/Apia")).isoformat() == "2011-12-30T10:00:00+00:00"


def test_a_slot_that_comes_twice_counts_the_first_time() -> None:
    assert instant_of(shown("2026-10-25 01:30"), ZoneInfo("Europe/London")).isoformat() == "2026-10-25T00:30:00+00:00"


def test_no_statement_of_sending_reckons_with_the_databases_zone_rules() -> None:
    """PostgreSQL brings a table of time zones of its own, which is as old as its build: of two rules one would be wrong."""
    house = Path(campaigns.__file__).parent
    sources = [*house.glob("audience/send_*.py"), house / "audience/eligibility.py", *house.rglob("delivery/**/*.py")]
    assert len(sources) > 40
    assert not [source.name for source in sources if "AT TIME ZONE" in source.read_text(encoding="utf-8").upper()]


@given(
    zone=st.sampled_from([*ZONES, "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    start=st.integers(0, 95), end=st.integers(0, 95),
    day=st.integers(0, 364), minute=st.integers(0, 24 * 60 - 1),
)  # fmt: skip
def test_the_end_of_quiet_hours_is_the_first_moment_that_is_not_quiet(
    zone: str, start: int, end: int, day: int, minute: int
) -> None:
    tz, quiet = ZoneInfo(zone), QuietHours(_quarter(start), _quarter(end))
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day, minutes=minute)
    allowed, begins = quiet.end_after(moment, tz), quiet.start_after(moment, tz)
    assert not quiet.covers(allowed, tz) and allowed == _walk(moment, lambda at: not quiet.covers(at, tz))
    if start != end:
        assert begins == _walk(moment, lambda at: quiet.covers(at, tz)) or not quiet.covers(begins, tz)
        assert all(not quiet.covers(at, tz) for at in _minutes(moment, begins)) or begins == moment


def test_quiet_hours_are_kept_by_the_persons_own_clock() -> None:
    night, moment = QuietHours(dt.time(21), dt.time(8)), dt.datetime(2026, 11, 23, 12, 30, tzinfo=dt.UTC)
    assert night.end_after(moment, ZoneInfo("Europe/London")) == moment
    assert night.end_after(moment, ZoneInfo("Asia/Seoul")).isoformat() == "2026-11-23T23:00:00+00:00"
    assert night.start_after(moment, ZoneInfo("Europe/London")).isoformat() == "2026-11-23T21:00:00+00:00"
    assert QuietHours.parse(str(night)) == night and QuietHours.parse("") is None


def test_what_is_no_zone_has_none() -> None:
    assert [find_zone(name) for name in ("", "UTC+8", "Mars/Olympus", "../etc/passwd", "a\x00b", "😀")] == [None] * 6


def test_everybodys_hour_lies_between_the_first_and_the_last_clock_of_the_earth() -> None:
    wall = shown("2026-11-28 09:00")
    first, last = span_of_wall_time(wall)
    assert all(first <= instant_of(wall, ZoneInfo(name)) <= last for name in zone_names())


def shown(text: str) -> dt.datetime:
    """What a clock shows, in no zone."""
    return dt.datetime.fromisoformat(text)


def _quarter(number: int) -> dt.time:
    return dt.time(number // 4, number % 4 * 15)


def _minutes(start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    return [start + dt.timedelta(minutes=n) for n in range(int((end - start).total_seconds() // 60))]


def _walk(start: dt.datetime, is_there: Callable[[dt.datetime], bool]) -> dt.datetime:
    """The slow truth: minute by minute."""
    at = start
    while not is_there(at):
        at += dt.timedelta(minutes=1)
    return at

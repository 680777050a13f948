"""Days begin and end where they should, in shops of other time zones and in the nights in which clocks change."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from customers.models import SegmentCount
from customers.segments.calendar import Calendar
from customers.segments.nodes import Day, Window
from customers.segments.preview import count_matching
from customers.segments.rules import parse_rule
from customers.segments.sweep import sweep_segments
from customers.segments.vocabulary import PERIODS

from .arrange import make_event, make_order, make_person, make_segment

#: Clocks change at midnight (Havana, Cairo, Beirut), by half an hour (Lord Howe), south of the equator, and far from Greenwich.
ZONES = [
    "America/Havana", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "America/New_York", "Europe/London",
    "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/St_Johns", "America/Nuuk",
]  # fmt: skip
#: Each turn of the clocks with the moment around which it is watched.
NIGHTS = [
    ("America/Havana", dt.datetime(2026, 3, 8, 5, tzinfo=dt.UTC)),  # 00:00 is followed by 01:01: no midnight
    ("America/Havana", dt.datetime(2026, 11, 1, 5, tzinfo=dt.UTC)),  # 00:59 is followed by 00:00: two of them
    ("Africa/Cairo", dt.datetime(2026, 10, 29, 21, tzinfo=dt.UTC)),  # 23:59 is followed by 23:00 of the same day
]
MINUTES = st.integers(0, 21 * 366 * 24 * 60)
TICK = dt.timedelta(microseconds=1)


def _moment(minutes: int) -> dt.datetime:
    return dt.datetime(2016, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)


@given(st.sampled_from(ZONES), MINUTES, st.integers(-400, 400))
def test_every_moment_is_in_the_day_that_its_clock_shows(zone: str, minutes: int, away: int) -> None:
    where = zoneinfo.ZoneInfo(zone)
    calendar = Calendar(_moment(minutes), where)
    assert (
        calendar.start_of(calendar.today) <= calendar.as_of < calendar.start_of(calendar.today + dt.timedelta(days=1))
    )
    date = calendar.today + dt.timedelta(days=away)
    begins, ends = calendar.start_of(date), calendar.start_of(date + dt.timedelta(days=1))
    shown = [moment.astimezone(where).date() for moment in (begins, ends - TICK, begins - TICK, ends)]
    day = dt.timedelta(days=1)
    assert shown == [date, date, date - day, date + day]
    assert dt.timedelta(hours=22) < ends - begins < dt.timedelta(hours=26)


@given(st.sampled_from(ZONES), MINUTES, st.sampled_from(PERIODS))
def test_a_period_is_whole_days_and_never_beyond_now(zone: str, minutes: int, period: str) -> None:
    where = zoneinfo.ZoneInfo(zone)
    calendar = Calendar(_moment(minutes), where)
    after, upto = calendar.span(Window(period=period))
    assert after is not None
    first = after + TICK
    assert first.astimezone(where).date() != after.astimezone(where).date(), "it begins with a day"
    if period.startswith("last") or period == "yesterday":
        assert (upto + TICK).astimezone(where).date() != upto.astimezone(where).date(), "and ends with one"
        assert upto < calendar.start_of(calendar.today)
    else:
        assert upto == calendar.as_of and first.astimezone(where).date() <= calendar.today


@given(st.sampled_from(ZONES), MINUTES, st.integers(1, 3650))
def test_a_rolling_window_is_so_many_times_24_hours_whatever_clocks_do(zone: str, minutes: int, days: int) -> None:
    calendar = Calendar(_moment(minutes), zoneinfo.ZoneInfo(zone))
    after, upto = calendar.span(Window(days=days))
    assert after is not None and (upto - after, upto) == (days * dt.timedelta(hours=24), calendar.as_of)
    assert calendar.read_day(Day(days=-days)) == calendar.today - dt.timedelta(days=days)


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "turn"), NIGHTS)
def test_the_sweep_keeps_pace_through_such_a_night(settings: Settings, zone: str, turn: dt.datetime) -> None:
    """From three hours before to three after: recorded membership equals the rules."""
    settings.SHOP_TIME_ZONE = zone
    here = turn.astimezone(zoneinfo.ZoneInfo(zone)).date()
    for hours in range(-26, 4, 3):
        person = make_person(
            joined_at=turn + dt.timedelta(hours=hours),
            time_zone=["UTC", zone, "Pacific/Kiritimati", ""][hours % 4],
            attributes={"born": f"1990-{here + dt.timedelta(days=hours % 3 - 1):%m-%d}", "due": here.isoformat()},
        )
        make_order(person, turn + dt.timedelta(hours=hours))
        make_event(person, "product_viewed", turn - dt.timedelta(days=2, hours=hours), due=here.isoformat())
    rules: dict[str, Any] = {
        "joined today": {"field": "joined_on", "op": "on", "value": {"days": 0}},
        "joined since yesterday": {"field": "joined_on", "op": "between", "value": [{"days": -1}, {"days": 0}]},
        "ordered yesterday": {"did": "ordered", "window": {"period": "yesterday"}},
        "ordered this month": {"did": "ordered", "window": {"period": "this_month"}},
        "ordered within a day": {"did": "ordered", "within_days": 1},
        "last order before today": {"orders": "last", "op": "before", "value": {"days": 0}, "window": {"ever": True}},
        "birthday": {"attribute": "born", "type": "date", "op": "anniversary", "value": [0, 0]},
        "due today there": {"attribute": "due", "type": "date", "op": "on", "value": {"days": 0}},
        "saw what is due today": {"did": "viewed_product", "within_days": 9, "where": [
            {"property": "due", "type": "date", "op": "on", "value": {"days": 0}}]},
    }  # fmt: skip
    segments = [make_segment(name, rule) for name, rule in rules.items()]
    sizes = set()
    for half_hours in (-6, -1, 0, 1, 6):
        now = turn + half_hours * dt.timedelta(minutes=30)
        assert sweep_segments(now).failed == 0
        told = {count.segment_id: count.size for count in SegmentCount.objects.all()}
        expected = {segment.pk: count_matching(parse_rule(segment.rule), as_of=now) for segment in segments}
        assert told == expected, (zone, now)
        sizes.add(tuple(told.values()))
    assert len(sizes) > 2, "something moved"

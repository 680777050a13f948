"""The shapes of trigger and recurrence: read, refused with the place of the fault, written back, and on the calendar."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience.entry_rules import TRIGGER_EVENTS, EntryRuleError, dump_trigger, parse_trigger
from campaigns.audience.recurrence import Recurrence, dump_recurrence, parse_recurrence
from customers.models import EventKind

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def hours(rule: dict[str, Any], first: str, last: str, zone: ZoneInfo = LONDON, anchor: str = "") -> list[str]:
    """The occurrences of some days, in UTC."""
    after, until = (dt.datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone) for day in (first, last))
    begin = dt.datetime.fromisoformat(anchor).replace(tzinfo=zone) if anchor else START
    found = parse_recurrence(rule).list_between(after, until, anchor=begin, zone=zone)
    return [f"{moment:%m-%d %H:%M}" for moment in found]


def test_the_shops_hour_stays_when_the_clocks_change() -> None:
    daily = {"every": "day", "at": "09:00"}
    assert hours(daily, "2026-03-28", "2026-03-31") == ["03-28 09:00", "03-29 08:00", "03-30 08:00"]
    assert hours(daily, "2026-10-24", "2026-10-27") == ["10-24 08:00", "10-25 09:00", "10-26 09:00"]


def test_an_hour_that_is_skipped_comes_later_and_one_that_comes_twice_happens_once() -> None:
    at_night = {"every": "day", "at": "01:30"}
    assert hours(at_night, "2026-03-29", "2026-03-30") == ["03-29 01:30"]  # 02:30 by the new time
    assert hours(at_night, "2026-10-25", "2026-10-26") == ["10-25 00:30"]  # the first of the two
    assert hours({"every": "day", "at": "02:30"}, "2026-03-08", "2026-03-09", NEW_YORK) == ["03-08 07:30"]


def test_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    rule = {"every": "month", "day": 31, "at": "12:00"}
    found = hours(rule, "2028-01-01", "2028-05-02")
    assert found == ["01-31 12:00", "02-29 12:00", "03-31 11:00", "04-30 11:00"]


def test_every_second_week_counts_from_the_week_of_the_start() -> None:
    rule = {"every": "week", "weekdays": [0, 3], "interval": 2, "at": "09:00"}
    found = hours(rule, "2026-11-01", "2026-12-12", anchor="2026-11-12T00:00")  # a Thursday
    assert found == ["11-12 09:00", "11-23 09:00", "11-26 09:00", "12-07 09:00", "12-10 09:00"]


def test_every_second_month_and_third_day() -> None:
    assert hours({"every": "month", "day": 5, "interval": 2, "at": "09:00"}, "2026-01-01", "2026-07-01") == [
        "01-05 09:00", "03-05 09:00", "05-05 08:00",
    ]  # fmt: skip
    found = hours({"every": "day", "interval": 3, "at": "00:00"}, "2026-01-02", "2026-01-10", anchor="2026-01-02T00:00")
    assert found == ["01-05 00:00", "01-08 00:00"]


@given(
    st.sampled_from([LONDON, NEW_YORK, ZoneInfo("Asia/Shanghai"), ZoneInfo("Australia/Lord_Howe")]),
    st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: START + dt.timedelta(minutes=minutes)),
    st.sampled_from([
        {"every": "day", "at": "01:30"}, {"every": "week", "weekdays": [6], "at": "02:15"},
        {"every": "month", "day": 30, "at": "23:59"},
    ]),
)  # fmt: skip
def test_looks_in_pieces_find_what_one_look_finds(zone: ZoneInfo, begin: dt.datetime, tree: dict[str, Any]) -> None:
    rule = parse_recurrence(tree)
    steps = [begin + dt.timedelta(hours=17 * n) for n in range(80)]
    in_pieces = [
        moment
        for one, other in itertools.pairwise(steps)
        for moment in rule.list_between(one, other, anchor=begin, zone=zone)
    ]
    assert in_pieces == rule.list_between(steps[0], steps[-1], anchor=begin, zone=zone)
    assert in_pieces == sorted(set(in_pieces)) and (not in_pieces or in_pieces[0] > begin)
    assert rule.find_next(begin, anchor=begin, zone=zone) == (in_pieces or [None])[0]


@pytest.mark.parametrize(
    ("tree", "path", "code"),
    [
        ([], "", "not_an_object"),
        ({"on": "birthday"}, "on", "unknown_trigger"),
        ({"on": "segment", "days": 3}, "days", "does_not_belong"),
        ({"on": "segment", "includes_present": "yes"}, "includes_present", "not_yes_or_no"),
        ({"on": "event", "event": "email_sent"}, "event", "unknown_event"),
        ({"on": "event", "event": "cart_updated", "where": {"category": ""}}, "where.category", "not_a_text"),
        ({"on": "event", "event": "cart_updated", "max_age_hours": 0}, "max_age_hours", "not_a_whole_number"),
        ({"on": "churn", "line": 0}, "line", "not_a_probability"),
        ({"on": "churn", "line": "60%"}, "line", "not_a_probability"),
        ({"on": "overdue", "days": 400}, "days", "not_a_whole_number"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused_with_its_place(tree: Any, path: str, code: str) -> None:
    with pytest.raises(EntryRuleError) as refused:
        parse_trigger(tree)
    assert (refused.value.path, refused.value.code) == (path, code)


@pytest.mark.parametrize(
    ("tree", "path", "code"),
    [
        ({"every": "year", "at": "09:00"}, "every", "unknown_recurrence"),
        ({"every": "day", "at": "9 o'clock"}, "at", "not_a_time"),
        ({"every": "day", "at": "09:00", "day": 3}, "day", "does_not_belong"),
        ({"every": "week", "weekdays": [], "at": "09:00"}, "weekdays", "no_weekday"),
        ({"every": "week", "weekdays": [7], "at": "09:00"}, "weekdays", "not_a_whole_number"),
        ({"every": "month", "day": 32, "at": "09:00"}, "day", "not_a_whole_number"),
        ({"every": "day", "at": "09:00", "interval": 53}, "interval", "not_a_whole_number"),
    ],
)
def test_a_recurrence_that_cannot_be_is_refused_with_its_place(tree: Any, path: str, code: str) -> None:
    with pytest.raises(EntryRuleError) as refused:
        parse_recurrence(tree)
    assert (refused.value.path, refused.value.code) == (path, code)


def test_what_is_read_is_written_back_the_same() -> None:
    for tree in (
        {"on": "segment"},
        {"on": "segment", "includes_present": True},
        {"on": "event", "event": "cart_updated", "where": {"category": "Tents"}, "max_age_hours": 6},
        {"on": "churn", "line": 0.6},
        {"on": "overdue", "days": 7, "includes_present": True},
    ):
        assert dump_trigger(parse_trigger(tree)) == tree
    for tree in (
        {"every": "day", "at": "09:00", "interval": 2},
        {"every": "week", "weekdays": [0, 3], "at": "09:00"},
        {"every": "month", "day": 31, "at": "23:30"},
    ):
        assert dump_recurrence(parse_recurrence(tree)) == tree
    assert isinstance(parse_recurrence({"every": "day", "at": "09:00"}), Recurrence)


def test_every_event_that_triggers_is_a_kind_of_event() -> None:
    assert set(TRIGGER_EVENTS) <= set(EventKind.values)

"""Dates, numbers and places are read as shops mean them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.ingest.dates import find_date_order, to_utc
from customers.ingest.numbers import find_decimal_mark, to_decimal
from customers.ingest.places import guess_language, guess_time_zone

ZONES = ("Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Shanghai", "Africa/Casablanca")


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2011-07-01 09:41:00", utc(2011, 7, 1, 8, 41)),
        ("2011-01-01T09:41", utc(2011, 1, 1, 9, 41)),
        (" 2011-01-01 ", utc(2011, 1, 1)),
        ("2011-1-5 7:08", utc(2011, 1, 5, 7, 8)),
        ("12/1/10 8:26", utc(2010, 12, 1, 8, 26)),
        ("12/1/2010 8:26 PM", utc(2010, 12, 1, 20, 26)),
        ("12/1/2010 12:05 am", utc(2010, 12, 1, 0, 5)),
        ("1.12.2010", utc(2010, 12, 1)),
        ("2011-07-01T09:41:00Z", utc(2011, 7, 1, 9, 41)),
        ("2011-07-01T09:41:00.250-05:00", utc(2011, 7, 1, 14, 41, 0, 250_000)),
        ("2011-07-01 09:41:00 +0200", utc(2011, 7, 1, 7, 41)),
        ("2011-07-01 09:41:00 UTC", utc(2011, 7, 1, 9, 41)),
        ("19970101", utc(1997, 1, 1)),
        ("1291191960", utc(2010, 12, 1, 8, 26)),
        ("1291191960000", utc(2010, 12, 1, 8, 26)),
        ("2011-03-27 01:30:00", utc(2011, 3, 27, 1, 30)),  # the skipped hour: 02:30 summer time
        ("2011-10-30 01:30:00", utc(2011, 10, 30, 0, 30)),  # the doubled hour: the first one
        ("2011-02-29", None),
        ("13/13/2011", None),
        ("", None),
        ("soon", None),
    ],
)
def test_moments_are_read(text: str, moment: dt.datetime | None) -> None:
    assert to_utc(pl.Series([text, "x", None]), time_zone="Europe/London").to_list() == [moment, None, None]


@given(
    st.lists(st.datetimes(dt.datetime(1991, 1, 1), dt.datetime(2026, 1, 1)), min_size=1, max_size=30),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_local_times_mean_what_python_says(moments: list[dt.datetime], zone: str) -> None:
    moments = [moment.replace(microsecond=0) for moment in moments]
    expected = [moment.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC) for moment in moments]
    texts = [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in moments]
    assert to_utc(pl.Series(texts), time_zone=zone).to_list() == expected
    assert to_utc(pl.Series(moments), time_zone=zone).to_list() == expected


def test_the_order_of_day_and_month_is_found() -> None:
    assert find_date_order(pl.Series(["01/02/2011", "13/02/2011"])) == ("day_first", True)
    assert find_date_order(pl.Series(["01/02/2011", "02/13/2011"])) == ("month_first", True)
    assert find_date_order(pl.Series(["01/02/2011"])) == ("", True)
    assert find_date_order(pl.Series(["2011-01-02", None])) == ("", False)
    day_first = to_utc(pl.Series(["03/04/2011"]), time_zone="UTC", date_order="day_first")
    assert day_first.to_list() == [utc(2011, 4, 3)]


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("2.55", ".", "2.55"),
        (" £1,234.50", ".", "1234.5"),
        ("EUR 5", ".", "5"),
        ("-3", ".", "-3"),
        ("1,23", ".", None),
        ("abc", ".", None),
        ("1.234,50", ",", "1234.5"),
        ("2,5", ",", "2.5"),
        ("12.50", ",", None),
        ("7", ",", "7"),
    ],
)
def test_numbers_are_read(text: str, mark: str, number: str | None) -> None:
    expected = None if number is None else Decimal(number)
    assert to_decimal(pl.Series([text, "x"]), decimal_mark=mark).to_list() == [expected, None]


@given(st.decimals(-(10**9), 10**9, places=4))
def test_no_digit_is_lost(number: Decimal) -> None:
    assert to_decimal(pl.Series([str(number)]))[0] == number
    assert to_decimal(pl.Series([str(number).replace(".", ",")]), decimal_mark=",")[0] == number


def test_the_decimal_mark_is_found() -> None:
    assert find_decimal_mark(pl.Series(["2,50", "3"])) == ","
    assert find_decimal_mark(pl.Series(["2.50", "1,234", "1,234.00"])) == "."


def test_places_follow_from_countries(settings) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    assert guess_time_zone("EIRE") == "Europe/Dublin"
    assert guess_time_zone(" australia ") == "Australia/Sydney"
    assert guess_time_zone("us") == "America/New_York"
    assert guess_time_zone("Atlantis") == guess_time_zone("") == "Europe/Berlin"
    assert (guess_language("Hong Kong"), guess_language("Germany")) == ("zh", "en")

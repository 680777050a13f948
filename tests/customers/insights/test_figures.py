"""Every figure against a second one in plain Python, on random histories."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.insights.churn import build_cohort_churn, build_group_churn, measure_churn
from customers.insights.cohorts import build_cohort_table
from customers.insights.history import UNITS, History, Unit, begin_period, build_history, number_period
from customers.insights.intervals import LAST_STEP, build_intervals
from customers.insights.rfm import build_rfm_map
from customers.insights.value import build_value_distribution

from . import plain_insights as plain
from .plain_insights import PlainOrder

ZONES = ["Europe/London", "Asia/Shanghai", "America/St_Johns", "UTC"]
FIRST_AT = dt.datetime(2025, 1, 20, tzinfo=dt.UTC)
HORIZON_DAYS = 60


def make_history(orders: list[PlainOrder], as_of: dt.datetime, zone: str) -> History:
    schema = {
        "customer_id": pl.Int64, "ordered_at": pl.Datetime("us", "UTC"), "is_return": pl.Boolean, "cents": pl.Int64,
    }  # fmt: skip
    frame = pl.DataFrame([vars(order) for order in orders], schema=schema)
    return build_history(frame, as_of=as_of, zone=zone, currency="EUR")


@st.composite
def shops(draw: st.DrawFn) -> tuple[list[PlainOrder], dt.datetime, str]:
    """Orders on a grid of 7 hours over nine months, some of them returns or in another currency, and a moment in it."""
    order = st.builds(
        PlainOrder,
        customer_id=st.integers(1, 14),
        ordered_at=st.integers(0, 940).map(lambda n: FIRST_AT + dt.timedelta(hours=7 * n)),
        is_return=st.sampled_from([False, False, False, True]),
        cents=st.one_of(st.none(), st.integers(-2_000, 90_000)),
    )
    orders = draw(st.lists(order, min_size=1, max_size=60))
    as_of = FIRST_AT + dt.timedelta(hours=draw(st.integers(24, 24 * 300)))
    return orders, as_of, draw(st.sampled_from(ZONES))


@given(shops(), st.sampled_from(UNITS))
@settings(max_examples=150, deadline=None)
def test_cohorts(shop: tuple[list[PlainOrder], dt.datetime, str], unit: Unit) -> None:
    orders, as_of, zone = shop
    table = build_cohort_table(make_history(orders, as_of, zone), unit)
    found = [(cohort.starts_on, cohort.customers, list(cohort.ordered)) for cohort in table.cohorts]
    assert found == plain.count_cohorts(plain.gather(orders, as_of, zone), as_of, zone, unit)
    for place, share in enumerate(table.pooled):
        over = [row for row in found if len(row[2]) > place]
        assert (share.count, share.of) == (sum(row[2][place] for row in over), sum(row[1] for row in over))


@given(shops())
@settings(max_examples=150, deadline=None)
def test_intervals(shop: tuple[list[PlainOrder], dt.datetime, str]) -> None:
    orders, as_of, zone = shop
    customers = plain.gather(orders, as_of, zone)
    if not customers:
        return
    table = build_intervals(make_history(orders, as_of, zone), horizon_days=HORIZON_DAYS)
    last_day = (as_of - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
    for step in (table.overall, *table.steps):
        reached, again, percentiles, median = plain.describe_step(customers, last_day, step.number, LAST_STEP)
        assert (step.reached, step.again, list(step.percentiles), step.median_days) == (
            reached, again, percentiles, median,
        )  # fmt: skip
    assert len(table.steps) == min(LAST_STEP, max(len(one.days) for one in customers.values()))


@given(shops())
@settings(max_examples=150, deadline=None)
def test_the_map_of_recency_and_frequency(shop: tuple[list[PlainOrder], dt.datetime, str]) -> None:
    orders, as_of, zone = shop
    customers = plain.gather(orders, as_of, zone)
    if not customers:
        return
    found = build_rfm_map(make_history(orders, as_of, zone))
    cells = {(cell.recency, cell.frequency): (cell.customers, cell.cents) for cell in found.cells}
    assert cells == plain.map_rfm(customers, as_of)
    for bands in (found.recency, found.frequency):
        assert sum(band.customers for band in bands) == len(customers)
        assert [band.low for band in bands[1:]] == [band.high + 1 for band in bands[:-1] if band.high is not None]


@given(shops())
@settings(max_examples=150, deadline=None)
def test_the_distribution_of_value(shop: tuple[list[PlainOrder], dt.datetime, str]) -> None:
    orders, as_of, zone = shop
    customers = plain.gather(orders, as_of, zone).values()
    cents = [one.cents for one in customers if one.is_seen]
    if not cents:
        return
    found = build_value_distribution(make_history(orders, as_of, zone))
    expected = plain.measure_gini(cents)
    assert found.gini == (None if expected is None else pytest.approx(float(expected), abs=1e-9))
    assert found.revenue * 100 == sum(cents)
    ranked = sorted(cents)
    middle = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
    assert float(found.median) * 100 == pytest.approx(middle, abs=0.51)
    tenths = [(tenth.customers, int(tenth.revenue * 100)) for tenth in found.tenths]
    assert tenths == (plain.sum_tenths(cents) if len(cents) >= 10 else [])


def test_who_paid_in_other_currencies_alone_is_no_customer_who_paid_nothing() -> None:
    """Half of a shop that pays in yen made the median customer worth nought, and the others look the more unequal."""
    moment = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    seen = [PlainOrder(number, moment, False, 1_000) for number in range(10)]
    unseen = [PlainOrder(number, moment, False, None) for number in range(10, 22)]
    found = build_value_distribution(make_history([*seen, *unseen], moment + dt.timedelta(days=1), "UTC"))
    assert (found.customers, found.unseen, found.median, found.gini) == (10, 12, 10, pytest.approx(0))
    nobody = build_value_distribution(make_history(unseen, moment + dt.timedelta(days=1), "UTC"))
    assert (nobody.customers, nobody.unseen, nobody.median, nobody.mean, nobody.gini, nobody.tenths) == (
        0,
        12,
        0,
        0,
        None,
        (),
    )


@given(shops(), st.sampled_from(UNITS))
@settings(max_examples=150, deadline=None)
def test_who_left(shop: tuple[list[PlainOrder], dt.datetime, str], unit: Unit) -> None:
    orders, as_of, zone = shop
    customers = plain.gather(orders, as_of, zone)
    history = make_history(orders, as_of, zone)
    rows = build_cohort_churn(history, unit, horizon_days=HORIZON_DAYS)
    found = [(row.starts_on, row.customers, None if row.left is None else row.left.count) for row in rows]
    assert found == plain.count_left(customers, as_of, zone, unit, HORIZON_DAYS)

    since = as_of - dt.timedelta(days=HORIZON_DAYS)
    names = {key: ("", "DE", "FR")[key % 3] for key in customers if key % 5}
    groups = pl.DataFrame(
        {"customer_id": list(names), "name": list(names.values())},
        schema_overrides={"customer_id": pl.Int64, "name": pl.String},
    )
    known = {key: one for key, one in customers.items() if one.purchases[0] < since}
    whole = measure_churn(history, horizon_days=HORIZON_DAYS)
    assert (whole.of if whole else 0) == len(known)
    assert (whole.count if whole else 0) == sum(one.purchases[-1] < since for one in known.values())
    of = {name: [one for key, one in known.items() if names.get(key, "") == name] for name in ("", "DE", "FR")}
    told = {row.name: row.left for row in build_group_churn(history, groups, horizon_days=HORIZON_DAYS)}
    if of["DE"] and of["FR"]:
        assert {name: (share.count, share.of) for name, share in told.items()} == {
            name: (sum(one.purchases[-1] < since for one in members), len(members))
            for name, members in of.items()
            if members
        }
    else:
        assert told == {}


@given(st.dates(dt.date(1995, 1, 1), dt.date(2040, 1, 1)), st.sampled_from(UNITS))
def test_periods_are_the_calendars(day: dt.date, unit: Unit) -> None:
    period = number_period(day, unit)
    assert begin_period(period, unit) == plain.begin(day, unit)
    assert begin_period(period + 1, unit) == plain.follow(plain.begin(day, unit), unit)

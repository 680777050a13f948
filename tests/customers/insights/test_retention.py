"""Retention and cohorts on a shop small enough to count by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import numpy as np
import pytest
from pytest_django import Settings

from customers.ingest.clock import read_shop_clock
from customers.insights.retention import (
    RetentionRate,
    build_cohorts,
    find_change,
    measure_retention,
    read_rates,
    retention_over_time,
)
from customers.insights.timeline import read_place, read_timeline
from customers.models import Customer, CustomerEvent, Order, ensure_event_partitions

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 30, tzinfo=dt.UTC)


def _order(customer: Customer, days_ago: float, *, is_return: bool = False) -> Order:
    return Order.objects.create(
        external_id=f"{customer.external_id}-{days_ago}", customer=customer, currency="EUR", total=10,
        ordered_at=NOW - dt.timedelta(days=days_ago), is_return=is_return,
    )  # fmt: skip


def _customer(name: str, *days_ago: float) -> Customer:
    customer = Customer.objects.create(external_id=name)
    for days in days_ago:
        _order(customer, days)
    return customer


def test_those_who_bought_in_one_window_and_again_in_the_next_were_kept() -> None:
    _customer("kept", 100, 10)
    _customer("left", 120)
    _customer("new", 20)
    _customer("long gone", 400)
    measured = measure_retention(NOW, window_days=90)
    assert (measured.customers, measured.kept, measured.rate) == (2, 1, 0.5)


def test_a_return_keeps_nobody() -> None:
    customer = _customer("sent back", 100)
    _order(customer, 10, is_return=True)
    assert measure_retention(NOW).kept == 0


def test_a_shop_without_orders_has_no_rate() -> None:
    assert measure_retention(NOW).rate is None
    assert build_cohorts(NOW) == []


def test_cohorts_count_the_months_after_the_first_order() -> None:
    _customer("april and june", 75, 15)  # 16 April, 15 June
    _customer("april only", 70)  # 21 April
    _customer("june", 5)
    april, june = build_cohorts(NOW, months=4)  # on 30 June, which is not over
    assert (april.month, april.customers, april.shares) == (dt.date(2026, 4, 1), 2, (1.0, 0.0))
    assert (june.month, june.customers, june.shares) == (dt.date(2026, 6, 1), 1, (1.0,))


def test_a_month_that_still_runs_is_left_out_until_it_is_over() -> None:
    _customer("april and june", 75, 15)
    _customer("april only", 70)
    (before,), (after,) = build_cohorts(NOW), build_cohorts(NOW + dt.timedelta(days=1))
    assert (before.shares, after.shares) == ((1.0, 0.0), (1.0, 0.0, 0.5))


def test_the_months_of_cohorts_are_the_shops(settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    _customer("late on 31 May in UTC, June in Shanghai", 29.3)
    (june,) = build_cohorts(NOW, months=4)
    assert (june.month, june.shares) == (dt.date(2026, 6, 1), (1.0,))


def test_rates_over_time_and_cohorts_are_those_of_a_plain_reading() -> None:
    draw = random.Random(9)
    bought: dict[str, list[float]] = {}
    for number in range(150):
        bought[f"c{number}"] = [
            draw.choice((0, 30, 90, 180, draw.uniform(-20, 500))) for _order in range(draw.randint(1, 6))
        ]
    people = Customer.objects.bulk_create(Customer(external_id=name) for name in bought)
    Order.objects.bulk_create(
        Order(
            external_id=f"{person}-{place}", customer=person, currency="EUR", total=10, is_return=draw.random() < 0.1,
            ordered_at=NOW - dt.timedelta(days=days),
        )
        for person in people
        for place, days in enumerate(bought[person.external_id])
    )  # fmt: skip
    orders = list(Order.objects.filter(is_return=False).values_list("customer_id", "ordered_at"))
    for place, rate in enumerate(retention_over_time(NOW)):
        end = NOW - dt.timedelta(days=30 * (6 - place))
        windows = [(end - dt.timedelta(days=90 * (n + 1)), end - dt.timedelta(days=90 * n)) for n in (1, 0)]
        before, after = ({who for who, at in orders if start <= at < until} for start, until in windows)
        assert (rate.as_of, rate.customers, rate.kept) == (end, len(before), len(before & after))
        assert measure_retention(end) == rate
    firsts = {who: min(at for other, at in orders if other == who) for who, _at in orders}
    cohorts = build_cohorts(NOW, months=5)
    began = {(at.year, at.month) for at in firsts.values() if at <= NOW}
    assert [cohort.month.month for cohort in cohorts] == [month for month in (2, 3, 4, 5, 6) if (2026, month) in began]
    assert len(cohorts) > 2
    for cohort in cohorts:
        mine = {who for who, at in firsts.items() if (at.year, at.month) == (2026, cohort.month.month) and at <= NOW}
        assert cohort.customers == len(mine)
        for after, share in enumerate(cohort.shares):
            month = cohort.month.month + after
            active = {who for who, at in orders if who in mine and (at.year, at.month) == (2026, month) and at <= NOW}
            assert share == pytest.approx(len(active) / len(mine))


def test_how_alike_two_rates_move_is_counted_from_who_is_in_both() -> None:
    """Against numpy, person by person: 1 less the rate of who was kept, the rate of who was not, nothing of who is in neither."""
    draw = np.random.default_rng(4)
    for number in range(200):
        _customer(f"c{number}", *draw.uniform(0, 220, draw.integers(1, 5)))
    old, new = retention_over_time(NOW, points=2)
    places, everybody = [], list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    for rate in (old, new):
        spans = [(rate.as_of - dt.timedelta(days=90 * (n + 1)), rate.as_of - dt.timedelta(days=90 * n)) for n in (1, 0)]
        before, after = (
            np.isin(
                everybody,
                Order.objects.filter(ordered_at__gte=a, ordered_at__lt=b).values_list("customer_id", flat=True),
            )
            for a, b in spans
        )
        assert rate.rate is not None
        places.append(before * (after - rate.rate))
    assert new.tie == pytest.approx((places[0] @ places[1]) / np.linalg.norm(places[0]) / np.linalg.norm(places[1]))
    assert 0.2 < new.tie < 1 and old.tie == 0


def test_the_change_covers_the_truth_as_often_as_it_says() -> None:
    """In simulated shops in which as many stay as before; as of different people its interval would be too wide."""
    random, shops, covered, covered_apart, widths = np.random.default_rng(12), 2_000, 0, 0, []
    ends, lengths = [NOW - dt.timedelta(days=30), NOW], np.array([30, 60, 30, 60, 30])
    bounds = [NOW - dt.timedelta(days=int(days)) for days in (*lengths[::-1].cumsum()[::-1], 0)]
    for _shop in range(shops):
        rates = random.gamma(1.5, 1 / 120, 1_000)  # orders a day
        bought = random.random((5, 1_000)) < 1 - np.exp(-lengths[:, None] * rates)
        masks, numbers = np.unique(np.array([2, 4, 8, 16, 32]) @ bought, return_counts=True)
        old, new = read_rates(dict(zip(masks.tolist(), numbers.tolist(), strict=True)), bounds, ends, window_days=90)
        change, apart = find_change([old, new]), find_change([old, dataclasses.replace(new, tie=0.0)])
        assert change and apart
        covered += change.low <= 0 <= change.high
        covered_apart += apart.low <= 0 <= apart.high
        widths.append((change.high - change.low) / (apart.high - apart.low))
    assert covered / shops == pytest.approx(0.95, abs=0.015)
    assert covered_apart / shops > 0.98 and np.mean(widths) < 0.8


def test_there_is_no_change_before_there_are_two_rates() -> None:
    one = RetentionRate(NOW, 90, 10, 5)
    assert find_change([]) is None
    assert find_change([RetentionRate(NOW - dt.timedelta(days=30), 90, 0, 0), one]) is None


def test_after_a_pause_of_the_shop_no_older_change_stands_for_that_of_today() -> None:
    _customer("before", 300, 200)
    _customer("also before", 310)
    _customer("after", 20)
    rates = retention_over_time(NOW)
    assert [rate.customers for rate in rates[-3:]] == [1, 1, 0]
    assert find_change(rates) is None


def test_a_live_shop_is_looked_at_now_and_a_historic_one_as_of_its_last_order() -> None:
    customer = _customer("last", 20)
    assert read_shop_clock(NOW) == NOW
    later = NOW + dt.timedelta(days=900)
    assert read_shop_clock(later) == customer.orders.get().ordered_at + dt.timedelta(seconds=1)


def test_an_order_dated_in_the_future_does_not_move_the_clock() -> None:
    _customer("typo", 400, -500)
    assert read_shop_clock(NOW) == NOW - dt.timedelta(days=400) + dt.timedelta(seconds=1)


def test_the_time_line_mixes_orders_and_events_newest_first() -> None:
    customer = _customer("ingrid", 30, 3)
    ensure_event_partitions(dt.date(2026, 6, 1), dt.date(2026, 7, 31))
    for days, kind in ((10, "product_viewed"), (1, "complaint_opened"), (-1, "product_viewed")):
        CustomerEvent.objects.create(
            source="shop", external_id=f"e{days}", customer=customer, kind=kind,
            occurred_at=NOW - dt.timedelta(days=days),
        )  # fmt: skip
    kinds = [entry.kind for entry in read_timeline(customer, until=NOW)]
    assert kinds == ["complaint_opened", "ordered", "product_viewed", "ordered"]
    assert [entry.kind for entry in read_timeline(customer, until=NOW, family="support")] == ["complaint_opened"]
    older = read_timeline(customer, until=NOW, before=read_place((NOW - dt.timedelta(days=3)).isoformat()), size=1)
    assert [entry.kind for entry in older] == ["product_viewed"]

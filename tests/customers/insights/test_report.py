"""The figures as they are read out of the database: clock, zone, money, what is kept, and the rules of the map's cells."""

from __future__ import annotations

import datetime as dt
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from customers.ingest.currency import forget_shop_currency
from customers.ingest.schema import ImportOptions, parse_columns
from customers.insights import report
from customers.insights.churn import build_cohort_churn
from customers.insights.cohorts import build_cohort_table
from customers.insights.history import UNITS, build_history
from customers.insights.intervals import LAST_STEP, build_intervals
from customers.insights.report import choose_insights_as_of, measure_insights, read_insights, warm_insights
from customers.insights.rfm import build_rfm_map
from customers.insights.value import build_value_distribution
from customers.models import Customer, Order
from customers.scoring.history import read_history
from customers.segments.preview import count_matching
from customers.segments.rules import parse_rule

from . import plain_insights as plain
from .plain_insights import PlainOrder

NOW = dt.datetime(2026, 6, 30, 14, 20, tzinfo=dt.UTC)
UCI = (
    Path(os.environ.get("REKINDLE_SHARED_DATA", django_settings.BASE_DIR.parent / "shared" / "data"))
    / "online_retail_uci"
    / "online_retail.parquet"
)


@pytest.fixture(autouse=True)
def shop_of_euros(settings: Settings, db: None) -> None:
    settings.SHOP_TIME_ZONE = "Europe/London"
    forget_shop_currency()


def order(name: str, at: dt.datetime, total: str = "10.00", *, currency: str = "EUR", is_return: bool = False) -> Order:
    customer, _made = Customer.objects.get_or_create(external_id=name)
    return Order.objects.create(
        external_id=f"{name}-{at.isoformat()}-{is_return}", customer=customer, currency=currency,
        total=Decimal(total), ordered_at=at, is_return=is_return,
    )  # fmt: skip


def days_ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def test_figures_are_counted_before_anybody_opens_the_page() -> None:
    assert not warm_insights(NOW)
    order("anna", days_ago(40))
    order("anna", days_ago(10))

    assert warm_insights(NOW)
    assert not warm_insights(NOW)
    with CaptureQueriesContext(connection) as asked:
        assert read_insights(NOW) is not None
    assert not any("total * 100" in query["sql"] for query in asked)
    assert len(asked) < 6
    assert warm_insights(NOW + dt.timedelta(days=1))
    order("bo", days_ago(3))
    assert warm_insights(NOW)


def test_two_workers_do_not_count_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    order("anna", days_ago(40))
    tried: list[bool] = []
    count = report.measure_insights

    def count_and_look(**what: Any) -> report.Insights | None:
        tried.append(warm_insights(NOW))
        return count(**what)

    monkeypatch.setattr(report, "measure_insights", count_and_look)
    assert warm_insights(NOW)
    assert tried == [False]


def test_a_shop_without_orders_has_no_figures() -> None:
    assert read_insights(NOW) is None
    order("sent back only", days_ago(3), "-5.00", is_return=True)
    assert read_insights(NOW) is None


def test_one_order_is_told_without_a_crash() -> None:
    order("ingrid", days_ago(40), "25.00")
    found = read_insights(NOW)
    assert found is not None
    assert (found.reading.customers, found.value.customers, found.value.tenths) == (1, 1, ())
    assert found.intervals.overall.percentiles == () and found.intervals.overall.median_days is None
    assert (len(found.rfm.recency), len(found.rfm.frequency)) == (1, 1)
    assert found.churn_by_country == ()


def test_a_live_shop_counts_complete_days_of_its_own_zone() -> None:
    order("yesterday", dt.datetime(2026, 6, 29, 22, 30, tzinfo=dt.UTC))  # 23:30 in London
    order("today", dt.datetime(2026, 6, 29, 23, 30, tzinfo=dt.UTC))  # half past midnight there
    assert choose_insights_as_of(NOW) == dt.datetime(2026, 6, 29, 23, 0, tzinfo=dt.UTC)
    found = read_insights(NOW)
    assert found is not None and found.reading.customers == 1
    assert found.reading.last_on == dt.date(2026, 6, 29)


def test_a_historic_shop_is_looked_at_as_of_its_last_order() -> None:
    last = order("long ago", days_ago(900)).ordered_at
    assert choose_insights_as_of(NOW) == last + dt.timedelta(seconds=1)


def test_a_late_order_in_june_of_london_belongs_to_june() -> None:
    order("ingrid", dt.datetime(2026, 4, 30, 23, 30, tzinfo=dt.UTC))  # the first of May in London
    found = read_insights(NOW)
    assert found is not None
    assert [cohort.starts_on for cohort in found.cohorts["month"].cohorts] == [dt.date(2026, 5, 1)]


def test_returns_lessen_money_and_other_currencies_are_left_out_and_said() -> None:
    for day in (50, 40, 30):
        order("ingrid", days_ago(day), "100.00")
    order("ingrid", days_ago(20), "-30.50", is_return=True)
    order("ingrid", days_ago(10), "999.00", currency="USD")
    found = read_insights(NOW)
    assert found is not None
    assert found.value.revenue == Decimal("269.50")
    assert (found.reading.purchases, found.reading.returns, found.reading.other_currency) == (4, 1, 1)
    assert found.intervals.overall.again == 3


def test_what_is_counted_is_kept_until_there_is_a_new_order() -> None:
    order("ingrid", days_ago(40))
    first = read_insights(NOW)
    Customer.objects.update(country="DE")  # read by the counting only
    assert read_insights(NOW) == first
    order("jon", days_ago(30))
    again = read_insights(NOW)
    assert first is not None and again is not None
    assert (first.reading.customers, again.reading.customers) == (1, 2)


def test_each_cell_of_the_map_is_a_segment_of_the_same_size() -> None:
    drawn = random.Random(5)
    for number in range(60):
        for _ in range(drawn.choice([1, 1, 1, 2, 3, 5, 8])):
            order(f"c{number}", NOW - dt.timedelta(minutes=drawn.randrange(5_000, 500_000)))
    as_of = choose_insights_as_of(NOW)
    found = read_insights(NOW)
    assert found is not None and len(found.rfm.cells) > 10
    for cell in found.rfm.cells:
        rule = parse_rule(found.rfm.rule(cell.recency, cell.frequency))
        assert count_matching(rule, as_of=as_of) == cell.customers


def test_the_query_that_is_shown_reads_what_was_counted() -> None:
    for day in (70, 40):
        order("ingrid", days_ago(day), "12.34")
    found = read_insights(NOW)
    assert found is not None
    with connection.cursor() as cursor:
        cursor.execute(found.reading.query)
        rows = cursor.fetchall()
    assert [row[3] for row in rows] == [1234, 1234]


def test_countries_and_channels_are_compared_where_there_are_two() -> None:
    for number, (country, channel) in enumerate([("DE", "ads"), ("DE", "search"), ("FR", "ads")]):
        order(f"c{number}", days_ago(200 - number))
        Customer.objects.filter(external_id=f"c{number}").update(country=country, attributes={"channel": channel})
    order("c2", days_ago(1))
    found = read_insights(NOW)
    assert found is not None
    assert {row.name: (row.left.count, row.left.of) for row in found.churn_by_country} == {"DE": (2, 2), "FR": (0, 1)}
    assert {row.name for row in found.churn_by_channel} == {"ads", "search"}


@pytest.mark.slow
@pytest.mark.skipif(not UCI.is_file(), reason="the UCI shop is not here; set REKINDLE_SHARED_DATA to its folder")
def test_the_uci_shop_a_second_time() -> None:
    columns = (
        "order=InvoiceNo,product=StockCode,name=Description,quantity=Quantity,at=InvoiceDate,price=UnitPrice,"
        "customer=CustomerID"
    )
    options = ImportOptions(columns=parse_columns(columns), currency="GBP", time_zone="Europe/London")
    orders = read_history(UCI, options, now=NOW).shop.orders.select(
        "customer_id", "ordered_at", "is_return", cents=(pl.col("total") * 100).round().cast(pl.Int64)
    )
    as_of, zone = dt.datetime(2011, 12, 1, tzinfo=dt.UTC), "Europe/London"
    history = build_history(orders, as_of=as_of, zone=zone, currency="GBP")
    customers = plain.gather([PlainOrder(*row) for row in orders.iter_rows()], as_of, zone)
    assert history.customers.height == len(customers) > 4_000
    for unit in UNITS:
        found = [(c.starts_on, c.customers, list(c.ordered)) for c in build_cohort_table(history, unit).cohorts]
        assert found == plain.count_cohorts(customers, as_of, zone, unit)
        left = [
            (row.starts_on, row.customers, None if row.left is None else row.left.count)
            for row in build_cohort_churn(history, unit, horizon_days=90)
        ]
        assert left == plain.count_left(customers, as_of, zone, unit, 90)
    table = build_intervals(history, horizon_days=90)
    for step in (table.overall, *table.steps):
        expected = plain.describe_step(customers, dt.date(2011, 11, 30), step.number, LAST_STEP)
        assert (step.reached, step.again, list(step.percentiles), step.median_days) == expected
    cells = {(cell.recency, cell.frequency): (cell.customers, cell.cents) for cell in build_rfm_map(history).cells}
    assert cells == plain.map_rfm(customers, as_of)
    value = build_value_distribution(history)
    cents = [one.cents for one in customers.values()]
    assert [(t.customers, int(t.revenue * 100)) for t in value.tenths] == plain.sum_tenths(cents)
    assert value.gini == pytest.approx(_gini_by_sorting(cents), abs=1e-12)


def _gini_by_sorting(cents: list[int]) -> float:
    """The area between the Lorenz curve and the diagonal, by trapezoids: all pairs would be sixteen million."""
    paid = sorted(max(0, value) for value in cents)
    area, running = 0.0, 0
    for value in paid:
        area += (running + value / 2) / len(paid)
        running += value
    return 1 - 2 * area / running


def test_measuring_says_nothing_where_nothing_was_bought() -> None:
    assert measure_insights(as_of=NOW, zone="UTC", currency="EUR", model_days=None) is None

"""A count that takes too long is estimated from some customers, with an interval, and says so."""

from __future__ import annotations

import datetime as dt
import random
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.scoring.proportion import wilson_interval
from customers.segments import estimating
from customers.segments.compiler import CompiledQuery, compile_rule
from customers.segments.estimating import LINES, NARROWED, Estimate, draw_customers, estimate_query, preview_quickly
from customers.segments.preview import count_query
from customers.segments.rules import parse_rule
from tests.customers.segments.coverage import draw_everything
from tests.customers.segments.random_shops import make_shop
from tests.customers.segments.random_trees import draw_leaf

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SLOW = CompiledQuery("SELECT c.id AS customer_id FROM customers_customer c WHERE pg_sleep(0.3) IS NOT NULL", {})
NORWAY = {"field": "country", "op": "is", "value": "Norway"}


def _make_people(number: int) -> None:
    """Three of ten live in Norway; every second number belongs to nobody, as after merges."""
    Customer.objects.bulk_create(
        Customer(id=1_000_000 + 2 * i, source="shop", external_id=f"c{i}", country="Norway" if i % 10 < 3 else "China")
        for i in range(number)
    )


def _query() -> CompiledQuery:
    return compile_rule(parse_rule(NORWAY), as_of=NOW)


def test_what_is_counted_in_time_is_exact() -> None:
    _make_people(20)
    found = preview_quickly(_query(), total=100_000, patience_ms=60_000)
    assert not isinstance(found, Estimate)
    assert (found.size, len(found.sample)) == (6, 6)


def test_what_takes_too_long_is_asked_of_some() -> None:
    _make_people(1)
    found = preview_quickly(SLOW, total=100_000, patience_ms=10)
    assert isinstance(found, Estimate)
    assert (found.size, found.asked, len(found.sample)) == (100_000, 1, 1)


def test_what_would_take_too_long_by_its_plan_is_not_even_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    _make_people(20)
    monkeypatch.setattr(estimating, "TOO_DEAR", 1)
    with CaptureQueriesContext(connection) as asked:
        found = preview_quickly(_query(), total=100_000, patience_ms=60_000)
    assert isinstance(found, Estimate) and found.asked == 20
    assert not any("count(*)" in query["sql"] for query in asked)


def test_a_small_shop_is_counted_however_long_it_takes() -> None:
    _make_people(1)
    found = preview_quickly(SLOW, total=1, patience_ms=10)
    assert not isinstance(found, Estimate)
    assert found.size == 1


def test_waiting_ends_no_other_statement_and_settings_are_as_before() -> None:
    _make_people(2)
    with connection.cursor() as cursor:
        before = {}
        for name in ("statement_timeout", "enable_nestloop"):
            cursor.execute("SELECT current_setting(%s)", [name])
            before[name] = cursor.fetchone()[0]
        preview_quickly(_query(), total=100_000, patience_ms=60_000)
        estimate_query(_query(), total=2)
        for name, value in before.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            assert cursor.fetchone()[0] == value


def test_an_estimate_holds_the_truth_and_shows_people_who_are_meant() -> None:
    _make_people(1_000)
    found = estimate_query(_query(), total=1_000, drawn=200, seed=7)
    assert found.low <= 300 <= found.high
    assert found.low <= found.size <= found.high
    assert {person.country for person in found.sample} == {"Norway"}
    assert estimate_query(_query(), total=1_000, drawn=200, seed=7) == found, "the same people on every call"


def test_everybody_is_asked_where_there_are_few() -> None:
    _make_people(50)
    found = estimate_query(_query(), total=50)
    assert (found.size, found.asked) == (15, 50)


def test_whatever_a_rule_asks_is_asked_of_some_as_it_is_of_all() -> None:
    """And of a table with a row or more for each customer, nobody else's rows are read."""
    draw, people = random.Random(7), 24
    make_shop(draw, now=NOW, people=people)
    catalogues = {"customers_product", "customers_suppression", "customers_suppresseddomain"}
    for tree in draw_everything(draw, draw_leaf):
        query = compile_rule(parse_rule(tree), as_of=NOW)
        assert estimate_query(query, total=people).size == count_query(query), tree
        tables = set(re.findall(r"\bcustomers_[a-z]+", query.sql))
        assert tables <= {*NARROWED, LINES, *catalogues}, tree


def test_numbers_that_belong_to_nobody_are_not_drawn() -> None:
    _make_people(500)
    drawn = draw_customers(100, seed=3)
    assert len(drawn) >= 75
    assert Customer.objects.filter(pk__in=drawn).count() == len(drawn)
    assert drawn == sorted(set(drawn))


def test_a_shop_without_customers_has_an_estimate_too() -> None:
    found = estimate_query(_query(), total=0)
    assert (found.size, found.low, found.high, found.asked) == (0, 0, 0, 0)


def test_the_interval_holds_the_share_as_often_as_it_says() -> None:
    """Of 2,000 draws of 400 from a tenth, 95 % of the intervals hold it: 1,900, give or take three standard errors."""
    draw = random.Random(20260301)
    held = 0
    for _ in range(2_000):
        low, high = wilson_interval(sum(draw.random() < 0.1 for _ in range(400)), 400)
        held += low <= 0.1 <= high
    assert 1_860 <= held <= 1_940
    assert wilson_interval(0, 4_000)[1] == pytest.approx(0.00096, abs=1e-5)

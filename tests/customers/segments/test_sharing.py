"""Rows that several conditions ask for are read once, and each customer is still judged by each condition alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from customers.models import Customer, Order, Product
from customers.segments.compiler import compile_rule
from customers.segments.preview import preview_rule
from customers.segments.rules import parse_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ORDERS, EVENTS = "FROM customers_order o", "FROM customers_customerevent e"
BIG = {"orders": "average", "op": "gte", "value": 100, "within_days": 730}
QUIET = {"field": "recency_days", "op": "between", "value": [60, 180]}
NEVER_LATELY = {"did": "ordered", "op": "lte", "times": 0, "within_days": 120}
TENTS: dict[str, Any] = {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 30, "category": "Tents"}
SOCKS = TENTS | {"category": "Socks"}


def _any(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "any", "rules": list(rules)}


def _all(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "all", "rules": list(rules)}


def _count_reads(tree: dict[str, Any], table: str) -> int:
    return compile_rule(parse_rule(tree), as_of=NOW).sql.count(table)


def test_alternatives_over_orders_read_the_orders_once() -> None:
    assert _count_reads(_any(QUIET, _all(BIG, NEVER_LATELY)), ORDERS) == 1


def test_what_holds_for_everybody_reads_them_with_the_alternatives() -> None:
    often = {"field": "orders_count", "op": "gte", "value": 2}
    assert _count_reads(_all(often, _any(QUIET, _all(BIG, NEVER_LATELY))), ORDERS) == 1


def test_measures_of_different_times_that_hold_together_are_one_reading() -> None:
    rich = {"field": "total_spent", "op": "gte", "value": 500}
    assert _count_reads(_all(BIG, rich), ORDERS) == 1


def test_the_same_kind_of_event_in_the_same_time_is_read_once() -> None:
    assert _count_reads(_any(TENTS, SOCKS), EVENTS) == 1
    assert _count_reads({"match": "none", "rules": [TENTS, SOCKS]}, EVENTS) == 1


def test_questions_that_an_index_answers_are_not_made_one_large_reading() -> None:
    other = {"did": "ordered", "op": "gte", "times": 1, "within_days": 7}
    assert _count_reads(_any(other, QUIET), ORDERS) > 1


def test_each_person_is_judged_by_their_own_alternative() -> None:
    quiet, big, lately, small = (_make_person(name) for name in ("quiet", "big", "lately", "small"))
    _order(quiet, days=90, total=10)
    _order(big, days=300, total=150)
    _order(lately, days=300, total=150)
    _order(lately, days=10, total=150)
    _order(small, days=300, total=20)
    _make_person("nobody")
    found = preview_rule(parse_rule(_any(QUIET, _all(BIG, NEVER_LATELY))), as_of=NOW)
    assert {person.external_id for person in found.sample} == {"quiet", "big"}
    others = preview_rule(parse_rule({"match": "none", "rules": [QUIET, _all(BIG, NEVER_LATELY)]}), as_of=NOW)
    assert {person.external_id for person in others.sample} == {"lately", "small", "nobody"}


def test_the_sum_of_no_order_with_a_discount_is_nothing() -> None:
    person = _make_person("pays in full")
    for days in (10, 20):
        _order(person, days=days, total=80)
    little = {"orders": "sum", "op": "lte", "value": 50, "within_days": 365, "discount": "with"}
    often = {"orders": "count", "op": "gte", "value": 2, "within_days": 365}
    assert preview_rule(parse_rule(_all(little, often)), as_of=NOW).size == 1


def _make_person(name: str) -> Customer:
    return Customer.objects.create(source="shop", external_id=name)


def _order(person: Customer, *, days: int, total: int) -> None:
    Product.objects.get_or_create(sku="T1", defaults={"name": "Tent", "category": "Tents"})
    Order.objects.create(
        external_id=f"{person.external_id}-{days}", customer=person, ordered_at=NOW - dt.timedelta(days=days),
        currency="EUR", total=total,
    )  # fmt: skip

"""The SQL of a rule finds the same people as a plain reading of it, person by person."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models.expressions import RawSQL

from customers.ingest.currency import forget_shop_currency
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerEvent,
    InterestProfile,
    ModelVersion,
    Order,
    OrderLine,
    Product,
    Score,
    SegmentRevision,
    ensure_event_partitions,
)
from customers.segments.compiler import compile_rule
from customers.segments.editing import save_segment
from customers.segments.evidence import explain
from customers.segments.names import read_names
from customers.segments.preview import count_matching, preview_rule
from customers.segments.rules import Behaviour, Condition, Group, Rule, parse_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
COUNTRIES = ["Norway", "China", ""]
LANGUAGES = ["en", "zh-hans", "de"]


@pytest.fixture
def people() -> list[Customer]:
    """Sixty customers whose every trait is drawn, so that a drawn rule splits them."""
    draw = random.Random(20260301)
    forget_shop_currency()
    ensure_event_partitions(dt.date(2025, 1, 1), dt.date(2026, 4, 1))
    tents = Product.objects.create(sku="T1", name="Tent", category="tents")
    socks = Product.objects.create(sku="S1", name="Socks", category="socks")
    model = ModelVersion.objects.create(
        version=1, estimator="x", horizon_days=90, trained_at=NOW, data_from=NOW, data_until=NOW, artifact=b""
    )
    people = [_make_person(draw, number, model, [tents, socks]) for number in range(60)]
    return people


def _make_person(draw: random.Random, number: int, model: ModelVersion, products: list[Product]) -> Customer:
    person = Customer.objects.create(
        external_id=f"c{number}",
        country=draw.choice(COUNTRIES),
        language=draw.choice(LANGUAGES),
        joined_at=draw.choice([None, NOW - dt.timedelta(days=draw.randint(1, 400))]),
    )
    for order_number in range(draw.randint(0, 4)):
        order = Order.objects.create(
            external_id=f"{number}-{order_number}", customer=person, currency=draw.choice(["EUR", "EUR", "EUR", "JPY"]),
            total=draw.randint(-40, 200),
            ordered_at=NOW - dt.timedelta(days=draw.randint(-20, 300)), is_return=draw.random() < 0.2,
        )  # fmt: skip
        OrderLine.objects.create(order=order, position=1, product=draw.choice(products), quantity=1, unit_price=9)
    for event_number in range(draw.randint(0, 6)):
        CustomerEvent.objects.create(
            source="t", external_id=f"{number}-{event_number}", customer=person,
            occurred_at=NOW - dt.timedelta(days=draw.randint(-20, 300)),
            kind=draw.choice(["product_viewed", "complaint_opened", "complaint_closed", "email_opened"]),
            properties=draw.choice([{}, {"category": "tents"}, {"ticket": "a"}, {"ticket": "b"}]),
        )  # fmt: skip
    if draw.random() < 0.8:
        Score.objects.create(
            customer=person, model=model, as_of=NOW, churn_probability=draw.choice([None, draw.random()]),
            expected_value=draw.randint(0, 200), expected_orders=draw.random(), interest=draw.choice(["tents", ""]),
            main_reason=draw.choice(["rhythm", ""]),
        )  # fmt: skip
    if draw.random() < 0.7:
        shares = draw.choice([[], [("tents", 0.7), ("socks", 0.3)], [("tents", 0.8), ("socks", 0.2)], [("socks", 1.0)]])
        InterestProfile.objects.create(
            customer=person, as_of=NOW, price_band=draw.choice(["low", "high", ""]),
            categories=[{"category": category, "share": share} for category, share in shares],
            brands=draw.choice([[], [{"brand": "Hoar", "share": 0.8}, {"brand": "Fellwork", "share": 0.2}]]),
            topics=draw.choice([[], [{"topic": "need:gift", "times": 2}, {"topic": "need:price", "times": 1}]]),
        )  # fmt: skip
    for _ in range(draw.randint(0, 2)):
        ConsentRecord.objects.create(
            customer=person, status=draw.choice(["given", "withdrawn"]), legal_basis="consent", source="t",
            recorded_at=NOW - dt.timedelta(days=draw.randint(-5, 100)),
        )  # fmt: skip
    return person


def _ids(rule: Rule) -> set[int]:
    query = compile_rule(rule, as_of=NOW)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        return {row[0] for row in cursor.fetchall()}


RULES: list[dict[str, Any]] = [
    {"field": "churn_probability", "op": "gte", "value": 0.5},
    {"field": "churn_probability", "op": "between", "value": [0.2, 0.7]},
    {"field": "expected_value", "op": "lte", "value": 90},
    {"field": "expected_orders", "op": "gte", "value": 0.5},
    {"field": "interest", "op": "is", "value": "tents"},
    {"field": "interest", "op": "is_not", "value": "tents"},
    {"field": "main_reason", "op": "in", "value": ["rhythm"]},
    {"field": "interested_in", "op": "is", "value": "tents"},
    {"field": "interested_in", "op": "in", "value": ["tents", "socks"]},
    {"field": "interested_in", "op": "is_not", "value": "socks"},
    {"field": "likes_brand", "op": "is", "value": "Hoar"},
    {"field": "likes_brand", "op": "in", "value": ["Hoar", "Fellwork"]},
    {"field": "likes_brand", "op": "is_not", "value": "Fellwork"},
    {"field": "price_level", "op": "is", "value": "high"},
    {"field": "price_level", "op": "is_not", "value": "high"},
    {"field": "writes_about", "op": "is", "value": "need:gift"},
    {"field": "writes_about", "op": "is_not", "value": "need:gift"},
    {"field": "recency_days", "op": "gte", "value": 60},
    {"field": "recency_days", "op": "lte", "value": 60},
    {"field": "recency_days", "op": "between", "value": [30, 90]},
    {"field": "orders_count", "op": "gte", "value": 2},
    {"field": "orders_count", "op": "lte", "value": 0},
    {"field": "total_spent", "op": "between", "value": [50, 200]},
    {"field": "country", "op": "in", "value": ["Norway", "China"]},
    {"field": "country", "op": "is_not", "value": "Norway"},
    {"field": "language", "op": "is", "value": "zh"},
    {"field": "language", "op": "is_not", "value": "zh"},
    {"field": "customer_for_days", "op": "gte", "value": 100},
    {"field": "has_email_consent", "op": "is", "value": True},
    {"field": "has_email_consent", "op": "is", "value": False},
    {"field": "has_open_complaint", "op": "is", "value": True},
    {"did": "ordered", "op": "gte", "times": 2, "within_days": 200},
    {"did": "ordered", "op": "lte", "times": 0, "within_days": 90},
    {"did": "ordered", "op": "gte", "times": 1, "within_days": 200, "category": "tents"},
    {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 200, "category": "tents"},
    {"did": "opened_email", "op": "lte", "times": 1, "within_days": 300},
]


def test_the_database_finds_whom_a_plain_reading_finds(people: list[Customer]) -> None:
    nested = [
        {"match": "any", "rules": [{"match": "all", "rules": RULES[start : start + 2]}, RULES[-start - 1]]}
        for start in range(len(RULES) - 2)
    ]
    sizes = set()
    for tree in [*RULES, *nested]:
        rule = parse_rule(tree)
        expected = {person.pk for person in people if _means(rule, person)}
        assert _ids(rule) == expected, tree
        assert count_matching(rule, as_of=NOW) == len(expected)
        sizes.add(len(expected))
    assert len(sizes) > 10, "rules that all find the same people would prove nothing"


def test_a_person_sees_which_conditions_they_meet(people: list[Customer]) -> None:
    rule = parse_rule({"match": "all", "rules": [RULES[0], RULES[13]]})
    for person in people[:10]:
        _head, *lines = explain(rule, person, as_of=NOW, names=read_names(rule))
        assert [line.is_met for line in lines] == [_means(child, person) for child in rule.rules]


def test_a_person_sees_the_orders_that_a_condition_counts() -> None:
    forget_shop_currency()
    ana = Customer.objects.create(external_id="ana")
    for number, (is_return, code) in enumerate([(False, "SPRING"), (False, ""), (False, ""), (True, ""), (True, "")]):
        Order.objects.create(
            external_id=str(number), customer=ana, currency="EUR", total=-20 if is_return else 20,
            ordered_at=NOW - dt.timedelta(days=10 + number), is_return=is_return, discount_code=code,
        )  # fmt: skip
    count = {"orders": "count", "op": "gte", "value": 1, "within_days": 90}
    rule = parse_rule({"match": "all", "rules": [count, {**count, "kind": "returned"}, {**count, "code": "SPRING"}]})
    _head, *lines = explain(rule, ana, as_of=NOW, names=read_names(rule))
    assert [line.has for line in lines] == ["3 orders in that time", "2 orders in that time", "1 order in that time"]


def test_a_sample_is_the_same_on_every_call(people: list[Customer]) -> None:
    rule = parse_rule({"field": "country", "op": "is", "value": "Norway"})
    first = preview_rule(rule, as_of=NOW, size=3).sample
    assert len(first) == 3
    assert first == preview_rule(rule, as_of=NOW, size=3).sample


def test_saving_the_same_rule_twice_makes_one_revision(marketer: User) -> None:
    segment = save_segment(marketer, name="Quiet", rule=RULES[0], now=NOW)
    save_segment(marketer, name="Gone quiet", rule=RULES[0], now=NOW, segment=segment)
    assert SegmentRevision.objects.count() == 1
    changed = save_segment(marketer, name="Gone quiet", rule=RULES[1], now=NOW, segment=segment)
    assert (changed.number, SegmentRevision.objects.count()) == (2, 2)


def test_only_those_with_the_right_save_a_segment(approver: User) -> None:
    for user in (approver, AnonymousUser()):
        with pytest.raises(PermissionDenied):
            save_segment(user, name="Quiet", rule=RULES[0], now=NOW)


def _means(rule: Rule, person: Customer) -> bool:
    if isinstance(rule, Group):
        return (all if rule.match == "all" else any)(_means(child, person) for child in rule.rules)
    if isinstance(rule, Behaviour):
        return _meets_behaviour(rule, person)
    return _meets_condition(rule, person)


def _meets_behaviour(rule: Behaviour, person: Customer) -> bool:
    since, category = NOW - dt.timedelta(days=rule.window.days), rule.ware.category
    if rule.did == "ordered":
        done = [
            order for order in person.orders.filter(is_return=False)
            if since < order.ordered_at <= NOW
            and (not category or any(line.product.category == category for line in order.lines.all() if line.product))
        ]  # fmt: skip
        count = len(done)
    else:
        kind = {"viewed_product": "product_viewed", "opened_email": "email_opened"}[rule.did]
        count = sum(
            1 for event in person.events.filter(kind=kind)
            if since < event.occurred_at <= NOW and (not category or event.properties.get("category") == category)
        )  # fmt: skip
    return count >= rule.times if rule.op == "gte" else count <= rule.times


def _meets_condition(condition: Condition, person: Customer) -> bool:
    fact, value = _fact(condition.field.key, person), condition.value
    if condition.field.key in {"interested_in", "likes_brand", "writes_about"}:
        wanted = value if isinstance(value, tuple) else (value,)
        return any(item in fact for item in wanted) != (condition.op == "is_not")
    if condition.op == "is_not":
        return fact != value
    if fact is None:
        return False
    if condition.op == "is":
        return bool(fact == value)
    if isinstance(value, tuple):
        return fact in value if condition.op == "in" else value[0] <= fact <= value[1]
    return fact >= value if condition.op == "gte" else fact <= value


def _fact(key: str, person: Customer) -> Any:
    orders = [order for order in person.orders.all() if order.ordered_at <= NOW]
    bought = [order.ordered_at for order in orders if not order.is_return]
    score = Score.objects.filter(customer=person).first()
    if key == "recency_days":
        return (NOW - max(bought)).total_seconds() / 86400 if bought else None
    if key == "customer_for_days":
        return (NOW - person.joined_at).total_seconds() / 86400 if person.joined_at else None
    if key == "has_email_consent":
        records = sorted(
            (record.recorded_at, record.pk, record.status)
            for record in person.consents.all() if record.recorded_at <= NOW
        )  # fmt: skip
        return bool(records) and records[-1][2] == "given"
    if key == "has_open_complaint":
        return _has_open_complaint(person)
    if key in {"interested_in", "likes_brand", "price_level", "writes_about"}:
        return _interest(key, InterestProfile.objects.filter(customer=person).first())
    plain = {
        "orders_count": len(bought),
        "total_spent": sum(order.total for order in orders if order.currency == "EUR"),
        "country": person.country,
        "language": person.language.split("-")[0],
    }
    return plain[key] if key in plain else getattr(score, key, None)


def _interest(key: str, profile: InterestProfile | None) -> Any:
    if key == "price_level":
        return (profile.price_band or None) if profile else None
    if profile is None:
        return []
    if key == "writes_about":
        return [row["topic"] for row in profile.topics]
    if key == "likes_brand":
        return [row["brand"] for row in profile.brands if row["share"] >= 0.25]
    return [row["category"] for row in profile.categories if row["share"] >= 0.25]


def _has_open_complaint(person: Customer) -> bool:
    """Walks the log in time and keeps the tickets that are open; "" is a complaint that names none."""
    rank = {"complaint_opened": 0, "complaint_closed": 1}
    cases = [event for event in person.events.all() if event.kind in rank and event.occurred_at <= NOW]
    still_open: set[str] = set()
    for event in sorted(cases, key=lambda event: (event.occurred_at, rank[event.kind])):
        ticket = event.properties.get("ticket", "")
        if event.kind == "complaint_opened":
            still_open.add(ticket)
        else:
            still_open = {other for other in still_open if ticket and other and other != ticket}
    return bool(still_open)


def test_a_query_says_the_same_with_names_and_in_order(people: list[Customer]) -> None:
    for tree in RULES:
        query = compile_rule(parse_rule(tree), as_of=NOW)
        by_name = set(Customer.objects.raw(query.sql.replace("c.id AS customer_id", "c.id", 1), query.params))
        by_order = set(Customer.objects.filter(pk__in=RawSQL(*query.as_positional())))
        assert by_name == by_order

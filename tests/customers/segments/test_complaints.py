"""When a complaint is open: stories of one ticket or two, told in the order in which the shop wrote them down."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.db import connection

from customers.models import Customer, CustomerEvent, ensure_event_partitions
from customers.segments.complaints import open_complaint_sql
from customers.segments.preview import matches
from customers.segments.rules import parse_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

#: (what happened, days ago, ticket) in the order of recording, and whether a complaint is open now.
STORIES = {
    "nothing happened": ([], False),
    "opened": ([("opened", 9, "a")], True),
    "opened and closed": ([("opened", 9, "a"), ("closed", 2, "a")], False),
    "the closing was written down first": ([("closed", 2, "a"), ("opened", 9, "a")], False),
    "closed twice": ([("opened", 9, "a"), ("closed", 5, "a"), ("closed", 2, "a")], False),
    "closed twice, another still open": (
        [("opened", 9, "a"), ("closed", 5, "a"), ("closed", 2, "a"), ("opened", 8, "b")], True
    ),
    "opened twice, closed once": ([("opened", 9, "a"), ("opened", 8, "a"), ("closed", 2, "a")], False),
    "opened anew": ([("opened", 9, "a"), ("closed", 5, "a"), ("opened", 2, "a")], True),
    "opened anew and closed again": (
        [("opened", 9, "a"), ("closed", 5, "a"), ("opened", 3, "a"), ("closed", 1, "a")], False
    ),
    "opened anew, written down before its first closing": (
        [("opened", 9, "a"), ("opened", 2, "a"), ("closed", 5, "a")], True
    ),
    "another ticket was closed": ([("opened", 9, "a"), ("closed", 2, "b")], True),
    "closed in the second in which it was opened": ([("opened", 9, "a"), ("closed", 9, "a")], False),
    "a closing before any opening": ([("closed", 9, "a"), ("opened", 2, "a")], True),
    "a closing that names no ticket closes all": ([("opened", 9, "a"), ("opened", 8, "b"), ("closed", 2, "")], False),
    "a complaint that names no ticket": ([("opened", 9, ""), ("closed", 2, "a")], False),
    "closed only tomorrow": ([("opened", 9, "a"), ("closed", -1, "a")], True),
    "opened only tomorrow": ([("opened", -1, "a")], False),
}  # fmt: skip


@pytest.fixture
def customer(db: None) -> Customer:
    ensure_event_partitions(dt.date(2026, 1, 1), dt.date(2026, 4, 1))
    return Customer.objects.create(external_id="c1")


@pytest.mark.parametrize("story", STORIES)
def test_a_complaint_is_open_until_its_ticket_is_closed(customer: Customer, story: str) -> None:
    happened, is_open = STORIES[story]
    for what, days_ago, ticket in happened:
        write(customer, what, days_ago, ticket)
    assert ask(customer) is is_open
    assert ask(customer, of_everybody=False) is is_open
    for value in (True, False):
        rule = parse_rule({"field": "has_open_complaint", "op": "is", "value": value})
        assert matches(rule, customer, as_of=NOW) is (value is is_open)


def test_the_complaints_of_others_do_not_count(customer: Customer) -> None:
    other = Customer.objects.create(external_id="c2")
    write(customer, "opened", 9, "a")
    write(other, "closed", 2, "a")
    assert (ask(customer), ask(other)) == (True, False)


def test_the_order_of_recording_never_matters(customer: Customer) -> None:
    draw = random.Random(20261123)
    for _story in range(12):
        events = [
            (draw.choice(["opened", "closed"]), draw.randint(1, 30), draw.choice("ab"))
            for _ in range(draw.randint(1, 6))
        ]
        answers = set()
        for _turn in range(3):
            CustomerEvent.objects.all().delete()
            draw.shuffle(events)
            for what, days_ago, ticket in events:
                write(customer, what, days_ago, ticket)
            answers.add(ask(customer))
        assert len(answers) == 1, events


def ask(customer: Customer, *, of_everybody: bool = True) -> bool:
    is_open = open_complaint_sql("c", as_of="%(now)s", of_everybody=of_everybody)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {is_open} FROM customers_customer c WHERE c.id = %(id)s", {"now": NOW, "id": customer.pk}
        )
        return bool(cursor.fetchone()[0])


def write(customer: Customer, what: str, days_ago: int, ticket: str) -> None:
    CustomerEvent.objects.create(
        source="shop", external_id=str(CustomerEvent.objects.count()), occurred_at=NOW - dt.timedelta(days=days_ago),
        customer=customer, kind=f"complaint_{what}", properties={"ticket": ticket} if ticket else {},
    )  # fmt: skip


def test_a_statement_about_few_people_reads_no_complaints_of_others() -> None:
    ensure_event_partitions(dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    # Enough of them, whatever the planner remembers of the tables of other tests.
    Customer.objects.bulk_create(Customer(external_id=f"few-{number}", email="x@y.test") for number in range(2_000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    assert ("hashed SubPlan" in explain(of_everybody=True), "hashed SubPlan" in explain(of_everybody=False)) == (
        True,
        False,
    )


def explain(*, of_everybody: bool) -> str:
    """The plan for what the planner takes for many people; the dear index makes it hash where it may."""
    is_open = open_complaint_sql("c", as_of="%(now)s", of_everybody=of_everybody)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            f"EXPLAIN (VERBOSE) SELECT CASE WHEN c.email = '' THEN false ELSE {is_open} END FROM customers_customer c",
            {"now": NOW},
        )
        return "\n".join(row[0] for row in cursor.fetchall())

"""Random trees over random small shops: the compiled SQL finds whom a plain reading of the tree finds, without exception.

First come leaves that ask everything the vocabulary has, each kind, operator, window and channel; then trees of them.
`RULES=2000 ./rekindle test -s tests/customers/segments/test_against_plain_reading.py` holds 2,000 of them and prints how often
each thing was asked; without it, it is a size that a run of all tests can bear.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from customers.segments.compiler import compile_rule
from customers.segments.contradictions import _flatten, _judge_together
from customers.segments.nodes import Group, Rule
from customers.segments.rules import dump_rule, parse_rule
from customers.segments.wording import describe_rule
from tests.customers.segments.coverage import draw_everything, list_everything, list_nestings, name_parts
from tests.customers.segments.plain_rules import Reader
from tests.customers.segments.random_shops import make_shop
from tests.customers.segments.random_trees import draw_leaf, draw_tree

TREES_PER_SHOP = 50
PEOPLE = 24
CASES = int(os.environ.get("RULES", "200"))
#: Where the shop is, and when: around a change of clocks, a leap day, a turn of the year, and late in a day that is another
#: one elsewhere. Havana has a day in spring without a midnight and one in autumn with two; Cairo has one that ends twice.
MOMENTS = [
    ("Europe/London", dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)),
    ("America/Havana", dt.datetime(2026, 3, 8, 5, 0, tzinfo=dt.UTC)),
    ("Europe/London", dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)),
    ("Pacific/Auckland", dt.datetime(2028, 2, 28, 23, 30, tzinfo=dt.UTC)),
    ("America/Havana", dt.datetime(2026, 11, 1, 4, 30, tzinfo=dt.UTC)),
    ("Asia/Kathmandu", dt.datetime(2025, 12, 31, 18, 20, tzinfo=dt.UTC)),
    ("Africa/Cairo", dt.datetime(2026, 10, 29, 21, 30, tzinfo=dt.UTC)),
    ("Europe/London", dt.datetime(2026, 7, 15, 10, 30, tzinfo=dt.UTC)),
    ("Australia/Lord_Howe", dt.datetime(2026, 4, 4, 15, 10, tzinfo=dt.UTC)),
]


@pytest.mark.django_db
def test_the_database_finds_whom_a_plain_reading_finds(settings: Settings) -> None:
    draw = random.Random(int(os.environ.get("RULES_SEED", "20260301")))
    sizes: list[float] = []
    asked = Counter[str]()
    for number in range(-(-CASES // TREES_PER_SHOP)):
        settings.SHOP_TIME_ZONE, now = MOMENTS[number % len(MOMENTS)]
        with transaction.atomic():
            reader = Reader(make_shop(draw, now=now, people=PEOPLE), now)
            trees = [draw_tree(draw, depth=draw.choice([0, 1, 2, 3, 4])) for _ in range(TREES_PER_SHOP)]
            for tree in trees if number else [*draw_everything(draw, draw_leaf), *trees]:
                rule = _try_one(tree, reader)
                sizes.append(len(reader.find(rule)) / PEOPLE)
                asked.update(name_parts(rule))
            transaction.set_rollback(True)
    assert sum(0 < size < 1 for size in sizes) > len(sizes) * 0.5, "rules that mean everybody or nobody prove little"
    assert not (list_everything() | list_nestings()) - asked.keys()
    if "RULES" in os.environ:
        print(*(f"{times:>6} {what}" for what, times in sorted(asked.items())), f"{len(sizes)} trees", sep="\n")


def _try_one(tree: dict[str, Any], reader: Reader) -> Rule:
    rule = parse_rule(tree)
    query = compile_rule(rule, as_of=reader.now)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        found = [row[0] for row in cursor.fetchall()]
    expected = reader.find(rule)
    assert len(found) == len(set(found)), f"somebody twice: {tree}"
    assert set(found) == expected, (
        f"{tree} at {reader.now} in {reader.shop.zone}: too many {sorted(set(found) - expected)},"
        f" too few {sorted(expected - set(found))}"
    )
    if isinstance(rule, Group) and rule.match == "all":
        told = list(_judge_together(list(_flatten(rule, ""))))
        assert not (told and expected), (
            f"{tree} is met by {sorted(expected)}, though it is said that nobody can: {told}"
        )
    assert parse_rule(dump_rule(rule)) == rule
    assert describe_rule(rule)
    return rule

"""Who a rule means right now: how many, some of them, and why one person is in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from customers.models import Customer

from .compiler import compile_rule
from .rules import Group, Rule
from .wording import describe_rule


@dataclass(frozen=True)
class Clause:
    """One condition of a rule, in words, and whether a person meets it."""

    sentence: str
    is_met: bool
    depth: int


def count_matching(rule: Rule, *, as_of: dt.datetime) -> int:
    """How many customers `rule` means at `as_of`."""
    query = compile_rule(rule, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query.sql}) m", query.params)
        return int(cursor.fetchone()[0])


def sample_matching(rule: Rule, *, as_of: dt.datetime, size: int = 8) -> list[Customer]:
    """Up to `size` of them with their scores; the same ones on every call."""
    query = compile_rule(rule, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"{query.sql} ORDER BY c.id LIMIT %(size)s", {**query.params, "size": size})
        ids = [row[0] for row in cursor.fetchall()]
    return list(Customer.objects.filter(pk__in=ids).select_related("score").order_by("pk"))


def matches(rule: Rule, customer: Customer, *, as_of: dt.datetime) -> bool:
    """Whether `rule` means this one customer."""
    query = compile_rule(rule, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"{query.sql} AND c.id = %(customer)s", {**query.params, "customer": customer.pk})
        return cursor.fetchone() is not None


def explain_membership(rule: Rule, customer: Customer, *, as_of: dt.datetime, depth: int = 0) -> list[Clause]:
    """Each condition of `rule` in words with whether `customer` meets it."""
    if isinstance(rule, Group):
        return [
            clause
            for child in rule.rules
            for clause in explain_membership(child, customer, as_of=as_of, depth=depth + isinstance(child, Group))
        ]
    return [Clause(describe_rule(rule), matches(rule, customer, as_of=as_of), depth)]

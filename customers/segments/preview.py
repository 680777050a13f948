"""Who a rule means right now: how many, some of them, and whether one person is in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from customers.models import Customer

from .compiler import CompiledQuery, compile_rule
from .nodes import Rule


@dataclass(frozen=True)
class Preview:
    """How many customers a rule means, and some of them with their scores."""

    size: int
    sample: list[Customer]


def preview_rule(rule: Rule, *, as_of: dt.datetime, size: int = 8) -> Preview:
    """The exact count and up to `size` people, the same ones on every call, out of one run of the rule."""
    return preview_query(compile_rule(rule, as_of=as_of), size=size)


def preview_query(query: CompiledQuery, *, size: int = 8) -> Preview:
    """The same of a rule that is compiled already."""
    sql = (
        f"WITH meant AS MATERIALIZED ({query.sql}) SELECT (SELECT count(*) FROM meant),"
        " ARRAY(SELECT customer_id FROM meant ORDER BY customer_id LIMIT %(size)s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {**query.params, "size": size})
        count, ids = cursor.fetchone()
    return Preview(int(count), list(Customer.objects.filter(pk__in=ids).select_related("score").order_by("pk")))


def count_matching(rule: Rule, *, as_of: dt.datetime) -> int:
    """How many customers `rule` means at `as_of`."""
    return count_query(compile_rule(rule, as_of=as_of))


def count_query(query: CompiledQuery) -> int:
    """The same of a rule that is compiled already."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query.sql}) m", query.params)
        return int(cursor.fetchone()[0])


def matches(rule: Rule, customer: Customer, *, as_of: dt.datetime) -> bool:
    """Whether `rule` means this one customer."""
    query = compile_rule(rule, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"{query.sql} AND c.id = %(customer)s", {**query.params, "customer": customer.pk})
        return cursor.fetchone() is not None

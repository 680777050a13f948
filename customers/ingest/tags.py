"""Puts a word of the staff's to many customers, or takes it away: one statement for any number of them."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from customers.models import Customer


def tag_customers(customers: QuerySet[Customer], tag: str) -> int:
    """Put `tag` to all of them; returns how many did not have it. Safe to run twice."""
    sql, params = customers.select_related(None).order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO customers_customertag (tag, customer_id) SELECT %s, found.id FROM ({sql}) AS found(id)"
            " ON CONFLICT (customer_id, tag) DO NOTHING",
            [tag, *params],
        )
        return int(cursor.rowcount)


def untag_customers(customers: QuerySet[Customer], tag: str) -> int:
    """Take `tag` away from all of them; returns how many had it. Safe to run twice."""
    sql, params = customers.select_related(None).order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_customertag t WHERE t.tag = %s"
            f" AND t.customer_id IN (SELECT found.id FROM ({sql}) AS found(id))",
            [tag, *params],
        )
        return int(cursor.rowcount)

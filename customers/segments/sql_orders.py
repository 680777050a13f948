"""SQL of the conditions about orders, as sets of people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from .nodes import Condition, Orders, Value, Ware, Window
from .sql import Builder, People
from .sql_values import compare_moments, compare_numbers


def order_rows(window: Window, ware: Ware, builder: Builder, *, columns: str = "") -> str:
    """Orders, no returns, in a window, each once; with a ware those that have a line of it."""
    return (
        f"SELECT o.customer_id{columns} FROM customers_order o WHERE NOT o.is_return"
        f" AND {builder.within('o.ordered_at', *builder.calendar.span(window))}{_has_line(ware, builder, '>')}"
    )


def line_rows(after: Any, upto: Any, ware: Ware, builder: Builder) -> str:
    """What was bought, line by line, with columns customer_id, sku and at."""
    return (
        "SELECT o.customer_id, p.sku, o.ordered_at AS at FROM customers_order o"
        " JOIN customers_orderline l ON l.order_id = o.id AND l.quantity > 0 JOIN customers_product p ON p.id = l.product_id"
        f" WHERE NOT o.is_return AND {builder.within('o.ordered_at', after, upto)}{ware_sql(ware, builder)}"
    )


def ware_sql(ware: Ware, builder: Builder) -> str:
    """What is asked of a product `p`, as further conditions."""
    asked = (("p.sku", ware.product), ("p.category", ware.category), ("p.brand", ware.brand))
    return "".join(f" AND {column} = {builder.bind(text)}" for column, text in asked if text)


def orders_people(rule: Orders, builder: Builder) -> tuple[People, bool]:
    """Those for whom the measure holds, or those for whom it does not where it holds of somebody without any order."""
    is_money = rule.measure in ("sum", "average", "largest")
    rows = _measured_rows(rule, builder, is_money=is_money)
    holds = _measure_sql(rule, builder)
    return _measured(rows, holds, rule, of_nothing=0 if rule.measure in ("count", "sum") else None)


def totals_people(rule: Condition, builder: Builder) -> tuple[People, bool]:
    """`orders_count`, and `total_spent`: what was paid less what went back, in the shop's currency: pounds and yen cannot be
    added up."""
    measure, only = "count(*)", "NOT o.is_return"
    if rule.field.key == "total_spent":
        measure, only = "sum(r.total)", f"o.currency = {builder.bind(builder.currency)}"
    rows = f"SELECT o.customer_id, o.total FROM customers_order o WHERE {only} AND o.ordered_at <= {builder.as_of}"
    holds = compare_numbers(measure, rule.op, rule.value, builder)
    return _measured(rows, holds, rule, of_nothing=0)


def quiet_people(rule: Condition, builder: Builder) -> list[tuple[People, bool]]:
    """Days since the last order; a customer without one matches nothing. No order after a moment and one before it: nobody's
    orders have to be put in order."""
    low, high = _bounds(rule)
    as_of, parts = builder.calendar.as_of, []
    if high is not None:
        since = as_of - dt.timedelta(days=high, microseconds=1)
        parts.append((_ordered(since, as_of, builder), True))
    if low is not None:
        since = as_of - dt.timedelta(days=low)
        parts.append((_ordered(since, as_of, builder), False))
        if high is None:
            parts.append((_ordered(None, since, builder), True))
    return parts


def _ordered(after: dt.datetime | None, upto: dt.datetime, builder: Builder) -> People:
    within = builder.within("o.ordered_at", after, upto)
    return People(f"SELECT o.customer_id FROM customers_order o WHERE NOT o.is_return AND {within}")


def _bounds(rule: Condition) -> tuple[float | None, float | None]:
    value: Any = rule.value
    if isinstance(value, tuple):
        return float(value[0]), float(value[1])
    return (float(value), None) if rule.op == "gte" else (None, float(value))


def _measured_rows(rule: Orders, builder: Builder, *, is_money: bool) -> str:
    returned = rule.kind == "returned"
    sign, negative = ("<", "-") if returned else (">", "")
    is_return = "o.is_return" if returned else "NOT o.is_return"
    only = f"{is_return} AND {builder.within('o.ordered_at', *builder.calendar.span(rule.window))}"
    only += _discount_sql(rule, builder)
    if not is_money:
        line = _has_line(rule.ware, builder, sign)
        return f"SELECT o.customer_id, o.ordered_at AS at FROM customers_order o WHERE {only}{line}"
    only += f" AND o.currency = {builder.bind(builder.currency)}"
    if not rule.ware:
        return f"SELECT o.customer_id, {negative}o.total AS amount FROM customers_order o WHERE {only}"
    return (
        f"SELECT o.customer_id, sum({negative}l.quantity * l.unit_price) AS amount FROM customers_order o"
        f" JOIN customers_orderline l ON l.order_id = o.id AND l.quantity {sign} 0"
        f" JOIN customers_product p ON p.id = l.product_id WHERE {only}{ware_sql(rule.ware, builder)}"
        " GROUP BY o.id, o.customer_id"
    )


def _measure_sql(rule: Orders, builder: Builder) -> str:
    if rule.measure in ("first", "last"):
        edge = "min(r.at)" if rule.measure == "first" else "max(r.at)"
        return compare_moments(edge, rule.op, rule.value, builder)
    measure = {"count": "count(*)", "sum": "sum(r.amount)", "average": "avg(r.amount)", "largest": "max(r.amount)"}
    return compare_numbers(measure[rule.measure], rule.op, rule.value, builder)


def _discount_sql(rule: Orders, builder: Builder) -> str:
    if rule.code:
        return f" AND o.discount_code = {builder.bind(rule.code)}"
    used = "(o.discount > 0 OR o.discount_code <> '')"
    return {"with": f" AND {used}", "without": f" AND NOT {used}", "": ""}[rule.discount]


def _has_line(ware: Ware, builder: Builder, sign: str) -> str:
    if not ware:
        return ""
    return (
        " AND EXISTS (SELECT 1 FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id"
        f" WHERE l.order_id = o.id AND l.quantity {sign} 0{ware_sql(ware, builder)})"
    )


def _measured(rows: str, holds: str, rule: Orders | Condition, *, of_nothing: int | None) -> tuple[People, bool]:
    """Those of whom a measure holds. Where it holds of people without a row, those of whom it does not: everybody else is meant.
    One order or more, and none, need no counting."""
    measure = rule.field.key if isinstance(rule, Condition) else rule.measure
    if measure in ("count", "orders_count") and (rule.op, rule.value) in (("gte", 1), ("lte", 0)):
        return People(rows), rule.op == "gte"
    if of_nothing is not None and _holds_of_zero(rule.op, rule.value):
        return People(rows, having=f"NOT ({holds})"), False
    return People(rows, having=holds), True


def _holds_of_zero(op: str, value: Value) -> bool:
    if isinstance(value, tuple):
        low: Any = value[0]
        high: Any = value[1]
        return bool(low <= 0 <= high)
    number: Any = value
    return bool(number <= 0 if op == "gte" else number >= 0)

"""SQL of the conditions about orders, as sets of people."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from .nodes import Condition, Orders, Value, Ware, Window
from .sql import Builder, People
from .sql_values import compare_moments, compare_numbers


def order_rows(window: Window, ware: Ware, builder: Builder, *, columns: str = "") -> str:
    """Orders, no returns, in a window, each once; with a ware those that have a line of it."""
    return (
        f"SELECT o.customer_id{columns} FROM customers_order o WHERE NOT o.is_return"
        f" AND {builder.within('o.ordered_at', *builder.calendar.span(window))}{_has_line(ware, builder)}"
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
    of_nothing = 0 if rule.measure in ("count", "sum") else None
    if rule.ware:
        return _measured(_rows_of_ware(rule, builder), _measure_sql(rule, builder), rule, of_nothing=of_nothing)
    base, only = _base_rows(rule, builder), " AND ".join(_asked_of_orders(rule, builder)) or "true"
    rows = f"SELECT r.* FROM ({base}) r WHERE {only}"
    people, is_in = _measured(rows, _measure_sql(rule, builder), rule, of_nothing=of_nothing)
    holds = _measure_sql(rule, builder, only=only)
    return replace(people, base=base, shared=holds if is_in else f"({holds}) IS NOT TRUE"), is_in


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


def _base_rows(rule: Orders, builder: Builder, *, with_id: bool = False) -> str:
    """All orders, or all returns, of the window."""
    columns = "o.id, o.customer_id" if with_id else "o.customer_id"
    is_return, sign = ("o.is_return", "-") if rule.kind == "returned" else ("NOT o.is_return", "")
    return (
        f"SELECT {columns}, o.ordered_at AS at, {sign}o.total AS amount, o.currency, o.discount, o.discount_code"
        f" FROM customers_order o WHERE {is_return} AND {builder.within('o.ordered_at', *builder.calendar.span(rule.window))}"
    )


def _asked_of_orders(rule: Orders, builder: Builder) -> list[str]:
    """What is asked of single orders, of the rows of `_base_rows`. Amounts are of the shop's currency: others cannot be added."""
    asked = []
    if rule.measure in ("sum", "average", "largest"):
        asked.append(f"r.currency = {builder.bind(builder.currency)}")
    used = "(r.discount > 0 OR r.discount_code <> '')"
    if rule.code:
        asked.append(f"r.discount_code = {builder.bind(rule.code)}")
    elif rule.discount:
        asked.append(used if rule.discount == "with" else f"NOT {used}")
    return asked


def _rows_of_ware(rule: Orders, builder: Builder) -> str:
    """The orders that have a line of the ware, each once, with what its lines are worth."""
    sign, negative = ("<", "-") if rule.kind == "returned" else (">", "")
    only = "".join(f" AND {asked}" for asked in _asked_of_orders(rule, builder))
    return (
        f"SELECT r.customer_id, r.at, sum({negative}l.quantity * l.unit_price) AS amount"
        f" FROM ({_base_rows(rule, builder, with_id=True)}) r JOIN customers_orderline l ON l.order_id = r.id"
        f" AND l.quantity {sign} 0 JOIN customers_product p ON p.id = l.product_id"
        f" WHERE true{only}{ware_sql(rule.ware, builder)} GROUP BY r.id, r.customer_id, r.at"
    )


def _measure_sql(rule: Orders, builder: Builder, *, only: str = "") -> str:
    """The comparison; `only` of the rows of a group count."""
    measure = {
        "count": "count(*)", "sum": "sum(r.amount)", "average": "avg(r.amount)", "largest": "max(r.amount)",
        "first": "min(r.at)", "last": "max(r.at)",
    }[rule.measure]  # fmt: skip
    if only:
        measure += f" FILTER (WHERE {only})"
    if rule.measure in ("first", "last"):
        return compare_moments(measure, rule.op, rule.value, builder)
    return compare_numbers(measure, rule.op, rule.value, builder)


def _has_line(ware: Ware, builder: Builder) -> str:
    if not ware:
        return ""
    return (
        " AND EXISTS (SELECT 1 FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id"
        f" WHERE l.order_id = o.id AND l.quantity > 0{ware_sql(ware, builder)})"
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

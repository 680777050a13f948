"""SQL of the conditions about orders, as sets of people."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any, Final

from .nodes import Condition, Orders, Value, Ware, Window
from .sql import Builder, People
from .sql_values import compare_moments, compare_numbers
from .tallies import Tally, measure

#: Every order and return, as what is asked of the rows of a person.
_ORDERS: Final = (
    "SELECT o.id, o.customer_id, o.ordered_at AS at, o.total AS amount, o.currency, o.discount, o.discount_code, o.is_return"
    " FROM customers_order o"
)
_BOUGHT: Final = "NOT r.is_return"
_tally: Final = partial(Tally, _ORDERS, is_wide=True)


def order_rows(window: Window, ware: Ware, builder: Builder) -> str:
    """Orders, no returns, in a window that have a line of a ware, each once."""
    return (
        f"SELECT o.customer_id FROM customers_order o WHERE NOT o.is_return"
        f" AND {builder.within('o.ordered_at', *builder.calendar.span(window))} AND EXISTS (SELECT 1 FROM customers_orderline l"
        f" JOIN customers_product p ON p.id = l.product_id WHERE l.order_id = o.id AND l.quantity > 0{ware_sql(ware, builder)})"
    )


def order_people(window: Window, times: int, builder: Builder) -> People:
    """Those who ordered so often in a window, whatever it was."""
    limit = builder.bind(times) if times > 1 else ""
    holds = (lambda only: f"{measure('count(*)', only)} >= {limit}") if limit else None
    return builder.count_people(_tally(*builder.calendar.span(window), (_BOUGHT,), holds))


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
    if rule.ware:
        return _measured(_rows_of_ware(rule, builder), _compare_measure(rule, builder, ""), rule)
    asked = tuple(_asked_of_orders(rule, builder))
    holds = partial(_compare_measure, rule, builder)
    return _tallied(_tally(*builder.calendar.span(rule.window), asked, holds), rule, builder)


def totals_people(rule: Condition, builder: Builder) -> tuple[People, bool]:
    """`orders_count`, and `total_spent`: what was paid less what went back, in the shop's currency: pounds and yen cannot be
    added up."""
    amount, asked = "count(*)", _BOUGHT
    if rule.field.key == "total_spent":
        amount, asked = "sum(r.amount)", f"r.currency = {builder.bind(builder.currency)}"

    def holds(only: str) -> str:
        return compare_numbers(measure(amount, only), rule.op, rule.value, builder)

    return _tallied(_tally(None, builder.calendar.as_of, (asked,), holds), rule, builder)


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
    return builder.count_people(_tally(after, upto, (_BOUGHT,)))


def _bounds(rule: Condition) -> tuple[float | None, float | None]:
    value: Any = rule.value
    if isinstance(value, tuple):
        return float(value[0]), float(value[1])
    return (float(value), None) if rule.op == "gte" else (None, float(value))


def _asked_of_orders(rule: Orders, builder: Builder) -> list[str]:
    """What is asked of single rows of orders. Amounts are of the shop's currency: others cannot be added up."""
    asked = ["r.is_return" if rule.kind == "returned" else _BOUGHT]
    if rule.measure in ("sum", "average", "largest"):
        asked.append(f"r.currency = {builder.bind(builder.currency)}")
    used = "(r.discount > 0 OR r.discount_code <> '')"
    if rule.code:
        asked.append(f"r.discount_code = {builder.bind(rule.code)}")
    elif rule.discount:
        asked.append(used if rule.discount == "with" else f"NOT {used}")
    return asked


def _rows_of_ware(rule: Orders, builder: Builder) -> str:
    """The orders that have a line of the ware, each once, with what its lines are worth (of a return: less than nothing)."""
    sign = "<" if rule.kind == "returned" else ">"
    within = builder.within("r.at", *builder.calendar.span(rule.window))
    return (
        "SELECT r.customer_id, r.at, sum(l.quantity * l.unit_price) AS amount"
        f" FROM ({_ORDERS}) r JOIN customers_orderline l ON l.order_id = r.id AND l.quantity {sign} 0"
        f" JOIN customers_product p ON p.id = l.product_id WHERE {within} AND"
        f" {' AND '.join(_asked_of_orders(rule, builder))}{ware_sql(rule.ware, builder)} GROUP BY r.id, r.customer_id, r.at"
    )


def _compare_measure(rule: Orders, builder: Builder, only: str) -> str:
    """The comparison of a person's rows, of which `only` some count. What went back is told as an amount above nothing."""
    amount = "-r.amount" if rule.kind == "returned" else "r.amount"
    function = {
        "count": "count(*)", "sum": f"sum({amount})", "average": f"avg({amount})", "largest": f"max({amount})",
        "first": "min(r.at)", "last": "max(r.at)",
    }[rule.measure]  # fmt: skip
    compare = compare_moments if rule.measure in ("first", "last") else compare_numbers
    return compare(measure(function, only), rule.op, rule.value, builder)


def _tallied(tally: Tally, rule: Orders | Condition, builder: Builder) -> tuple[People, bool]:
    """Those of whom a measure holds. Where it holds of people without a row, those of whom it does not: everybody else is meant.
    One order or more, and none, need no counting."""
    if _is_any_or_none(rule):
        return builder.count_people(replace(tally, holds=None)), rule.op == "gte"
    if _holds_of_nothing(rule):
        holds = tally.holds
        assert holds is not None
        return builder.count_people(replace(tally, holds=lambda only: f"NOT ({holds(only)})")), False
    return builder.count_people(tally), True


def _measured(rows: str, holds: str, rule: Orders) -> tuple[People, bool]:
    """The same of rows that nothing else is asked of."""
    if _is_any_or_none(rule):
        return People(rows), rule.op == "gte"
    if _holds_of_nothing(rule):
        return People(rows, having=f"NOT ({holds})"), False
    return People(rows, having=holds), True


def _is_any_or_none(rule: Orders | Condition) -> bool:
    name = rule.field.key if isinstance(rule, Condition) else rule.measure
    return name in ("count", "orders_count") and (rule.op, rule.value) in (("gte", 1), ("lte", 0))


def _holds_of_nothing(rule: Orders | Condition) -> bool:
    """Whether somebody without a row is meant: a count and a sum of nothing are 0, other measures are not known."""
    return (isinstance(rule, Condition) or rule.measure in ("count", "sum")) and _holds_of_zero(rule.op, rule.value)


def _holds_of_zero(op: str, value: Value) -> bool:
    if isinstance(value, tuple):
        low: Any = value[0]
        high: Any = value[1]
        return bool(low <= 0 <= high)
    number: Any = value
    return bool(number <= 0 if op == "gte" else number >= 0)

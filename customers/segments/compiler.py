"""Turns a rule into one SQL query of customer ids.

Time-bound conditions become EXISTS or hashed subqueries over the (customer, time) indexes, so that the database never
aggregates the whole history of a customer who cannot match. All values travel as named parameters, so that the query can
stand inside another.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from customers.ingest.currency import read_shop_currency

from .complaints import open_complaint_sql
from .interests import LIST_FIELDS, PRICE_BAND_SQL, list_holds_sql
from .rules import BEHAVIOURS, Behaviour, Condition, Group, Rule


@dataclass(frozen=True)
class CompiledQuery:
    """`sql` selects one column, customer_id; `params` fill its placeholders, whose names begin with `segment_`."""

    sql: str
    params: dict[str, Any]

    def as_positional(self) -> tuple[str, tuple[Any, ...]]:
        """The same with placeholders in order: Django's RawSQL knows no names."""
        names = _PLACEHOLDER.findall(self.sql)
        return _PLACEHOLDER.sub("%s", self.sql), tuple(self.params[name] for name in names)


@dataclass
class _Builder:
    as_of: dt.datetime
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        name = f"segment_{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"


def compile_rule(rule: Rule, *, as_of: dt.datetime, past_scores: bool = False) -> CompiledQuery:
    """The query of the customers whom `rule` means at `as_of`; it ends in a WHERE that may be narrowed. Scores are the
    current ones, or with `past_scores` the last ones up to then, person by person: for a look back at some customers."""
    builder = _Builder(as_of)
    where = _compile(rule, builder)
    scores = "customers_score s ON s.customer_id = c.id"
    if past_scores:
        scores = (
            "LATERAL (SELECT h.* FROM customers_scorehistory h WHERE h.customer_id = c.id"
            f" AND h.as_of <= {builder.bind(as_of)} ORDER BY h.as_of DESC, h.model_id DESC LIMIT 1) s ON true"
        )
    sql = f"SELECT c.id AS customer_id FROM customers_customer c LEFT JOIN {scores} WHERE {where}"
    return CompiledQuery(sql, builder.params)


_PLACEHOLDER = re.compile(r"%\((segment_\d+)\)s")


def _compile(rule: Rule, builder: _Builder) -> str:
    if isinstance(rule, Group):
        joiner = " AND " if rule.match == "all" else " OR "
        return "(" + joiner.join(_compile(child, builder) for child in rule.rules) + ")"
    if isinstance(rule, Behaviour):
        return _compile_behaviour(rule, builder)
    return _compile_condition(rule, builder)


def _compile_condition(condition: Condition, builder: _Builder) -> str:
    key, value = condition.field.key, condition.value
    if key == "recency_days":
        return _compile_recency(condition, builder)
    if key == "customer_for_days":
        return _compare(
            "extract(epoch from (" + builder.bind(builder.as_of) + " - c.joined_at)) / 86400", condition, builder
        )
    if key in {"orders_count", "total_spent"}:
        return _compile_total(condition, builder)
    if key == "has_email_consent":
        newest = (
            "(SELECT r.status = 'given' FROM customers_consentrecord r WHERE r.customer_id = c.id AND r.channel = 'email'"
            f" AND r.recorded_at <= {builder.bind(builder.as_of)} ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1)"
        )
        return f"coalesce({newest}, false) = {builder.bind(value)}"
    if key == "has_open_complaint":
        is_open = open_complaint_sql("c", as_of=builder.bind(builder.as_of))
        return is_open if value else f"NOT {is_open}"
    if key in LIST_FIELDS:
        holds = list_holds_sql(key, builder.bind(list(value) if isinstance(value, tuple) else [value]))
        return f"NOT {holds}" if condition.op == "is_not" else holds
    column = {
        "price_level": PRICE_BAND_SQL,
        "country": "c.country",
        "language": "c.language",
        "churn_probability": "s.churn_probability",
        "expected_value": "s.expected_value",
        "expected_orders": "s.expected_orders",
        "interest": "s.interest",
        "main_reason": "s.main_reason",
    }[key]
    if key == "language" and condition.op != "in":
        # "zh" means every way of writing it: zh, zh-hans, zh-TW.
        prefix = f"lower(split_part(c.language, '-', 1)) = lower({builder.bind(value)})"
        return prefix if condition.op == "is" else f"NOT {prefix}"
    return _compare(column, condition, builder)


def _compare(expression: str, condition: Condition, builder: _Builder) -> str:
    value = condition.value
    if condition.op == "between" and isinstance(value, tuple):
        return f"{expression} BETWEEN {builder.bind(value[0])} AND {builder.bind(value[1])}"
    if condition.op == "in" and isinstance(value, tuple):
        return f"{expression} = ANY({builder.bind(list(value))})"
    if condition.op == "is_not":
        return f"{expression} IS DISTINCT FROM {builder.bind(value)}"
    sign = {"gte": ">=", "lte": "<=", "is": "="}[condition.op]
    return f"{expression} {sign} {builder.bind(value)}"


def _compile_recency(condition: Condition, builder: _Builder) -> str:
    """Days since the last purchase; a customer without one matches nothing."""
    low, high = _bounds(condition)
    parts = []
    if high is not None:
        parts.append(_has_order_after(high, builder, at_or_after=True))
    if low is not None:
        parts.append("NOT " + _has_order_after(low, builder, at_or_after=False))
        if high is None:
            parts.append(
                "EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND NOT o.is_return"
                f" AND o.ordered_at <= {builder.bind(builder.as_of)})"
            )
    return "(" + " AND ".join(parts) + ")"


def _has_order_after(days: float, builder: _Builder, *, at_or_after: bool) -> str:
    sign = ">=" if at_or_after else ">"
    since = builder.as_of - dt.timedelta(days=days)
    return (
        "EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND NOT o.is_return"
        f" AND o.ordered_at {sign} {builder.bind(since)} AND o.ordered_at <= {builder.bind(builder.as_of)})"
    )


def _bounds(condition: Condition) -> tuple[float | None, float | None]:
    value = condition.value
    if isinstance(value, tuple):
        return float(value[0]), float(value[1])
    number = float(value)
    return (number, None) if condition.op == "gte" else (None, number)


def _compile_total(condition: Condition, builder: _Builder) -> str:
    measure = "count(*) FILTER (WHERE NOT o.is_return)"
    if condition.field.key == "total_spent":  # in the shop's currency: pounds and yen cannot be added up
        measure = f"sum(o.total) FILTER (WHERE o.currency = {builder.bind(read_shop_currency())})"
    inner = (
        f"SELECT coalesce({measure}, 0) FROM customers_order o WHERE o.customer_id = c.id"
        f" AND o.ordered_at <= {builder.bind(builder.as_of)}"
    )
    return _compare(f"({inner})", condition, builder)


def _compile_behaviour(rule: Behaviour, builder: _Builder) -> str:
    """At least n times is a semi-join on the counted few; at most n times is its complement."""
    limit = rule.times if rule.op == "gte" else rule.times + 1
    rows = _order_rows(rule, builder) if rule.did == "ordered" else _event_rows(rule, builder)
    counted = f"SELECT x.customer_id FROM ({rows}) x GROUP BY x.customer_id HAVING count(*) >= {builder.bind(limit)}"
    return f"c.id IN ({counted})" if rule.op == "gte" else f"c.id NOT IN ({counted})"


def _order_rows(rule: Behaviour, builder: _Builder) -> str:
    since = builder.as_of - dt.timedelta(days=rule.within_days)
    rows = (
        "SELECT o.customer_id FROM customers_order o WHERE NOT o.is_return"
        f" AND o.ordered_at > {builder.bind(since)} AND o.ordered_at <= {builder.bind(builder.as_of)}"
    )
    if rule.category:
        rows += (
            " AND EXISTS (SELECT 1 FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id"
            f" WHERE l.order_id = o.id AND l.quantity > 0 AND p.category = {builder.bind(rule.category)})"
        )
    return rows


def _event_rows(rule: Behaviour, builder: _Builder) -> str:
    since = builder.as_of - dt.timedelta(days=rule.within_days)
    rows = (
        f"SELECT e.customer_id FROM customers_customerevent e WHERE e.kind = {builder.bind(BEHAVIOURS[rule.did])}"
        f" AND e.occurred_at > {builder.bind(since)} AND e.occurred_at <= {builder.bind(builder.as_of)}"
    )
    if rule.category:
        rows += f" AND e.properties->>'category' = {builder.bind(rule.category)}"
    return rows

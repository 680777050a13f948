"""Turns a rule into one SQL query of customer ids.

Negations are pushed down to the parts (De Morgan), where a part that is neither true nor false, because nothing is known,
counts as false. All values travel as named parameters, so that the query can stand inside another.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from customers.ingest.currency import read_shop_currency

from .calendar import Calendar
from .faults import RuleError
from .nodes import (
    Attribute,
    Behaviour,
    Broken,
    Bucket,
    ChannelState,
    Condition,
    Group,
    Membership,
    MessageAct,
    Orders,
    Rule,
)
from .resolve import resolve_memberships
from .sql import Builder, People
from .sql_acts import behaviour_people, message_people
from .sql_orders import orders_people, quiet_people, totals_people
from .sql_person import attribute_sql, bucket_sql, channel_people, field_sql, flag_people, list_people, tag_people


@dataclass(frozen=True)
class CompiledQuery:
    """`sql` selects one column, customer_id; `params` fill its placeholders, whose names begin with `segment_`."""

    sql: str
    params: dict[str, Any]

    def as_positional(self) -> tuple[str, tuple[Any, ...]]:
        """The same with placeholders in order: Django's RawSQL knows no names."""
        names = _PLACEHOLDER.findall(self.sql)
        return _PLACEHOLDER.sub("%s", self.sql), tuple(self.params[name] for name in names)


def compile_rule(rule: Rule, *, as_of: dt.datetime, past_scores: bool = False) -> CompiledQuery:
    """The query of the customers whom `rule` means at `as_of`; it ends in a WHERE that may be narrowed. Scores are the
    current ones, or with `past_scores` the last ones up to then, person by person: for a look back at some customers.

    Other segments that the rule names are read here. Raises RuleError for a part that cannot be used, for a segment that
    is gone, and for segments that refer to each other in a circle.
    """
    whole = resolve_memberships(rule)
    calendar = Calendar(as_of, zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE))
    builder = Builder(calendar, read_shop_currency(), past_scores)
    where = _compile(whole, builder, is_not=False, for_all=True)
    joins = "".join(f" LEFT JOIN {source}" for source in builder.joins.values())
    return CompiledQuery(f"SELECT c.id AS customer_id FROM customers_customer c{joins} WHERE {where}", builder.params)


_PLACEHOLDER = re.compile(r"%\((segment_\d+)\)s")


def _compile(rule: Rule, builder: Builder, *, is_not: bool, for_all: bool) -> str:
    if not isinstance(rule, Group):
        return _compile_leaf(rule, builder, is_not=is_not, for_all=for_all)
    negate = is_not != (rule.match == "none")
    is_and = (rule.match == "all") != negate
    holds_for_all = for_all and (is_and or len(rule.rules) == 1)
    parts = [_compile(child, builder, is_not=negate, for_all=holds_for_all) for child in rule.rules]
    return "(" + (" AND " if is_and else " OR ").join(parts) + ")"


def _compile_leaf(rule: Rule, builder: Builder, *, is_not: bool, for_all: bool) -> str:
    if isinstance(rule, Broken):
        raise RuleError(rule.path, rule.code, rule.detail)
    found = _find_people(rule, builder)
    if isinstance(found, str):
        return f"({found}) IS NOT TRUE" if is_not else f"({found})"
    asked = [builder.ask(people, is_in=is_in != is_not, for_all=for_all and (not is_not or len(found) == 1))
             for people, is_in in found]  # fmt: skip
    return "(" + (" OR " if is_not else " AND ").join(asked) + ")"


def _find_people(rule: Rule, builder: Builder) -> str | list[tuple[People, bool]]:
    """SQL that is true of a customer `c`, or the sets of people that they have to be in (True) or not in (False)."""
    if isinstance(rule, Behaviour):
        return [behaviour_people(rule, builder)]
    if isinstance(rule, Orders):
        return [orders_people(rule, builder)]
    if isinstance(rule, MessageAct):
        return [message_people(rule, builder)]
    if isinstance(rule, ChannelState):
        return channel_people(rule, builder)
    if isinstance(rule, Attribute):
        return attribute_sql(rule.own, builder)
    if isinstance(rule, Bucket):
        return bucket_sql(rule, builder)
    assert isinstance(rule, Condition), f"{rule} was resolved" if isinstance(rule, Membership) else rule
    return _find_by_field(rule, builder)


def _find_by_field(rule: Condition, builder: Builder) -> str | list[tuple[People, bool]]:
    key = rule.field.key
    if key == "recency_days":
        return quiet_people(rule, builder)
    if key in ("orders_count", "total_spent"):
        return [totals_people(rule, builder)]
    if key == "tag":
        return [(tag_people(rule, builder), rule.op != "is_not")]
    if rule.field.kind == "flag":
        return [(flag_people(key, builder), bool(rule.value))]
    if rule.field.family == "interests" and key != "price_level":
        return [(list_people(rule, builder), rule.op != "is_not")]
    return field_sql(rule, builder)

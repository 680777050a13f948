"""Turns a rule into one SQL query of customer ids.

Negations are pushed down to the parts (De Morgan), where a part that is neither true nor false, because nothing is known,
counts as false. An AND under an OR that has a set of people to begin from becomes a set itself, so that its other
parts are asked of those people only; unless it asks the same rows as another alternative, which are then read once for
both (`sharing`). All values travel as named parameters, so that the query can stand inside another.
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
    Leaf,
    MessageAct,
    Orders,
    Rule,
)
from .resolve import resolve_memberships
from .sharing import find_shared, has_column, has_shared, merge_any, merge_measured
from .sql import Among, Builder, Joined, Node, People, Plain, joined
from .sql_acts import behaviour_people, message_people
from .sql_orders import orders_people, quiet_people, totals_people
from .sql_person import (
    address_sql,
    attribute_sql,
    bucket_sql,
    channel_people,
    field_sql,
    flag_people,
    list_people,
    tag_people,
)


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
    builder = new_builder(as_of, past_scores=past_scores)
    node = _normalise(whole, builder, is_not=False)
    builder.tallies = {source: [] for source in find_shared(node)}
    begun, rest = _begin(node, builder)
    where = _where(rest, builder, for_all=True) if rest else "true"
    sql = f"SELECT c.id AS customer_id FROM {begun} c{builder.left_joins} WHERE ({where})"
    return CompiledQuery(sql, builder.params)


def new_builder(as_of: dt.datetime, *, past_scores: bool = False) -> Builder:
    """What a statement as of then is put together from, by the shop's calendar and in its currency."""
    return Builder(Calendar(as_of, zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)), read_shop_currency(), past_scores)


_PLACEHOLDER = re.compile(r"%\((segment_\d+)\)s")


def _normalise(rule: Rule, builder: Builder, *, is_not: bool) -> Node:
    """The same without NOT but at its leaves, and without a group in a group of its kind."""
    if isinstance(rule, Group):
        negate = is_not != (rule.match == "none")
        joiner = "AND" if (rule.match == "all") != negate else "OR"
        parts = [_normalise(child, builder, is_not=negate) for child in rule.rules]
        return merge_any(joined(joiner, parts), builder)
    if isinstance(rule, Broken):
        raise RuleError(rule.path, rule.code, rule.detail)
    found = _find_people(rule, builder)
    if found is None:
        return Plain(rule, is_not)
    return joined("OR" if is_not else "AND", [Among(people, is_in != is_not) for people, is_in in found])


def _begin(node: Node, builder: Builder) -> tuple[str, Node | None]:
    """Whom the statement begins with, and what is still asked of them: all customers, or where nothing is asked of a customer's
    columns those whom a measure leaves, so that nobody else is looked at."""
    everybody = "customers_customer"
    if isinstance(node, Plain) or has_column(node) or builder.shared:
        return everybody, node
    parts = merge_measured(node.parts, builder) if isinstance(node, Joined) and node.joiner == "AND" else [node]
    first = next((part for part in parts if isinstance(part, Among) and part.is_in and part.people.having), None)
    if first is None:
        return everybody, node
    rest = [part for part in parts if part is not first]
    chosen = f"(SELECT m.customer_id AS id FROM ({first.people.select(once=True)}) m)"
    return chosen, joined("AND", rest) if rest else None


def _where(node: Node, scope: Builder, *, for_all: bool) -> str:
    """SQL that is true of the customers `c` of whom `node` holds; `for_all` says that nobody is meant where it does not."""
    if isinstance(node, Plain):
        sql = _plain_sql(node.rule, scope)
        return f"({sql}) IS NOT TRUE" if node.is_not else f"({sql})"
    if isinstance(node, Among):
        return scope.ask(node.people, is_in=node.is_in, for_all=for_all)
    if not (for_all and node.joiner == "AND") and (people := _people(node, scope)):
        return scope.ask(People(people), is_in=True, for_all=for_all)
    is_and = for_all and node.joiner == "AND"
    parts = merge_measured(node.parts, scope) if is_and else node.parts
    return "(" + f" {node.joiner} ".join(_where(part, scope, for_all=is_and) for part in parts) + ")"


def _people(node: Node, builder: Builder) -> str | None:
    """A SELECT of exactly those of whom `node` holds, some perhaps more than once; None where no set is there to begin from.

    Kept, because each group asks it of its parts and they of theirs.
    """
    if id(node) not in builder.selects:
        builder.selects[id(node)] = _select_people(node, builder)
    return builder.selects[id(node)]


def _select_people(node: Node, builder: Builder) -> str | None:
    if isinstance(node, Plain) or has_shared(node, builder.shared):
        return None
    if isinstance(node, Among):
        return node.people.select(once=False) if node.is_in else None
    chosen = [_people(part, builder) for part in node.parts]
    if node.joiner == "OR":
        return " UNION ALL ".join(f"({sql})" for sql in chosen) if all(chosen) else None
    if not any(chosen):
        return None
    scope = builder.open_scope()
    where = " AND ".join(_where(part, scope, for_all=True) for part in merge_measured(node.parts, scope))
    return f"SELECT c.id AS customer_id FROM customers_customer c{scope.left_joins} WHERE {where}"


def _find_people(rule: Leaf, builder: Builder) -> list[tuple[People, bool]] | None:
    """The sets of people that a customer has to be in (True) or not in (False); None of a part about a column."""
    if isinstance(rule, Behaviour):
        return [behaviour_people(rule, builder)]
    if isinstance(rule, Orders):
        return [orders_people(rule, builder)]
    if isinstance(rule, MessageAct):
        return [message_people(rule, builder)]
    if isinstance(rule, ChannelState):
        return channel_people(rule, builder)
    if not isinstance(rule, Condition):
        return None
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
    return None


def _plain_sql(rule: Leaf, scope: Builder) -> str:
    if isinstance(rule, Attribute):
        return attribute_sql(rule.own, scope)
    if isinstance(rule, Bucket):
        return bucket_sql(rule, scope)
    if isinstance(rule, ChannelState):
        return address_sql(rule)
    assert isinstance(rule, Condition), rule
    return field_sql(rule, scope)

"""The rule tree of a segment, read from JSON and checked. No framework, no database.

A tree is either a group `{"match": "all" | "any", "rules": [tree, ...]}` or a condition:

- about the person: `{"field": "churn_probability", "op": "gte", "value": 0.6}`;
- about behaviour: `{"did": "ordered", "op": "gte", "times": 2, "within_days": 90, "category": "tents"}`, where `category`
  may be left out. `op` "gte" with `times` 1 reads "at least once"; "lte" with 0 reads "never".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Match = Literal["all", "any"]
MAX_DEPTH: Final = 5
MAX_CONDITIONS: Final = 60
MAX_TEXT: Final = 120


class PlacedError(ValueError):
    """Something in a rule cannot be used. `path` says where, `code` and `detail` say why."""

    def __init__(self, path: str, code: str, detail: str = "") -> None:
        super().__init__(f"{path or 'rule'}: {code}{f' ({detail})' if detail else ''}")
        self.path = path
        self.code = code
        self.detail = detail


class RuleError(PlacedError):
    """A tree that cannot be used; a path is such as "rules.0.value"."""


@dataclass(frozen=True)
class Field:
    """One thing that can be asked of a customer. `kind` decides which operators and values fit."""

    key: str
    kind: Literal["probability", "money", "number", "days", "text", "flag"]
    family: Literal["prediction", "interests", "orders", "person"]

    @property
    def operators(self) -> tuple[str, ...]:
        if self.kind == "text":
            return ("is", "is_not", "in")
        if self.kind == "flag":
            return ("is",)
        return ("gte", "lte", "between")


FIELDS: Final[dict[str, Field]] = {
    field.key: field
    for field in (
        Field("churn_probability", "probability", "prediction"),
        Field("expected_value", "money", "prediction"),
        Field("expected_orders", "number", "prediction"),
        Field("interest", "text", "prediction"),
        Field("main_reason", "text", "prediction"),
        Field("interested_in", "text", "interests"),
        Field("likes_brand", "text", "interests"),
        Field("price_level", "text", "interests"),
        Field("writes_about", "text", "interests"),
        Field("recency_days", "days", "orders"),
        Field("orders_count", "number", "orders"),
        Field("total_spent", "money", "orders"),
        Field("country", "text", "person"),
        Field("language", "text", "person"),
        Field("customer_for_days", "days", "person"),
        Field("has_email_consent", "flag", "person"),
        Field("has_open_complaint", "flag", "person"),
    )
}

#: What a behaviour condition may count; the value is the kind of event, "" for orders.
BEHAVIOURS: Final[dict[str, str]] = {
    "ordered": "",
    "viewed_product": "product_viewed",
    "searched": "search_performed",
    "used_cart": "cart_updated",
    "opened_email": "email_opened",
    "clicked_email": "email_clicked",
    "asked_support": "ticket_opened",
    "complained": "complaint_opened",
}
#: Behaviours whose rows name a category.
WITH_CATEGORY: Final = frozenset({"ordered", "viewed_product", "used_cart"})


@dataclass(frozen=True)
class Condition:
    """A fact about the person. `value` is a number, a text, a flag, or a tuple of two numbers or of texts."""

    field: Field
    op: str
    value: float | str | bool | tuple[float, float] | tuple[str, ...]


@dataclass(frozen=True)
class Behaviour:
    """How often something was done in the last `within_days` days; `op` is "gte" or "lte"."""

    did: str
    op: str
    times: int
    within_days: int
    category: str = ""


@dataclass(frozen=True)
class Group:
    match: Match
    rules: tuple[Rule, ...]


Rule = Group | Condition | Behaviour


def parse_rule(tree: Any) -> Group:
    """Read a tree. A lone condition becomes a group of one. Raises RuleError with the place of the first fault."""
    rule = _parse(tree, "", 0)
    group = rule if isinstance(rule, Group) else Group("all", (rule,))
    if count_conditions(group) > MAX_CONDITIONS:
        raise RuleError("", "too_many_conditions", str(MAX_CONDITIONS))
    return group


def count_conditions(rule: Rule) -> int:
    return sum(map(count_conditions, rule.rules)) if isinstance(rule, Group) else 1


def dump_rule(rule: Rule) -> dict[str, Any]:
    """The JSON that `parse_rule` reads back to the same rule."""
    if isinstance(rule, Group):
        return {"match": rule.match, "rules": [dump_rule(child) for child in rule.rules]}
    if isinstance(rule, Condition):
        value = list(rule.value) if isinstance(rule.value, tuple) else rule.value
        return {"field": rule.field.key, "op": rule.op, "value": value}
    dumped = {"did": rule.did, "op": rule.op, "times": rule.times, "within_days": rule.within_days}
    return dumped | ({"category": rule.category} if rule.category else {})


def _parse(tree: Any, path: str, depth: int) -> Rule:
    if not isinstance(tree, Mapping):
        raise RuleError(path, "not_an_object")
    if depth > MAX_DEPTH:
        raise RuleError(path, "too_deep", str(MAX_DEPTH))
    if "rules" in tree or "match" in tree:
        return _parse_group(tree, path, depth)
    if "did" in tree:
        return _parse_behaviour(tree, path)
    if "field" in tree:
        return _parse_condition(tree, path)
    raise RuleError(path, "unknown_node")


def _parse_group(tree: Mapping[str, Any], path: str, depth: int) -> Group:
    match, rules = tree.get("match", "all"), tree.get("rules")
    if match not in ("all", "any"):
        raise RuleError(_join(path, "match"), "unknown_match", str(match)[:40])
    if not isinstance(rules, Sequence) or isinstance(rules, str) or not rules:
        raise RuleError(_join(path, "rules"), "empty")
    if len(rules) > MAX_CONDITIONS:
        raise RuleError(_join(path, "rules"), "too_many_conditions", str(MAX_CONDITIONS))
    children = tuple(_parse(child, _join(path, f"rules.{i}"), depth + 1) for i, child in enumerate(rules))
    return Group("all" if match == "all" else "any", children)


def _parse_condition(tree: Mapping[str, Any], path: str) -> Condition:
    key, op = tree.get("field"), tree.get("op")
    field = FIELDS.get(key) if isinstance(key, str) else None
    if field is None:
        raise RuleError(_join(path, "field"), "unknown_field", str(key)[:40])
    if op not in field.operators:
        raise RuleError(_join(path, "op"), "operator_does_not_fit", str(op)[:40])
    return Condition(field, str(op), _read_value(field, str(op), tree.get("value"), _join(path, "value")))


def _parse_behaviour(tree: Mapping[str, Any], path: str) -> Behaviour:
    did, op, category = tree.get("did"), tree.get("op", "gte"), tree.get("category") or ""
    if not isinstance(did, str) or did not in BEHAVIOURS:
        raise RuleError(_join(path, "did"), "unknown_behaviour", str(did)[:40])
    if op not in ("gte", "lte"):
        raise RuleError(_join(path, "op"), "operator_does_not_fit", str(op)[:40])
    times = _read_whole(tree.get("times", 1), _join(path, "times"), low=1 if op == "gte" else 0, high=100_000)
    days = _read_whole(tree.get("within_days"), _join(path, "within_days"), low=1, high=3_650)
    if category and did not in WITH_CATEGORY:
        raise RuleError(_join(path, "category"), "category_does_not_fit", did)
    return Behaviour(did, str(op), times, days, _read_text(category, _join(path, "category")) if category else "")


def _read_value(
    field: Field, op: str, value: Any, path: str
) -> float | str | bool | tuple[float, float] | tuple[str, ...]:
    if field.kind == "flag":
        if not isinstance(value, bool):
            raise RuleError(path, "not_yes_or_no")
        return value
    if field.kind == "text":
        if op != "in":
            return _read_text(value, path)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value or len(value) > 100:
            raise RuleError(path, "not_a_list")
        return tuple(_read_text(item, path) for item in value)
    if op != "between":
        return _read_number(field, value, path)
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise RuleError(path, "not_two_numbers")
    low, high = (_read_number(field, item, path) for item in value)
    if low > high:
        raise RuleError(path, "wrong_order")
    return low, high


def _read_number(field: Field, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RuleError(path, "not_a_number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise RuleError(path, "not_a_number", str(value)[:40]) from None
    if not math.isfinite(number) or abs(number) > 1e12:
        raise RuleError(path, "not_a_number", str(value)[:40])
    if field.kind == "probability" and not 0 <= number <= 1:
        raise RuleError(path, "not_a_probability", str(value)[:40])
    if field.kind == "days" and not 0 <= number <= 36_500:
        raise RuleError(path, "not_a_number_of_days", str(value)[:40])
    return number


def _read_whole(value: Any, path: str, *, low: int, high: int) -> int:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RuleError(path, "not_a_whole_number", f"{low} … {high}")
    return value


def _read_text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or "\x00" in value:
        raise RuleError(path, "not_a_text")
    return value.strip()


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step

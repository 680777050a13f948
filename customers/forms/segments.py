"""The form of a segment: its name, and the rows of its rule.

The rows read as sentences: OR between the rows of a block, AND between blocks. They travel as plain fields, so that the
page works without JavaScript: `what-0-1` is the question asked in the second row of the first block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Segment
from customers.segments.rules import (
    BEHAVIOURS,
    FIELDS,
    MAX_CONDITIONS,
    Behaviour,
    Condition,
    Group,
    Rule,
    RuleError,
    parse_rule,
)
from customers.segments.wording import OPERATOR_LABELS, describe_error

ROW_FIELDS: Final = ("what", "op", "value", "value2", "times", "days", "category")


@dataclass(frozen=True)
class Row:
    """One line of the rule as it was typed. `what` is a field's key or "did:<behaviour>"."""

    what: str = "churn_probability"
    op: str = "gte"
    value: str = ""
    value2: str = ""
    times: str = "1"
    days: str = "90"
    category: str = ""
    error: str = ""

    @property
    def kind(self) -> str:
        """What the row asks for: a field's kind, "behaviour", or "" where `what` is unknown."""
        if self.what.startswith("did:"):
            return "behaviour" if self.what[4:] in BEHAVIOURS else ""
        return FIELDS[self.what].kind if self.what in FIELDS else ""

    @property
    def operators(self) -> tuple[str, ...]:
        return FIELDS[self.what].operators if self.what in FIELDS else ("gte", "lte")

    @property
    def operator_choices(self) -> list[tuple[str, str]]:
        return [(op, str(OPERATOR_LABELS[op])) for op in self.operators]

    def to_tree(self) -> dict[str, Any]:
        """The condition's JSON; percents become probabilities, lists are split at commas."""
        if self.kind == "behaviour":
            tree: dict[str, Any] = {"did": self.what[4:], "op": self.op, "times": self.times, "within_days": self.days}
            return tree | ({"category": self.category} if self.category.strip() else {})
        return {"field": self.what, "op": self.op, "value": self._read_value()}

    def _read_value(self) -> Any:
        if self.kind == "flag":
            return self.value != "no"
        if self.kind == "text":
            return [part.strip() for part in self.value.split(",") if part.strip()] if self.op == "in" else self.value
        numbers = [self._read_number(text) for text in (self.value, self.value2)]
        return numbers if self.op == "between" else numbers[0]

    def _read_number(self, text: str) -> Any:
        text = text.strip().rstrip("%").strip()
        if self.kind != "probability":
            return text
        try:
            number = float(text)
        except ValueError:
            return text
        return number / 100 if math.isfinite(number) else text


Blocks = list[list[Row]]


def read_blocks(data: Mapping[str, Any]) -> Blocks:
    """The rows of a posted page, in order; an unknown shape gives one empty row."""
    places = sorted(
        (int(block), int(row))
        for name in data
        if name.startswith("what-") and len(parts := name.split("-")) == 3
        for block, row in [parts[1:]]
        if block.isdecimal() and row.isdecimal() and len(block) < 4 and len(row) < 4
    )[:MAX_CONDITIONS]
    blocks: dict[int, list[Row]] = {}
    for block, row in places:
        typed = {name: str(data.get(f"{name}-{block}-{row}", getattr(Row(), name)))[:400] for name in ROW_FIELDS}
        blocks.setdefault(block, []).append(_fit_operator(Row(**typed)))
    return list(blocks.values()) or [[Row()]]


def apply_action(blocks: Blocks, action: str) -> Blocks:
    """What a button of the page asks for: "and", "or-<block>", "remove-<block>-<row>"; anything else changes nothing."""
    verb, *places = action.split("-")
    numbers = [int(place) for place in places if place.isdecimal() and len(place) < 4]
    if verb == "and":
        return [*blocks, [Row()]]
    if verb == "or" and len(numbers) == 1 and numbers[0] < len(blocks):
        return [[*rows, Row()] if i == numbers[0] else rows for i, rows in enumerate(blocks)]
    if verb == "remove" and len(numbers) == 2:
        kept = [[row for j, row in enumerate(rows) if [i, j] != numbers] for i, rows in enumerate(blocks)]
        return [rows for rows in kept if rows] or [[Row()]]
    return blocks


def build_tree(blocks: Blocks) -> dict[str, Any]:
    """The rule tree of the rows."""
    return {"match": "all", "rules": [{"match": "any", "rules": [row.to_tree() for row in rows]} for rows in blocks]}


def check_blocks(blocks: Blocks) -> tuple[Group | None, Blocks]:
    """The parsed rule, or None with each wrong row carrying its error."""
    checked = [[replace(row, error=_find_error(row)) for row in rows] for rows in blocks]
    if any(row.error for rows in checked for row in rows):
        return None, checked
    return parse_rule(build_tree(blocks)), checked


def lay_out_blocks(rule: Rule) -> Blocks | None:
    """The rows of a saved rule; None where it is nested deeper than rows can show."""
    group = rule if isinstance(rule, Group) else Group("all", (rule,))
    if group.match == "any":
        group = Group("all", (group,))
    if group.match == "none":
        return None
    blocks = []
    for child in group.rules:
        rules = (
            child.rules if isinstance(child, Group) and (child.match == "any" or len(child.rules) == 1) else (child,)
        )
        rows = [_lay_out_row(rule) for rule in rules if _fits_row(rule)]
        if len(rows) < len(rules) or (isinstance(child, Group) and child.match == "none"):
            return None
        blocks.append(rows)
    return blocks


def _fits_row(rule: Rule) -> TypeGuard[Condition | Behaviour]:
    if isinstance(rule, Condition):
        return rule.field.kind != "date"
    return isinstance(rule, Behaviour) and rule.is_plain and rule.did != "custom"


def _lay_out_row(rule: Condition | Behaviour) -> Row:
    if isinstance(rule, Behaviour):
        return Row(
            what=f"did:{rule.did}",
            op=rule.op,
            times=str(rule.times),
            days=str(rule.within_days),
            category=rule.category,
        )
    value = rule.value
    if isinstance(value, bool):
        return Row(what=rule.field.key, op=rule.op, value="yes" if value else "no")
    if rule.op == "in" and isinstance(value, tuple):
        return Row(what=rule.field.key, op=rule.op, value=", ".join(map(str, value)))
    texts = [_show(rule, item) for item in (value if isinstance(value, tuple) else (value,))]
    return Row(what=rule.field.key, op=rule.op, value=texts[0], value2=texts[-1] if len(texts) > 1 else "")


def _show(rule: Condition, value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value * 100:.10g}" if rule.field.kind == "probability" else f"{value:.10g}"


def _fit_operator(row: Row) -> Row:
    """A row whose question was changed keeps its operator only where that still fits."""
    return row if row.op in row.operators else replace(row, op=row.operators[0])


def _find_error(row: Row) -> str:
    try:
        parse_rule(row.to_tree())
    except RuleError as error:
        return describe_error(error)
    return ""


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and purpose of a segment; its rule comes from the rows."""

    class Meta:
        model = Segment
        fields = ("name", "description")
        labels = {"name": _("Name"), "description": _("What it is for")}

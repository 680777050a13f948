"""Conditions that no customer can meet, or every one does. No framework, no database: it looks at the tree alone.

It finds what people write by mistake, such as at least 5 and at most 2 orders side by side; it does not prove that a rule
means somebody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from .faults import join_path
from .nodes import (
    Attribute,
    Behaviour,
    Bucket,
    ChannelState,
    Condition,
    Group,
    Membership,
    MessageAct,
    Orders,
    Rule,
    Window,
)

Found = tuple[str, str, str]
_MOST = float("inf")


def find_contradictions(rule: Rule, *, today: dt.date, path: str = "") -> Iterator[Found]:
    """(path, code, detail) of parts that contradict an earlier one of their group ("contradiction"), that nobody can meet
    ("never_true") or everybody does ("always_true")."""
    if not isinstance(rule, Group):
        if code := _judge_alone(rule, today):
            yield path, code, ""
        return
    if rule.match == "all":
        yield from _judge_together(list(_flatten(rule, path)))
    for i, child in enumerate(rule.rules):
        yield from find_contradictions(child, today=today, path=join_path(path, f"rules.{i}"))


def _flatten(rule: Group, path: str) -> Iterator[tuple[str, Rule, bool]]:
    """The parts that have to hold (True) or must not hold (False) for all of the group, through groups within it."""
    for i, child in enumerate(rule.rules):
        at = join_path(path, f"rules.{i}")
        if isinstance(child, Group) and child.match == "all":
            yield from _flatten(child, at)
        elif isinstance(child, Group) and child.match == "none":
            yield from ((join_path(at, f"rules.{j}"), inner, False) for j, inner in enumerate(child.rules))
        else:
            yield at, child, True


def _judge_together(parts: Sequence[tuple[str, Rule, bool]]) -> Iterator[Found]:
    wanted: dict[Hashable, tuple[float, float]] = {}
    words: dict[Hashable, set[object]] = {}
    seen: dict[Rule, bool] = {}
    for path, part, holds in parts:
        if seen.setdefault(part, holds) != holds:
            yield path, "contradiction", ""
            continue
        if not holds:
            continue
        key, low, high = _range_of(part)
        if key is not None:
            known = wanted.get(key, (-_MOST, _MOST))
            wanted[key] = max(low, known[0]), min(high, known[1])
            if wanted[key][0] > wanted[key][1] and known[0] <= known[1]:
                yield path, "contradiction", ""
        key, choices = _choices_of(part)
        if key is not None and choices is not None:
            known_words = words.get(key)
            words[key] = choices if known_words is None else choices & known_words
            if known_words and not words[key]:
                yield path, "contradiction", ""


def _range_of(part: Rule) -> tuple[Hashable, float, float]:
    """What is limited and from where to where; None where nothing is."""
    key: Hashable = None
    op, value = getattr(part, "op", ""), getattr(part, "value", None)
    if isinstance(part, Condition) and part.field.kind not in ("text", "flag", "date"):
        key = part.field.key
    elif isinstance(part, Attribute) and part.own.type == "number":
        key, op, value = ("attribute", part.own.name), part.own.op, part.own.value
    elif isinstance(part, Orders) and part.measure not in ("first", "last"):
        key = replace(part, op="", value=0.0)
    elif isinstance(part, Behaviour | MessageAct):
        key, value = replace(part, op="", times=0), float(part.times)
    elif isinstance(part, Bucket):
        return ("bucket", part.salt), part.low, part.high - 1e-9
    if key is None or op not in ("gte", "lte", "between", "is"):
        return None, 0, 0
    numbers = value if isinstance(value, tuple) else (value, value)
    low, high = (float(number) for number in numbers if isinstance(number, int | float))
    return key, -_MOST if op == "lte" else low, _MOST if op == "gte" else high


def _choices_of(part: Rule) -> tuple[Hashable, set[object] | None]:
    """What has one value only, and which ones are allowed."""
    if isinstance(part, Condition) and (
        part.field.kind == "flag" or part.field.key in ("country", "source", "price_level")
    ):
        return part.field.key, _allowed(part.op, part.value)
    if isinstance(part, Attribute) and part.own.type in ("text", "flag"):
        return ("attribute", part.own.name, part.own.type), _allowed(part.own.op, part.own.value)
    if isinstance(part, ChannelState):
        return (part.channel, part.state), {part.holds}
    if isinstance(part, Membership):
        return ("segment", part.segment), {part.is_member}
    return None, None


def _allowed(op: str, value: object) -> set[object] | None:
    if op == "in" and isinstance(value, tuple):
        return set(value)
    return {value} if op == "is" else None


def _judge_alone(part: Rule, today: dt.date) -> str:
    if isinstance(part, Behaviour | MessageAct | Orders) and _is_empty(part.window, today):
        return "empty_window"
    is_count = (isinstance(part, Orders) and part.measure == "count") or (
        isinstance(part, Condition) and part.field.key == "orders_count"
    )
    if is_count:
        _key, low, high = _range_of(part)
        return "never_true" if high < 0 else "always_true" if low <= 0 and high == _MOST else ""
    if isinstance(part, Condition) and part.field.kind == "probability":
        _key, low, high = _range_of(part)
        return "always_known" if low <= 0 and high >= 1 else ""
    return ""


def _is_empty(window: Window, today: dt.date) -> bool:
    if window.ago is not None:
        return window.ago[0] == window.ago[1]
    return window.first is not None and window.first > today

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
from .vocabulary import REACTIONS

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
    words: dict[Hashable, list[set[object]]] = {}
    barred: dict[Hashable, set[object]] = {}
    done: list[tuple[Rule, Window, float, float]] = []
    seen: dict[Rule, bool] = {}
    for path, part, holds in parts:
        if seen.setdefault(part, holds) != holds:
            yield path, "contradiction", ""
            continue
        if holds and (_narrow_range(part, wanted) or _narrow_choices(part, words, barred) or _crosses(part, done)):
            yield path, "contradiction", ""


def _narrow_range(part: Rule, wanted: dict[Hashable, tuple[float, float]]) -> bool:
    """Note between which numbers something has to lie; whether that leaves none for the first time."""
    key, low, high = _range_of(part)
    if key is None:
        return False
    known = wanted.get(key, (-_MOST, _MOST))
    wanted[key] = max(low, known[0]), min(high, known[1])
    return wanted[key][0] > wanted[key][1] and known[0] <= known[1]


def _narrow_choices(part: Rule, words: dict[Hashable, list[set[object]]], barred: dict[Hashable, set[object]]) -> bool:
    """Note which words something may be and which it may not; whether that leaves none for the first time. Of what has several
    values, such as tags, each may be asked for."""
    is_new = False
    for key, is_single, choices, refused in _choices_of(part):
        asked, before = words.setdefault(key, []), barred.setdefault(key, set())
        left = [wanted for wanted in asked if wanted - before]
        barred[key] = before | refused
        if choices is not None and is_single and asked:
            asked[0] &= choices
        elif choices is not None:
            asked.append(choices)
            left.append(choices)
        is_new |= any(not wanted - barred[key] for wanted in left)
    return is_new


def _crosses(part: Rule, done: list[tuple[Rule, Window, float, float]]) -> bool:
    """Whether more of something is asked for in a time than may be in a longer time around it."""
    if not isinstance(part, Behaviour | MessageAct | Orders) or (isinstance(part, Orders) and part.measure != "count"):
        return False
    _key, low, high = _range_of(part)
    same: Rule = replace(part, op="", window=Window(), **({"value": 0.0} if isinstance(part, Orders) else {"times": 0}))
    earlier = [(window, least, most) for other, window, least, most in done if other == same]
    done.append((same, part.window, low, high))
    return any(
        (window != part.window)
        and ((low > most and _lies_in(part.window, window)) or (least > high and _lies_in(window, part.window)))
        for window, least, most in earlier
    )


def _lies_in(inner: Window, outer: Window) -> bool:
    if outer.is_ever:
        return True
    return inner.days is not None and outer.days is not None and inner.days <= outer.days


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


def _choices_of(part: Rule) -> Iterator[tuple[Hashable, bool, set[object] | None, set[object]]]:
    """(what, whether it has one value only, which ones are allowed, which ones are not); None where any other is."""
    if isinstance(part, Condition) and part.field.kind in ("text", "flag"):
        single = ("country", "source", "price_level", "score_status", *REACTIONS)
        is_single = part.field.kind == "flag" or part.field.key in single
        yield part.field.key, is_single, *_allowed(part.op, part.value)
    elif isinstance(part, Attribute):
        if part.own.type in ("text", "flag"):
            yield ("attribute", part.own.name, part.own.type), True, *_allowed(part.own.op, part.own.value)
        if part.own.op != "is_not":  # which those are too of whom nothing is known
            yield ("known", part.own.name, part.own.type), True, {part.own.op != "unknown"}, set()
    elif isinstance(part, ChannelState):
        yield (part.channel, part.state), True, {part.holds}, set()
    elif isinstance(part, Membership):
        yield ("segment", part.segment), True, {part.is_member}, set()


def _allowed(op: str, value: object) -> tuple[set[object] | None, set[object]]:
    if op == "in" and isinstance(value, tuple):
        return set(value), set()
    if op == "is_not":
        return None, set(value) if isinstance(value, tuple) else {value}
    return ({value}, set()) if op == "is" else (None, set())


def _judge_alone(part: Rule, today: dt.date) -> str:
    if isinstance(part, Behaviour | MessageAct | Orders) and _is_empty(part.window, today):
        return "empty_window"
    is_count = (isinstance(part, Orders) and part.measure == "count") or (
        isinstance(part, Condition) and part.field.key == "orders_count"
    )
    if is_count:
        _key, low, high = _range_of(part)
        return "never_true" if high < 0 else "always_true" if low <= 0 and high == _MOST else ""
    if isinstance(part, Orders) and part.measure in ("sum", "average", "largest"):
        return "never_true" if _range_of(part)[2] < 0 else ""
    if isinstance(part, Condition) and part.field.kind == "probability":
        _key, low, high = _range_of(part)
        return "always_known" if low <= 0 and high >= 1 else ""
    return ""


def _is_empty(window: Window, today: dt.date) -> bool:
    if window.ago is not None:
        return window.ago[0] == window.ago[1]
    return window.first is not None and window.first > today

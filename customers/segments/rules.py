"""The rule tree of a segment, read from JSON and checked. No framework, no database. docs/segments.md shows every part.

A tree is a group `{"match": "all" | "any" | "none", "rules": [tree, ...]}` (`{"not": tree}` is short for "none" of one) or a
part that asks something. The outermost carries `"version"`; one without was saved as version 1, all of whose parts mean
the same today. A version that we do not know is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .dumping import dump_leaf
from .faults import PlacedError, RuleError, join_path
from .leaves import LEAVES
from .nodes import Behaviour, Broken, Condition, Group, Match, Rule, walk
from .values import check_keys, show
from .vocabulary import BEHAVIOURS, FIELDS, Field

__all__ = [
    "BEHAVIOURS", "FIELDS", "MAX_CONDITIONS", "MAX_DEPTH", "VERSION", "Behaviour", "Broken", "Condition", "Field", "Group",
    "PlacedError", "Reading", "Rule", "RuleError", "dump_rule", "parse_rule", "read_gently", "walk",
]  # fmt: skip

VERSION: Final = 2
MAX_DEPTH: Final = 20
MAX_CONDITIONS: Final = 100


@dataclass(frozen=True)
class Reading:
    """A tree as far as it can be read: what cannot stands in `rule` as Broken, and in `faults` with its place. `is_unread`: it is
    no rule of this version at all, or too large, and nothing of it was kept."""

    rule: Group
    faults: tuple[RuleError, ...]
    is_unread: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.faults


def parse_rule(tree: Any) -> Group:
    """Read a tree. A lone condition becomes a group of one. Raises RuleError with the place of the first fault."""
    reading = read_gently(tree)
    if reading.faults:
        raise reading.faults[0]
    return reading.rule


def read_gently(tree: Any) -> Reading:
    """Read a tree and keep what cannot be used in its place, so that a saved rule can be shown whatever became of it."""
    faults: list[RuleError] = []
    try:
        _check_version(tree)
        _check_size(tree)
    except RuleError as error:
        broken = Broken(error.path, error.code, error.detail, None)
        return Reading(Group("all", (broken,)), (error,), is_unread=True)
    rule = _read(tree, "", faults)
    group = rule if isinstance(rule, Group) else Group("all", (rule,))
    return Reading(group, tuple(faults))


def dump_rule(rule: Rule) -> dict[str, Any]:
    """The JSON that `parse_rule` reads back to the same rule, with its version. Broken parts come back as they were saved."""
    return {"version": VERSION, **_dump(rule)}


def _dump(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Group):
        return {"match": rule.match, "rules": [_dump(child) for child in rule.rules]}
    if isinstance(rule, Broken):
        return dict(rule.tree) if isinstance(rule.tree, Mapping) else {"field": show(rule.tree)}
    return dump_leaf(rule)


def _check_version(tree: Any) -> None:
    if not isinstance(tree, Mapping):
        raise RuleError("", "not_an_object")
    version = tree.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION:
        raise RuleError("version", "unknown_version", show(version))


def _check_size(tree: Mapping[str, Any]) -> None:
    """Count before reading, without recursion: a tree of any size and depth is refused after MAX_CONDITIONS parts."""
    parts, open_parts = 0, [("", tree, 0)]
    while open_parts:
        path, part, depth = open_parts.pop()
        if depth > MAX_DEPTH:
            raise RuleError(path, "too_deep", str(MAX_DEPTH))
        children = part.get("rules")
        if isinstance(children, Sequence) and not isinstance(children, str):
            if len(children) > MAX_CONDITIONS:
                raise RuleError(join_path(path, "rules"), "too_many_conditions", str(MAX_CONDITIONS))
            inner = [(join_path(path, f"rules.{i}"), child) for i, child in enumerate(children)]
        else:
            inner = [(join_path(path, "not"), part["not"])] if "not" in part else []
        parts += not inner
        if parts > MAX_CONDITIONS:
            raise RuleError("", "too_many_conditions", str(MAX_CONDITIONS))
        open_parts += [(place, child, depth + 1) for place, child in reversed(inner) if isinstance(child, Mapping)]


def _read(tree: Any, path: str, faults: list[RuleError]) -> Rule:
    try:
        if not isinstance(tree, Mapping):
            raise RuleError(path, "not_an_object")
        if "rules" in tree or "match" in tree:
            return _read_group(tree, path, faults)
        if "not" in tree:
            check_keys(tree, path, ("not",))
            return Group("none", (_read(tree["not"], join_path(path, "not"), faults),))
        for key, read in LEAVES.items():
            if key in tree:
                return read(tree, path)
        raise RuleError(path, "unknown_node")
    except RuleError as error:
        faults.append(error)
        return Broken(error.path, error.code, error.detail, tree)


def _read_group(tree: Mapping[str, Any], path: str, faults: list[RuleError]) -> Group:
    match, rules = tree.get("match", "all"), tree.get("rules")
    check_keys(tree, path, ("match", "rules"))
    if match not in ("all", "any", "none"):
        raise RuleError(join_path(path, "match"), "unknown_match", show(match))
    if not isinstance(rules, Sequence) or isinstance(rules, str) or not rules:
        raise RuleError(join_path(path, "rules"), "empty")
    known: Match = match
    return Group(known, tuple(_read(child, join_path(path, f"rules.{i}"), faults) for i, child in enumerate(rules)))

"""Puts the rules of other segments in the place of "is in segment 12", and refuses segments that refer to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from customers.models import Segment

from .faults import RuleError, join_path
from .nodes import Group, Membership, Rule
from .rules import read_gently

#: How many conditions a rule may have together with those of the segments that it names, and how deep they may be nested.
MAX_RESOLVED: Final = 400
MAX_RESOLVED_DEPTH: Final = 60

Trail = tuple[tuple[int, str], ...]


def resolve_memberships(rule: Rule, *, own: int | None = None) -> Rule:
    """The rule without any membership. `own` is the segment that the rule is to be saved for: naming it is a circle too.

    Raises RuleError at the row: "unknown_segment", "segment_broken", "cycle" with the path named, "too_many_conditions",
    "named_too_deep".
    """
    return _Resolver().resolve(rule, "", _read_own(own), 0)


def _read_own(own: int | None) -> Trail:
    if own is None:
        return ()
    name = Segment.objects.filter(pk=own).values_list("name", flat=True).first()
    return ((own, str(name)),)


@dataclass
class _Resolver:
    """What was read so far, and how many conditions stand in the whole: rules that name each other again and again are
    stopped while they grow, and long chains of them before they are too deep for any program to follow."""

    known: dict[int, tuple[str, Rule]] = field(default_factory=dict)
    conditions: int = 0

    def resolve(self, rule: Rule, path: str, trail: Trail, depth: int) -> Rule:
        if depth > MAX_RESOLVED_DEPTH:
            raise RuleError(path, "named_too_deep", str(MAX_RESOLVED_DEPTH))
        if isinstance(rule, Group):
            places = ((child, join_path(path, f"rules.{i}")) for i, child in enumerate(rule.rules))
            return Group(rule.match, tuple([self.resolve(child, at, trail, depth + 1) for child, at in places]))
        if isinstance(rule, Membership):
            inner = self._resolve_membership(rule, join_path(path, "segment"), trail, depth + 1)
            return inner if rule.is_member else Group("none", (inner,))
        self.conditions += 1
        if self.conditions > MAX_RESOLVED:
            raise RuleError(path, "too_many_conditions", str(MAX_RESOLVED))
        return rule

    def _resolve_membership(self, rule: Membership, path: str, trail: Trail, depth: int) -> Rule:
        name, other = self._read(rule.segment, path)
        if any(pk == rule.segment for pk, _name in trail):
            raise RuleError(path, "cycle", " → ".join([*(told for _pk, told in trail), name]))
        try:
            return self.resolve(other, "", (*trail, (rule.segment, name)), depth)
        except RuleError as error:
            if error.code in ("cycle", "too_many_conditions", "named_too_deep"):
                raise RuleError(path, error.code, error.detail) from error
            raise RuleError(path, "segment_broken", name) from error

    def _read(self, pk: int, path: str) -> tuple[str, Rule]:
        if pk not in self.known:
            row = Segment.objects.filter(pk=pk).values_list("name", "rule").first()
            if row is None:
                raise RuleError(path, "unknown_segment", str(pk))
            reading = read_gently(row[1])
            if reading.faults:
                raise RuleError(path, "segment_broken", row[0])
            self.known[pk] = (row[0], reading.rule)
        return self.known[pk]

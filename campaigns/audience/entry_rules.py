"""The trigger of a live campaign, read from JSON and checked. No framework, no database.

A trigger is one of
- `{"on": "segment"}`: somebody comes to be in the campaign's segment;
- `{"on": "event", "event": "cart_updated", "where": {"category": "Tents"}, "max_age_hours": 24}`: an event of this kind is
  written into the log, of people in the segment; `where` may be left out. Older ones than `max_age_hours` let nobody in;
- `{"on": "churn", "line": 0.6}`: the churn probability of somebody in the segment crosses the line from below;
- `{"on": "overdue", "days": 7}`: so many days went by since the order that was expected next, once per expected date.

All but events may say `"includes_present": true`: who is there already when the campaign goes live comes in too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from customers.segments.rules import PlacedError

#: What an event may be that lets people in. What we did ourselves (sent, bounced) is none: it would feed itself.
TRIGGER_EVENTS: Final = (
    "product_viewed", "search_performed", "cart_updated", "review_written", "email_opened", "email_clicked",
    "ticket_opened", "ticket_closed", "complaint_opened", "complaint_closed",
)  # fmt: skip
USUAL_AGE_HOURS: Final = 24
MOST_AGE_HOURS: Final = 720
MOST_OVERDUE_DAYS: Final = 365
MOST_PROPERTIES: Final = 3
LONGEST_NAME: Final = 60
LONGEST_VALUE: Final = 120


class EntryRuleError(PlacedError):
    """A trigger or recurrence that cannot be used."""


@dataclass(frozen=True)
class SegmentTrigger:
    """Coming to be in the segment."""

    includes_present: bool = False


@dataclass(frozen=True)
class EventTrigger:
    """An event of a kind whose properties have these values, not older than `max_age_hours` when it is seen."""

    event: str
    where: tuple[tuple[str, str], ...] = ()
    max_age_hours: int = USUAL_AGE_HOURS

    @property
    def includes_present(self) -> bool:
        return False


@dataclass(frozen=True)
class ChurnTrigger:
    """The churn probability crossing `line` (over 0, up to 1) from below."""

    line: float
    includes_present: bool = False


@dataclass(frozen=True)
class OverdueTrigger:
    """`days` (0 to 365) after the day on which the next order was expected, none having come."""

    days: int
    includes_present: bool = False


Trigger = SegmentTrigger | EventTrigger | ChurnTrigger | OverdueTrigger

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "segment": frozenset({"on", "includes_present"}),
    "event": frozenset({"on", "event", "where", "max_age_hours"}),
    "churn": frozenset({"on", "line", "includes_present"}),
    "overdue": frozenset({"on", "days", "includes_present"}),
}


def parse_trigger(tree: Any) -> Trigger:
    """Read a trigger. Raises EntryRuleError with the place of the first fault."""
    if not isinstance(tree, Mapping):
        raise EntryRuleError("", "not_an_object")
    on = tree.get("on")
    if not isinstance(on, str) or on not in _KEYS:
        raise EntryRuleError("on", "unknown_trigger", str(on)[:40])
    if strange := sorted(map(str, tree.keys() - _KEYS[on])):
        raise EntryRuleError(strange[0][:40], "does_not_belong", on)
    present = tree.get("includes_present", False)
    if not isinstance(present, bool):
        raise EntryRuleError("includes_present", "not_yes_or_no")
    if on == "segment":
        return SegmentTrigger(present)
    if on == "churn":
        return ChurnTrigger(_read_line(tree.get("line")), present)
    if on == "overdue":
        return OverdueTrigger(read_whole(tree.get("days"), "days", low=0, high=MOST_OVERDUE_DAYS), present)
    return _read_event(tree)


def dump_trigger(trigger: Trigger) -> dict[str, Any]:
    """The JSON that `parse_trigger` reads back to the same trigger."""
    if isinstance(trigger, EventTrigger):
        dumped: dict[str, Any] = {"on": "event", "event": trigger.event, "max_age_hours": trigger.max_age_hours}
        return dumped | ({"where": dict(trigger.where)} if trigger.where else {})
    if isinstance(trigger, ChurnTrigger):
        dumped = {"on": "churn", "line": trigger.line}
    elif isinstance(trigger, OverdueTrigger):
        dumped = {"on": "overdue", "days": trigger.days}
    else:
        dumped = {"on": "segment"}
    return dumped | ({"includes_present": True} if trigger.includes_present else {})


def read_whole(value: Any, path: str, *, low: int, high: int) -> int:
    """A whole number in a range, as a number or as digits. Raises EntryRuleError."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise EntryRuleError(path, "not_a_whole_number", f"{low} … {high}")
    return value


def _read_event(tree: Mapping[str, Any]) -> EventTrigger:
    event, where = tree.get("event"), tree.get("where") or {}
    if not isinstance(event, str) or event not in TRIGGER_EVENTS:
        raise EntryRuleError("event", "unknown_event", str(event)[:40])
    if not isinstance(where, Mapping):
        raise EntryRuleError("where", "not_an_object")
    if len(where) > MOST_PROPERTIES:
        raise EntryRuleError("where", "too_many_properties", str(MOST_PROPERTIES))
    pairs = tuple(sorted((_read_text(name, "where", LONGEST_NAME), _read_value(name, where[name])) for name in where))
    age = read_whole(tree.get("max_age_hours", USUAL_AGE_HOURS), "max_age_hours", low=1, high=MOST_AGE_HOURS)
    return EventTrigger(event, pairs, age)


def _read_value(name: Any, value: Any) -> str:
    """Compared as text, as JSON writes it: true, 12, "Tents"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    return _read_text(value, f"where.{str(name)[:LONGEST_NAME]}", LONGEST_VALUE)


def _read_text(value: Any, path: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest or "\x00" in value:
        raise EntryRuleError(path, "not_a_text", str(longest))
    return value.strip()


def _read_line(value: Any) -> float:
    try:
        line = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        line = math.nan
    if not 0 < line <= 1:
        raise EntryRuleError("line", "not_a_probability", str(value)[:40])
    return line

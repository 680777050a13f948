"""Values of a row as they are typed, and as the JSON of a rule has them: percentages, days, lists, numbers."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from customers.segments.nodes import Day, Value

#: How a day is told: a date, today, or so many days before or after it. "" is what was typed alone: a date, or -30.
DAY_MODES: Final = ("ago", "on", "today", "ahead")
_DAYS_FROM_TODAY: Final = re.compile(r"[+-]?\d{1,5}")
_COMMA: Final = re.compile(r"[,，、]")


def write_value(kind: str, op: str, value: str, value2: str = "", *, modes: tuple[str, str] = ("", "")) -> Any:
    """The JSON of what was typed for a value of `kind` under `op`, faults and all: `parse_rule` finds them. `modes` are how its
    days are told."""
    if op == "anniversary":
        return [write_whole(value), write_whole(value2)]
    if kind == "flag":
        return value != "no"
    if kind == "text":
        return [part.strip() for part in _COMMA.split(value) if part.strip()] if op == "in" else value
    if kind == "date":
        values = [_write_day(text, mode) for text, mode in zip((value, value2), modes, strict=True)]
        if op == "between" and modes == ("ago", "ago"):  # "between 7 and 60 days ago"
            values.sort(key=lambda day: day["days"] if isinstance(day["days"], int) else 0)
    else:
        read = _write_percent if kind == "probability" else str.strip
        values = [read(text) for text in (value, value2)]
    return values if op == "between" else values[0]


def lay_out_value(value: Value, kind: str) -> dict[str, str]:
    """What has to stand in the fields of a row for `value`."""
    if isinstance(value, bool):
        return {"value": "yes" if value else "no"}
    if kind == "text":
        return {"value": ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)}
    items = value if isinstance(value, tuple) else (value,)
    typed: dict[str, str] = {}
    for end, item in zip(("", "2"), items, strict=False):
        if isinstance(item, Day):
            typed[f"value{end}"], typed[f"day{end}"] = _show_day(item)
        else:
            typed[f"value{end}"] = _show(item, kind)
    return typed


def read_mode(value: str, mode: str) -> str:
    """How a day is told that was typed as `value`."""
    if mode in DAY_MODES:
        return mode
    if not value.strip():
        return "ago"
    return "on" if not _DAYS_FROM_TODAY.fullmatch(value.strip()) else "ahead" if int(value) > 0 else "ago"


def write_whole(text: str) -> Any:
    """A whole number; anything else as it was typed."""
    text = text.strip()
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text


def _write_percent(text: str) -> Any:
    text = text.strip().rstrip("%％").strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return number / 100 if math.isfinite(number) else text


def _write_day(text: str, mode: str) -> Any:
    text = text.strip()
    if mode == "today":
        return {"days": 0}
    if mode in ("ago", "ahead"):
        days = write_whole(text)
        return {"days": -days if mode == "ago" and isinstance(days, int) else days}
    return {"days": int(text)} if mode != "on" and _DAYS_FROM_TODAY.fullmatch(text) else text


def _show_day(day: Day) -> tuple[str, str]:
    """What stands in the field, and how the day is told."""
    if day.date:
        return day.date.isoformat(), "on"
    return (str(abs(day.days)), "ago" if day.days < 0 else "ahead") if day.days else ("", "today")


def _show(value: Any, kind: str) -> str:
    if isinstance(value, str):
        return value
    return f"{value * 100:.10g}" if kind == "probability" else f"{value:.10g}"

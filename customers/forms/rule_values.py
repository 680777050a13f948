"""Values of a row as they are typed, and as the JSON of a rule has them: percentages, days, lists, numbers."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from customers.segments.nodes import Day, Value

_DAYS_FROM_TODAY: Final = re.compile(r"[+-]?\d{1,5}")
_COMMA: Final = re.compile(r"[,，、]")


def write_value(kind: str, op: str, value: str, value2: str = "") -> Any:
    """The JSON of what was typed for a value of `kind` under `op`, faults and all: `parse_rule` finds them."""
    if op == "anniversary":
        return [write_whole(value), write_whole(value2)]
    if kind == "flag":
        return value != "no"
    if kind == "text":
        return [part.strip() for part in _COMMA.split(value) if part.strip()] if op == "in" else value
    read = _write_day if kind == "date" else _write_percent if kind == "probability" else str.strip
    values = [read(text) for text in (value, value2)]
    return values if op == "between" else values[0]


def lay_out_value(value: Value, kind: str) -> dict[str, str]:
    """What has to stand in the fields of a row for `value`."""
    if isinstance(value, bool):
        return {"value": "yes" if value else "no"}
    if kind == "text":
        return {"value": ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)}
    texts = [_show(item, kind) for item in (value if isinstance(value, tuple) else (value,))]
    return {"value": texts[0]} | ({"value2": texts[1]} if len(texts) > 1 else {})


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


def _write_day(text: str) -> Any:
    return {"days": int(text)} if _DAYS_FROM_TODAY.fullmatch(text.strip()) else text.strip()


def _show(value: Any, kind: str) -> str:
    if isinstance(value, Day):
        return value.date.isoformat() if value.date else f"{value.days:+d}" if value.days else "0"
    if isinstance(value, str):
        return value
    return f"{value * 100:.10g}" if kind == "probability" else f"{value:.10g}"

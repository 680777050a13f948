"""Reads the values of conditions: texts, numbers, days, windows. Each raises RuleError with the path of the fault."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from .faults import RuleError, join_path
from .nodes import Day, Value, Window
from .vocabulary import PERIODS, ValueKind

MAX_TEXT: Final = 120
MAX_LIST: Final = 100
MAX_DAYS: Final = 36_500
#: The longest rolling window of things done, in days.
MAX_WINDOW: Final = 3_650
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_Number = TypeVar("_Number", bound=float)
_Part = TypeVar("_Part")


def check_keys(tree: Mapping[str, Any], path: str, known: Sequence[str]) -> None:
    """Refuse a key that means nothing here: a typing error would otherwise widen the audience without a word."""
    for key in tree:
        if key not in known and not (key == "version" and not path):
            raise RuleError(join_path(path, show(key)), "unknown_key", show(key))


def show(value: Any) -> str:
    """A value that somebody sent, short enough for a message and fit to be stored."""
    try:
        text = str(value)[:40]
    except (RecursionError, ValueError):  # nested too deeply, or a number of too many digits
        text = "…"
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def read_choice(value: Any, choices: Sequence[str] | Mapping[str, Any], path: str, code: str) -> str:
    """One of the words in `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise RuleError(path, code, show(value))
    return value


def read_operator(value: Any, operators: Sequence[str], path: str) -> str:
    return read_choice(value, operators, join_path(path, "op"), "operator_does_not_fit")


def read_flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise RuleError(path, "not_yes_or_no")
    return value


def read_text(value: Any, path: str, *, longest: int = MAX_TEXT) -> str:
    """1 to `longest` characters that PostgreSQL can keep: neither NUL nor half a surrogate pair."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest or "\x00" in value:
        raise RuleError(path, "not_a_text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise RuleError(path, "not_a_text")
    return value.strip()


def read_optional_text(tree: Mapping[str, Any], key: str, path: str) -> str:
    """The text under `key`; "" where there is none."""
    value = tree.get(key)
    return "" if value is None or value == "" else read_text(value, join_path(path, key))


def read_whole(value: Any, path: str, *, low: int, high: int) -> int:
    """A whole number in a range, as a number or as digits."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RuleError(path, "not_a_whole_number", f"{low} … {high}")
    return value


def read_number(kind: ValueKind, value: Any, path: str) -> float:
    """A finite number that fits `kind`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)[:400]) == 400:
        raise RuleError(path, "not_a_number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise RuleError(path, "not_a_number", show(value)) from None
    if not math.isfinite(number) or abs(number) > 1e12:
        raise RuleError(path, "not_a_number", show(value))
    if kind == "probability" and not 0 <= number <= 1:
        raise RuleError(path, "not_a_probability", show(value))
    if kind == "days" and not 0 <= number <= MAX_DAYS:
        raise RuleError(path, "not_a_number_of_days", show(value))
    return number


def read_pair(value: Any, path: str, read: Callable[[Any, str], _Part]) -> tuple[_Part, _Part]:
    """Two values, each read by `read` with the path of both."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise RuleError(path, "not_two_numbers")
    return read(value[0], path), read(value[1], path)


def read_date(value: Any, path: str) -> dt.date:
    """An ISO date such as 2026-03-31."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise RuleError(path, "not_a_date", show(value))
    return day


def read_day(value: Any, path: str) -> Day:
    """An ISO date, or {"days": n} from today."""
    if isinstance(value, Mapping):
        check_keys(value, path or "value", ("days",))
        days = value.get("days")
        if isinstance(days, str) and days.strip().removeprefix("-").isdecimal() and len(days) < 8:
            days = int(days)
        if isinstance(days, bool) or not isinstance(days, int) or abs(days) > MAX_DAYS:
            raise RuleError(join_path(path, "days"), "not_a_whole_number", f"-{MAX_DAYS} … {MAX_DAYS}")
        return Day(days=days)
    return Day(date=read_date(value, path))


def read_value(kind: ValueKind, op: str, value: Any, path: str) -> Value:
    """The value of a condition of a kind under an operator."""
    if op in ("known", "unknown"):
        if value is not None:
            raise RuleError(path, "no_value_here")
        return None
    if kind == "flag":
        return read_flag(value, path)
    if kind == "text":
        return _read_texts(value, path) if op == "in" else read_text(value, path)
    if op == "anniversary":
        first, last = _read_two(value, path, read_whole_signed)
        if last - first > 366:
            raise RuleError(path, "not_a_number_of_days", show(last - first))
        return float(first), float(last)
    if kind == "date":
        return _read_days(op, value, path)
    if op != "between":
        return read_number(kind, value, path)
    low, high = _read_two(value, path, lambda item, place: read_number(kind, item, place))
    return low, high


def read_whole_signed(value: Any, path: str) -> int:
    """A number of days of at most a year, in the past (negative) or to come."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 366:
        raise RuleError(path, "not_a_whole_number", "-366 … 366")
    if value != int(value):
        raise RuleError(path, "not_a_whole_number", "-366 … 366")
    return int(value)


def read_window(tree: Mapping[str, Any], path: str) -> Window:
    """`within_days`, or `window`: {"ever": true}, {"period": "this_month"}, {"from": …, "to": …} or
    {"days_ago": [30, 90]}. One of them has to be said."""
    if "window" not in tree:
        return Window(days=read_whole(tree.get("within_days"), join_path(path, "within_days"), low=1, high=MAX_WINDOW))
    place, window = join_path(path, "window"), tree["window"]
    if tree.get("within_days") is not None:
        raise RuleError(place, "two_windows")
    if not isinstance(window, Mapping) or not window:
        raise RuleError(place, "not_a_window")
    check_keys(window, place, ("ever", "period", "from", "to", "days_ago"))
    if "ever" in window or "period" in window or "days_ago" in window:
        if len(window) > 1:
            raise RuleError(place, "two_windows")
        return _read_one_window(window, place)
    first = read_date(window["from"], join_path(place, "from")) if window.get("from") else None
    last = read_date(window["to"], join_path(place, "to")) if window.get("to") else None
    if first is None and last is None:
        raise RuleError(place, "not_a_window")
    if first and last and first > last:
        raise RuleError(place, "wrong_order")
    return Window(first=first, last=last)


def _read_one_window(window: Mapping[str, Any], place: str) -> Window:
    if "ever" in window:
        if window["ever"] is not True:
            raise RuleError(join_path(place, "ever"), "not_a_window")
        return Window()
    if "period" in window:
        return Window(period=read_choice(window["period"], PERIODS, join_path(place, "period"), "unknown_period"))
    return Window(ago=_read_two(
        window["days_ago"], join_path(place, "days_ago"), lambda item, at: read_whole(item, at, low=0, high=MAX_WINDOW)
    ))  # fmt: skip


def _read_texts(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise RuleError(path, "not_a_list")
    if len(value) > MAX_LIST:
        raise RuleError(path, "too_many_values", str(MAX_LIST))
    return tuple(read_text(item, path) for item in value)


def _read_days(op: str, value: Any, path: str) -> Day | tuple[Day, Day]:
    if op != "between":
        return read_day(value, path)
    first, last = read_pair(value, path, read_day)
    if first.date and last.date and first.date > last.date:
        raise RuleError(path, "wrong_order")
    if not first.date and not last.date and first.days > last.days:
        raise RuleError(path, "wrong_order")
    return first, last


def _read_two(value: Any, path: str, read: Callable[[Any, str], _Number]) -> tuple[_Number, _Number]:
    low, high = read_pair(value, path, read)
    if low > high:
        raise RuleError(path, "wrong_order")
    return low, high

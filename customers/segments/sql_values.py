"""SQL of comparisons: numbers, texts, days and moments, and typed values out of the shop's own JSON."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .nodes import Day, Own, Value
from .sql import Builder

_NUMBER: Final = r"^ *-?[0-9]{1,15}(\.[0-9]{1,9})? *$"
_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def compare_numbers(expression: str, op: str, value: Value, builder: Builder) -> str:
    if op == "between" and isinstance(value, tuple):
        return f"{expression} BETWEEN {builder.bind(value[0])} AND {builder.bind(value[1])}"
    sign = {"gte": ">=", "lte": "<=", "is": "="}[op]
    return f"{expression} {sign} {builder.bind(value)}"


def compare_texts(expression: str, op: str, value: Value, builder: Builder) -> str:
    if op == "in" and isinstance(value, tuple):
        return f"{expression} = ANY({builder.bind(list(value))}::text[])"
    if op == "is_not":
        return f"{expression} IS DISTINCT FROM {builder.bind(value)}::text"
    if op == "contains":
        return f"strpos(lower({expression}), lower({builder.bind(value)}::text)) > 0"
    if op == "starts_with":
        return f"starts_with(lower({expression}), lower({builder.bind(value)}::text))"
    return f"{expression} = {builder.bind(value)}::text"


def compare_dates(expression: str, op: str, value: Value, builder: Builder, *, today: str = "") -> str:
    """Dates against days; `today` is the SQL of the day from which relative ones are counted, the shop's if empty."""
    today = today or f"{builder.bind(builder.calendar.today)}::date"

    def told(day: Day) -> str:
        if day.date:
            return f"{builder.bind(day.date)}::date"
        return f"({today} + {builder.bind(day.days)}::int)" if day.days else today

    days = [told(day) for day in (value if isinstance(value, tuple) else (value,)) if isinstance(day, Day)]
    if op == "between":
        return f"({expression} >= {days[0]} AND {expression} <= {days[1]})"
    sign = {"before": "<", "from": ">=", "on": "="}[op]
    return f"{expression} {sign} {days[0]}"


def compare_moments(expression: str, op: str, value: Value, builder: Builder) -> str:
    """Moments against days of the shop's calendar: a day is from its midnight to the next."""
    calendar = builder.calendar
    days = [calendar.read_day(day) for day in (value if isinstance(value, tuple) else (value,)) if isinstance(day, Day)]
    starts = builder.bind(calendar.start_of(days[0]))
    if op == "before":
        return f"{expression} < {starts}"
    if op == "from":
        return f"{expression} >= {starts}"
    ends = builder.bind(calendar.start_of(days[-1] + dt.timedelta(days=1)))
    return f"({expression} >= {starts} AND {expression} < {ends})"


def own_sql(own: Own, column: str, builder: Builder, *, today: str) -> str:
    """A question about the value named `own.name` in the jsonb `column`; null where it is absent or of another type.
    The operator "value" gives the typed value itself."""
    raw = f"nullif({column}->>{builder.bind(own.name)}::text, '')"
    typed = _typed(raw, own.type)
    if own.op == "value":
        return typed
    if own.op in ("known", "unknown"):
        return f"{typed} IS {'NOT ' if own.op == 'known' else ''}NULL"
    if own.type == "flag":
        return typed if own.value else f"NOT {typed}"
    if own.type == "date":
        return compare_dates(typed, own.op, own.value, builder, today=today)
    if own.type == "number":
        return compare_numbers(typed, own.op, own.value, builder)
    return compare_texts(typed, own.op, own.value, builder)


def _typed(raw: str, kind: str) -> str:
    """CASE, because nothing else keeps PostgreSQL from casting what was not tested yet."""
    if kind == "number":
        return f"(CASE WHEN {raw} ~ '{_NUMBER}' THEN ({raw})::numeric::float8 END)"
    if kind == "flag":
        true, false = (", ".join(f"'{word}'" for word in words) for words in (_TRUE, _FALSE))
        return f"(CASE WHEN lower({raw}) IN ({true}) THEN true WHEN lower({raw}) IN ({false}) THEN false END)"
    if kind == "date":
        day = f"left({raw}, 10)"
        return f"(CASE WHEN {raw} ~ '{_DATE}' AND pg_input_is_valid({day}, 'date') THEN ({day})::date END)"
    return f"({raw})"

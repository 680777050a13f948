"""The free text inside JSON facts: strings as they are, figures beside the name of their key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

#: Lists in lists: facts have three levels.
DEEPEST = 20


def iter_texts(value: Any, currency: str = "", within: str = "") -> Iterator[str]:
    """All strings and numbers inside a JSON value; the names of keys are read as words too, where something is true.

    A bare figure is followed by what its key counts ("pages: 312 pages"), or by the currency where the key names an
    amount ("value: 5.00 GBP"); a `count` counts what its mapping is named after ("rating count: 412 rating")."""
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, Mapping):
        for key, part in value.items():
            name = str(key).replace("_", " ")
            if part is True:
                yield name
            elif isinstance(part, str | int | float | Decimal) and not isinstance(part, bool):
                label = f"{within} {name}".strip()
                colon = "" if _OPEN.search(label) else ":"  # "made in Italy"
                yield f"{label}{colon} {part}{_unit_of(name, part, currency, within)}"
            elif isinstance(part, list) and part and all(isinstance(each, str) and len(each) <= 40 for each in part):
                yield f"{name}: {', '.join(part)}"
            else:
                yield from iter_texts(part, currency, name)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for part in value:
            yield from iter_texts(part, currency, within)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield str(value)


def is_bare_number(text: str) -> bool:
    """The text is a figure and nothing else."""
    return bool(re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*", text))


def _unit_of(key: str, value: Any, currency: str, within: str) -> str:
    if length := re.search(r"(?:hour|day|week|month|year)s?(?![a-z])", key, re.I):
        return f" {length.group()}"
    if isinstance(value, str) and not is_bare_number(value):
        return ""
    if _AMOUNT.search(key):
        return f" {currency}".rstrip()
    noun = within if _COUNT.fullmatch(key) and within else key
    words = re.sub(r"\s+(?:so far|total|count|number)$", "", noun, flags=re.I).split()
    return f" {words[-1]}" if words else ""


def measure_size(value: Any, most: int) -> int:
    """Signs in all strings and numbers of a JSON value, of which each counts as one at least; stops soon after `most`.
    Works on any depth, and counts each step down, so that what passes is not too deep either."""
    size, waiting = 0, [(value, 0)]
    while waiting and size <= most:
        part, depth = waiting.pop()
        size += len(part) if isinstance(part, str) else 1
        if depth > DEEPEST:
            return most + 1
        if isinstance(part, Mapping):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, Sequence) and not isinstance(part, str | bytes | bytearray):
            waiting += [(inner, depth + 1) for inner in part]
    return size


_AMOUNT = re.compile(
    r"\b(?:value|price|cost|fee|worth|amount|deposit|voucher|credit|postage|shipping|delivery|minimum|threshold)\b"
    r"|价|费|金额|门槛",
    re.I,
)
_OPEN = re.compile(r"\b(?:in|from|by|of|for|at|with|to)$", re.I)
_COUNT = re.compile(r"count|number|total|amount of|数量?", re.I)

"""Questions about the properties of an event ("size is XL") as fields of a row: `prop1`, `prop1_op`, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from customers.segments.leaves import MOST_PROPERTIES
from customers.segments.nodes import Own
from customers.segments.vocabulary import OWN_OPERATORS

from .rule_values import lay_out_value, write_value

#: What the fields of one question are called, with what stands there where nothing was typed.
_PARTS: Final[dict[str, str]] = {
    "": "",
    "_type": "text",
    "_op": "is",
    "_value": "",
    "_value2": "",
    "_day": "",
    "_day2": "",
}
NUMBERS: Final = range(1, MOST_PROPERTIES + 1)
TYPED_PROPERTIES: Final[dict[str, str]] = {
    f"prop{number}{part}": usual for number in NUMBERS for part, usual in _PARTS.items()
}


def list_operators(kind: str) -> tuple[str, ...]:
    """Which operators a question about a property may have."""
    return tuple(op for op in OWN_OPERATORS.get(kind, OWN_OPERATORS["text"]) if op != "anniversary")


def read_property(typed: Mapping[str, str], number: int) -> dict[str, str]:
    """One question as it was typed: name, type, op, value, day and their second ones. An operator that does not fit the type
    gives way."""
    found = {
        part.removeprefix("_") or "name": typed.get(f"prop{number}{part}", usual) for part, usual in _PARTS.items()
    }
    operators = list_operators(found["type"])
    return found if found["op"] in operators else found | {"op": operators[0]}


def write_properties(typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """The JSON of the questions that have a name."""
    asked = [one for number in NUMBERS if (one := read_property(typed, number))["name"].strip()]
    return [
        {"property": one["name"].strip(), "type": one["type"], "op": one["op"]}
        | ({} if one["op"] in ("known", "unknown")
           else {"value": write_value(one["type"], one["op"], one["value"], one["value2"], modes=(one["day"], one["day2"]))})
        for one in asked
    ]  # fmt: skip


def lay_out_properties(where: Sequence[Own]) -> dict[str, str]:
    """What has to stand in the fields for these questions."""
    typed: dict[str, str] = {}
    for number, own in zip(NUMBERS, where, strict=False):
        typed |= {f"prop{number}": own.name, f"prop{number}_type": own.type, f"prop{number}_op": own.op}
        value = {} if own.value is None else lay_out_value(own.value, own.type)
        typed |= {f"prop{number}_{key}": text for key, text in value.items()}
    return typed


def list_properties(typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """The questions to be shown: those with a name, and an empty one to go on with."""
    named = [number for number in NUMBERS if read_property(typed, number)["name"].strip()]
    free = [number for number in NUMBERS if number not in named][:1]
    shown = []
    for number in sorted([*named, *free]):
        one = read_property(typed, number)
        shown.append(one | {"key": f"prop{number}", "operators": list_operators(one["type"])})
    return shown

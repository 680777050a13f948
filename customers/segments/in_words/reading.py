"""Makes a rule of what a model answered: small faults are mended, the rest is left out and named. No framework, no database.

Whatever a model says, only what `parse_rule` accepts comes out of here; a text of it is a value and never anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from customers.segments.faults import RuleError
from customers.segments.rules import parse_rule
from customers.segments.vocabulary import FIELDS, MEASURES

LONGEST_NAME: Final = 120
LONGEST_LEFT_OUT: Final = 200
_LISTED: Final = {
    "country": "countries",
    "interested_in": "categories",
    "likes_brand": "brands",
    "interest": "categories",
}


@dataclass(frozen=True)
class Known:
    """What the shop has: the only countries, categories, brands and attributes that a proposal may name."""

    countries: Sequence[str] = ()
    categories: Sequence[str] = ()
    brands: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def find(self, kind: str, text: str) -> str:
        """The shop's spelling; raises LookupError where it has no such thing."""
        folded = text.strip().casefold()
        for spelling in getattr(self, kind):
            if spelling.casefold() == folded:
                return str(spelling)
        raise LookupError(text)


@dataclass(frozen=True)
class Read:
    """`tree` is None where nothing of the sentence can be said. `left_out` are words of the sentence or of the model;
    `faults` are parts of the model's that are no rule."""

    name: str
    tree: dict[str, Any] | None
    left_out: tuple[str, ...]
    faults: tuple[RuleError, ...]


def read_answer(answer: Mapping[str, Any], known: Known) -> Read:
    """The proposal in a model's answer that fits the schema of the prompt."""
    left_out = [_shorten(text) for text in answer["not_said"] if str(text).strip()]
    faults: list[RuleError] = []
    groups = []
    for group in answer["groups"]:
        parts = [_read_part(part, known, left_out, faults) for part in group["parts"]]
        if kept := [part for part in parts if part]:
            groups.append({"match": group["match"], "rules": kept})
    rules = [group["rules"][0] if len(group["rules"]) == 1 and group["match"] != "none" else group for group in groups]
    tree = {"version": 2, "match": "all", "rules": rules} if rules else None
    return Read(_shorten(answer["name"], LONGEST_NAME), tree, tuple(dict.fromkeys(left_out)), tuple(faults))


def _read_part(
    part: Mapping[str, Any], known: Known, left_out: list[str], faults: list[RuleError]
) -> dict[str, Any] | None:
    """One condition, or None: then `left_out` or `faults` says of what."""
    try:
        tree = _build(part, known)
        parse_rule(tree)
    except LookupError as error:
        left_out.append(_shorten(str(error.args[0]) if error.args else part["what"]))
        return None
    except RuleError as error:
        faults.append(RuleError(str(part["what"]), error.code, error.detail))
        return None
    return tree


def _build(part: Mapping[str, Any], known: Known) -> dict[str, Any]:
    kind, _colon, rest = str(part["what"]).partition(":")
    values = [str(value).strip() for value in part["values"] if str(value).strip()]
    if kind == "did":
        return _build_behaviour(part, rest, known)
    if kind == "orders":
        op = _fit(part["op"], MEASURES[rest])
        asked = {"orders": rest, "op": op, "value": _value(MEASURES[rest], op, values), **_window(part)}
        return asked | _category(part, known)
    if kind == "message":
        return {"message": rest, **_times(part), **_window(part)}
    if kind == "channel":
        channel, _colon, state = rest.partition(":")
        return {"channel": channel, "is": state, "value": _is_yes(values)}
    if kind == "attribute":
        return _build_attribute(part, values, known)
    shape = FIELDS[kind]
    if kind in _LISTED:
        values = [known.find(_LISTED[kind], value) for value in values]
    op = _fit(part["op"], shape.kind, many=len(values) > 1)
    return {"field": kind, "op": op, "value": _value(shape.kind, op, values)}


def _build_behaviour(part: Mapping[str, Any], did: str, known: Known) -> dict[str, Any]:
    tree = {"did": did, **_times(part), **_window(part), **_category(part, known)}
    if part["each_product"]:
        tree["each_product"] = True
    if part["afterwards"] != "any":
        tree["then"] = {"did": "ordered", "happened": part["afterwards"] == "ordered"}
    return tree


def _build_attribute(part: Mapping[str, Any], values: list[str], known: Known) -> dict[str, Any]:
    name = known.find("attributes", str(part["attribute"]))
    kind = known.attributes[name]
    asked = {"attribute": name, "type": kind}
    if part["op"] in ("known", "unknown"):
        return asked | {"op": part["op"]}
    op = part["op"] if part["op"] == "contains" and kind == "text" else _fit(part["op"], kind, many=len(values) > 1)
    return asked | {"op": op, "value": _value(kind, op, values)}


def _times(part: Mapping[str, Any]) -> dict[str, Any]:
    op = "lte" if part["op"] == "lte" else "gte"
    return {"op": op, "times": max(int(part["times"]), 0 if op == "lte" else 1)}


def _window(part: Mapping[str, Any]) -> dict[str, Any]:
    days = int(part["days"])
    return {"within_days": days} if days > 0 else {"window": {"ever": True}}


def _category(part: Mapping[str, Any], known: Known) -> dict[str, Any]:
    text = str(part["category"]).strip()
    return {"category": known.find("categories", text)} if text else {}


def _fit(op: str, kind: str, *, many: bool = False) -> str:
    """The operator that was meant, where a model took one of another kind of value."""
    if kind == "text":
        return "in" if many and op != "is_not" else op if op in ("is", "is_not", "in") else "is"
    if kind == "flag":
        return "is"
    if kind == "date":
        return {"gte": "from", "lte": "before"}.get(op, op)
    return {"from": "gte", "before": "lte", "is": "gte", "on": "gte"}.get(op, op)


def _value(kind: str, op: str, values: list[str]) -> Any:
    """Values as the rule wants them; what is no such value is left for `parse_rule` to refuse."""
    if kind == "flag":
        return _is_yes(values)
    if op == "in":
        return values
    read = [_read_one(kind, value) for value in values]
    if op == "between":
        return sorted(read, key=str) if kind == "date" else sorted(read, key=lambda item: (isinstance(item, str), item))
    return read[0] if read else None


def _read_one(kind: str, value: str) -> Any:
    if kind in ("text", "date"):
        return value
    text = value.replace(",", "").strip()
    is_percent = text.endswith("%")
    try:
        number = float(text.rstrip("%").strip())
    except ValueError:
        return value
    if kind == "probability" and (is_percent or 1 < number <= 100):
        number /= 100
    return number


def _is_yes(values: list[str]) -> bool:
    return not values or values[0].casefold() not in ("no", "false", "0", "nein", "否")


def _shorten(text: Any, longest: int = LONGEST_LEFT_OUT) -> str:
    """A text of the model's, fit to be shown: neither half a character nor a NUL in it."""
    return str(text).encode("utf-8", "ignore").decode().replace("\x00", "").strip()[:longest]

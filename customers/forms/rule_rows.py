"""One row of the builder: what was typed, the part of a rule that it says, and back.

A part that a row cannot show is kept as it is, as JSON: whatever was saved through the API can be opened and saved here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from customers.segments.dumping import dump_leaf
from customers.segments.nodes import (
    Attribute,
    Behaviour,
    Broken,
    Bucket,
    ChannelState,
    Condition,
    Leaf,
    Membership,
    MessageAct,
    Orders,
    Window,
)
from customers.segments.rules import FIELDS, RuleError, parse_rule
from customers.segments.vocabulary import (
    BEHAVIOURS,
    CHANNEL_STATES,
    MEASURES,
    MESSAGES,
    NUMBER_OPERATORS,
    OPERATORS,
    OWN_OPERATORS,
    PERIODS,
    WITH_PRODUCT,
)

from .rule_properties import TYPED_PROPERTIES, lay_out_properties, write_properties
from .rule_values import lay_out_value, write_value, write_whole

#: What a row sends, with what stands there where nothing was typed.
TYPED: Final[dict[str, str]] = {
    "what": "recency_days", "op": "gte", "value": "", "value2": "", "day": "", "day2": "", "times": "1", "when": "days",
    "days": "90", "days2": "180", "from": "", "to": "", "category": "", "product": "", "brand": "", "name": "", "type": "text",
    "channel": "", "campaign": "", "then": "", "then_days": "", "each": "", "kind": "bought",
    "discount": "", "code": "", **TYPED_PROPERTIES,
}  # fmt: skip
#: What may follow the colon of a row's "what".
_TAILS: Final[Mapping[str, Collection[str]]] = {
    "did": BEHAVIOURS,
    "orders": MEASURES,
    "message": MESSAGES,
    "channel": CHANNEL_STATES,
}


@dataclass(frozen=True)
class Row:
    """One line as it was typed. `what` is a field, or such as "did:ordered", "orders:sum", "channel:reachable", "json"."""

    typed: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def __getattr__(self, name: str) -> str:
        if name in TYPED:
            return self.typed.get(name, TYPED[name])
        raise AttributeError(name)

    @property
    def family(self) -> str:
        """Which fields the row has."""
        what = self.typed.get("what", TYPED["what"])
        head, _, tail = what.partition(":")
        if tail:
            return head if tail in _TAILS.get(head, ()) else ""
        return "field" if what in FIELDS else what if what in ("attribute", "segment", "bucket", "json") else ""

    @property
    def value_kind(self) -> str:
        """What kind of value is typed: of a field, of a measure, of an attribute."""
        what = self.typed.get("what", TYPED["what"])
        if self.family == "field":
            return FIELDS[what].kind
        if self.family == "orders":
            return MEASURES[what.partition(":")[2]]
        return self.typed.get("type", "text") if self.family == "attribute" else ""

    @property
    def operators(self) -> tuple[str, ...]:
        if self.family in ("did", "message"):
            return ("gte", "lte")
        if self.family == "attribute":
            return OWN_OPERATORS.get(self.value_kind, ("is",))
        return OPERATORS.get(self.value_kind, NUMBER_OPERATORS) if self.value_kind else ()

    @property
    def has_product(self) -> bool:
        return self.family == "orders" or (self.family == "did" and self.tail in WITH_PRODUCT)

    @property
    def has_properties(self) -> bool:
        """Orders have none to ask for."""
        return self.family == "did" and self.tail != "ordered"

    @property
    def tail(self) -> str:
        return self.typed.get("what", TYPED["what"]).partition(":")[2]

    def fitted(self) -> Row:
        """Whose question was changed keeps its operator and its value only where they still fit."""
        was = self.typed.get("was", "")
        if was and was != self.what:
            kept = {key: text for key, text in self.typed.items() if key not in ("was", "value", "value2")}
            same = Row({"what": was}).value_kind == self.value_kind and self.value_kind not in ("", "text")
            return replace(self, typed=dict(self.typed) | {"was": ""} if same else kept).fitted()
        if not self.operators or self.typed.get("op", TYPED["op"]) in self.operators:
            return self
        return replace(self, typed={**self.typed, "op": self.operators[0]})

    def to_tree(self) -> Any:
        """The JSON of the part, faults and all: `parse_rule` finds them."""
        return _WRITERS.get(self.family, _write_unknown)(self)


def lay_out_row(part: Leaf | Broken) -> Row:
    """The row of a part; as JSON where a row cannot say all of it."""
    tree = part.tree if isinstance(part, Broken) else dump_leaf(part)
    kept = json.dumps(tree, ensure_ascii=False, default=str)
    if not isinstance(part, Broken):
        row = Row(_lay_out(part))
        try:
            if parse_rule(row.to_tree()).rules == (part,):
                return row
        except RuleError:
            pass
    return Row({"what": "json", "value": kept})


def _write_field(row: Row) -> Any:
    return {"field": row.what, "op": row.op, "value": _write_value(row)}


def _write_did(row: Row) -> Any:
    tree = {"did": row.tail, "op": row.op, "times": row.times} | _write_window(row) | _write_ware(row)
    if row.tail == "custom":
        tree["name"] = row.name
    if row.each:
        tree["each_product"] = True
    if row.then:
        did, _, happened = row.then.partition(":")
        tree["then"] = {"did": did, "happened": happened != "no"}
        if row.then_days.strip():
            tree["then"]["within_days"] = row.then_days.strip()
    where = write_properties(row.typed) if row.has_properties else []
    return tree | ({"where": where} if where else {})


def _write_orders(row: Row) -> Any:
    tree = {"orders": row.tail, "op": row.op, "value": _write_value(row)} | _write_window(row)
    named = {key: text for key in ("discount", "code") if (text := getattr(row, key).strip())}
    return tree | ({"kind": row.kind} if row.kind != "bought" else {}) | named | _write_ware(row)


def _write_message(row: Row) -> Any:
    tree = {"message": row.tail, "op": row.op, "times": row.times} | _write_window(row)
    return tree | {key: text for key in ("channel", "campaign") if (text := getattr(row, key).strip())}


def _write_channel(row: Row) -> Any:
    return {"channel": row.channel or "email", "is": row.tail, "value": row.value != "no"}


def _write_segment(row: Row) -> Any:
    return {"segment": write_whole(row.name), "is_member": row.value != "no"}


def _write_bucket(row: Row) -> Any:
    return {"bucket": [row.value, row.value2], "salt": row.name or "rekindle"}


def _write_attribute(row: Row) -> Any:
    tree: dict[str, Any] = {"attribute": row.name, "type": row.type, "op": row.op}
    if row.op in ("known", "unknown"):
        return tree
    return tree | {"value": _write_value(row)}


def _write_json(row: Row) -> Any:
    try:
        return json.loads(row.value)
    except (ValueError, RecursionError):
        return {"field": row.value[:40]}


def _write_unknown(row: Row) -> Any:
    return {"field": row.what}


_WRITERS: Final = {
    "field": _write_field, "did": _write_did, "orders": _write_orders, "message": _write_message,
    "channel": _write_channel, "segment": _write_segment, "bucket": _write_bucket, "attribute": _write_attribute,
    "json": _write_json,
}  # fmt: skip


def _write_value(row: Row) -> Any:
    return write_value(row.value_kind, row.op, row.value, row.value2, modes=(row.day, row.day2))


def _write_window(row: Row) -> dict[str, Any]:
    if row.when == "days":
        return {"within_days": row.days}
    if row.when == "ago":
        return {"window": {"days_ago": [write_whole(row.days), write_whole(row.days2)]}}
    if row.when == "dates":
        said = {"from": row.typed.get("from", "").strip(), "to": row.to.strip()}
        return {"window": {key: text for key, text in said.items() if text}}
    return {"window": {"period": row.when} if row.when != "ever" else {"ever": True}}


def _write_ware(row: Row) -> dict[str, str]:
    if not row.has_product:
        return {}
    return {key: text for key in ("product", "category", "brand") if (text := getattr(row, key).strip())}


def _lay_out(part: Leaf) -> dict[str, str]:
    if isinstance(part, Condition):
        return {"what": part.field.key, "op": part.op} | lay_out_value(part.value, part.field.kind)
    if isinstance(part, Behaviour):
        typed = {"what": f"did:{part.did}", "op": part.op, "times": str(part.times), "name": part.name}
        then = {"then": f"{part.then.did}:{'yes' if part.then.happened else 'no'}"} if part.then else {}
        if part.then and part.then.within_days:
            then["then_days"] = str(part.then.within_days)
        each = {"each": "1"} if part.each_product else {}
        where = lay_out_properties(part.where)
        return typed | then | each | where | _lay_out_window(part.window) | _lay_out_ware(part)
    if isinstance(part, Orders):
        typed = {"what": f"orders:{part.measure}", "op": part.op, "kind": part.kind}
        typed |= {"discount": part.discount, "code": part.code}
        value = lay_out_value(part.value, MEASURES[part.measure])
        return typed | value | _lay_out_window(part.window) | _lay_out_ware(part)
    if isinstance(part, MessageAct):
        typed = {"what": f"message:{part.became}", "op": part.op, "times": str(part.times)}
        return typed | {"channel": part.channel, "campaign": part.campaign} | _lay_out_window(part.window)
    if isinstance(part, ChannelState):
        return {"what": f"channel:{part.state}", "channel": part.channel, "value": "yes" if part.holds else "no"}
    if isinstance(part, Membership):
        return {"what": "segment", "name": str(part.segment), "value": "yes" if part.is_member else "no"}
    if isinstance(part, Attribute):
        own = part.own
        value = {} if own.value is None else lay_out_value(own.value, own.type)
        return {"what": "attribute", "name": own.name, "type": own.type, "op": own.op} | value
    assert isinstance(part, Bucket)
    return {"what": "bucket", "value": f"{part.low:g}", "value2": f"{part.high:g}", "name": part.salt}


def _lay_out_window(window: Window) -> dict[str, str]:
    if window.days is not None:
        return {"when": "days", "days": str(window.days)}
    if window.ago is not None:
        return {"when": "ago", "days": str(window.ago[0]), "days2": str(window.ago[1])}
    if window.first or window.last:
        return {
            "when": "dates",
            "from": window.first.isoformat() if window.first else "",
            "to": window.last.isoformat() if window.last else "",
        }
    return {"when": window.period if window.period in PERIODS else "ever"}


def _lay_out_ware(part: Behaviour | Orders) -> dict[str, str]:
    return {"product": part.ware.product, "category": part.ware.category, "brand": part.ware.brand}

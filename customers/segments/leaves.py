"""Reads the parts of a tree that ask something. The first key of `LEAVES` that stands in a part says which it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from .faults import RuleError, join_path
from .nodes import (
    Attribute,
    Behaviour,
    Bucket,
    ChannelState,
    Condition,
    Follower,
    Leaf,
    Membership,
    MessageAct,
    Orders,
    Own,
    Ware,
)
from .values import (
    MAX_WINDOW,
    check_keys,
    read_choice,
    read_flag,
    read_number,
    read_operator,
    read_optional_text,
    read_pair,
    read_text,
    read_value,
    read_whole,
    read_window,
    show,
)
from .vocabulary import (
    BEHAVIOURS,
    CHANNEL_STATES,
    CHANNELS,
    DISCOUNTS,
    FIELDS,
    FOLLOWERS,
    MEASURES,
    MESSAGES,
    NUMBER_OPERATORS,
    OPERATORS,
    ORDER_KINDS,
    OWN_OPERATORS,
    WITH_PRODUCT,
)

MOST_PROPERTIES: Final = 5
MOST_TIMES: Final = 100_000
_WARE = ("product", "category", "brand")
_WINDOW = ("within_days", "window")
_BIGGEST_ID = 2**31 - 1


def read_condition(tree: Mapping[str, Any], path: str) -> Condition:
    key = tree["field"]
    field = FIELDS.get(key) if isinstance(key, str) else None
    if field is None:
        raise RuleError(join_path(path, "field"), "unknown_field", show(key))
    check_keys(tree, path, ("field", "op", "value"))
    op = read_operator(tree.get("op"), field.operators, path)
    return Condition(field, op, read_value(field.kind, op, tree.get("value"), join_path(path, "value")))


def read_attribute(tree: Mapping[str, Any], path: str) -> Attribute:
    return Attribute(_read_own(tree, path, "attribute"))


def read_behaviour(tree: Mapping[str, Any], path: str) -> Behaviour:
    did = read_choice(tree["did"], BEHAVIOURS, join_path(path, "did"), "unknown_behaviour")
    check_keys(tree, path, ("did", "op", "times", *_WINDOW, *_WARE, "name", "where", "each_product", "then"))
    op, times = _read_times(tree, path)
    window = read_window(tree, path)
    ware = _read_ware(tree, path, did)
    name = read_optional_text(tree, "name", path)
    if bool(name) != (did == "custom"):
        raise RuleError(join_path(path, "name"), "name_does_not_fit" if name else "not_a_text", did)
    where = _read_properties(tree, path, did)
    each = read_flag(tree.get("each_product", False), join_path(path, "each_product"))
    if each and did not in WITH_PRODUCT:
        raise RuleError(join_path(path, "each_product"), "product_does_not_fit", did)
    then = _read_follower(tree, path, did) if tree.get("then") is not None else None
    return Behaviour(did, op, times, window, ware, name, where, each, then)


def read_orders(tree: Mapping[str, Any], path: str) -> Orders:
    measure = read_choice(tree["orders"], MEASURES, join_path(path, "orders"), "unknown_measure")
    check_keys(tree, path, ("orders", "op", "value", *_WINDOW, "kind", *_WARE, "discount", "code"))
    kind = MEASURES[measure]
    op = read_operator(tree.get("op"), OPERATORS.get(kind, NUMBER_OPERATORS), path)
    value = read_value(kind, op, tree.get("value"), join_path(path, "value"))
    of = read_choice(tree.get("kind", "bought"), ORDER_KINDS, join_path(path, "kind"), "unknown_kind")
    discount = read_optional_text(tree, "discount", path)
    if discount:
        read_choice(discount, DISCOUNTS, join_path(path, "discount"), "unknown_discount")
    code = read_optional_text(tree, "code", path)
    if code and discount == "without":
        raise RuleError(join_path(path, "code"), "code_does_not_fit")
    return Orders(measure, op, value, read_window(tree, path), of, _read_ware(tree, path, "ordered"), discount, code)


def read_message(tree: Mapping[str, Any], path: str) -> MessageAct:
    became = read_choice(tree["message"], MESSAGES, join_path(path, "message"), "unknown_message_act")
    check_keys(tree, path, ("message", "op", "times", *_WINDOW, "channel", "campaign"))
    op, times = _read_times(tree, path)
    channel = read_optional_text(tree, "channel", path)
    if channel:
        read_choice(channel, CHANNELS, join_path(path, "channel"), "unknown_channel")
        if not MESSAGES[became][channel != "email"]:
            raise RuleError(join_path(path, "channel"), "channel_does_not_fit", channel)
    campaign = tree.get("campaign")
    if isinstance(campaign, int) and not isinstance(campaign, bool):
        campaign = str(campaign)
    name = read_text(campaign, join_path(path, "campaign")) if campaign not in (None, "") else ""
    return MessageAct(became, op, times, read_window(tree, path), channel, name)


def read_channel(tree: Mapping[str, Any], path: str) -> ChannelState:
    channel = read_choice(tree["channel"], CHANNELS, join_path(path, "channel"), "unknown_channel")
    check_keys(tree, path, ("channel", "is", "value"))
    state = read_choice(tree.get("is"), CHANNEL_STATES, join_path(path, "is"), "unknown_channel_state")
    return ChannelState(channel, state, read_flag(tree.get("value", True), join_path(path, "value")))


def read_membership(tree: Mapping[str, Any], path: str) -> Membership:
    check_keys(tree, path, ("segment", "is_member"))
    segment = read_whole(tree["segment"], join_path(path, "segment"), low=1, high=_BIGGEST_ID)
    return Membership(segment, read_flag(tree.get("is_member", True), join_path(path, "is_member")))


def read_bucket(tree: Mapping[str, Any], path: str) -> Bucket:
    check_keys(tree, path, ("bucket", "salt"))
    place = join_path(path, "bucket")
    low, high = read_pair(tree["bucket"], place, partial(read_number, "number"))
    if not 0 <= low < high <= 100:
        raise RuleError(place, "not_percents")
    return Bucket(low, high, read_text(tree.get("salt", "rekindle"), join_path(path, "salt")))


LEAVES: Final[dict[str, Callable[[Mapping[str, Any], str], Leaf]]] = {
    "did": read_behaviour,
    "field": read_condition,
    "attribute": read_attribute,
    "orders": read_orders,
    "message": read_message,
    "channel": read_channel,
    "segment": read_membership,
    "bucket": read_bucket,
}


def _read_times(tree: Mapping[str, Any], path: str) -> tuple[str, int]:
    op = read_operator(tree.get("op", "gte"), ("gte", "lte"), path)
    times = read_whole(tree.get("times", 1), join_path(path, "times"), low=1 if op == "gte" else 0, high=MOST_TIMES)
    return op, times


def _read_ware(tree: Mapping[str, Any], path: str, did: str) -> Ware:
    ware = {key: read_optional_text(tree, key, path) for key in _WARE}
    for key, text in ware.items():
        if text and did not in WITH_PRODUCT:
            raise RuleError(join_path(path, key), f"{key}_does_not_fit", did)
    return Ware(**ware)


def _read_own(tree: Mapping[str, Any], path: str, key: str) -> Own:
    check_keys(tree, path, (key, "type", "op", "value"))
    name = read_text(tree.get(key), join_path(path, key))
    kind = read_choice(tree.get("type", "text"), OWN_OPERATORS, join_path(path, "type"), "unknown_type")
    op = read_operator(tree.get("op"), OWN_OPERATORS[kind], path)
    value = read_value(kind, op, tree.get("value"), join_path(path, "value"))  # type: ignore[arg-type]
    return Own(name, kind, op, value)  # type: ignore[arg-type]


def _read_properties(tree: Mapping[str, Any], path: str, did: str) -> tuple[Own, ...]:
    place, where = join_path(path, "where"), tree.get("where") or ()
    if not isinstance(where, Sequence) or isinstance(where, str):
        raise RuleError(place, "not_a_list")
    if where and did == "ordered":
        raise RuleError(place, "properties_do_not_fit", did)
    if len(where) > MOST_PROPERTIES:
        raise RuleError(place, "too_many_properties", str(MOST_PROPERTIES))
    found = []
    for i, item in enumerate(where):
        at = join_path(place, str(i))
        if not isinstance(item, Mapping):
            raise RuleError(at, "not_an_object")
        own = _read_own(item, at, "property")
        if own.op == "anniversary":
            raise RuleError(join_path(at, "op"), "operator_does_not_fit", own.op)
        found.append(own)
    return tuple(found)


def _read_follower(tree: Mapping[str, Any], path: str, did: str) -> Follower:
    place, then = join_path(path, "then"), tree["then"]
    if not isinstance(then, Mapping):
        raise RuleError(place, "not_an_object")
    check_keys(then, place, ("did", "happened", "within_days"))
    if did not in WITH_PRODUCT:
        raise RuleError(place, "product_does_not_fit", did)
    follower = read_choice(then.get("did"), FOLLOWERS, join_path(place, "did"), "unknown_behaviour")
    happened = read_flag(then.get("happened"), join_path(place, "happened"))
    days = then.get("within_days")
    within = None if days is None else read_whole(days, join_path(place, "within_days"), low=1, high=MAX_WINDOW)
    return Follower(follower, happened, within)

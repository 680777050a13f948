"""What a rule tree asks, in small words, so that a test can say that its random trees asked everything there is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from customers.segments.nodes import (
    Attribute,
    Behaviour,
    Bucket,
    ChannelState,
    Condition,
    Group,
    Membership,
    MessageAct,
    Orders,
    Own,
    Rule,
    Window,
)
from customers.segments.rules import parse_rule
from customers.segments.vocabulary import (
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
    PERIODS,
)

MOST_DRAWS = 100_000
_WINDOWS = ("days", "ago", "first", "last", "first and last", "ever", *PERIODS)
_WARES = ("product", "category", "brand")
_GROUPS = ("all", "any", "none")


def list_everything() -> set[str]:
    """The words of everything that a leaf of a rule can ask, by the vocabulary."""
    own = {f"{kind} {op}" for kind, operators in OWN_OPERATORS.items() for op in operators}
    return {
        *(f"field {field.key} {op}" for field in FIELDS.values() for op in field.operators),
        *(f"attribute {asked}" for asked in own),
        *(f"property {asked}" for asked in own if "anniversary" not in asked),
        *(f"did {did}" for did in BEHAVIOURS), "did gte", "did lte", "did each",
        *(f"did then {did} {happened} {within}" for did, happened, within in product(FOLLOWERS, (True, False), (True, False))),
        *(f"orders {measure} {op}" for measure, kind in MEASURES.items() for op in OPERATORS.get(kind, NUMBER_OPERATORS)),
        *(f"orders {kind}" for kind in ORDER_KINDS), *(f"orders {discount}" for discount in DISCOUNTS), "orders code",
        *(f"message {became}" for became in MESSAGES), "message gte", "message lte", "message campaign",
        *(f"message by {channel or 'any'}" for channel in ("", "email", "sms", "push")),
        *(f"channel {channel} {state} {holds}" for channel, state, holds in product(CHANNELS, CHANNEL_STATES, (True, False))),
        *(f"{part} {window}" for part, window in product(("did", "orders", "message"), _WINDOWS)),
        *(f"{part} of {ware}" for part, ware in product(("did", "orders"), _WARES)),
        "segment True", "segment False", "bucket",
    }  # fmt: skip


def list_nestings() -> set[str]:
    """The words of every kind of group in every other."""
    return {f"{inner} in {outer}" for inner, outer in product(_GROUPS, _GROUPS)}


def name_parts(rule: Rule, outer: str = "") -> Iterator[str]:
    """What this tree asks, leaf by leaf and group in group."""
    if isinstance(rule, Group):
        if outer:
            yield f"{rule.match} in {outer}"
        for child in rule.rules:
            yield from name_parts(child, rule.match)
    else:
        yield from _NAMERS[type(rule)](rule)


def draw_everything(draw: random.Random, draw_leaf: Callable[[random.Random], dict[str, Any]]) -> list[dict[str, Any]]:
    """Leaves of which each asks something that none before it did, until there is nothing that was not asked."""
    wanted, kept = list_everything(), []
    for _attempt in range(MOST_DRAWS):
        tree = draw_leaf(draw)
        if asked := wanted.intersection(name_parts(parse_rule(tree))):
            wanted -= asked
            kept.append(tree)
        if not wanted:
            return kept
    raise AssertionError(f"never drawn: {sorted(wanted)}")


def _name_own(own: Own) -> str:
    return f"{own.type} {own.op}"


def _name_window(part: str, window: Window) -> str:
    if window.first and window.last:
        return f"{part} first and last"
    kinds = {"days": window.days, "ago": window.ago, "first": window.first, "last": window.last}
    return f"{part} {window.period or next((key for key, value in kinds.items() if value is not None), 'ever')}"


def _name_behaviour(part: Behaviour) -> Iterator[str]:
    yield from (f"did {part.did}", f"did {part.op}", _name_window("did", part.window))
    yield from (f"did of {ware}" for ware in _WARES if getattr(part.ware, ware))
    yield from (f"property {_name_own(own)}" for own in part.where)
    if part.each_product:
        yield "did each"
    if part.then:
        yield f"did then {part.then.did} {part.then.happened} {part.then.within_days is not None}"


def _name_orders(part: Orders) -> Iterator[str]:
    yield from (f"orders {part.measure} {part.op}", f"orders {part.kind}", _name_window("orders", part.window))
    yield from (f"orders of {ware}" for ware in _WARES if getattr(part.ware, ware))
    yield from (f"orders {named}" for named in (part.discount, "code" if part.code else "") if named)


def _name_message(part: MessageAct) -> Iterator[str]:
    yield from (f"message {part.became}", f"message {part.op}", _name_window("message", part.window))
    yield from (f"message by {part.channel or 'any'}", *(["message campaign"] if part.campaign else []))


_NAMERS: dict[type, Callable[[Any], Iterator[str]]] = {
    Condition: lambda part: iter([f"field {part.field.key} {part.op}"]),
    Attribute: lambda part: iter([f"attribute {_name_own(part.own)}"]),
    Behaviour: _name_behaviour,
    Orders: _name_orders,
    MessageAct: _name_message,
    ChannelState: lambda part: iter([f"channel {part.channel} {part.state} {part.holds}"]),
    Membership: lambda part: iter([f"segment {part.is_member}"]),
    Bucket: lambda _part: iter(["bucket"]),
}

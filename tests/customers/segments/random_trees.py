"""Draws rule trees of every kind over the small vocabulary of `random_shops`, so that they split its people."""

from __future__ import annotations

import random
from typing import Any

from customers.segments.vocabulary import (
    BEHAVIOURS,
    CHANNEL_STATES,
    CHANNELS,
    FIELDS,
    FOLLOWERS,
    MEASURES,
    MESSAGES,
    OWN_OPERATORS,
    PERIODS,
    WITH_PRODUCT,
)
from tests.customers.segments.random_shops import BRANDS, CATEGORIES, CODES, PRODUCTS, ZONES

TEXTS: dict[str, list[str]] = {
    "country": ["Norway", "China"], "language": ["zh", "zh-hans", "de", "ZH-tw"], "time_zone": [zone for zone in ZONES if zone],
    "source": ["shop", "till"], "interest": ["tents"], "main_reason": ["rhythm", "email"], "any_reason": ["rhythm", "email"],
    "score_status": ["scored", "too_new"], "interested_in": CATEGORIES, "likes_brand": BRANDS, "price_level": ["low", "high"],
    "reaction_to_offers": ["persuadable", "not_known"], "reaction_to_messages": ["persuadable", "do_not_disturb"],
    "tag": ["vip", "fair"], "writes_about": ["need:gift", "need:price"],
}  # fmt: skip
NUMBERS: dict[str, list[float]] = {
    "probability": [0.2, 0.5, 0.6, 0.75], "money": [-20, 0, 10, 50, 90, 120], "number": [0, 0.5, 1, 2, 3],
    "days": [0, 1, 7, 30, 60, 200],
}  # fmt: skip


def draw_tree(draw: random.Random, depth: int) -> dict[str, Any]:
    """A tree of at most `depth` groups within each other."""
    if depth == 0 or draw.random() < 0.25:
        return draw_leaf(draw)
    if draw.random() < 0.15:
        return {"not": draw_tree(draw, depth - 1)}
    if depth > 1 and draw.random() < 0.15:
        return _alternatives(draw)
    rules = [draw_tree(draw, depth - 1) for _ in range(draw.choice([1, 2, 2, 3]))]
    return {"match": draw.choice(["all", "all", "any", "none"]), "rules": rules}


def draw_leaf(draw: random.Random) -> dict[str, Any]:
    """One thing that is asked, of any kind."""
    return draw.choice(LEAVES)(draw)


def _alternatives(draw: random.Random) -> dict[str, Any]:
    """Ways in that ask the same orders and views, which are read once for several of them."""
    rows = [_orders, _orders, _viewed, _behaviour, _of_orders]
    ways = [
        {"match": draw.choice(["all", "none"]), "rules": [draw.choice(rows)(draw) for _ in range(2)]}
        for _ in range(draw.choice([2, 3]))
    ]
    alternatives = {"match": draw.choice(["any", "none"]), "rules": [*ways, draw.choice(LEAVES)(draw)]}
    return draw.choice([alternatives, {"match": "all", "rules": [alternatives, _orders(draw)]}])


def _of_orders(draw: random.Random) -> dict[str, Any]:
    return _field(draw, draw.choice(["recency_days", "orders_count", "total_spent"]))


def _field(draw: random.Random, key: str = "") -> dict[str, Any]:
    field = FIELDS[key or draw.choice(sorted(FIELDS))]
    op = draw.choice(field.operators)
    if field.kind == "flag":
        return {"field": field.key, "op": op, "value": draw.random() < 0.5}
    if field.kind == "date":
        return {"field": field.key, "op": op, "value": _days(draw, op)}
    if field.kind == "text":
        return {"field": field.key, "op": op, "value": _texts(draw, op, TEXTS[field.key])}
    return {"field": field.key, "op": op, "value": _numbers(draw, op, NUMBERS[field.kind])}


def _own(draw: random.Random, key: str) -> dict[str, Any]:
    kind = draw.choice(sorted(OWN_OPERATORS))
    name = draw.choice(["size", "birthday"] if key == "attribute" else ["size"])
    op = draw.choice([op for op in OWN_OPERATORS[kind] if key == "attribute" or op != "anniversary"])
    asked = {key: name, "type": kind, "op": op}
    if op in ("known", "unknown"):
        return asked
    if op == "anniversary":
        low = draw.randint(-10, 10)
        return asked | {"value": [low, low + draw.choice([0, 1, 7, 60])]}
    if kind == "flag":
        return asked | {"value": draw.random() < 0.5}
    if kind == "date":
        return asked | {"value": _days(draw, op)}
    if kind == "number":
        return asked | {"value": _numbers(draw, op, [1, 2, 2.5])}
    return asked | {"value": _texts(draw, op, ["XL", "xl", "2", "true", "1990-03-01", "19"])}


def _behaviour(draw: random.Random) -> dict[str, Any]:
    did = draw.choice(sorted(BEHAVIOURS))
    tree: dict[str, Any] = {"did": did, **_times(draw), **_window(draw)}
    if did == "custom":
        tree["name"] = draw.choice(["spun", "swam"])
    if did in WITH_PRODUCT:
        tree |= _ware(draw)
        if draw.random() < 0.3:
            tree["each_product"] = True
        if draw.random() < 0.4:
            tree["then"] = {"did": draw.choice(FOLLOWERS), "happened": draw.random() < 0.5}
            if draw.random() < 0.5:
                tree["then"]["within_days"] = draw.choice([1, 30, 200])
    if did != "ordered" and draw.random() < 0.2:
        tree["where"] = [_own(draw, "property") for _ in range(draw.choice([1, 2]))]
    return tree


def _viewed(draw: random.Random) -> dict[str, Any]:
    """The sequence that marketers ask for most, drawn more often than chance would."""
    tree = {
        "did": draw.choice(["viewed_product", "used_cart"]),
        **_times(draw),
        "window": {"ever": True},
        **_ware(draw),
    }
    then = {"did": draw.choice(["ordered", "viewed_product"]), "happened": draw.random() < 0.5}
    return tree | {"each_product": draw.random() < 0.5, "then": then}


def _orders(draw: random.Random) -> dict[str, Any]:
    measure = draw.choice(sorted(MEASURES))
    is_day = MEASURES[measure] == "date"
    op = draw.choice(["before", "from", "on", "between"] if is_day else ["gte", "lte", "between"])
    value = _days(draw, op) if is_day else _numbers(draw, op, NUMBERS[MEASURES[measure]])
    tree: dict[str, Any] = {"orders": measure, "op": op, "value": value, **_window(draw), **_ware(draw)}
    if draw.random() < 0.3:
        tree["kind"] = "returned"
    if draw.random() < 0.3:
        tree["discount"] = draw.choice(["with", "without"])
    elif draw.random() < 0.2:
        tree["code"] = draw.choice([code for code in CODES if code])
    return tree


def _message(draw: random.Random) -> dict[str, Any]:
    became = draw.choice(["received", "received", *sorted(MESSAGES)])
    tree = {"message": became, **_times(draw), **_window(draw)}
    channels = ["email"] + (["sms", "push"] if MESSAGES[became][1] else [])
    if draw.random() < 0.5:
        tree["channel"] = draw.choice(channels)
    if draw.random() < 0.4:
        tree["campaign"] = draw.choice([12, "13", "letter-1"])
    return tree


def _channel(draw: random.Random) -> dict[str, Any]:
    return {"channel": draw.choice(CHANNELS), "is": draw.choice(CHANNEL_STATES), "value": draw.random() < 0.6}


def _membership(draw: random.Random) -> dict[str, Any]:
    return {"segment": draw.choice([1, 2, 3]), "is_member": draw.random() < 0.6}


def _bucket(draw: random.Random) -> dict[str, Any]:
    low = draw.choice([0, 12.5, 50])
    return {"bucket": [low, low + draw.choice([12.5, 50])], "salt": draw.choice(["a", "b"])}


LEAVES = [
    _field, _field, _field, lambda draw: _own(draw, "attribute"), _behaviour, _behaviour, _viewed, _orders, _orders, _message,
    _channel, _membership, _bucket,
]  # fmt: skip


def _times(draw: random.Random) -> dict[str, Any]:
    op = draw.choice(["gte", "gte", "lte"])
    return {"op": op, "times": draw.choice([1, 1, 2, 3] if op == "gte" else [0, 0, 1, 2])}


def _window(draw: random.Random) -> dict[str, Any]:
    return draw.choice(
        [
            {"within_days": draw.choice([1, 7, 14, 30, 60, 90, 400])},
            {"within_days": draw.choice([30, 90, 200])},
            {"window": {"ever": True}},
            {"window": {"days_ago": draw.choice([[0, 30], [7, 60], [30, 30], [1, 365]])}},
            {"window": {"period": draw.choice(PERIODS)}},
            {"window": draw.choice([{"from": "2025-12-01"}, {"to": "2026-01-31"}, {"from": "2025-11-01", "to": "2026-02-28"}])},
        ]
    )  # fmt: skip


def _ware(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.5:
        return {}
    return draw.choice([
        {"category": draw.choice(CATEGORIES)}, {"brand": draw.choice(BRANDS)}, {"product": draw.choice([*PRODUCTS, "gone"])},
        {"category": draw.choice(CATEGORIES), "brand": draw.choice(BRANDS)},
    ])  # fmt: skip


def _days(draw: random.Random, op: str) -> Any:
    relative, absolute = [-200, -30, -1, 0, 1, 7], ["2026-02-28", "2025-12-31", "1990-03-01"]
    if op != "between":
        return draw.choice([{"days": draw.choice(relative)}, draw.choice(absolute)])
    return draw.choice([[{"days": -60}, {"days": 7}], ["1980-01-01", {"days": -30}], ["1988-02-29", "2001-12-31"]])


def _numbers(draw: random.Random, op: str, choices: list[float]) -> Any:
    return sorted(draw.choices(choices, k=2)) if op == "between" else draw.choice(choices)


def _texts(draw: random.Random, op: str, choices: list[str]) -> Any:
    return draw.sample(choices, min(2, len(choices))) if op == "in" else draw.choice(choices)

"""The JSON of the parts that ask something; `leaves` reads it back to the same."""

from __future__ import annotations

from typing import Any

from .nodes import (
    Attribute,
    Behaviour,
    Bucket,
    ChannelState,
    Condition,
    Day,
    Leaf,
    Membership,
    MessageAct,
    Orders,
    Own,
    Value,
    Ware,
    Window,
)


def dump_leaf(rule: Leaf) -> dict[str, Any]:
    """The JSON of one part; what asks nothing is left out."""
    if isinstance(rule, Condition):
        return {"field": rule.field.key, "op": rule.op, "value": _dump_value(rule.value)}
    if isinstance(rule, Attribute):
        return _dump_own(rule.own, "attribute")
    if isinstance(rule, Behaviour):
        return _dump_behaviour(rule)
    if isinstance(rule, Orders):
        asked = {"orders": rule.measure, "op": rule.op, "value": _dump_value(rule.value), **_dump_window(rule.window)}
        kind = {"kind": rule.kind} if rule.kind != "bought" else {}
        return asked | kind | _dump_ware(rule.ware) | _said(discount=rule.discount, code=rule.code)
    if isinstance(rule, MessageAct):
        asked = {"message": rule.became, "op": rule.op, "times": rule.times, **_dump_window(rule.window)}
        return asked | _said(channel=rule.channel, campaign=rule.campaign)
    if isinstance(rule, ChannelState):
        return {"channel": rule.channel, "is": rule.state, "value": rule.holds}
    if isinstance(rule, Membership):
        return {"segment": rule.segment, "is_member": rule.is_member}
    assert isinstance(rule, Bucket)
    return {"bucket": [rule.low, rule.high], "salt": rule.salt}


def _dump_behaviour(rule: Behaviour) -> dict[str, Any]:
    dumped: dict[str, Any] = {"did": rule.did, "op": rule.op, "times": rule.times, **_dump_window(rule.window)}
    dumped |= _dump_ware(rule.ware) | _said(name=rule.name)
    if rule.where:
        dumped["where"] = [_dump_own(own, "property") for own in rule.where]
    if rule.each_product:
        dumped["each_product"] = True
    if rule.then:
        within = {"within_days": rule.then.within_days} if rule.then.within_days is not None else {}
        dumped["then"] = {"did": rule.then.did, "happened": rule.then.happened, **within}
    return dumped


def _dump_own(own: Own, key: str) -> dict[str, Any]:
    value = {} if own.value is None else {"value": _dump_value(own.value)}
    return {key: own.name, "type": own.type, "op": own.op, **value}


def _dump_value(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    if isinstance(value, Day):
        return value.date.isoformat() if value.date else {"days": value.days}
    return value


def _dump_window(window: Window) -> dict[str, Any]:
    if window.days is not None:
        return {"within_days": window.days}
    if window.period:
        return {"window": {"period": window.period}}
    if window.ago is not None:
        return {"window": {"days_ago": list(window.ago)}}
    if window.first or window.last:
        first, last = (day.isoformat() if day else "" for day in (window.first, window.last))
        return {"window": _said(**{"from": first, "to": last})}
    return {"window": {"ever": True}}


def _dump_ware(ware: Ware) -> dict[str, Any]:
    return _said(product=ware.product, category=ware.category, brand=ware.brand)


def _said(**texts: str) -> dict[str, Any]:
    return {key: text for key, text in texts.items() if text}

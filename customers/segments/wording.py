"""The rule said back in a sentence, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .labels import CHANNEL_LABELS, ERROR_SENTENCES, FIELD_LABELS
from .names import Names, read_names
from .nodes import (
    Attribute,
    Behaviour,
    Broken,
    Bucket,
    ChannelState,
    Condition,
    Group,
    Leaf,
    Membership,
    MessageAct,
    Orders,
    Rule,
)
from .rules import PlacedError
from .wording_history import say_behaviour, say_message, say_orders
from .wording_values import say_comparison, say_day, say_own


def describe_rule(rule: Rule, names: Names | None = None) -> str:
    """For example "churn probability at least 60% and days since the last order at least 45". `names` are those of
    `read_names` for a page with many rules; without them they are asked for here."""
    return _describe(rule, read_names(rule) if names is None else names)


def describe_error(error: PlacedError | Broken) -> str:
    """The fault in words for the person who wrote the rule."""
    return str(ERROR_SENTENCES.get(error.code, error.code)) % {"detail": error.detail}


def _describe(rule: Rule, names: Names) -> str:
    if isinstance(rule, Broken):
        return _("[%(fault)s]") % {"fault": describe_error(rule)}
    if not isinstance(rule, Group):
        return _describe_leaf(rule, names)
    if rule.match == "none":
        inner = _(" or ").join(_wrap(child, names) for child in rule.rules)
        return (_("not (%(what)s)") if len(rule.rules) == 1 else _("none of (%(what)s)")) % {"what": inner}
    return (_(" and ") if rule.match == "all" else _(" or ")).join(_wrap(child, names) for child in rule.rules)


def _wrap(rule: Rule, names: Names) -> str:
    text = _describe(rule, names)
    is_list = isinstance(rule, Group) and rule.match != "none" and len(rule.rules) > 1
    return _("(%(what)s)") % {"what": text} if is_list else text


def _describe_leaf(rule: Leaf, names: Names) -> str:
    if isinstance(rule, Condition):
        return _describe_condition(rule)
    if isinstance(rule, Attribute):
        return _describe_attribute(rule)
    if isinstance(rule, Behaviour):
        return say_behaviour(rule, names)
    if isinstance(rule, Orders):
        return say_orders(rule, names)
    if isinstance(rule, MessageAct):
        return say_message(rule, names)
    if isinstance(rule, ChannelState):
        return _describe_channel(rule)
    if isinstance(rule, Membership):
        name = names.segments.get(rule.segment, f"#{rule.segment}")
        sentence = _("is in the segment “%(name)s”") if rule.is_member else _("is not in the segment “%(name)s”")
        return sentence % {"name": name}
    return _describe_bucket(rule)


def _describe_condition(condition: Condition) -> str:
    label, value = str(FIELD_LABELS[condition.field.key]), condition.value
    if isinstance(value, bool):
        return label if value else _("not: %(what)s") % {"what": label}
    return say_comparison(label, condition.field.kind, condition.op, value, key=condition.field.key)


def _describe_attribute(rule: Attribute) -> str:
    own = rule.own
    if own.op == "anniversary" and isinstance(own.value, tuple):
        return _("the yearly day of “%(name)s” is between %(low)s and %(high)s") % {
            "name": own.name, "low": say_day(int(own.value[0])), "high": say_day(int(own.value[1])),  # type: ignore[arg-type]
        }  # fmt: skip
    return say_own(own)


def _describe_channel(rule: ChannelState) -> str:
    sentence = {
        "consented": _("agreed to %(channel)s"),
        "reachable": _("can be reached by %(channel)s"),
        "suppressed": _("is suppressed for %(channel)s"),
        "has_address": _("has an address for %(channel)s"),
    }[rule.state] % {"channel": CHANNEL_LABELS[rule.channel]}
    return sentence if rule.holds else _("not: %(what)s") % {"what": sentence}


def _describe_bucket(rule: Bucket) -> str:
    return _("is in the random share from %(low)s to %(high)s percent, drawn by “%(salt)s”") % {
        "low": f"{rule.low:g}", "high": f"{rule.high:g}", "salt": rule.salt,
    }  # fmt: skip

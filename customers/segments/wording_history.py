"""What was done, ordered and answered, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .labels import (
    BEHAVIOUR_LABELS,
    CHANNEL_LABELS,
    FOLLOWED_LABELS,
    MEASURE_LABELS,
    MESSAGE_LABELS,
    NOT_FOLLOWED_LABELS,
    OPERATOR_LABELS,
)
from .names import Names
from .nodes import Behaviour, Follower, MessageAct, Orders, Ware, Window
from .vocabulary import MEASURES
from .wording_values import say_comparison, say_own, say_window


def say_behaviour(rule: Behaviour, names: Names) -> str:
    """ "viewed a product in “tents”, the same one each time, at least 3 times in the last 14 days, and did not order it
    afterwards"."""
    what = str(BEHAVIOUR_LABELS[rule.did])
    if rule.did == "custom":
        what = _("%(what)s “%(name)s”") % {"what": what, "name": rule.name}
    what = _say_ware(what, rule.ware, names)
    if rule.where:
        asked = _(" and ").join(say_own(own) for own in rule.where)
        what = _("%(what)s where %(properties)s") % {"what": what, "properties": asked}
    if rule.each_product:
        what = _("%(what)s, the same one each time,") % {"what": what}
    if rule.then:
        what = _("%(what)s and %(then)s,") % {"what": what.rstrip(","), "then": _say_follower(rule.then)}
    return _say_times(what, rule.op, rule.times, rule.window)


def say_orders(rule: Orders, names: Names) -> str:
    """ "number of orders in “tents” with a discount at least 2 in the last 90 days"."""
    what = _say_ware(str(MEASURE_LABELS[rule.kind][rule.measure]), rule.ware, names)
    if rule.code:
        what = _("%(what)s with the code “%(code)s”") % {"what": what, "code": rule.code}
    elif rule.discount == "with":
        what = _("%(what)s with a discount") % {"what": what}
    elif rule.discount == "without":
        what = _("%(what)s without a discount") % {"what": what}
    compared = say_comparison(what, MEASURES[rule.measure], rule.op, rule.value)
    if rule.window.is_ever:
        return compared
    return _("%(what)s (counted %(window)s)") % {"what": compared, "window": say_window(rule.window)}


def say_message(rule: MessageAct, names: Names) -> str:
    """ "clicked in a message of the campaign “Spring” at least 1 time in the last 30 days"."""
    what = str(MESSAGE_LABELS[rule.became])
    if rule.campaign:
        campaign = names.campaigns.get(rule.campaign, rule.campaign)
        what = _("%(what)s of the campaign “%(campaign)s”") % {"what": what, "campaign": campaign}
    if rule.channel:
        what = _("%(what)s (%(channel)s)") % {"what": what, "channel": CHANNEL_LABELS[rule.channel]}
    return _say_times(what, rule.op, rule.times, rule.window)


def _say_times(what: str, op: str, times: int, window: Window) -> str:
    if op == "lte" and times == 0:
        return _("never %(what)s %(window)s") % {"what": what, "window": say_window(window)}
    how_many = ngettext("%(times)d time", "%(times)d times", times) % {"times": times}
    return _("%(what)s %(how_often)s %(times)s %(window)s") % {
        "what": what, "how_often": OPERATOR_LABELS[op], "times": how_many, "window": say_window(window),
    }  # fmt: skip


def _say_ware(what: str, ware: Ware, names: Names) -> str:
    if ware.category:
        what = _("%(what)s in “%(category)s”") % {"what": what, "category": ware.category}
    if ware.product:
        product = names.products.get(ware.product, ware.product)
        what = _("%(what)s (product “%(product)s”)") % {"what": what, "product": product}
    if ware.brand:
        what = _("%(what)s (brand “%(brand)s”)") % {"what": what, "brand": ware.brand}
    return what


def _say_follower(then: Follower) -> str:
    said = str((FOLLOWED_LABELS if then.happened else NOT_FOLLOWED_LABELS)[then.did])
    if then.within_days is None:
        return said
    return ngettext("%(what)s within %(days)d day", "%(what)s within %(days)d days", then.within_days) % {
        "what": said, "days": then.within_days,
    }  # fmt: skip

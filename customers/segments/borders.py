"""How long ago things happened when a rule takes notice: people cross such borders though nothing new is known of them.

No database here. A rule "ordered in the last 30 days" loses somebody at the very moment at which their order is 30 days
old. Between two looks those are the people with something dated between the two moments less 30 days, and nobody else. What
goes by days of the shop's calendar changes at its midnight, when everybody is asked; what goes by days of where a customer
lives, at theirs.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from typing import Final

from customers.models.customer import zone_names

from .nodes import Attribute, Behaviour, Condition, Leaf, MessageAct, Orders, Rule, Window
from .rules import Broken, walk

#: Facts whose value counts days up to now.
_FIELDS_IN_DAYS: Final = ("recency_days", "customer_for_days")


def find_borders(rule: Rule) -> tuple[dt.timedelta, ...]:
    """The ages at which something comes to count otherwise, shortest first. The first is none at all: what was dated
    ahead of the last look happens. `rule` names no other segment any more."""
    days = {0.0}
    for _path, part in walk(rule):
        days |= set(_find_days(part))
    return tuple(dt.timedelta(days=number) for number in sorted(days))


def asks_for_local_days(rule: Rule) -> bool:
    """Whether some part goes by the day it is where a customer lives."""
    return any(isinstance(part, Attribute) and part.own.type == "date" for _path, part in walk(rule))


def find_zones_past_midnight(since: dt.datetime, now: dt.datetime) -> list[str]:
    """The time zones in which another day began between two moments."""
    zones = map(zoneinfo.ZoneInfo, sorted(zone_names()))
    return [zone.key for zone in zones if since.astimezone(zone).date() != now.astimezone(zone).date()]


def _find_days(part: Leaf | Broken) -> Iterator[float]:
    if isinstance(part, Condition) and part.field.key in _FIELDS_IN_DAYS:
        values = part.value if isinstance(part.value, tuple) else (part.value,)
        yield from (float(value) for value in values if isinstance(value, int | float))
    if isinstance(part, Behaviour | Orders | MessageAct):
        yield from _days_of(part.window)


def _days_of(window: Window) -> Iterator[float]:
    if window.days is not None:
        yield float(window.days)
    if window.ago is not None:
        yield from map(float, window.ago)

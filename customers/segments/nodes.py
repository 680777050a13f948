"""The parts of a rule tree, as they are once read. No framework; docs/segments.md shows the JSON of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .vocabulary import Field

Match = Literal["all", "any", "none"]
OwnType = Literal["text", "number", "flag", "date"]


@dataclass(frozen=True)
class Day:
    """A day: an absolute one, or `days` from today (negative: in the past), which moves with the calendar."""

    date: dt.date | None = None
    days: int = 0


@dataclass(frozen=True)
class Window:
    """Since when and until when; nothing set means ever.

    `days` is the last so many days to the second. `ago` is between so many and so many days ago, `first` and `last` are
    days of the shop's calendar, both included, and `period` is a stretch of it (`PERIODS`).
    """

    days: int | None = None
    ago: tuple[int, int] | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    period: str = ""

    @property
    def is_ever(self) -> bool:
        return self == Window()


Value = float | str | bool | Day | tuple[float, float] | tuple[str, ...] | tuple[Day, Day] | None


@dataclass(frozen=True)
class Condition:
    """A fact about the person. `value` fits the field's kind: a number, a text, a flag, a day, or several of them."""

    field: Field
    op: str
    value: Value


@dataclass(frozen=True)
class Own:
    """A typed question about a value of the shop's own JSON: an attribute of the customer, a property of an event.

    A value that cannot be read as `type` counts as absent. `value` is None for "known" and "unknown".
    """

    name: str
    type: OwnType
    op: str
    value: Value


@dataclass(frozen=True)
class Attribute:
    """A question about one of the shop's own attributes. Days are those of the customer's own time zone."""

    own: Own


@dataclass(frozen=True)
class Ware:
    """What an order or an event is about; "" asks nothing."""

    product: str = ""
    category: str = ""
    brand: str = ""

    def __bool__(self) -> bool:
        return bool(self.product or self.category or self.brand)


@dataclass(frozen=True)
class Follower:
    """What came, or did not come, after a thing that was done, with the same product: within so many days, or ever."""

    did: str
    happened: bool
    within_days: int | None = None


@dataclass(frozen=True)
class Behaviour:
    """How often something was done in a window; `op` is "gte" or "lte".

    `each_product` counts each product for itself: true where some product was done to so often. `then` lets only those
    count that were, or were not, followed by something with the same product. `name` is the shop's own word for an event of
    kind "custom"; `where` are questions about the properties of the event.
    """

    did: str
    op: str
    times: int
    window: Window
    ware: Ware = Ware()
    name: str = ""
    where: tuple[Own, ...] = ()
    each_product: bool = False
    then: Follower | None = None


@dataclass(frozen=True)
class Orders:
    """A measure over a customer's orders (`MEASURES`). With a ware, money is that of its lines, before an order's discount.

    `kind` "returned" asks of orders that are returns. `discount` is "with", "without" or "", `code` one discount code.
    """

    measure: str
    op: str
    value: Value
    window: Window
    kind: str = "bought"
    ware: Ware = Ware()
    discount: str = ""
    code: str = ""


@dataclass(frozen=True)
class MessageAct:
    """How often something became of our messages (`MESSAGES`), on one channel or any, of one campaign or any."""

    became: str
    op: str
    times: int
    window: Window
    channel: str = ""
    campaign: str = ""


@dataclass(frozen=True)
class ChannelState:
    """Whether a channel is agreed to, reachable, suppressed, or has an address (`CHANNEL_STATES`)."""

    channel: str
    state: str
    holds: bool


@dataclass(frozen=True)
class Membership:
    """Whether the person is in another segment."""

    segment: int
    is_member: bool


@dataclass(frozen=True)
class Bucket:
    """A stable random share of all customers: from `low` up to below `high` percent, drawn by `salt`."""

    low: float
    high: float
    salt: str


@dataclass(frozen=True)
class Broken:
    """A part that cannot be used, kept in its place so that the rest can be shown. `tree` is its JSON as it was saved."""

    path: str
    code: str
    detail: str
    tree: Any = field(hash=False)


@dataclass(frozen=True)
class Group:
    """ "all" of the rules hold, "any" of them, or "none"."""

    match: Match
    rules: tuple[Rule, ...]


Leaf = Condition | Attribute | Behaviour | Orders | MessageAct | ChannelState | Membership | Bucket
Rule = Group | Leaf | Broken


def walk(rule: Rule, path: str = "") -> Iterator[tuple[str, Leaf | Broken]]:
    """Every part that is no group, with its path."""
    if not isinstance(rule, Group):
        yield path, rule
        return
    for i, child in enumerate(rule.rules):
        yield from walk(child, f"{path}.rules.{i}" if path else f"rules.{i}")

"""What a shop said, in our words and of no particular shop. Pure: no framework."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


class Untranslatable(ValueError):
    """The payload is not what its topic says; the sentence names the field and what is wrong."""


@dataclass(frozen=True)
class ShopFacts:
    """What a payload does not say of its own shop. `currency` is the one its prices are in, `public_url` where it sells."""

    source: str
    name: str
    currency: str
    public_url: str


@dataclass(frozen=True)
class ToldCustomer:
    """A person. `fields` are columns of ours that the shop speaks of; `changed_at` None: the shop did not say.

    `only_fills`: said in passing (on an order), so it fills what is blank and overwrites nothing.
    """

    id: str
    changed_at: dt.datetime | None
    fields: Mapping[str, Any]
    only_fills: bool = False


@dataclass(frozen=True)
class ToldConsent:
    """That a person agreed (or no longer does) to be written to, at a time that the shop names."""

    customer: str
    channel: str
    is_given: bool
    at: dt.datetime
    proof: Mapping[str, Any]


@dataclass(frozen=True)
class ToldLine:
    """One line of an order; `sku` "" is no ware (postage, tax, a gift)."""

    sku: str
    name: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True)
class ToldOrder:
    """An order or, with negative lines, a return. `customer` "" is that of the order `parent`, and `currency` "" is its.

    `keeps_time`: the shop does not say when, so the first time at which we heard of it stays.
    """

    id: str
    customer: str
    ordered_at: dt.datetime
    currency: str
    lines: Sequence[ToldLine]
    discount: Decimal = Decimal(0)
    code: str = ""
    is_return: bool = False
    parent: str = ""
    keeps_time: bool = False

    @property
    def total(self) -> Decimal:
        """The sum of the lines less the discount, to the cent."""
        wares = sum((line.unit_price * line.quantity for line in self.lines), Decimal(0))
        return (wares - self.discount).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class ToldSale:
    """All that is known of one order: itself, its returns, and those that are not (any more).

    `needs_known`: it was never paid, so it counts only if we took it for an order before. `has_all_refunds`: a refund of
    it that is not among them is there no more.
    """

    id: str
    changed_at: dt.datetime | None
    orders: Sequence[ToldOrder]
    not_there: Sequence[str] = ()
    needs_known: bool = False
    has_all_refunds: bool = False


@dataclass(frozen=True)
class ToldProduct:
    """A product of the shop with its articles: rows of columns of ours, each with its sku. No rows: it is gone."""

    id: str
    changed_at: dt.datetime | None
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ToldCart:
    """A cart or checkout as it stood at a time. `customer` "" is nobody yet; `visitor` ties carts, checkouts and orders."""

    token: str
    visitor: str
    customer: str
    at: dt.datetime
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class ToldLink:
    """The cart or checkout of a visitor turned out to be this person's."""

    visitor: str
    customer: str


@dataclass(frozen=True)
class ToldRequest:
    """The shop asks for a copy of a person's data (export), for their erasure, or for that of everybody (everything).

    `orders` are numbers of theirs: a person may have bought as a guest, by another address. `by_law`: the person asked for it,
    and did not only close an account.
    """

    kind: str
    customer: str = ""
    email: str = ""
    orders: Sequence[str] = ()
    by_law: bool = False


@dataclass(frozen=True)
class ToldMerge:
    """The shop made one person of two: `gone` is `kept` from now on."""

    gone: str
    kept: str


@dataclass
class Told:
    """Everything in one payload or one page. `ignored` says why nothing is in it."""

    customers: list[ToldCustomer] = field(default_factory=list)
    consents: list[ToldConsent] = field(default_factory=list)
    sales: list[ToldSale] = field(default_factory=list)
    gone_orders: list[str] = field(default_factory=list)
    products: list[ToldProduct] = field(default_factory=list)
    carts: list[ToldCart] = field(default_factory=list)
    links: list[ToldLink] = field(default_factory=list)
    requests: list[ToldRequest] = field(default_factory=list)
    merges: list[ToldMerge] = field(default_factory=list)
    ignored: str = ""

    def add(self, other: Told) -> None:
        """Lay another payload's words behind these."""
        for name in _LISTS:
            getattr(self, name).extend(getattr(other, name))
        self.ignored = self.ignored or other.ignored


_LISTS = ("customers", "consents", "sales", "gone_orders", "products", "carts", "links", "requests", "merges")

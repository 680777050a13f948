"""The baskets that a letter speaks of: so many of each of the products that it names, before and after the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from itertools import product as product_of

from .amounts import MEASURES
from .reading import Reading, read_support
from .scope import is_in_scope
from .sheet import FactSheet, Product

_I = re.IGNORECASE
MOST_PIECES = 12
MOST_PRODUCTS = 4


@dataclass(frozen=True)
class Basket:
    """What a basket costs before the offer, and after it where the offer applies."""

    pieces: int
    plain: Decimal
    after: Decimal | None


def list_baskets(sheet: FactSheet, reading: Reading, low: int, high: int) -> Iterator[Basket]:
    """So many of each of the products that are named in this stretch."""
    text = reading.passage.text
    counts: dict[Product, set[int]] = {}
    loose = counts_in(without_names(reading, low, high))
    for s, e, product in reading.mentions:
        if low <= s < high and product.price is not None:
            near = _counts_beside(text[max(low, s - 14) : s], text[e : min(high, e + 8)])
            counts.setdefault(product, {1}).update(near)
    named = list(counts)[-MOST_PRODUCTS:]
    if len(named) > 2 and not _OF_EACH.search(text[low:high]):
        loose = set()
    choices = [sorted({0} | counts[p] | loose)[:5] for p in named]
    chosen = [dict(zip(named, c, strict=True)) for c in islice(product_of(*choices), MOST_BASKETS) if any(c)]
    largest = max((_cost(counts) for counts in chosen), default=Decimal(0))
    for counted in chosen:
        yield _price(sheet, counted, largest)
        yield from _mix(sheet, counted)


def _cost(counts: dict[Product, int]) -> Decimal:
    return sum((p.price * n for p, n in counts.items() if p.price is not None), Decimal(0))


def _price(sheet: FactSheet, counts: dict[Product, int], largest: Decimal) -> Basket:
    """A percentage holds for each part of a basket that is large enough in all, an amount off for the whole alone."""
    plain = _cost(counts)
    reduced = _cost({p: n for p, n in counts.items() if is_in_scope(sheet, p)})
    after: Decimal | None = None
    least = sheet.min_basket or Decimal(0)
    if reduced and sheet.percent and largest >= least:
        after = plain - reduced * sheet.percent / 100
    elif reduced and sheet.amount and plain >= max(least, sheet.amount):
        after = plain - sheet.amount
    if after is None and sheet.percent and reduced == plain and sum(counts.values()) == 1:
        after = plain * (100 - sheet.percent) / 100  # what a piece costs in a basket that is large enough
    bundles = read_support(sheet).bundles
    if after is None and len(bundles) == 1:
        priced = [(p.price, n) for p, n in counts.items() if p.price is not None]
        after = sum((bundles[0].cost(price, n) for price, n in priced), Decimal(0))
    return Basket(sum(counts.values()), plain, after)


def _mix(sheet: FactSheet, counts: dict[Product, int]) -> Iterator[Basket]:
    """What an offer by the piece makes of different products: the cheaper ones are those that it reduces."""
    prices = sorted(
        p.price for p, n in counts.items() for _ in range(n) if p.price is not None and is_in_scope(sheet, p)
    )
    for bundle in read_support(sheet).bundles if len(counts) > 1 else ():
        reduced = len(prices) - bundle.cost(Decimal(1), len(prices))
        pieces = int(reduced * 100 / (100 - bundle.pays)) if bundle.pays < 100 else 0
        if 0 < pieces < len(prices):
            plain = sum(prices, Decimal(0))
            yield Basket(len(prices), plain, plain - sum(prices[:pieces], Decimal(0)) * (100 - bundle.pays) / 100)


def _counts_beside(before: str, after: str) -> set[int]:
    found = {int(n) for n in _COUNT_BEFORE.findall(before)} | {int(n) for n in _COUNT_AFTER.findall(after)}
    return {n for n in found if 1 < n <= MOST_PIECES}


def counts_in(text: str) -> set[int]:
    """How many the stretch speaks of, without saying of what: "two of them", 三袋, "a pair"."""
    found = {int(n) for n in _COUNT.findall(text)}
    if _PAIR.search(text):
        found.add(2)
    found.add(len(_ONE_FOR.findall(text)))
    return {n for n in found if 1 < n <= MOST_PIECES}


def without_names(reading: Reading, low: int, high: int) -> str:
    signs = list(reading.masked)
    for s, e, _product in reading.mentions:
        signs[s:e] = "\ue000" * (e - s)
    return "".join(signs)[low:high]


#: Baskets that are tried for one amount.
MOST_BASKETS = 400


_COUNT_BEFORE = re.compile(
    rf"(?<![\d.,£€$])(\d{{1,2}})\s*(?:{MEASURES}|(?:[a-z-]+\s+){{0,2}}(?:of\s+)?(?:the\s+|our\s+)?)\s*$", _I
)


_COUNT_AFTER = re.compile(rf"^\s*(?:[x*×]\s*)?(\d{{1,2}})(?![\d.,%元])\s*{MEASURES}?", _I)


_COUNT = re.compile(
    rf"(?<![\d.,£€$¥])(\d{{1,2}})(?![\d.,]*\d|\s*[%折成月日号点:年天]|\s*(?:kg|g|ml|l|cm|mm|m|km|days?|weeks?|months?|years?|hours?|minutes?|am|pm)\b)\s*(?:{MEASURES}|(?=[\sa-z]))",
    _I,
)


_ONE_FOR = re.compile(r"(?<![\d.,])1\s+for\s+(?!£|€|\$)", _I)


_OF_EACH = re.compile(r"\b(?:each|of\s+all)\b|[都各每]", _I)


_PAIR = re.compile(r"\b(?:pair|couple|both|twin|second|another|double)\b|[1一成][双对]|再", _I)

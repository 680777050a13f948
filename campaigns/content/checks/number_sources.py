"""Where a figure that stands in no fact comes from all the same: a multiple, an age, a stock, the points for a price."""

from __future__ import annotations

import re
from decimal import Decimal

from .amounts import Claim
from .reading import Draft, Reading, read_support
from .sheet import FactSheet


def list_counted(draft: Draft) -> set[int]:
    """The small numbers that the letter says."""
    return {n for reading in draft.readings for n in list_counted_in(reading.masked)}


def list_counted_in(text: str) -> set[int]:
    """The small numbers of a text."""
    return {int(n) for n in _SMALL.findall(text) if 1 < int(n) <= 12}


def is_multiple(known: set[Decimal], counted: set[int], claim: Claim) -> bool:
    """ "Three packets give you 180 seeds", where the facts say 60 seeds, and the letter three."""
    return any(v > 1 and value == v * n for value in claim.values for v in known for n in counted)


def is_age_of_shop(sheet: FactSheet, claim: Claim) -> bool:
    """ "65 winters", where the facts say "since 1961"."""
    if sheet.send_date is None:
        return False
    years = re.findall(r"(?<!\d)(?:1[89]\d\d|20\d\d)(?!\d)", read_support(sheet).passage.text)
    return any(
        Decimal(sheet.send_date.year - int(year)) in claim.values for year in years if int(year) < sheet.send_date.year
    )


def is_end_of_years(sheet: FactSheet, claim: Claim) -> bool:
    """ "You will dig with it in 2051", where the facts guarantee it for 25 years."""
    if sheet.send_date is None:
        return False
    years = {value / 360 for known in read_support(sheet).of_kind("span") for value in known.values}
    return any(value > 1900 and value - sheet.send_date.year in years for value in claim.values)


def is_stock_of_named(sheet: FactSheet, draft: Draft, claim: Claim) -> bool:
    """A headline counts what the body names: "Six balls of cloud"."""
    named = {p for reading in draft.readings for _s, _e, p in reading.mentions}
    return any(p.stock is not None and Decimal(p.stock) in claim.values for p in named)


def is_stock(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Eighteen throws": the noun is the product's own, the number its stock."""
    if _stands_before_its_name(reading, claim):
        return True
    return len(claim.unit) > 2 and any(
        p.stock is not None and Decimal(p.stock) in claim.values and claim.unit in f"{p.name} {p.category}".lower()
        for p in sheet.products
    )


def earns_points(sheet: FactSheet, claim: Claim) -> bool:
    """569 points for a pair of 569, where the facts give one for each unit of money."""
    is_one_each = re.search(
        r"1元积1分|1\s+point\s+(?:for|per)\s+(?:every\s+|each\s+)?(?:1\s+)?(?:[€£$¥]1\b|(?:euro|pound|dollar|yuan)s?\b)",
        read_support(sheet).passage.text,
        re.I,
    )
    return bool(is_one_each) and any(p.price is not None and p.price in claim.values for p in sheet.products)


def _stands_before_its_name(reading: Reading, claim: Claim) -> bool:
    """ "48 bags of Kirinyaga": the stock of the product that is named right behind it."""
    after = re.match(
        r"\s+(?:[a-z]+\s+)?of\s+(?:the\s+|our\s+)?", reading.passage.text[claim.end : claim.end + 30], re.I
    )
    place = claim.end + after.end() if after else -1
    return any(s == place and p.stock is not None and Decimal(p.stock) in claim.values for s, _e, p in reading.mentions)


_SMALL = re.compile(r"(?<![\d.,])\d{1,2}(?![\d.,]*\d)")

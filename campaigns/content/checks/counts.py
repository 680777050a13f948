"""Customers, stars and places against the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import Claim
from .reading import Draft, Reading, read_support
from .sheet import FactSheet
from .text import sentence_around


def check_counts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Customers, stars, reviews, first places: only what the facts say in the same words."""
    support = read_support(sheet)
    true = {(value, claim.unit) for claim in support.of_kind("count") for value in claim.values}
    for reading in draft.readings:
        for claim in reading.of_kind("count"):
            if reading.is_spelled(claim) and set(claim.values) == {Decimal(1)} and claim.unit not in {"", "#"}:
                continue
            if (
                reading.is_spelled(claim)
                and max(claim.values, default=Decimal(99)) <= 12
                and _is_few_people(reading, claim)
            ):
                continue
            is_true = not true.isdisjoint((value, claim.unit) for value in claim.values) or (
                claim.unit in _PEOPLE and _counts_people(support, claim)
            )
            if claim.unit in {"product", "item"} and _TO_BUY.search(
                reading.masked[max(0, claim.start - 12) : claim.start]
            ):
                continue
            is_true |= _is_of_ratings(support, reading, claim)
            if not is_true and not _quoted(sheet, reading, claim) and not _counts_same(support, reading, claim):
                message = _("The facts do not say this about the shop or its customers.")
                yield reading.finding("count", "block", message, (claim.start, claim.end))


def _is_of_ratings(support: Reading, reading: Reading, claim: Claim) -> bool:
    """ "4.8 stars from 412 customers", where the facts say `rating average: 4.8` and `rating count: 412`."""
    if claim.unit not in _RATES and not claim.unit.isdigit():
        return False
    return bool(_RATING.search(sentence_around(reading.passage.text, claim.start))) and any(
        set(known.values) & set(claim.values)
        for known in support.of_kind("count", "number")
        if _RATING.search(sentence_around(support.passage.text, known.start))
    )


def _counts_people(support: Reading, claim: Claim) -> bool:
    """ "We asked 114 people", where the facts speak of 114 testers."""
    known = (c for c in support.of_kind("count", "number") if c.unit in _PEOPLE)
    return any(set(c.values) & set(claim.values) for c in known)


def _is_few_people(reading: Reading, claim: Claim) -> bool:
    """ "A meal for two people", 三个人: so few are no boast."""
    return bool(re.search(r"(?:\bpeople|\bpersons?|[位人])$", reading.masked[claim.start : claim.end], re.I))


def _quoted(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    words = " ".join(reading.passage.text[claim.start : claim.end].lower().split())
    return words in " ".join(read_support(sheet).passage.text.lower().split())


def _counts_same(support: Reading, reading: Reading, claim: Claim) -> bool:
    """五万会员 and "会员超过5万名": the same figure, and the noun stands in the line of the facts."""
    for known in support.of_kind("count"):
        line, here = (sentence_around(r.masked, c.start) for r, c in ((support, known), (reading, claim)))
        nouns = set(_HAN_NOUNS.findall(line)) & set(_HAN_NOUNS.findall(here))
        if nouns and set(known.values) & set(claim.values):
            return True
    return False


_PEOPLE = frozenset(["people", "person", "tester", "participant", "volunteer", "women", "men", "user"])
_TO_BUY = re.compile(r"\b(?:buy|any|choose|pick|take|these|those|both)\s+$", re.IGNORECASE)
_RATES = frozenset(
    ["star", "review", "rating", "customer", "people", "person", "buyer", "shopper", "reader", "owner", ""]
)
_RATING = re.compile(
    r"\brat(?:ed?|ings?)\b|\breviews?\b|\bscore[ds]?\b|\bstars?\b|评分|评价|好评|打分|星", re.IGNORECASE
)
_HAN_NOUNS = re.compile(r"会员|顾客|客户|用户|买家|好评|评价|读者|门店|店|家庭|粉丝")

"""To what the offer applies: the categories and products that its own words name, less those that it excepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading, find_name
from .sheet import FactSheet, Product
from .text import read_passage, sentence_span


def check_scope_of_offer(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The discount said of something that it does not apply to: another category, an excepted product, everything."""
    inside, outside = _categories(sheet)
    if not outside and not _limits(sheet):
        return
    for reading in draft.readings:
        for place, end in _discounts(reading):
            start, stop = sentence_span(reading.passage.text, place)
            text = reading.passage.text[start:stop]
            named = {p for s, _e, p in reading.mentions if start <= s < stop}
            says_inside = any(_names(text, word) for word in inside) or any(is_in_scope(sheet, p) for p in named)
            says_outside = any(_names(text, word) for word in outside) or any(not is_in_scope(sheet, p) for p in named)
            wide = _EVERYTHING.search(text)
            if wide and says_inside and _OF_THESE.match(text, wide.end()):
                wide = None  # "everything from last season's jackets"
            also = _OBJECT.match(reading.passage.text, end)
            names_outside = also and any(
                _names(also.group(), name) for name in outside | {p.name for p in named if not is_in_scope(sheet, p)}
            )
            if names_outside and also and not any(_names(also.group(), p.name) for p in named if is_in_scope(sheet, p)):
                says_outside, says_inside = True, False
            if (says_outside and not says_inside) or (wide and not _NOT_ALL.search(text[: wide.start()])):
                message = _("The offer does not apply to this.")
                yield reading.finding("scope", "block", message, (place, end))


@lru_cache(maxsize=64)
def in_scope(sheet: FactSheet) -> frozenset[Product]:
    """The products of the facts that the offer applies to: all, where its words name none of them."""
    said, _, excepted = _split(sheet.offer)
    named = {p for p in sheet.products if _is_named(said, p)}
    left_out = {p for p in sheet.products if excepted and _is_named(excepted, p)}
    return frozenset((named or set(sheet.products)) - left_out)


def is_in_scope(sheet: FactSheet, product: Product) -> bool:
    """The offer applies to this product."""
    return product in in_scope(sheet)


def _limits(sheet: FactSheet) -> bool:
    """The offer names a category or a product of the facts, or excepts something."""
    said, exception, _ = _split(sheet.offer)
    return bool(exception) or any(_is_named(said, p) for p in sheet.products)


def _categories(sheet: FactSheet) -> tuple[set[str], set[str]]:
    """The categories of the facts to which the offer applies, and the others."""
    chosen = in_scope(sheet)
    inside = {p.category for p in chosen if p.category}
    return inside, {p.category for p in sheet.products if p.category and p not in chosen} - inside


def _split(offer: str) -> tuple[str, str, str]:
    found = _EXCEPT.search(offer)
    return (offer[: found.start()], found.group(), offer[found.end() :]) if found else (offer, "", "")


def _is_named(words: str, product: Product) -> bool:
    text = read_passage("", words).text
    return any(_names(text, name) for name in (product.category, product.name) if name)


def _names(text: str, name: str) -> bool:
    """The name stands in the text, in the singular or the plural."""
    plain = re.sub(r"(?<=[a-z]{3})s$", "", name.strip().lower())
    return len(plain) > 1 and next(find_name(text, plain), None) is not None


def _discounts(reading: Reading) -> Iterator[tuple[int, int]]:
    for bundle in reading.bundles:
        yield bundle.start, bundle.end
    for claim in reading.of_kind("percent", "off"):
        yield claim.start, claim.end
    for claim in reading.of_kind("money"):
        if re.match(r"\s*off\b", reading.masked[claim.end : claim.end + 6], re.I) or re.search(
            r"减\s*$", reading.masked[max(0, claim.start - 4) : claim.start]
        ):
            yield claim.start, claim.end


_EXCEPT = re.compile(
    r"\bexcept(?:ing)?(?:\s+for)?\b|\bexclud\w+|\bother\s+than\b|\bnot\s+(?:on|valid\s+(?:on|for))\b|除外|不含|不包括|除",
    re.I,
)
_EVERYTHING = re.compile(
    r"\beverything\b|\bsite[\s-]?wide\b|\bstore[\s-]?wide\b|\b(?:entire|whole)\s+(?:store|shop|range|site|collection|catalogue)\b"
    r"|\b(?:all|every)\s+(?:our\s+|single\s+)?(?:products?|items?)\b|全场|全店|全站|所有商品|全部商品",
    re.I,
)
_OF_THESE = re.compile(r"\s+(?:from|in|of|among)\s+(?!(?:the|our|this)\s+(?:\w+\s+)?(?:shop|store|site|range)\b)", re.I)
#: What is taken off of: "30% off jackets and socks".
_OBJECT = re.compile(r"\s*(?:off|on)\s+[^.,;:!?\n]{0,60}", re.I)
_NOT_ALL = re.compile(r"\bnot\s+(?:on\s+)?$|并非$|不是$", re.I)

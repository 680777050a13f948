"""To what the offer applies: the categories and products that its own words name, less those that it excepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading, find_name
from .sheet import FactSheet, Product
from .text import blank, read_passage, sentence_span


def check_scope_of_offer(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The discount said of something that it does not apply to: another category, an excepted product, everything."""
    inside, outside = _categories(sheet)
    if not outside and not _limits(sheet):
        return
    for reading in draft.readings:
        beside = {(s, e) for s, e, _p in reading.mentions if _is_beside(reading.passage.text[max(0, s - 40) : s])}
        for place, end in _discounts(reading):
            start, stop = sentence_span(reading.passage.text, place)
            text = reading.passage.text[start:stop]
            named = {p for s, e, p in reading.mentions if start <= s < stop and (s, e) not in beside}
            text = _without(text, start, beside)
            says_inside = any(_names(text, word) for word in inside) or any(is_in_scope(sheet, p) for p in named)
            says_outside = any(_names(text, word) for word in outside) or any(not is_in_scope(sheet, p) for p in named)
            wide = _EVERYTHING.search(text)
            if wide and (
                (says_inside and _OF_THESE.match(text, wide.end()))  # "everything from last season's jackets"
                or wide.group() in read_passage("", sheet.offer).text  # 全场葡萄酒八五折 are the words of the offer
                or _OF_DELIVERY.match(text, wide.end())  # 全场包邮 beside a discount
            ):
                wide = None
            also = _OBJECT.match(reading.passage.text, end)
            names_outside = also and any(
                _names(also.group(), name) for name in outside | {p.name for p in named if not is_in_scope(sheet, p)}
            )
            if names_outside and also and not any(_names(also.group(), p.name) for p in named if is_in_scope(sheet, p)):
                says_outside, says_inside = True, False
            subject = reading.passage.text[start:place]
            if _ARE.search(subject) and any(_names(subject, word) for word in outside):
                says_outside, says_inside = True, False  # "sofas and tables are 100 cheaper"
            if _is_of_other(sheet, reading, place):
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


def _without(text: str, start: int, spans: Iterable[tuple[int, int]]) -> str:
    inside = [(max(0, s - start), min(len(text), e - start)) for s, e in spans if start <= s < start + len(text)]
    return blank(text, inside)


def _is_of_other(sheet: FactSheet, reading: Reading, place: int) -> bool:
    """ "It costs 148 and is in the offer too": the product that was named last, to which the offer does not apply."""
    start, end = sentence_span(reading.passage.text, place)
    words = reading.passage.text[start:end]
    before = [product for s, _e, product in reading.mentions if s < start]
    is_silent = not any(start <= s < end for s, _e, _p in reading.mentions)
    return bool(
        before
        and is_silent
        and _ITS_TOO.search(words)
        and not _NOT_IN.search(words)
        and not is_in_scope(sheet, before[-1])
    )


def _is_beside(before: str) -> bool:
    """ "Bought together with the table": what fills the basket, and not what is reduced."""
    return bool(_TOGETHER_WITH.search(before))


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
    """What the offer is for, the word that excepts, and what it excepts: 跑鞋除外 and 除跑鞋外 name it before the word."""
    if chinese := _EXCEPT_BEFORE.search(offer):
        return offer[: chinese.start()] + offer[chinese.end() :], chinese.group(), chinese["what"] or chinese["what2"]
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
        after, before = (
            reading.masked[claim.end : claim.end + 10],
            reading.masked[max(0, claim.start - 8) : claim.start],
        )
        if re.match(r"\s*(?:off|cheaper|less\s+on)\b", after, re.I) or re.search(r"减\s*$|\bsave\s+$", before, re.I):
            yield claim.start, claim.end


_EXCEPT_BEFORE = re.compile(
    r"除(?P<what>[^,，。;；()（）除]{1,20}?)(?:以外|之外|外)|(?:(?<=[,，。;；(（ 、])|^)(?P<what2>[^,，。;；()（） ]{1,20})除外"
)
_EXCEPT = re.compile(
    r"\bexcept(?:ing)?(?:\s+for)?\b|\bexclud\w+|\bother\s+than\b|\bnot\s+(?:on|valid\s+(?:on|for))\b|除外|不含|不包括|除",
    re.I,
)
_EVERYTHING = re.compile(
    r"\beverything\b(?!(?<!off everything)\s+else)"
    r"|\bsite[\s-]?wide\b|\bstore[\s-]?wide\b|\b(?:entire|whole)\s+(?:store|shop|range|site|collection|catalogue)\b"
    r"|\b(?:all|every)\s+(?:our\s+|single\s+)?(?:products?|items?)\b|全场|全店|全站|所有商品|全部商品",
    re.I,
)
_OF_THESE = re.compile(r"\s+(?:from|in|of|among)\s+(?!(?:the|our|this)\s+(?:\w+\s+)?(?:shop|store|site|range)\b)", re.I)
_OF_DELIVERY = re.compile(r"[^,。\n]{0,4}(?:包邮|免邮|免运费)")
_ARE = re.compile(r"\b(?:are|is)\s+(?:now\s+|all\s+|only\s+|just\s+)?$", re.I)
_ITS_TOO = re.compile(
    r"^\s*(?:it|this\s+one|and\s+it)\b.*\b(?:too|also|as\s+well|included|part\s+of)\b|^\s*[它这].*(?:同样|也).{0,4}(?:参加|享|打)",
    re.I | re.S,
)
_NOT_IN = re.compile(r"\bnot\b|n't\b|不参加|不在|不享|除外", re.I)
_TOGETHER_WITH = re.compile(
    r"\b(?:together|along|combined?|bought|paired?)\s+(?:it\s+)?with\s+(?:an?\s+|the\s+|our\s+|your\s+)?$|(?:搭配|再加|加上|配上?)(?:[一1]?.)?$",
    re.I,
)
#: What is taken off of: "30% off jackets and socks".
_OBJECT = re.compile(r"\s*(?:off|on)\s+[^.,;:!?\n]{0,60}", re.I)
_NOT_ALL = re.compile(r"\bnot\s+(?:on\s+)?$|并非$|不是$", re.I)

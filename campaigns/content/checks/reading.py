"""The draft as every check reads it: folded, its names masked, its claims found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from campaigns.content.findings import Finding, Verdict

from .amounts import (
    Claim,
    find_bare_discounts,
    find_counts,
    find_money,
    find_numbers,
    find_percents,
    find_spans,
    find_stock,
)
from .bundles import Bundle, find_bundles
from .dates import DateClaim, find_dates
from .sheet import FactSheet, Product
from .sizes import find_sizes
from .text import FILLER, Passage, blank, read_passage, sentence_span

BODY_FIELDS = ("body", "opening", "story", "invitation")
FIELDS = ("subject", "preheader", *BODY_FIELDS, "button_label")


@dataclass(frozen=True)
class Reading:
    """A passage with what was read in it. `masked` has names, links and offers by the piece filled in, `rest` every
    claim as well."""

    passage: Passage
    masked: str
    dates: tuple[DateClaim, ...]
    claims: tuple[Claim, ...]
    rest: str
    mentions: tuple[tuple[int, int, Product], ...]
    bundles: tuple[Bundle, ...] = ()

    def finding(self, code: str, verdict: Verdict, message: str, span: tuple[int, int]) -> Finding:
        """A finding at a place of this passage."""
        return Finding(code, verdict, self.passage.field, message, self.passage.excerpt(*span))

    def of_kind(self, *kinds: str) -> Iterator[Claim]:
        """The claims of some kinds."""
        return (claim for claim in self.claims if claim.kind in kinds)

    def is_spelled(self, claim: Claim) -> bool:
        """The number was written in words."""
        return any(claim.start <= place < claim.end for place in self.passage.spelled)


@dataclass(frozen=True)
class Draft:
    """All fields of a draft; `has_body` says that it came as one text and not in slots."""

    passages: tuple[Passage, ...]
    readings: tuple[Reading, ...]
    has_body: bool

    def text_of(self, *fields: str) -> str:
        """The words of some fields, one per line."""
        return "\n".join(p.raw for p in self.passages if p.field in fields and p.raw.strip())

    @cached_property
    def whole(self) -> str:
        """The words of all fields."""
        return "\n".join(p.raw for p in self.passages if p.raw.strip())


def read_draft(sheet: FactSheet, draft: Mapping[str, Any]) -> Draft:
    """Missing fields are empty; fields that are not known are read as part of the body."""
    if not isinstance(draft, Mapping):
        draft = {}
    fields = [*FIELDS, *(str(key) for key in draft if key not in FIELDS and isinstance(draft[key], str))]
    passages = tuple(read_passage(field, as_text(draft.get(field))) for field in fields if field in draft)
    return Draft(passages, tuple(read_claims(passage, sheet) for passage in passages), "body" in draft)


def read_claims(passage: Passage, sheet: FactSheet | None) -> Reading:
    """Names first, then dates, then the kinds of number from the most to the least certain; each sign is read once."""
    text = passage.text
    mentions = tuple(find_mentions(text, sheet.products)) if sheet else ()
    masked = blank(text, _known_spans(text, sheet)) if sheet else text
    bundles: list[Bundle] = []
    rest = masked = _take(find_bundles(masked), masked, bundles)
    claims: list[Claim] = []
    for find in (find_percents, find_money):
        rest = _take(find(rest), rest, claims)
    dates: list[DateClaim] = []
    rest = _take(find_dates(rest), rest, dates)
    for find in (find_spans, find_stock, find_bare_discounts, find_counts):
        rest = _take(find(rest), rest, claims)
    claims.extend(find_numbers(rest))
    return Reading(passage, masked, tuple(dates), tuple(claims), rest, mentions, tuple(bundles))


def as_text(value: Any) -> str:
    """A field as words; a list is a list of paragraphs."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "\n".join(as_text(part) for part in value)
    return "" if value is None or isinstance(value, bool | bytes | Mapping) else str(value)


def products_meant(reading: Reading, place: int, sheet: FactSheet) -> tuple[Product, ...]:
    """The products that a figure at `place` may speak of: the one in its clause, else the last before it in the
    sentence, else one after it, else the last that was named, else all."""
    start, end = sentence_span(reading.passage.text, place)
    named = [(s, e, product) for s, e, product in reading.mentions if start <= s < end]
    before = [(s, product) for s, _, product in reading.mentions if s < place]
    if not named:
        if not before:
            return sheet.products
        figures = sum(start <= claim.start < end for claim in reading.of_kind("money"))
        last = list(dict.fromkeys(product for _s, product in reversed(before)))
        meant = last[: max(1, figures)]  # "they go back to 89 and 32" speaks of the last two
        paragraph = reading.passage.text.rfind("\n\n", 0, place)
        topic = next((product for s, product in before if s > paragraph), meant[0])
        return tuple(dict.fromkeys([*meant, topic]))  # what a paragraph began with is what it speaks of
    behind = _PRICE_OF.match(reading.masked, place)
    owner = next((p for s, _e, p in named if behind and 0 <= s - behind.end() <= 3), None)
    if owner is not None:
        return (owner,)  # 39元的玻璃品茗杯
    if re.search(r"respectively|分别", reading.passage.text[start:end], re.I):
        return tuple(product for _, _, product in named)
    for low, high in _clauses(reading.masked, start, end):
        if low <= place < high and (here := [m for m in named if low <= m[0] < high]):
            return (min(here, key=lambda m: (place - m[1]) if m[0] < place else (m[0] - place))[2],)
    earlier = [m for m in named if m[0] < place]
    if not earlier and before and _ADDS.search(reading.masked[place : named[0][0]]):
        return (before[-1][1], named[0][2])  # "After the offer 159.80, and with a bottle of the white 243.10"
    return ((earlier[-1] if earlier else named[0])[2],)


_PRICE_OF = re.compile(r"\d+(?:\.\d{1,2})?\s?元的")
#: What follows is one thing more.
_ADDS = re.compile(r"\b(?:and|plus|add|with|together)\b|再|加|配|一起", re.I)


def _clauses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    low = start
    for cut in re.finditer(r"(?<!\d),|,(?!\d)|:|\band\b|\bor\b|\bplus\b|[和与或及]", text[start:end]):
        yield low, start + cut.start()
        low = start + cut.end()
    yield low, end


def _take(found: Iterator[Any], text: str, into: list[Any]) -> str:
    signs = list(text)
    for claim in sorted(found, key=lambda claim: (claim.start, -claim.end)):
        if FILLER not in signs[claim.start : claim.end]:
            into.append(claim)
            signs[claim.start : claim.end] = FILLER * (claim.end - claim.start)
    return "".join(signs)


def _known_spans(text: str, sheet: FactSheet) -> Iterator[tuple[int, int]]:
    names = [part for product in sheet.products for part in (product.name, product.sku)] + [sheet.shop]
    for name in {name for name in names if len(name) > 1}:
        yield from find_name(text, name)
    is_word = sheet.code.isalpha()  # "free with STONE" masks the code, "a free stone" is the gift itself
    for start, end in find_name(text, sheet.code, ends=r"(?!-?[A-Za-z0-9])"):
        if not is_word or text[start:end] == sheet.code:
            yield start, end
    for name in {name for name in names if "%" in name}:
        for part in re.findall(r"\w+\s+\d+\s?%|\d+\s?%\s*\w+", name):  # "a square of Peru 70%"
            yield from find_name(text, part, ends="")
    for line in sheet.support.split("\n"):
        if len(line) >= 12 and re.search(r"\d", line):
            yield from find_name(text, line)


def find_name(text: str, name: str, *, ends: str = r"(?:e?s)?(?![A-Za-z0-9])") -> Iterator[tuple[int, int]]:
    """Where a name of the facts stands as a whole, whatever its case and spaces. Chinese needs no border: 冲锋衣599元."""
    pattern = _compile_name(name, ends)
    if pattern is not None:
        for match in pattern.finditer(text):
            yield match.span()


#: "Four Canvas Panniers 20 L": the plural may stand inside a name.
_PLURAL = r"(?:(?<=[a-z]{3})e?s)?"


@lru_cache(maxsize=4_096)
def _compile_name(name: str, ends: str) -> re.Pattern[str] | None:
    """Kept, because every text of a campaign is searched for the same products."""
    folded = read_passage("", name).text.strip(" .")
    if not folded:
        return None
    words = r"\s+".join(re.escape(part) + (_PLURAL if part.isalpha() else "") for part in folded.split())
    begins = r"(?<![A-Za-z0-9])" if folded[0].isascii() else ""
    return re.compile(rf"{begins}{words}{ends if folded[-1].isascii() else ''}", re.I)


def find_mentions(text: str, products: tuple[Product, ...]) -> Iterator[tuple[int, int, Product]]:
    """Where products are spoken of: whole names first; else a word of a name that no other product has."""
    found: list[tuple[int, int, Product]] = []
    for product in sorted(products, key=lambda product: -len(product.name)):
        for start, end in find_name(text, product.name):
            if not any(s < end and start < e for s, e, _ in found):
                found.append((start, end, product))
    words = {product: _words_of_name(product.name) for product in products}
    for product in products:
        others = set().union(*(w for other, w in words.items() if other != product))
        for word in sorted(words[product] - others, key=len, reverse=True):
            for start, end in find_name(text, word):
                is_plain = text[start].islower() and word != _head_of(product.name)
                if is_plain and _ANY_ONE.search(text, max(0, start - 8), start):
                    continue  # "a room that smells of the coast" is no Room Spray
                if _EACH_OF.search(text, max(0, start - 8), start):
                    continue  # "3.50 a pouch" counts pouches and names none
                if text[start].islower() and _IS_VERB.search(text, max(0, start - 8), start):
                    continue  # "you charge them" names no Charge Hub
                if not any(s < end and start < e for s, e, _ in found):
                    found.append((start, end, product))
    for start, end, product in find_sizes(text, products):
        if not any(s < end and start < e for s, e, _ in found):
            found.append((start, end, product))
    for match in _PRICED.finditer(text):  # 彩铅45元 is the 十二色彩铅套装
        owners = [p for p in products if match[1] in p.name]
        if len(owners) == 1 and not any(s < match.end(1) and match.start(1) < e for s, e, _ in found):
            found.append((*match.span(1), owners[0]))
    yield from sorted(found, key=lambda mention: mention[0])


_EACH_OF = re.compile(r"\d\s*(?:\b(?:an?|per|each)\s|/)$", re.I)
_ANY_ONE = re.compile(r"\b(?:an?|your|every|any|in|pure|solid|made\s+of)\s$|%\s$", re.I)
_PRICED = re.compile(r"([\u4e00-\u9fff]{2})(?=\s?\(?\d{1,6}(?:\.\d{1,2})?\s?元)")
_IS_VERB = re.compile(r"\b(?:you|we|they|to|can|will|don't|please)\s$", re.I)


def _head_of(name: str) -> str:
    """The noun of an English name, which stands last: "spray" of a Linen Room Spray 100 ml."""
    words = [w for w in re.findall(r"[A-Za-zÀ-ÿ]{3,}", name.lower()) if w not in _MEASURE_WORDS]
    return words[-1] if words else ""


def _words_of_name(name: str) -> set[str]:
    """Words of a name by which people call the product; Chinese has no spaces, so every run of three signs or more, and
    the last two."""
    words = set(re.findall(r"[A-Za-zÀ-ÿ]{3,}", name.lower())) - _MEASURE_WORDS
    words |= set(re.findall(r"[A-Z][\u4e00-\u9fff]{1,2}$", name))  # T恤
    for run in re.findall(r"(?<!\d)[\u4e00-\u9fff]{2,}", name):
        words.add(run[-2:])
        words |= {run[start:end] for start in range(len(run) - 2) for end in range(start + 3, len(run) + 1)}
    return words


#: "Wool Socks, 3 pairs": nobody calls them "pairs".
_MEASURE_WORDS = frozenset(
    re.findall(
        r"\w+",
        "pair pairs pack packs piece pieces bottle bottles bag bags grams litre litres liter liters inch inches month months"
        " year years edition size with from large small medium mini sets bulbs balls sheets rolls tablets"
        " the and for set kit tea cup mug box bag day one two six ten new old big red hot all our you oil pro max cut dry",
    )
)


def read_support(sheet: FactSheet) -> Reading:
    """The free text of the facts, read as a draft is: what it claims is true."""
    return _read_support(sheet.support)


def read_terms(sheet: FactSheet) -> Reading:
    """The same without what stands in further keys of the products."""
    return _read_support(sheet.terms)


@lru_cache(maxsize=16)
def _read_support(support: str) -> Reading:
    return read_claims(read_passage("facts", support), None)


def supported_numbers(sheet: FactSheet, *kinds: str) -> set[Decimal]:
    """The figures of these kinds of claim that the free text of the facts gives."""
    return {value for claim in read_support(sheet).of_kind(*kinds) for value in claim.values}

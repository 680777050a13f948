"""Amounts that nobody wrote into the facts but that follow from them: two of a thing, a basket, the price of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from .amounts import MEASURES, Claim
from .baskets import MOST_PIECES, MOST_PRODUCTS, list_baskets
from .reading import Reading, products_meant, read_support
from .scope import is_in_scope
from .sheet import FactSheet, Product, known_numbers
from .text import read_passage, sentence_around, sentence_span

MOST_AMOUNTS = 6


def follows_from_facts(sheet: FactSheet, reading: Reading, claim: Claim, meant: tuple[Product, ...]) -> bool:
    """Whether the amount is a sum that the sentence itself explains: it says how many, names the products, or gives the
    basket from which the offer makes the amount."""
    said = {as_cents(value) for value in claim.values}
    start, end = sentence_span(reading.passage.text, claim.start)
    is_basket = not any(start <= s < end for s, _, _ in reading.mentions)
    example = _baskets(sheet, reading, claim, start, end) if is_basket else set()
    start = sentence_span(reading.passage.text, max(0, start - 2))[0]  # "Three come to 174; with the code you pay 149"
    text = reading.passage.text[start:end]
    products = list(dict.fromkeys([p for s, _, p in reading.mentions if start <= s < end] or meant[:1]))
    pieces = _pieces(reading, reading.masked[start:end], start, end)
    totals = {*_totals(sheet, products, pieces), *_shares(products, text), *_counted_baskets(sheet, reading, claim)}
    return bool(said & {as_cents(value) for value in totals}) or bool(said & example) or _adds_up(sheet, reading, claim)


def _adds_up(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The amount is the sum of others that stand before it, or what the offer makes of one of them or of such a sum, or how
    much one lacks of another. Each of the others is looked at itself."""
    said = {as_cents(value) for value in claim.values}
    line = reading.masked.rfind("\n\n", 0, claim.start)
    others = [
        c
        for c in reading.of_kind("money")
        if c.start < claim.start and len(c.values) == 1 and not is_threshold(reading, c)
    ][-MOST_AMOUNTS:]
    plain = [c.values[0] for c in others]
    totals = {value for c, value in zip(others, plain, strict=True) if c.start > line}
    if _IS_SUM.search(sentence_around(reading.masked, claim.start)):
        for size in range(2, min(len(plain), MOST_PRODUCTS) + 1):
            totals |= {sum(basket, Decimal(0)) for basket in combinations(plain, size)}
        totals |= {as_cents(t) for t in totals}
        if said & totals:
            return True
    for total in totals - prices_of_others(sheet, reading, claim):
        for after in apply_offer(sheet, total):
            if said & {as_cents(after), as_cents(total - after)} and total not in known_numbers(sheet.min_basket):
                return True
    if not _LACKS.search(reading.masked[max(0, claim.start - 12) : claim.end + 16]):
        return False
    limits = [
        v for c in reading.of_kind("money") if c.start < claim.start and is_threshold(reading, c) for v in c.values
    ]
    return any(
        as_cents(limit - total) in said for limit in (*limits, sheet.min_basket or Decimal(0)) for total in totals
    )


def find_deals(sheet: FactSheet) -> dict[Decimal, int]:
    """Offers of so many pieces for an amount, "two puzzles for 30": the pieces by the amount."""
    text = read_passage("offer", sheet.offer).text
    return {
        Decimal(match["price"] or match["zh_price"]): int(match["n"] or match["zh"]) for match in _DEAL.finditer(text)
    }


def apply_offer(sheet: FactSheet, total: Decimal, *, is_rate: bool = False) -> set[Decimal]:
    """What a basket costs after the offer; nothing where it is too small for it, unless it stands for a rate ("for
    every 100", which only a percentage has)."""
    if is_rate:
        return {total * (100 - sheet.percent) / 100} if sheet.percent else set()
    if sheet.min_basket is not None and total < sheet.min_basket:
        return set()
    found = set()
    if sheet.percent:
        found.add(total * (100 - sheet.percent) / 100)
    if sheet.amount and total >= sheet.amount:
        found.add(total - sheet.amount)
    return found


def prices_of_others(sheet: FactSheet, reading: Reading, claim: Claim) -> set[Decimal]:
    """The prices of which the offer makes no amount here: of products that are not meant, or that it does not hold for."""
    meant = products_meant(reading, claim.start, sheet)
    own = known_numbers(*(p.price for p in meant if is_in_scope(sheet, p)))
    return known_numbers(*(p.price for p in sheet.products)) - own


def cost_of(sheet: FactSheet, product: Product, pieces: int) -> set[Decimal]:
    """What so many of a product cost: plainly, and after the offer; nothing where the price is not known."""
    if product.price is None:
        return set()
    total = product.price * pieces
    reduced = apply_offer(sheet, total) if is_in_scope(sheet, product) else set()
    bundles = {bundle.cost(product.price, pieces) for bundle in read_support(sheet).bundles}
    return {as_cents(value) for value in {total} | reduced | bundles}


def _totals(sheet: FactSheet, products: list[Product], pieces: set[int]) -> Iterator[Decimal]:
    """So many of one product, and baskets of those that are named, before and after the offer, and what is saved."""
    plain = [p.price * n for p in products for n in pieces if p.price is not None]
    priced = [p for p in products if p.price is not None]
    for size in range(2, min(len(priced), MOST_PRODUCTS) + 1):
        plain += [
            sum((p.price for p in basket if p.price is not None), Decimal(0)) for basket in combinations(priced, size)
        ]
    for total in plain:
        yield total
        for after in apply_offer(sheet, total):
            yield after
            yield total - after
    for amount in find_deals(sheet):
        for product in priced:
            yield amount + (product.price or 0)
    for bundle in read_support(sheet).bundles:
        for product in products:
            if product.price is None or not is_in_scope(sheet, product):
                continue
            yield product.price * bundle.pays / 100
            for n in pieces | {bundle.buy + bundle.get}:
                yield bundle.cost(product.price, n)
                yield product.price * n - bundle.cost(product.price, n)


def _counted_baskets(sheet: FactSheet, reading: Reading, claim: Claim) -> Iterator[Decimal]:
    """ "Two pairs of shoes, and with two cloths 456": so many of each product that was named up to here, plainly and after
    the offer. A sum may reach over sentences where the text says that it is one."""
    text = reading.passage.text
    start, end = sentence_span(text, claim.start)
    before = sentence_span(text, max(0, start - 2))[0]
    low = 0 if _IS_SUM.search(text[start:end]) else before
    for basket in list_baskets(sheet, reading, low, end):
        if basket.pieces > 1:
            yield basket.plain
            if basket.after is not None:
                yield basket.after
                yield basket.plain - basket.after


def _shares(products: list[Product], text: str) -> Iterator[Decimal]:
    """The price of each piece of a pack: the name or the sentence says how many there are in it."""
    if not _EACH.search(text):
        return
    for product in products:
        if product.price is not None:
            for n in re.findall(r"(?<![\d.])\d{1,2}(?![\d.])", f"{product.name} {text}"):
                if int(n) > 1:
                    yield product.price / int(n)


def count_pieces(reading: Reading, claim: Claim) -> set[int]:
    """One, or as many as the sentence of an amount says."""
    start, end = sentence_span(reading.passage.text, claim.start)
    return {1} | _pieces(reading, reading.masked[start:end], start, end)


def _pieces(reading: Reading, text: str, start: int, end: int) -> set[int]:
    """How many pieces the sentence speaks of."""
    found = {
        int(n) for n in re.findall(rf"(?<![\d.,])(\d{{1,2}})(?![\d.,]*\d|\s*[%折成])\s*(?:{MEASURES}|(?=[^\d]))", text)
    }
    if re.search(r"\b(?:pair|couple|both|twin)\b|[1成][双对]", text, re.I):
        found.add(2)
    if re.search(r"\bboth\b|\bsecond\b|another|再", text, re.I):
        found.add(2)
    singles = re.findall(rf"(?<![\d.,])1\s*{MEASURES}", text)
    if len(singles) > 1:  # 左手一只右手一只
        found.add(len(singles))
    return {n for n in found if 1 < n <= MOST_PIECES}


def _baskets(sheet: FactSheet, reading: Reading, claim: Claim, start: int, end: int) -> set[Decimal]:
    """ "Spend 50 and keep 10": one amount of the sentence is the basket, another what the offer makes of it."""
    amounts = [c for c in reading.of_kind("money") if start <= c.start < end and not is_threshold(reading, c)]
    found: set[Decimal] = set()
    for basket in amounts:
        for total in basket.values:
            is_rate = bool(re.search(r"(?:\bevery|\beach|\bper|每满?)\s*$", reading.masked[: basket.start], re.I))
            for after in apply_offer(sheet, total, is_rate=is_rate):
                results = {as_cents(after), as_cents(total - after)}
                if basket is claim and sheet.amount:
                    results = {as_cents(after)}  # what is taken off any basket says nothing about this one
                if basket is claim and any(
                    other is not claim and results & {as_cents(value) for value in other.values} for other in amounts
                ):
                    found.add(as_cents(total))
                elif basket is not claim:
                    found |= results
    return found


def is_threshold(reading: Reading, claim: Claim) -> bool:
    """ "Over 80" is a condition and no example."""
    before, after = reading.masked[max(0, claim.start - 20) : claim.start], reading.masked[claim.end : claim.end + 12]
    return bool(_OVER.search(before) or _OR_MORE.match(after))


def as_cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


_OVER = re.compile(r"\b(?:over|above|more\s+than|at\s+least|from|minimum(?:\s+of)?)\s*$|(?<!每)(?:满|超过)\s*$", re.I)
_OR_MORE = re.compile(
    r"\s*(?:or\s+more|and\s+(?:over|above|up|more)|\+(?!\s*[£€$¥\d\ue000\u4e00-\u9fff])|以上|起)", re.I
)
_LACKS = re.compile(r"\b(?:short|missing|away|more|lack\w*|only|just)\b|差|再买|再加|再凑", re.I)
_DEAL = re.compile(
    rf"(?<![\d.,])(?P<n>[2-9]|1\d)\s+(?:[a-z]+\s+){{0,3}}for\s+(?:only\s+)?(?:[£€$¥]|[A-Z]{{3}}\s)\s?(?P<price>\d{{1,5}}(?:\.\d{{1,2}})?)"
    rf"|(?<![\d.,])(?P<zh>[2-9]|1\d)\s*{MEASURES}[\u4e00-\u9fff]{{0,5}}?(?P<zh_price>\d{{1,5}}(?:\.\d{{1,2}})?)\s*元",
    re.I,
)
_IS_SUM = re.compile(
    r"\b(?:add|plus|together|total|sum|altogether|both|all\s+in|you(?:'re|\s+are)\s+at|comes?\s+to|makes?|with)\b|再?加|[2-9两三四五][样件种]|共|合计|总价|一起|凑|搭配|一套",
    re.I,
)
_EACH = re.compile(
    rf"\b(?:each|apiece|per\s+\w+|every\s+(?:one|pair|piece)|an?\s+(?:pair|piece|bottle|cup|bar|bag|sheet|roll|set|day|serving|portion))\b"
    r"|\binstal?lments?\b|\bpayments?\s+of\b|期"
    rf"|\b(?:makes|works\s+out\s+at|comes\s+to)\b|[每单一1]\s*{MEASURES}|平均|合",
    re.I,
)

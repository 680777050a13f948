"""Amounts that a letter works out: from the products that it names, how many of each, and the offer, by a few ways of
reckoning. Each way is open only where words beside the amount say that it was taken: a sum, what the offer leaves, what
is saved, what is lacking, what one piece comes to. An amount that stands right behind a product's name is its price, and
nothing else is tried for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from .amounts import MEASURES, Claim
from .baskets import Basket, counts_in, list_baskets, without_names
from .reading import Reading, read_support
from .sheet import FactSheet, Product
from .sums import MOST_AMOUNTS, apply_offer, as_cents, is_threshold, prices_of_others
from .text import read_passage, sentence_around, sentence_span
from .unit_prices import list_unit_prices

#: Pieces of a pack that a letter counts: "twelve cans come to 27".
MOST_IN_PACK = 60
#: How far back a sum may reach: two paragraphs, and no further than this.
LONGEST_REACH = 700


def is_worked_out(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """Whether the amount follows from what the letter names up to here, in a way that the words beside it tell."""
    if names_price_of(reading, claim) is not None:
        return False
    said = {as_cents(value) for value in claim.values}
    if any(as_cents(value) in said for value in list_unit_prices(sheet, reading, claim)):
        return True
    return any(as_cents(value) in said for value in _results(sheet, reading, claim))


def counted_before(reading: Reading, claim: Claim, product: Product) -> int:
    """Two in 两块砧板440元: how many of a product its price is said for; 0 where the words do not say."""
    places = [s for s, e, p in reading.mentions if p == product and e <= claim.start]
    found = _COUNTED.search(reading.passage.text[max(0, places[-1] - 18) : places[-1]]) if places else None
    if found and found["n"] in _PACK.findall(product.name):
        return 0  # "the lame comes with 5 blades", as its name says
    is_each = _EACH_BEHIND.match(reading.passage.text[claim.end : claim.end + 8])
    return int(found["n"]) if found and not is_each else 0


def is_sum(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """Whether the amount is what several pieces cost together, before or after the offer."""
    said = {as_cents(value) for value in claim.values}
    if _is_pack(sheet, reading, claim):
        return True
    baskets = [b for b in list_baskets(sheet, reading, *_reach(reading, claim)) if b.pieces > 1]
    return not baskets or any(as_cents(v) in said for b in baskets for v in (b.plain, b.after) if v is not None)


def _is_pack(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Twelve cans come to 27", where 27 is the price of "Iced tea, 12 x 330 ml"."""
    start, _end = sentence_span(reading.masked, claim.start)
    before = without_names(reading, max(start, claim.start - 30), claim.start)
    counted = {n for n in _PACK.findall(before) if 1 < int(n) <= MOST_IN_PACK}
    return any(p.price in claim.values and counted & set(_PACK.findall(p.name)) for p in sheet.products)


def is_just_above(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Less than 58 a year": what it comes to is a little less."""
    values = list(_results(sheet, reading, claim))
    return any(0 < said - value <= max(Decimal(1), said / 20) for said in claim.values for value in values)


def names_price_of(reading: Reading, claim: Claim) -> Product | None:
    """The product whose price the amount is said to be: "X, 54", "X for only 54", "X (54)". None where others stand
    before it that it may be added to."""
    text = reading.passage.text
    start, _end = sentence_span(text, claim.start)
    named = [(s, e, product) for s, e, product in reading.mentions if start <= s and e <= claim.start]
    if not named:
        return None
    s, e, product = named[-1]
    low = max((c.end for c in reading.of_kind("money") if start <= c.end <= s), default=start)
    others = any(low <= other < s and p != product for other, _e, p in named)
    between = text[e : claim.start]
    if others or not _IS_PRICE.fullmatch(between):
        return None
    if text[e - 1].isascii() and _ADDED.search(text[max(low, s - 14) : s]) and not _OWN.search(between):
        return None
    return None if _REST_OF_SUM.match(text[claim.end : claim.end + 16]) else product


def _results(sheet: FactSheet, reading: Reading, claim: Claim) -> Iterator[Decimal]:
    """Every amount that the words beside this one open a way to."""
    before, after = _beside(reading, claim)
    low, high = _reach(reading, claim)
    baskets = list(list_baskets(sheet, reading, low, high))
    earlier = _earlier(reading, claim, low)
    spared = {b.plain - b.after for b in baskets if b.after is not None}
    spared |= {total * (sheet.percent or 0) / 100 for total in earlier}
    spared |= {p.old_price - p.price for p in sheet.products if p.old_price and p.price}
    if _LIMIT.search(before) or is_threshold(reading, claim):
        return
    if _WAS.search(before):
        yield from (b.plain for b in baskets if b.pieces > 1)
    elif _DIFFERS.search(before) or _DIFFERS_AFTER.search(after):
        sides = {*earlier, *(b.plain for b in baskets if b.pieces == 1), *spared}
        yield from (a - b for a in sides for b in sides if a > b)
        yield from _paid(sheet, reading, claim, (before, after), (low, high), baskets, earlier)
    elif _SAVED.search(before) or _SAVED_AFTER.search(after):
        yield from spared
    elif _LACKS.search(before) or _LACKS_AFTER.search(after):
        limits = set(_limits(sheet, is_delivery=bool(_DELIVERED.search(sentence_around(reading.masked, claim.start)))))
        yield from (limit - b.plain for limit in limits for b in baskets if limit > b.plain)
        yield from (limit - total for limit in limits for total in earlier if limit > total)
    else:
        yield from _paid(sheet, reading, claim, (before, after), (low, high), baskets, earlier)


def _paid(
    sheet: FactSheet,
    reading: Reading,
    claim: Claim,
    beside: tuple[str, str],
    reach: tuple[int, int],
    baskets: list[Basket],
    earlier: list[Decimal],
) -> Iterator[Decimal]:
    """What is paid in all, before and after the offer, with the delivery, or for each piece."""
    before, after = beside
    low, high = reach
    sentence = sentence_around(reading.masked, claim.start)
    if re.search(r"\+\s*$", before) or re.match(r"\s*\+", after):
        yield from (b.plain for b in baskets if b.pieces == 1)
    several = [b for b in baskets if b.pieces > 1]
    lefts = [b.after for b in several if b.after is not None]
    code = sheet.code.lower()
    if _SUM.search(sentence):
        yield from (b.plain for b in several)
        added = list_baskets(sheet, reading, *sentence_span(reading.masked, claim.start))
        yield from (total + b.plain for b in added for total in earlier[-2:])
    if _AFTER.search(sentence) or (code and code in sentence_around(reading.passage.text, claim.start).lower()):
        yield from lefts
        others = prices_of_others(sheet, reading, claim)
        yield from (left for total in earlier if total not in others for left in apply_offer(sheet, total))
    if _EACH.search(f"{before} | {after}"):
        shared = {*earlier, *lefts, *(b.plain for b in baskets), *(b.after for b in baskets if b.after is not None)}
        yield from (total / n for n in _parts(reading, low, high) for total in shared)
    each = {v for v in _given_for_each(sheet) if v in earlier}
    yield from (v * n for v in each for n in counts_in(sentence))
    if _DELIVERED.search(sentence):
        yield from (total + fee for fee in list_fees(sheet) for total in [*earlier, *(b.plain for b in baskets)])


def _beside(reading: Reading, claim: Claim) -> tuple[str, str]:
    """The words of the sentence between the amount before and this one, and those up to the next."""
    start, end = sentence_span(reading.masked, claim.start)
    others = [c for c in reading.of_kind("money") if c is not claim]
    low = max((c.end for c in others if start <= c.end <= claim.start), default=start)
    high = min((c.start for c in others if claim.end <= c.start < end), default=end)
    return reading.masked[max(low, claim.start - 60) : claim.start], reading.masked[
        claim.end : min(high, claim.end + 30)
    ]


def _reach(reading: Reading, claim: Claim) -> tuple[int, int]:
    """From the paragraph before this one, or the whole list that ends here, to the end of the sentence."""
    text = reading.masked
    this = text.rfind("\n\n", 0, claim.start)
    low = text.rfind("\n\n", 0, max(0, this)) if this > 0 else 0
    return max(0, low, claim.start - LONGEST_REACH), sentence_span(text, claim.start)[1]


def _earlier(reading: Reading, claim: Claim, low: int) -> list[Decimal]:
    """The amounts of this stretch that stand before; each is looked at itself."""
    found = [
        c.values[0]
        for c in reading.of_kind("money")
        if low <= c.start < claim.start and len(c.values) == 1 and not is_threshold(reading, c)
    ]
    return found[-MOST_AMOUNTS:]


def _parts(reading: Reading, low: int, high: int) -> set[int]:
    """Into how many an amount may be shared: pieces, days, what is in a pack."""
    text = reading.passage.text[low:high]
    names = " ".join(product.name for s, _e, product in reading.mentions if low <= s < high)
    found = {int(n) for n in _PACK.findall(names)} | {int(n) for n in _PARTS.findall(text)} | counts_in(text)
    for details in {product.details for s, _e, product in reading.mentions if low <= s < high}:
        served = [int(n) for n in _PACK.findall(read_passage("facts", details).text) if 1 < int(n) <= 60]
        found |= {*served, *(a * b for a, b in combinations(served, 2))}  # three dinners for four are twelve plates
    return {n for n in found if 1 < n <= 400}


def _limits(sheet: FactSheet, *, is_delivery: bool) -> Iterator[Decimal]:
    """What a basket may lack: the minimum of the offer, or, where the sentence speaks of the delivery and the facts say
    from when that is free, this one alone."""
    support = read_support(sheet)
    thresholds = [claim for claim in support.of_kind("money") if is_threshold(support, claim)]
    if sheet.min_basket is not None and not (is_delivery and thresholds):
        yield sheet.min_basket
    for claim in thresholds:
        yield from claim.values


def _given_for_each(sheet: FactSheet) -> Iterator[Decimal]:
    """What the policies give or take for each of something: 空瓶每个抵5元."""
    support = read_support(sheet)
    for claim in support.of_kind("money"):
        if _EACH.search(sentence_around(support.masked, claim.start)):
            yield from claim.values


def list_fees(sheet: FactSheet) -> set[Decimal]:
    """What the delivery costs where it is not free."""
    support = read_support(sheet)
    return {
        value
        for claim in support.of_kind("money")
        if _DELIVERED.search(sentence_around(support.masked, claim.start)) and not is_threshold(support, claim)
        for value in claim.values
    }


_I = re.IGNORECASE
_IS_PRICE = re.compile(
    r"\s*(?:[(:,-]|->)?\s*(?:(?:now|just|only|is|are|costs?|at|for|still|today|comes?\s+at)\s*){0,3}(?:现在|现价|原价|售价|只要|仅需|只需|仅|才|只|特价|标价)?\s*:?\s*",
    _I,
)
_COUNTED = re.compile(rf"(?<![\d.第])(?P<n>[2-9]|1\d)\s*(?:{MEASURES}|\s(?:[a-z]+\s+of\s+)?(?:the\s+|our\s+)?)$", _I)
_EACH_BEHIND = re.compile(rf"\s*(?:/|[一1每]\s*{MEASURES}|each\b|apiece\b|an?\s+[a-z]|per\b)", _I)
_ADDED = re.compile(
    r"(?:\b(?:with|and|plus|both|pair\s+of|another|second|extra)\b|[+&])\s*(?:an?\s+|the\s+|our\s+)?[1]?\s*$",
    _I,
)
_OWN = re.compile(r"\(|\b(?:at|for)\b", _I)
_REST_OF_SUM = re.compile(r"\s*(?:away|short|more|to\s+go|in\s+total|together|altogether|saved|cheaper|less)\b", _I)
_SUM = re.compile(
    r"\b(?:add|plus|together|total|sum|altogether|both|all|add(?:s|ed)?\s+up|comes?\s+to|makes?|made|with|bundle|set|basket|whole|pay|cost|spend|bring\w*|turns?|becomes?|pair|order)\b|[+=&]"
    rf"|再?加|[2-9]\s*{MEASURES}|[2-9两三四五]样|共|合计|总|一起|凑|搭配|套|实付|到手|付|算下来|下来|全部|都",
    _I,
)
_AFTER = re.compile(
    r"\b(?:now|instead|after|with|down|reduced|off|discount|pay|only|just|becomes?|brings?|takes?|comes|code|yours|today|leaves?|drops?|makes?|minus|less|for|under)\b|折|后|到手|优惠|减|省|实付|付|现[价在]|仅|只要|只需|变|=",
    _I,
)
_SAVED = re.compile(
    r"\b(?:sav\w+|keep|spare|discount|knock|take[sn]?|cheaper|less|off|drops?\s+(?:by\s+)?$)\b|省|减|便宜|优惠|少[花付]",
    _I,
)
_SAVED_AFTER = re.compile(
    r"^\s*(?:saved|off|less|cheaper|in\s+savings|to\s+spare|back|stays?\s+in|you\s+keep)\b|^\s*(?:优惠|的?差价)", _I
)
_WAS = re.compile(
    r"\b(?:instead\s+of|was|were|usually|normally|originally|regular(?:ly)?|from)\s*(?:costs?\s*)?$|(?:原价|原本|原来|平时|本来)(?:合计|一共|共|要|是)?\s*$",
    _I,
)
_LIMIT = re.compile(
    r"(?:\b(?:over|above|(?<!you\s)reach(?:es)?|at\s+least|more\s+than|minimum(?:\s+of)?|from\s+orders?\s+of)|满|门槛(?:是|为)?|超过)\s*$",
    _I,
)
_LACKS = re.compile(
    r"\b(?:missing|short\s+of|needs?|another|lacks?)\s*(?:only\s+|just\s+)?$|差|缺|再[买加凑添]|还[要需]", _I
)
_LACKS_AFTER = re.compile(
    r"^\s*(?:short|away|missing|more|to\s+go|left|below|under|from)\b|^\s*(?:就|即|便|包邮|免邮)", _I
)
_EACH = re.compile(
    rf"\b(?:each|apiece|per|every|works\s+out|an?\s+(?:\w+\s+)?(?:day|week|month|night|piece|pair|cup|bag|bar|stick|pack|bottle|sheet|roll|skein|portion|serving|jar|tin|box|can|\w+))\b"
    rf"|/\s*[a-z]|平均|[每单合]\s*{MEASURES}?|[一1]\s*(?:{MEASURES}|天|月|年|次|杯|人)",
    _I,
)
_DELIVERED = re.compile(r"deliver|\bship|postage|\bpost\b|\bdoor\b|包邮|免邮|运费|邮费|配送", _I)
_DIFFERS = re.compile(
    r"\b(?:difference|spare|remain\w*|left|equals?|effectively)\b|等于|相当于|剩|余|差价|相差|只花", _I
)
_DIFFERS_AFTER = re.compile(
    r"^\s*(?:to\s+spare|left|remain\w*|over\b|more\s+than|less\s+than|difference|apart)|^\s*(?:的差价)", _I
)
_PACK = re.compile(r"(?<![\d.,])(\d{1,3})(?![\d.,]*\d)")
_PARTS = re.compile(
    rf"(?<![\d.,£€$¥])(\d{{1,3}})\s*(?:{MEASURES}|天|月|个月|年|周|次|杯|人|years?\b|days?\b|weeks?\b|months?\b|nights?\b|cups?\b|people\b|portions?\b|servings?\b|[a-z]+s\b|-[a-z]+\b|(?=\s*[.,;!?]))",
    _I,
)

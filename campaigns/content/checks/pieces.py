"""How many pieces an amount is said to buy, and where what looks like an amount counts pieces itself."""

from __future__ import annotations

import re
from decimal import Decimal

from .amount_words import HEADLINES
from .amounts import MEASURES, Claim
from .reading import Reading, products_meant
from .sheet import FactSheet
from .sums import cost_of
from .text import sentence_span
from .worked_out import is_sum


def counts_pieces(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """块 is a measure too: 一块腕表 is a watch, 100块积木 are bricks where a product is called so."""
    if claim.unit != "块":
        return False
    behind = reading.masked[claim.end : claim.end + 1]
    if re.search(r"\d\s*元\s*$", reading.masked[max(0, claim.start - 6) : claim.start]) and set(claim.values) == {
        Decimal(1)
    }:
        return True  # 3000元一块
    if _counts_stock(sheet, reading, claim) or _counts_as_priced(reading, claim):
        return True
    is_few = reading.is_spelled(claim) and max(claim.values, default=Decimal(99)) <= 12
    if is_few and any(s == claim.end for s, _e, _p in reading.mentions):
        return True  # 两块猫抓板
    if reading.is_spelled(claim) and set(claim.values) == {Decimal(1)}:
        return bool(re.match(r"[\u4e00-\u9fff\ue000]", behind)) and behind not in "钱就起包"
    return any(f"{value:f}块" in product.name for value in claim.values for product in sheet.products)


def _counts_stock(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """还剩8块: eight pieces are left, where eight is the stock, or only 剩 can be meant."""
    before = reading.masked[max(0, claim.start - 6) : claim.start]
    stocks = {Decimal(p.stock) for p in products_meant(reading, claim.start, sheet) if p.stock is not None}
    is_stock = re.search(r"剩下?|还有|仅有|库存|现货|最后$", before) or reading.passage.field in HEADLINES
    return bool(is_stock) and not stocks.isdisjoint(claim.values)


def _counts_as_priced(reading: Reading, claim: Claim) -> bool:
    """两块90元: so many pieces, and the price behind them."""
    return bool(
        re.match(
            r"\s*(?:共|一共|只要|只需|仅|要|原价|合计|才)?\s*\d+(?:\.\d+)?\s*元",
            reading.masked[claim.end : claim.end + 14],
        )
    )


def judge_deal(reading: Reading, claim: Claim, deals: dict[Decimal, int]) -> bool | None:
    """ "Two puzzles for 30" is the offer: whether the text gives so many for it; None where it speaks of no such amount."""
    pieces = next((deals[value] for value in claim.values if value in deals), None)
    if pieces is None:
        return None
    start, _end = sentence_span(reading.masked, claim.start)
    said = [
        int(n)
        for n in re.findall(
            rf"(?<![\d.,£€$])(\d{{1,2}})(?![\d.,%])\s*(?:{MEASURES}|[a-z])", reading.masked[start : claim.start], re.I
        )
    ]
    return not said or pieces in said


def count_for(reading: Reading, claim: Claim) -> int:
    """ "5 for 450", 3件99元: how many pieces the amount is said to buy; 0 where it does not say."""
    before, after = reading.masked[max(0, claim.start - 20) : claim.start], reading.masked[claim.end : claim.end + 10]
    found = _PIECES_FOR.search(before) or _PIECES_BEFORE.search(before) or _PIECES_AFTER.match(after)
    if found and any(found["n"] in re.findall(r"(?<![\d.,])\d+(?![\d.,])", p.name) for _s, _e, p in reading.mentions):
        return 0  # "a lame with 5 blades for 12.50", as its name says
    if found and _A_PACK.search(before[: found.start()] if found.re is _PIECES_FOR else ""):
        return 0
    return int(found["n"]) if found else 0


def costs_that(sheet: FactSheet, reading: Reading, claim: Claim, pieces: int) -> bool:
    """Whether so many pieces of a product that is meant cost that, before or after the offer."""
    totals = {total for p in products_meant(reading, claim.start, sheet) for total in cost_of(sheet, p, pieces)}
    return not totals or not totals.isdisjoint(claim.values) or is_sum(sheet, reading, claim)


_I = re.IGNORECASE
_PIECES_FOR = re.compile(
    r"\b(?P<n>[2-9]|1\d)\s+(?:(?!day|week|month|year|hour|minute|people|night)[a-z]+s\s+)?for\s+(?:only\s+|just\s+)?$",
    _I,
)
_PIECES_BEFORE = re.compile(rf"(?<![\d.第])(?P<n>[2-9]|1\d)\s*{MEASURES}\s*(?:共|一共|只要|才|就是)?\s*$")
_A_PACK = re.compile(r"\b(?:packs?|sets?|box(?:es)?|bundles?|cases?)\s+of\s*$", _I)
_PIECES_AFTER = re.compile(rf"[ \t]?(?:任选|任意)?(?P<n>[2-9])\s*{MEASURES}(?!起|以上)")

"""Offers by the piece: "buy two, get one free", "the second at half price", 买二送一, 第二件半价, "3 for 2"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Bundle:
    """text[start:end] offers `get` more pieces, at `pays` per cent of their price, to who buys `buy` of them."""

    start: int
    end: int
    buy: int
    get: int
    pays: Decimal

    @property
    def terms(self) -> tuple[int, int, Decimal]:
        """What two ways of saying the same have in common."""
        return self.buy, self.get, self.pays

    def cost(self, price: Decimal, pieces: int) -> Decimal:
        """What so many pieces of one price come to."""
        group = self.buy + self.get
        if group <= 0:
            return price * pieces
        whole, rest = divmod(pieces, group)
        reduced = whole * self.get + max(0, rest - self.buy)
        return price * (pieces - reduced) + price * reduced * self.pays / 100


def find_bundles(text: str) -> Iterator[Bundle]:
    """All such offers of a folded text, the longest reading of a place first."""
    found: list[Bundle] = []
    for pattern in (
        _BUY_GET,
        _BUY_NTH,
        _NTH,
        _BARE_NTH,
        _SHARE_NTH,
        _FOR_PRICE,
        _FOR,
        _BOGO,
        _CHINESE_BUY,
        _CHINESE_NTH,
    ):
        for match in pattern.finditer(text):
            bundle = _read_bundle(match)
            if bundle and not any(bundle.start < other.end and other.start < bundle.end for other in found):
                found.append(bundle)
    yield from sorted(found, key=lambda bundle: bundle.start)


def _read_bundle(match: re.Match[str]) -> Bundle | None:
    groups = match.groupdict()
    start, end = match.span()
    if groups.get("nth"):
        nth = _ORDINALS.get(groups["nth"].lower()) or _read(groups["nth"])
        return Bundle(start, end, nth - 1, 1, _share(match.group("share"))) if nth > 1 else None
    if groups.get("take"):
        take, pay = _read(groups["take"]), _read(groups["pay"])
        return Bundle(start, end, pay, take - pay, Decimal(0)) if take > pay > 0 else None
    if "buy" not in groups:
        return Bundle(start, end, 1, 1, _share(groups.get("share") or "free"))
    buy, get = _read(groups["buy"]), _read(groups.get("get") or "") or 1
    return Bundle(start, end, buy, get, _share(groups.get("share") or "free")) if buy else None


def _read(digits: str) -> int:
    plain = digits.strip().lower().translate(_CHINESE_ONES)
    return {"a": 1, "an": 1, "another": 1}.get(plain) or (int(plain) if plain.isdigit() else 0)


def _share(words: str) -> Decimal:
    """What is still paid, in per cent: free 0, half 50, "30% off" 70, 三折 30."""
    plain = words.lower().translate(_CHINESE_ONES)
    if found := re.search(r"(\d+(?:\.\d+)?)\s*(?:%|percent|per\s?cent)", plain):
        return 100 - Decimal(found.group(1))
    if found := re.search(r"(\d+(?:\.\d+)?)\s*折", plain):
        value = Decimal(found.group(1))
        return value if value >= 10 else value * 10
    if re.search(r"half|1/2|半", plain):
        return Decimal(50)
    return Decimal(0)


_I = re.IGNORECASE
_CHINESE_ONES = str.maketrans("一二两三四五六七八九", "1223456789")
_ORDINALS = {
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "5th": 5,
    "other": 2,
    "next": 2,
}
_ORDINAL = r"(?P<nth>second|third|fourth|fifth|2nd|3rd|4th|5th)"
_N = r"(?:\d{1,2}|an?|another)"
_MEASURE = "[件双个只款条顶把套份瓶盒支张本辆部台罐饼包袋箱桶块枚颗斤册幅对副束片]"
_ZH_N = r"(?:\d{1,2}|[一二两三四五六七八九])"
_SHARE = (
    r"(?P<share>(?:completely\s+|absolutely\s+)?(?:for\s+)?(?:free\b(?:\s+of\s+charge)?|nothing\b|gratis\b)|on\s+us\b|on\s+the\s+house\b"
    r"|(?:at\s+|for\s+)?half(?:[\s-]+(?:the\s+)?(?:price|off))?\b|(?:at\s+|with\s+)?\d+\s*(?:%|percent|per\s?cent)\s+(?:off|less|cheaper|discount)\b)"
)
_LINK = r"(?:\s+(?:is|are|comes?|costs?|will\s+be|at|for|goes|we\s+give\s+you))?\s+(?:just\s+|only\s+)?"
_BUY_GET = re.compile(
    rf"\b(?:buy|purchase|order|pick|choose|for\s+every)\s+(?:any\s+|just\s+)?(?P<buy>{_N})\b[^.!?\n\d]{{0,40}}?"
    rf"(?:\b(?:get|receive|take|have|we(?:'ll)?\s+(?:give|add)(?:\s+you)?)\b|\+)\s+(?:the\s+next\s+)?(?P<get>{_N})\b"
    rf"(?:{_LINK}|[^.!?\n\d,]{{0,25}}?\s){_SHARE}",
    _I,
)
_BUY_NTH = re.compile(
    rf"\b(?:buy|purchase|order|pick|choose)\s+(?:any\s+)?(?P<buy>{_N})\b[^.!?\n\d]{{0,40}}?\b(?:the|a|your|get)\s+{_ORDINAL}(?:\s+1\b)?"
    rf"[^.!?\n\d]{{0,25}}?\s{_SHARE}",
    _I,
)
_NTH = re.compile(
    rf"\b(?:the|your|every|each|a|get|any)\s+{_ORDINAL}\b(?!\s+(?:of|day|time))(?:\s+1\b)?[^.!?\n\d]{{0,25}}?\s{_SHARE}",
    _I,
)
#: Without an article, as headlines have it: "second pair half price".
_BARE_NTH = re.compile(rf"(?:^|\n|[:,;!?.-]\s{{0,2}}){_ORDINAL}\s+(?!of\b|day|time)(?:[a-z]+\s+){{1,3}}?{_SHARE}", _I)
#: The share first: "half price for your second pair", "20% off second pairs".
_SHARE_NTH = re.compile(
    rf"(?<![\w.,]){_SHARE}\s+(?:(?:for|on)\s+)?(?:(?:the|your|every|each|a|any|all)\s+)?{_ORDINAL}\s+(?!of|day|time)[a-z]+",
    _I,
)
_FOR_PRICE = re.compile(
    r"\b(?P<take>\d{1,2})[\s-]+(?:\w+[\s-]+)?for[\s-]+the[\s-]+price[\s-]+of[\s-]+(?P<pay>\d{1,2})\b", _I
)
_FOR = re.compile(
    r"\b(?P<take>[2-9])[\s-]for[\s-](?P<pay>[1-8])\b(?!\s*(?:[%€$£¥]|:\d|[.,]\d|day|week|month|year|hour|night|minute|people|person|euro|pound|dollar))",
    _I,
)
_BOGO = re.compile(rf"\bbogo(?:f|hp)?\b(?:\s+{_SHARE})?", _I)
_CHINESE_BUY = re.compile(
    rf"[买购](?:任意|满)?\s*(?P<buy>{_ZH_N})\s*{_MEASURE}?[^\d,。!?\n一二两三四五六七八九]{{0,6}}?[,，]?\s*(?:就|即|再|可)?(?:我们)?[送赠免得]\s*"
    rf"(?P<get>{_ZH_N})\s*{_MEASURE}?(?!\s*(?:元|块|天|%|折))"
)
_CHINESE_NTH = re.compile(
    rf"第\s*(?P<nth>{_ZH_N})\s*{_MEASURE}[^\d。!?\n]{{0,8}}?(?P<share>半价|半折|对折|免费|免单|(?:我们)?[送赠]|(?:\d+(?:\.\d+)?|[一二两三四五六七八九]+)\s*折|0\s*元)"
)

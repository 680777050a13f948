"""Lengths of time that a letter works out from a day of the facts: "six weeks since you ordered", "two weeks to go"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

from .amounts import Claim
from .reading import Reading, read_support
from .sheet import FactSheet
from .support_days import support_days

#: By how much what is said in whole units may differ from what has passed, in parts of the unit.
_TOLERANCE = {1: Decimal(1), 7: Decimal("0.6"), 30: Decimal("0.5"), 365: Decimal("0.1")}


def is_elapsed(sheet: FactSheet, reading: Reading, claim: Claim, sentence: str) -> bool:
    """Whether so long has passed between a day of the facts and the day of sending, or will, and the sentence says so."""
    if sheet.send_date is None or claim.unit == "minute":
        return False
    unit = _unit_of(reading.masked[claim.start : claim.end])
    if not unit:
        return False
    said = {value / (360 if unit == 365 else unit) for value in claim.values}
    before = reading.masked[max(0, claim.start - 16) : claim.start]
    return any(
        _fits(n, Decimal(days) / unit, before, _TOLERANCE[unit]) for n in said for days in _gaps(sheet, sentence)
    )


def _gaps(sheet: FactSheet, sentence: str) -> Iterator[int]:
    if sheet.send_date is None:
        return
    for day in set(support_days(sheet)):
        gap = (sheet.send_date - day).days
        if (gap > 0 and _PASSED.search(sentence)) or (gap < 0 and _TO_COME.search(sentence)):
            yield abs(gap)
    if _PASSED.search(sentence):
        for year in re.findall(r"(?<![\d.,/-])(?:1[89]\d\d|20\d\d)(?![\d.,/-]\d)", read_support(sheet).passage.text):
            yield (sheet.send_date - dt.date(int(year), sheet.send_date.month, 1)).days


def _fits(said: Decimal, true: Decimal, before: str, tolerance: Decimal) -> bool:
    if _MORE.search(before):
        return 0 <= true - said < max(Decimal(1), said / 5)
    if _NEARLY.search(before):
        return 0 <= said - true < max(Decimal(1), said / 8)
    return abs(said - true) <= (2 * tolerance if _ABOUT.search(before) else tolerance)


def _unit_of(words: str) -> int:
    """Days in the unit that the words name; 0 for hours, and where they name none."""
    found = _UNIT.search(words)
    return (
        {"d": 1, "n": 1, "w": 7, "f": 14, "m": 30, "y": 365}.get(_CHINESE.get(found[0], found[0].lower())[0], 0)
        if found
        else 0
    )


_I = re.IGNORECASE
_CHINESE = {"天": "d", "日": "d", "周": "w", "星期": "w", "月": "m", "年": "y"}
_UNIT = re.compile(r"days?|nights?|weeks?|months?|years?|天|日|周|星期|月|年", _I)
_PASSED = re.compile(
    r"\bago\b|\bsince\b|\bbeen\b|\blast\b|\bhas\s+passed|\bhave\s+passed|\bby\s+(?:our|my)\s+count|\bold\b|\bfor\b|\bthese\b|\bturn\w*\b|\bbirthday\b|\banniversary\b"
    r"|前|以来|已经?|过去|没见|不见|距离?|至今|来",
    _I,
)
_TO_COME = re.compile(
    r"\bin\b|\buntil\b|\btill\b|\baway\b|\bleft\b|\bbefore\b|\bto\s+(?:go|order)\b|\bleaves\b|\bcounting\b|\bfrom\s+(?:now|today)\b|还有|之?后|距离?|剩|倒计时",
    _I,
)
_MORE = re.compile(r"\b(?:over|more\s+than|a\s+little\s+over|just\s+over)\s*$|(?:超过|不止)\s*$", _I)
_NEARLY = re.compile(r"\b(?:nearly|almost|just\s+under|close\s+to|coming\s+up\s+to)\s*$|(?:近|快|将近|差不多)\s*$", _I)
_ABOUT = re.compile(r"\b(?:about|around|roughly|some|give\s+or\s+take)\s*$|(?:大约|约|大概)\s*$", _I)

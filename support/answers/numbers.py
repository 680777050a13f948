"""Numbers of a text with what they count: "30 days" and "thirty days" are one, "30 days" and "£30" are not."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_ENGLISH: Final = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "eleven": "11", "twelve": "12", "fourteen": "14", "fifteen": "15", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100",
}  # fmt: skip
_CHINESE: Final = {
    "一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9", "十": "10",
    "两": "2", "半": "0.5",
}  # fmt: skip
_UNITS: Final = {
    "day": r"(?:working |business |calendar )?days?\b|个?工作日|天|日",
    "week": r"weeks?\b|个?星期|周", "month": r"months?\b|个月|月", "year": r"years?\b|年",
    "hour": r"hours?\b|个?小时", "minute": r"minutes?\b|分钟", "percent": r"%|per ?cent\b|折",
    "point": r"points?\b|积?分", "clock": r"(?:am|pm|o'clock)\b|点",
    "euro": r"euros?\b|eur\b|€|欧元", "pound": r"pounds?\b|gbp\b|英镑",
    "dollar": r"dollars?\b|usd\b|美元", "yuan": r"yuan\b|rmb\b|元|块",
    "degree": r"degrees?\b|°|度", "kg": r"kg\b|kilos?\b|公斤|千克",
}  # fmt: skip
_SIGNS: Final = {"€": "euro", "£": "pound", "$": "dollar", "¥": "yuan"}
_NUMBER: Final = re.compile(
    rf"(?P<sign>[€£$¥])?\s?(?:(?P<digits>\d+(?:[.,:]\d+)*)|\b(?P<word>{'|'.join(_ENGLISH)})\b|(?P<chinese>[{''.join(_CHINESE)}])"
    rf"(?=个|天|日|周|星期|年|小时|分钟|次|点|月|英镑|欧元))",
    re.I,
)  # fmt: skip
_RANGE: Final = re.compile(
    r"^\s*(?:to|–|-|and|or|至|到|或|、|,)\s*(?:\d+(?:[.,]\d+)*|[一二三四五六七八九十两])(?:\s*(?:or|或)\s*\d+)?", re.I
)
_UNIT: Final = tuple((name, re.compile(rf"^[\s-]*(?:{pattern})", re.I)) for name, pattern in _UNITS.items())


def find_numbers(text: str) -> Counter[tuple[str, str]]:
    """How often each (number, unit) stands in a text; the unit is "" where none of the usual ones follows the number."""
    found: Counter[tuple[str, str]] = Counter()
    for match in _NUMBER.finditer(text):
        word = match["word"].lower() if match["word"] else ""
        number = match["digits"] or _ENGLISH.get(word) or _CHINESE[match["chinese"]]
        unit = _SIGNS.get(match["sign"] or "", "") or _find_unit(text[match.end() :])
        if word != "one" or unit:  # "this one" is no number
            found[_plain(number), unit] += 1
    return found


def _find_unit(rest: str) -> str:
    """The unit after a number, or after the end of the range that it begins ("2 to 3 days")."""
    for text in (rest, rest[match.end() :] if (match := _RANGE.match(rest)) else ""):
        for name, pattern in _UNIT:
            if text and pattern.match(text):
                return name
    return ""


def _plain(number: str) -> str:
    """Without separators of thousands and without zeros that say nothing: 1,000 is 1000, 4.90 is 4.9, 4,90 is 4.9."""
    number = re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", ".").replace(":", ".")
    return number.rstrip("0").rstrip(".") if "." in number else number

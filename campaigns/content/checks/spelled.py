"""Numbers written as words, in English and Chinese, found and turned into digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

UNITS = dict(zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], range(1, 10), strict=True))
TEENS = dict(
    zip(
        ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"],
        range(10, 20),
        strict=True,
    )
)
TENS = dict(
    zip(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], range(20, 100, 10), strict=True)
)
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
WORDS = UNITS | TEENS | TENS | {"dozen": 12, "a": 1}

_UNDER_100 = rf"(?:(?:{'|'.join(TENS)})(?:[\s-](?:{'|'.join(UNITS)}))?|{'|'.join(TEENS)}|{'|'.join(UNITS)})"
_UNDER_1000 = rf"(?:(?:{_UNDER_100}|a)[\s-]+hundred(?:[\s-]+(?:and\s+)?{_UNDER_100})?|{_UNDER_100})"
_ENGLISH = re.compile(
    rf"(?<![\w-])(?:(?:{_UNDER_1000}|a)\s+(?:thousand|million)(?:,?\s+(?:and\s+)?{_UNDER_1000})?"
    rf"|a\s+dozen|{_UNDER_1000})(?!\w)",
    re.IGNORECASE,
)
_CHINESE_DIGITS = dict(zip("零一二三四五六七八九", range(10), strict=True)) | {"〇": 0, "两": 2}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
#: No numeral of a price or a date is longer; without an end a row of such signs would be read once from each of them.
_CHINESE_NUMERAL = "[零〇一二两三四五六七八九十百千万亿]{1,12}"
# 一 stands in hundreds of words (一起, 周一, 第一); a numeral is one only before a unit or after a word of amount.
_CHINESE = re.compile(
    rf"(?<![周第双])(?<!\d(?=[十百千万亿]))(?<!星期)(?<!礼拜)(?<=百分之){_CHINESE_NUMERAL}(?:点{_CHINESE_NUMERAL})?"
    rf"|(?<=[减省满降惠价额])(?:{_CHINESE_NUMERAL})(?!起|分之)"
    rf"|(?<![周第双])(?<!\d(?=[十百千万亿]))(?<!星期)(?<!礼拜){_CHINESE_NUMERAL}"
    r"(?=\s*(?:会员|顾客|客户|用户|读者|粉丝|家庭|户|条?好评|条?评价|折|元|块|圆|%|成|天|日|号|月|年|小时|个|周|星期|分钟|秒|多?[位名人]|余[位名]|件|双|款|条|顶|把|只|套|家"
    r"|星|倍|米|克|公斤|升|欧|英镑|美元|美金|日元|港|台|份|瓶|盒|支|张|本|罐|饼|包|袋|箱|桶|枚|颗|册|对|副|束|片|团|座|粒|卷|株|杯|听|盏|盆|棵|幅|根|朵|枝|斤|辆|部|组(?!合(?!计))|提|串|筒|壶))"
)

#: "No one is looking": nobody, and no first place.
_PRONOUN = re.compile(r"\b(?:no|any|some|every)[\s-]$", re.IGNORECASE)
#: 5万, 1.2万: figures with a sign for the scale behind them.
_MIXED = re.compile(r"(?<![\d.,])(?P<n>\d{1,4}(?:[.,]\d{1,3})?)\s?(?P<scale>[万亿百]|千(?![米克瓦卡焦]))(?![\d万亿])")


def find_spelled(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of every number written in words."""
    for match in _ENGLISH.finditer(text):
        if match.group().lower() == "one" and _PRONOUN.search(text, max(0, match.start() - 6), match.start()):
            continue
        yield match.start(), match.end(), str(read_english(match.group()))
    for match in _MIXED.finditer(text):
        number = Decimal(match["n"].replace(",", "")) * _CHINESE_SCALES[match["scale"]]
        yield match.start(), match.end(), f"{number.normalize():f}"
    for match in _CHINESE.finditer(text):
        whole, _, fraction = match.group().partition("点")
        yield match.start(), match.end(), _join(read_chinese(whole), fraction)


def read_english(words: str) -> int:
    """ "two hundred and fifty" -> 250."""
    total = current = 0
    for word in re.findall("[a-z]+", words.lower()):
        if word == "hundred":
            current = max(current, 1) * 100
        elif word in SCALES:
            total, current = total + max(current, 1) * SCALES[word], 0
        elif word == "dozen":
            current = 12
        elif word != "and":
            current += WORDS[word]
    return total + current


def read_chinese(numeral: str) -> int:
    """二百五十 -> 250; without scales the digits stand side by side: 八五 -> 85, 二零二六 -> 2026."""
    if not any(sign in _CHINESE_SCALES for sign in numeral):
        return int("".join(str(_CHINESE_DIGITS[sign]) for sign in numeral))
    total = section = digit = 0
    for sign in numeral:
        if sign in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[sign]
        elif (scale := _CHINESE_SCALES[sign]) < 10_000:
            section, digit = section + (digit or 1) * scale, 0
        else:
            total, section, digit = (total + section + digit or 1) * scale, 0, 0
    return total + section + digit


def _join(whole: int, fraction: str) -> str:
    digits = "".join(str(_CHINESE_DIGITS.get(sign, "")) for sign in fraction)
    return f"{whole}.{digits}" if digits else str(whole)

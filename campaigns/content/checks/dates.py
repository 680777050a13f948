"""Days that a text names: written out, in figures, by weekday, or as an edge of a month."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Role = Literal["", "until", "from"]


@dataclass(frozen=True)
class DayPattern:
    """A day with parts left open: 24 December is (None, 12, 24)."""

    year: int | None
    month: int | None
    day: int | None

    def fits(self, day: dt.date | None) -> bool:
        """The day has all parts that are given."""
        if day is None:
            return False
        parts = ((self.year, day.year), (self.month, day.month), (self.day, day.day))
        return all(said is None or said == is_ for said, is_ in parts)


@dataclass(frozen=True)
class DateClaim:
    """text[start:end] names a day (its readings are `days`), or a `weekday` (0 is Monday), or a part of a month
    (`edge`: "end", "start", "middle", "whole", "month"). `role` is what the words around it make of it."""

    start: int
    end: int
    days: tuple[DayPattern, ...] = ()
    weekday: int | None = None
    edge: str = ""
    role: Role = ""


def find_dates(text: str) -> Iterator[DateClaim]:
    """All days named in a folded text; a claim may lie inside a longer one that comes first."""
    for pattern, read in _READERS:
        for match in pattern.finditer(text):
            days = tuple(read(match))
            if days:
                yield DateClaim(match.start("whole"), match.end("whole"), days, role=_role(text, match))
    for match in _EDGE.finditer(text):
        yield from _read_edge(text, match)
    for match in _MONTH_WHOLE.finditer(text):
        yield _read_month(match)
    for match in _WEEKDAY.finditer(text):
        name = (match["en"] or match["short"] or match["zh"]).lower()
        yield DateClaim(match.start("whole"), match.end("whole"), weekday=_WEEKDAYS[name], role=_role(text, match))


def last_of_month(day: dt.date) -> dt.date:
    """The last day of the month of a day."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


_MONTH_NAMES = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_ORDINAL_DAYS = {word: number for number, word in enumerate(_ORDINALS, 1)} | {"thirtieth": 30}
_ORDINAL = rf"(?:(?:20|30|twenty|thirty)-(?:{'|'.join(_ORDINALS[:9])})|{'|'.join(_ORDINALS)}|thirtieth)"
_DAY = rf"(?:\d{{1,2}}(?:\s?(?:st|nd|rd|th)\b|\.)?|{_ORDINAL}\b)"
_NO_MONEY = r"(?!\d|[.,]\d|\s*(?:%|折|per\s?cent|[€£$¥]|euro|pound|dollar|off\b|x\b))"
_WEEKDAYS = {
    name: day for day, name in enumerate(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
}
_WEEKDAYS |= {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6}
_WEEKDAYS |= {sign: day for day, sign in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY = re.compile(
    r"(?P<whole>\b(?P<en>monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?\b"
    r"|(?:(?<=until )|(?<=till )|(?<=by )|(?<=ends )|(?<=this )|(?<=on )|(?<=before )|(?<=through ))"
    r"(?P<short>mon|tues?|wed|thu|thurs?|fri|sat|sun)\b"
    r"|(?<![一二三四五六七八九十\d两双])(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])(?!到))",
    re.IGNORECASE,
)
_EDGE = re.compile(
    rf"(?P<whole>\b(?:the\s+)?(?P<edge>very\s+end|end|last\s+day|beginning|start|middle|mid)[\s-]+(?:of\s+)?"
    rf"(?P<month>{_MONTH}|the\s+month|this\s+month|the\s+year|this\s+year)"
    r"|\bmonth'?s?[\s-]end\b|(?:(?P<zh>\d{1,2})月|本月|月)(?P<zhedge>底|末|初|中旬|中(?!旬|国|间|的))|(?<!每到)(?<!每逢)(?<!每年)(?<!到了)(?:年底|年末))",
    re.IGNORECASE,
)
#: A month as a whole: "in November", "all of May", 整个五月. "May" alone is a word.
_MONTH_WHOLE = re.compile(
    rf"\b(?P<how>in|during|throughout|(?:all|right)\s+through|all|all\s+of|until|till|through|into|for|from|since)\s+(?P<whole>(?P<month>(?!may\b){_MONTH}|(?-i:May)\b))(?!\s*(?:the\s+)?\d)"
    rf"|(?P<zhhow>整个|到|至|从|全)?(?<!\d)(?P<zhwhole>(?P<zh>1[0-2]|[1-9])月份?)(?!\s*\d|[底末初中上下])",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"\b(?:until|till|til|through|thru|by|before|ends?|ending|expir(?:es?|y|ing)|deadline|last\s+(?:day|date)|valid\s+to"
    r"|closes?|closing|finish(?:es)?|up\s+to|over\s+on|gone|no\s+later\s+than|to|runs?\s+out|stops?)\b|截止|截至|有效期至|到期|至|到"
    r"|-\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:from|starts?|starting|begins?|beginning|since|as\s+of|opens?|opening|launch(?:es|ing)?|kicks?\s+off|after)\b"
    r"|自(?![己然动由家])|从(?![来不容])|开始于|始于|起始",
    re.IGNORECASE,
)
_AFTER_UNTIL = re.compile(
    r"^\s*(?:,?\s*(?:is|will\s+be|being)\s+(?:the|your)\s+(?:very\s+)?(?:last|final)|是最后)"
    r"|^\s*(?:晚上|中午|夜里|零点|午夜)?(?:\d{1,2}[点:时][\d]*\s*)?(?:之?前|截止|到期|止|结束|为止|失效|过期|以前|晚?24点)",
    re.IGNORECASE,
)
_AFTER_FROM = re.compile(
    r"^\s*(?:起|开始|开启|开抢|-(?=\s*\d)|[至到](?=\s*\d)"
    r"|(?:to|until|till|through|thru)\s+(?:[a-z]+day\b|(?:[a-z]+day,?\s+)?(?:the\s+)?(?:\d|[a-z]+\s\d)))",
    re.IGNORECASE,
)


def _role(text: str, match: re.Match[str]) -> Role:
    """The nearest word of ending or starting before the day in its sentence decides, unless one follows directly."""
    behind = text[match.end("whole") : match.end("whole") + 24]
    if _AFTER_UNTIL.match(behind):
        return "until"
    if _AFTER_FROM.match(behind):
        return "from"
    before = re.split(r"[.!?。;\n](?:\s|$)", text[max(0, match.start("whole") - 40) : match.start("whole")])[-1]
    ends = [found.end() for found in _UNTIL.finditer(before)]
    starts = [found.end() for found in _FROM.finditer(before)]
    if not ends and not starts:
        return ""
    return "until" if max(ends, default=-1) >= max(starts, default=-1) else "from"


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _full(match: re.Match[str]) -> Iterator[DayPattern]:
    yield DayPattern(_int(match["y"]), int(match["m"]), int(match["d"]))


def _figures(match: re.Match[str]) -> Iterator[DayPattern]:
    """Day first and month first are both readings, where both are dates."""
    year = _int(match.groupdict().get("y"))
    year = year + 2000 if year is not None and year < 100 else year
    first, second = int(match["a"]), int(match["b"])
    if second <= 12:
        yield DayPattern(year, second, first)
    if first <= 12 and "." not in match["whole"]:
        yield DayPattern(year, first, second)


def _named(match: re.Match[str]) -> Iterator[DayPattern]:
    month = _MONTHS[match["m"].lower().rstrip(".")]
    yield DayPattern(_int(match["y"]), month, _read_day(match["d"]))


def _twin_day(match: re.Match[str]) -> Iterator[DayPattern]:
    """双11 and 双12, the days of sales."""
    yield DayPattern(None, int(match["m"]), int(match["m"]))


def _day_only(match: re.Match[str]) -> Iterator[DayPattern]:
    yield DayPattern(None, None, _read_day(match["d"]))


def _read_day(text: str) -> int:
    digits = re.match(r"\d+", text)
    if digits and "-" not in text:
        return int(digits.group())
    tens, _, unit = text.lower().rpartition("-")
    return {"": 0, "20": 20, "30": 30, "twenty": 20, "thirty": 30}[tens] + _ORDINAL_DAYS[unit]


def _read_edge(text: str, match: re.Match[str]) -> Iterator[DateClaim]:
    said = (match["month"] or "").lower().rstrip(".")
    word = (match["edge"] or match["zhedge"] or "end").lower()
    edge = "end" if word in {"end", "very end", "last day", "底", "末"} else "middle" if word[0] in "m中" else "start"
    if said in {"the year", "this year"} or match.group().startswith("年"):
        days = (DayPattern(None, 12, None),)
    else:
        days = (DayPattern(None, _MONTHS.get(said) or _int(match["zh"]), None),)
    yield DateClaim(match.start("whole"), match.end("whole"), days, edge=edge, role=_role(text, match))


def _read_month(match: re.Match[str]) -> DateClaim:
    how = " ".join((match["how"] or match["zhhow"] or "in").lower().split())
    number = _MONTHS[match["month"].lower().rstrip(".")] if match["month"] else int(match["zh"])
    role: Role = (
        "until"
        if how in {"until", "till", "through", "into", "到", "至"}
        else "from"
        if how in {"from", "since", "从"}
        else ""
    )
    edge = (
        "whole"
        if how in {"all", "all of", "all through", "right through", "throughout", "for", "整个", "全"}
        else "month"
    )
    start, end = match.span("whole") if match["whole"] else match.span("zhwhole")
    return DateClaim(start, end, (DayPattern(None, number, None),), edge=edge, role=role)


_I = re.IGNORECASE
_AND = r"\s*(?:-|to|and|until|till|through)\s*(?:the\s+)?"
_READERS = (
    (re.compile(r"(?P<whole>双\s*(?P<m>11|12)(?P<y>)(?P<d>(?<=11)|(?<=12)))(?!\d)"), _twin_day),
    (
        re.compile(r"(?<![\d.])(?P<whole>(?P<y>)(?P<m>\d{1,2})\.(?P<d>\d{1,2}))(?=\s*(?:截止|之?前|止|到期|结束|起))"),
        _full,
    ),
    # The day of a range whose month stands at the other day: 23 to 30 November, November 23-30.
    (
        re.compile(rf"(?<![\d.,€£$¥])(?P<whole>(?P<d>{_DAY}))(?={_AND}{_DAY}\s*(?:of\s+)?(?P<m>{_MONTH}))(?P<y>)", _I),
        _named,
    ),
    (re.compile(rf"\b(?P<m>{_MONTH})\s+(?:the\s+)?{_DAY}{_AND}(?P<whole>(?P<d>{_DAY})){_NO_MONEY}(?P<y>)", _I), _named),
    (re.compile(r"(?<![\d.])(?P<whole>(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2}))(?!\d)"), _full),
    (
        re.compile(r"(?<!\d)(?P<whole>(?:(?P<y>20\d\d)\s*年\s*)?(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]?)(?!\d)"),
        _full,
    ),
    (
        re.compile(r"(?<![\d.])(?P<whole>(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<y>20\d\d|\d\d))(?!\d)"),
        _figures,
    ),
    (
        re.compile(
            rf"(?<![\d.,€£$¥])(?P<whole>(?P<d>{_DAY})\s*(?:of\s+)?-?(?P<m>{_MONTH})(?:(?:,?\s+)(?P<y>20\d\d))?)(?!\d)",
            _I,
        ),
        _named,
    ),
    (
        re.compile(
            rf"(?P<whole>\b(?P<m>{_MONTH})\s+(?:the\s+)?(?P<d>{_DAY}){_NO_MONEY}(?:(?:,?\s+)(?P<y>20\d\d)(?!\d))?)", _I
        ),
        _named,
    ),
    (re.compile(r"(?<![\d.,])(?P<whole>(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.)(?!\d|\s+[A-Z\d]|\s*$)"), _figures),
    (
        re.compile(
            r"\b(?:until|till|by|before|from|on|ends?|expires?|through|to|starts?|and|between|截止|截至|至|到)\s*(?:on\s+)?(?:the\s+)?"
            r"(?P<whole>(?P<a>\d{1,2})[/.](?P<b>\d{1,2}))(?![\d/]|\s*(?:off|%|[€£$¥元折]))",
            _I,
        ),
        _figures,
    ),
    (
        re.compile(
            rf"\b(?:until|till|by|before|from|on|ends?|expires?|through|to|starts?)\s+(?:on\s+)?(?:[a-z]+day,?\s+)?the\s+"
            rf"(?P<whole>(?P<d>\d{{1,2}}(?:st|nd|rd|th)\b|{_ORDINAL}\b))(?!\s+(?:of|time|day|order|item|pair|night|one|customer))",
            _I,
        ),
        _day_only,
    ),
    (
        re.compile(r"(?:本月|这个月|截止到?|截至|至|到|于|-)\s*(?P<whole>(?P<d>\d{1,2})\s*[日号])(?!内|店|楼)"),
        _day_only,
    ),
    (
        re.compile(
            r"(?<![月\d大小几])(?P<whole>(?P<d>\d{1,2})\s*(?:号|日(?=之?前|当[天日晚]|截止|起|到期|止|结束|为止|晚|\)|24)))(?!店|楼|线)"
        ),
        _day_only,
    ),
)

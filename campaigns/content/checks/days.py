"""Dates and weekdays against the days of the offer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .dates import DateClaim, last_of_month
from .reading import Draft, Reading, read_support
from .routines import contradicts_policy, is_of_policy
from .sheet import FactSheet, known_numbers
from .support_days import support_days
from .text import OFFER_WORDS, content_stems, sentence_around, sentence_span


def check_dates(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A day that is not one of the facts, or has another part in them; a weekday that the day does not have."""
    for reading in draft.readings:
        for claim in reading.dates:
            span = (claim.start, claim.end)
            if claim.weekday is not None:
                yield from _check_weekday(sheet, reading, claim)
            elif claim.edge:
                if claim.edge in {"month", "whole"}:
                    if not _fits_month(sheet, reading, claim):
                        yield reading.finding("date", "block", _("The offer does not hold in this month."), span)
                elif not _fits_edge(sheet, claim):
                    verdict: Verdict = "block" if claim.role else "warn"
                    yield reading.finding("date", verdict, _("The offer does not end or begin then."), span)
            elif not _fits_date(sheet, reading, claim):
                yield reading.finding("date", "block", _("The facts do not give this day, or not for this."), span)


def check_months(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Picked in September 2026", where the facts say October of that year."""
    known = {_read_month(match) for match in _YEAR_MONTH.finditer(read_support(sheet).passage.text)}
    if not known:
        return
    days = (sheet.valid_from, sheet.valid_until, sheet.send_date, *support_days(sheet))
    known |= {(day.year, day.month) for day in days if day}
    for reading in draft.readings:
        for match in _YEAR_MONTH.finditer(reading.passage.text):
            if _read_month(match) not in known:
                yield reading.finding(
                    "date", "block", _("The facts do not give this day, or not for this."), match.span()
                )


def _read_month(match: re.Match[str]) -> tuple[int, int]:
    number = match["zh_month"] or str(1 + _MONTHS.index(match["month"][:3].lower()))
    return int(match["year"] or match["zh_year"]), int(number)


def check_expiry(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """An offer that is over on the day of sending must not be sent."""
    if sheet.days_left is not None and sheet.days_left < 0:
        yield Finding(
            "expired", "block", "body", _("The offer is over on the day of sending. Change one of the two days.")
        )


def check_weekdays_of_feasts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Children's Day is a Monday", 今年的儿童节是周一: a feast with a fixed day has one weekday in the year of the mail."""
    if sheet.send_date is None:
        return
    for reading in draft.readings:
        for match in _FEAST_IS.finditer(reading.passage.text):
            name = re.sub(r"[\s']", "", match["name"].lower())
            month, day = next(date for start, date in _FEASTS.items() if name.startswith(start))
            feast = dt.date(sheet.send_date.year, month, day)
            if feast < sheet.send_date:
                feast = feast.replace(year=feast.year + 1)
            said = (match["en"] or match["zh"]).lower()
            if feast.weekday() != _WEEKDAYS[said[:3]]:
                yield reading.finding("weekday", "block", _("This day is another day of the week."), match.span())


def _fits_date(sheet: FactSheet, reading: Reading, claim: DateClaim) -> bool:
    own = {"until": (sheet.valid_until,), "from": (sheet.valid_from,)}.get(
        claim.role, (sheet.valid_from, sheet.valid_until, sheet.send_date)
    )
    if any(pattern.fits(day) for pattern in claim.days for day in own):
        return True
    before = reading.masked[max(0, claim.start - 12) : claim.start]
    if claim.role == "until" and sheet.valid_until and re.search(r"before\b", before, re.I):
        return any(pattern.fits(sheet.valid_until + dt.timedelta(days=1)) for pattern in claim.days)
    if claim.role == "from" and re.search(r"after\b", before, re.I):
        return False
    if claim.role == "from" and sheet.send_date and any(pattern.fits(sheet.send_date) for pattern in claim.days):
        return sheet.valid_from is None or sheet.valid_from <= sheet.send_date
    if claim.role == "until" and sheet.valid_until and _says_terms(sheet, reading, claim):
        return _is_of_line(sheet, reading, claim)
    return bool(set(claim.days) & {day for known in read_support(sheet).dates for day in known.days}) or any(
        pattern.fits(day) for pattern in claim.days for day in support_days(sheet)
    )


def _says_terms(sheet: FactSheet, reading: Reading, claim: DateClaim) -> bool:
    """The sentence gives the share, the amount, the minimum or the code of the offer: its last day is the offer's."""
    start, end = sentence_span(reading.passage.text, claim.start)
    terms = known_numbers(sheet.percent, sheet.amount, sheet.min_basket)
    said = {v for c in reading.of_kind("percent", "money") if start <= c.start < end for v in c.values}
    return bool(terms & said) or bool(sheet.code and sheet.code in reading.passage.text[start:end])


def _is_of_line(sheet: FactSheet, reading: Reading, claim: DateClaim) -> bool:
    """The line of the facts that gives the day shares more with the sentence than the month."""
    support = read_support(sheet)
    here = content_stems(_MONTH_WORD.sub(" ", sentence_around(reading.masked, claim.start)))
    return any(
        set(known.days) & set(claim.days)
        and here & content_stems(_MONTH_WORD.sub(" ", sentence_around(support.masked, known.start)))
        for known in support.dates
    )


def _fits_edge(sheet: FactSheet, claim: DateClaim) -> bool:
    day = sheet.valid_from if claim.role == "from" else sheet.valid_until
    if day is None:
        return False
    month = claim.days[0].month
    if month is None and sheet.send_date and (sheet.send_date.year, sheet.send_date.month) != (day.year, day.month):
        return False
    if month is not None and month != day.month:
        return False
    last = last_of_month(day).day
    return {"end": last - day.day <= 0, "start": day.day <= 5, "middle": 11 <= day.day <= 20}[claim.edge]


def _fits_month(sheet: FactSheet, reading: Reading, claim: DateClaim) -> bool:
    """A month beside the offer must have days of it; "all May" every day, "until May" its end. Elsewhere it is weather."""
    month = claim.days[0].month
    if sheet.valid_until is None or not OFFER_WORDS.search(_offer_clause(sheet, reading, claim)):
        return True
    first = sheet.valid_from or sheet.send_date or sheet.valid_until
    if any(
        known.days and known.days[0].month == month and not known.days[0].day for known in read_support(sheet).dates
    ):
        return True  # a month of the facts, of the harvest or the flowering
    if claim.role == "from":
        return first.month == month
    last = sheet.valid_until
    if claim.role == "until":
        return month in {last.month, (last + dt.timedelta(days=1)).month}
    days = [first + dt.timedelta(days=n) for n in range(min((last - first).days, 400) + 1)]
    inside = [day for day in days if day.month == month]
    if claim.edge == "month":
        return bool(inside) or bool(re.search(r"\b(?:ago|last|since)\b|去年|上个", reading.masked, re.I))
    return bool(inside) and inside[-1] == last_of_month(inside[-1]) and (inside[0].day <= 2 or inside[0] == first)


def _offer_clause(sheet: FactSheet, reading: Reading, claim: DateClaim) -> str:
    """The words around the month, with the code of the offer as a word of offers."""
    sentence = sentence_around(reading.passage.text, claim.start)
    has_code = bool(sheet.code) and sheet.code.lower() in sentence.lower()
    if claim.edge == "whole":
        return sentence + (" code" if has_code else "")
    clause = re.split(r"[,;:]", reading.passage.text[claim.start - 60 if claim.start > 60 else 0 : claim.start])[-1]
    # The point of "April." ends the sentence; that of "Apr." does not.
    said = reading.masked[claim.start : claim.end]
    is_end = said.endswith(".") and len(said) > 5
    behind = "" if is_end else re.split(r"[.!?;\n]", reading.masked[claim.end : claim.end + 40])[0]
    return f"{clause} {behind}" + (" code" if has_code else "")


def _check_weekday(sheet: FactSheet, reading: Reading, claim: DateClaim) -> Iterator[Finding]:
    span = (claim.start, claim.end)
    beside = _date_beside(reading, claim)
    if beside is not None:
        known = [day for day in (sheet.valid_from, sheet.valid_until, sheet.send_date, *support_days(sheet)) if day]
        fits = [day for day in known if any(pattern.fits(day) for pattern in beside.days)]
        if fits and all(day.weekday() != claim.weekday for day in fits):
            yield reading.finding("weekday", "block", _("This day is another day of the week."), span)
        return
    before, after = reading.masked[max(0, claim.start - 12) : claim.start], reading.masked[claim.end : claim.end + 12]
    if _EVERY_WEEK.search(before) and contradicts_policy(sheet, claim, sentence_around(reading.masked, claim.start)):
        yield reading.finding("weekday", "block", _("The facts name other days of the week for this."), span)
    if (
        before.endswith("-")
        or after.startswith("-")
        or _ANY_WEEKDAY.search(before)
        or (not claim.role and re.match(r"\s+(?:morning|afternoon|evening|walk)", after, re.I))
    ):
        return
    sentence = sentence_around(reading.masked, claim.start)
    if _tells_of_arrival(reading, claim):
        return
    if is_of_policy(sheet, claim, sentence):
        return
    if not claim.role and not OFFER_WORDS.search(sentence) and contradicts_policy(sheet, claim, sentence):
        yield reading.finding("weekday", "block", _("The facts name other days of the week for this."), span)
        return
    role = claim.role or ("until" if _ENDS_IN_SENTENCE.search(sentence) else "")
    if role == "until" and not _is_next(sheet, sheet.valid_until, claim, reading):
        yield reading.finding("weekday", "block", _("The offer does not end on this day."), span)
    elif role == "from" and not (sheet.valid_from and sheet.valid_from.weekday() == claim.weekday):
        yield reading.finding("weekday", "block", _("The offer does not begin on this day."), span)
    elif not role and OFFER_WORDS.search(sentence):
        days = (sheet.valid_from, sheet.valid_until, sheet.send_date)
        if all(day is None or day.weekday() != claim.weekday for day in days):
            yield reading.finding("weekday", "block", _("The facts do not tie the offer to this day."), span)


def _tells_of_arrival(reading: Reading, claim: DateClaim) -> bool:
    """ "On Sunday the sale ends, and on Monday the autumn boxes arrive": the clause has another subject than the offer."""
    text = reading.masked
    before = re.split(r",|;|\band\b|[.!?\n]", text[max(0, claim.start - 60) : claim.start])[-1]
    clause = before + re.split(r"[,;.!?\n]", text[claim.end : claim.end + 60])[0]
    return bool(_ARRIVES.search(clause)) and not _OF_OFFER.search(clause) and not OFFER_WORDS.search(clause)


def _is_next(sheet: FactSheet, day: dt.date | None, claim: DateClaim, reading: Reading) -> bool:
    """The day is the one that "Sunday" means on the day of sending; "next Sunday" may be a week later."""
    if day is None or day.weekday() != claim.weekday:
        return False
    if sheet.send_date is None:
        return True
    before = reading.masked[max(0, claim.start - 6) : claim.start]
    if week := _CHINESE_WEEK.search(before):  # 下周日 is the Sunday of the next week, whatever the day of sending
        monday = sheet.send_date - dt.timedelta(days=sheet.send_date.weekday())
        return (day - monday).days // 7 == (1 if week.group().startswith("下") else 0)
    is_next = re.search(r"next\s*$", before, re.I)
    return 0 <= (day - sheet.send_date).days <= (13 if is_next else 7)


def _date_beside(reading: Reading, claim: DateClaim) -> DateClaim | None:
    for other in reading.dates:
        if other.weekday is None and not other.edge:
            gap = (
                reading.masked[claim.end : other.start]
                if claim.start < other.start
                else reading.masked[other.end : claim.start]
            )
            if len(gap) <= 8 and re.fullmatch(r"[\s,(]*(?:the|on|at)?[\s,(]*", gap, re.I):
                return other
    return None


_I = re.IGNORECASE
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_MONTH = re.compile(
    r"\b(?P<month>jan(?:uary)?|feb(?:ruary)?|march|april|may|june?|july?|aug(?:ust)?|sept(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\s+(?P<year>20\d\d|19\d\d)\b"
    r"|(?P<zh_year>20\d\d|19\d\d)\s*年\s*(?P<zh_month>1[0-2]|[1-9])\s*月(?!\s*\d)",
    _I,
)
_ARRIVES = re.compile(r"\b(?:arrives?|lands?|comes?\s+in|moves?\s+in|reopens?|unpack)\b", _I)
_OF_OFFER = re.compile(r"\b(?:your|order|parcel|deliver\w*|it|they|ends?|until|by)\b", _I)
#: Feasts whose day is the same each year: month and day.
_FEASTS = {
    "christmaseve": (12, 24), "christmas": (12, 25), "newyearseve": (12, 31), "valentine": (2, 14), "halloween": (10, 31),
    "儿童节": (6, 1), "妇女节": (3, 8), "情人节": (2, 14), "劳动节": (5, 1), "教师节": (9, 10), "国庆节": (10, 1),
    "圣诞节": (12, 25), "平安夜": (12, 24), "元旦": (1, 1),
}  # fmt: skip
_WEEKDAYS = {name: number for number, name in enumerate(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])}
_WEEKDAYS |= {sign: number for number, sign in enumerate("一二三四五六日")} | {"天": 6}
_FEAST_IS = re.compile(
    r"(?P<name>\b(?:christmas(?:\s+eve|\s+day)?|new\s+year'?s\s+eve|valentine'?s(?:\s+day)?|halloween)"
    r"|(?:儿童|妇女|情人|劳动|教师|国庆|圣诞)节|平安夜|元旦)"
    r"(?:\s+(?:is|falls|will\s+be)\s+(?:on\s+)?(?:an?\s+)?(?P<en>mon|tues|wednes|thurs|fri|satur|sun)day\b|(?:正好|刚好)?[是在](?:周|星期|礼拜)(?P<zh>[一二三四五六日天]))",
    _I,
)
_ENDS_IN_SENTENCE = re.compile(
    r"\b(?:ends?|expires?|(?:last|final)\s+(?:day|chance|call|hours?)|over|gone|closes?|deadline|only)\b|截止|结束|到期|仅限|最后|前",
    _I,
)
_EVERY_WEEK = re.compile(r"\bevery\s+$|每(?:个|逢)?$", _I)
_MONTH_WORD = re.compile(rf"\b(?:{'|'.join(_MONTHS)})[a-z]*\b", _I)
_CHINESE_WEEK = re.compile(r"(?<!下)(?:下|[本这])个?$")
_ANY_WEEKDAY = re.compile(r"(?:\b(?:an?|every|any|most|some|lazy|slow|of)\s+|每(?:个|逢)?)$", _I)

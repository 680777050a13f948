"""What a shop does on certain days of the week: opens, roasts, ships. The facts name the days."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .dates import DateClaim
from .reading import Reading, read_support
from .sheet import FactSheet
from .support_days import support_days
from .text import OFFER_WORDS, content_stems, sentence_around

_I = re.IGNORECASE


def is_of_policy(sheet: FactSheet, claim: DateClaim, sentence: str) -> bool:
    """The opening hours of a shop, the days of delivery: a line of the facts names this weekday and speaks of the same."""
    support = read_support(sheet)
    topic = content_stems(sentence)
    if OFFER_WORDS.search(sentence):
        return False
    if sheet.send_date and any(
        day.weekday() == claim.weekday and 0 <= (day - sheet.send_date).days <= 7 for day in support_days(sheet)
    ):
        return True  # "order by Saturday", where the facts name the date
    lines = [sentence_around(support.masked, known.start) for known in support.dates if known.weekday == claim.weekday]
    return any(
        len(topic & content_stems(line)) > 1 or any(on.search(sentence) and on.search(line) for on in _ROUTINES)
        for line in lines
    )


def contradicts_policy(sheet: FactSheet, claim: DateClaim, sentence: str) -> bool:
    """ "We roast every Thursday", where a line of the facts that speaks of the same says Tuesday."""
    support = read_support(sheet)
    topic = content_stems(_WEEKDAY_WORD.sub(" ", sentence))
    named: set[int] = set()
    for known in support.dates:
        line = sentence_around(support.masked, known.start)
        if known.weekday is not None and len(topic & content_stems(_WEEKDAY_WORD.sub(" ", line))) > 1:
            named |= {known.weekday, *_range_from(support, known)}
    dated = {day.weekday() for day in support_days(sheet) if sheet.send_date is None or day >= sheet.send_date}
    return bool(named) and claim.weekday not in named | dated


def _range_from(reading: Reading, first: DateClaim) -> Iterator[int]:
    """Tuesday in "Monday to Wednesday"."""
    behind = (other for other in reading.dates if other.weekday is not None and other.start > first.end)
    last = min(behind, key=lambda other: other.start, default=None)
    if last is None or last.weekday is None or first.weekday is None:
        return
    if re.fullmatch(r"\s*(?:to|until|through|-|至|到)\s*", reading.masked[first.end : last.start], _I):
        yield from range(first.weekday, last.weekday + 1)


#: What a shop does on certain days of the week, so that a Chinese text may say it of English facts.
_ROUTINES = (
    re.compile(r"\bship|\bdispatch|\bsen[dt]\b|\bdeliver|\bpost(?:ed)?\b|发货|寄出|配送|送达|送货", _I),
    re.compile(r"\bopen\b|\bopening\b|\bhours\b|\bclosed?\b|营业|开门|开放|休息", _I),
    re.compile(r"\bphone\b|\bcall\b|\badvice\b|\bsupport\b|\bchat\b|电话|客服|咨询", _I),
)


_WEEKDAY_WORD = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|(?:周|星期|礼拜)[一二三四五六日天]", _I)

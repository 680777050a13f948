"""How much is taken off: percentages, bare figures ("50 off") and "two for one" against the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import Claim
from .reading import Draft, Reading, read_support, supported_numbers
from .sheet import FactSheet, known_numbers


def check_percents(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A share off that the offer does not give."""
    true = known_numbers(sheet.percent) | supported_numbers(sheet, "percent")
    for reading in draft.readings:
        for claim in reading.of_kind("percent"):
            if true.isdisjoint(claim.values):
                message = _("The facts give no such percentage. Use the figure of the offer, or leave it out.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))
            elif _says_more(reading, claim):
                message = _("The offer is not more than this percentage. Say the exact figure.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))


def check_bare_discounts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "50 off": either the percentage or the amount of the offer."""
    true = known_numbers(sheet.percent, sheet.amount) | supported_numbers(sheet, "percent", "off")
    for reading in draft.readings:
        for claim in reading.of_kind("off"):
            if true.isdisjoint(claim.values):
                message = _("The offer gives no such reduction.")
                yield reading.finding("discount", "block", message, (claim.start, claim.end))


def check_multiples(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Two for one and the like, which no percentage says."""
    for reading in draft.readings:
        for match in _MULTIPLE.finditer(reading.masked):
            known = {_terms(found.group()) for found in _MULTIPLE.finditer(read_support(sheet).passage.text)}
            if _terms(match.group()) not in known:
                message = _("The offer does not say this.")
                yield reading.finding("offer", "block", message, match.span())


def _says_more(reading: Reading, claim: Claim) -> bool:
    return bool(_MORE.search(reading.masked[max(0, claim.start - 20) : claim.start])) or bool(
        re.match(r"\s?\+|\s*(?:or\s+more|以上)", reading.masked[claim.end : claim.end + 10])
    )


def _terms(multiple: str) -> tuple[int, int] | str:
    """What is taken and what is paid: "2 for 1", "buy one, get one", 买一送一 are all (2, 1)."""
    numbers = [int(digit) for digit in re.findall(r"\d", multiple.translate(_CHINESE_ONES))]
    if re.search(r"bogo", multiple, re.I):
        return 2, 1
    if re.search(r"\bbuy\b|买", multiple, re.I) and numbers:
        return numbers[0] + (numbers[1] if len(numbers) > 1 else 1), numbers[0]
    if re.search(r"\bfor\b", multiple, re.I) and len(numbers) > 1:
        return numbers[0], numbers[1]
    return " ".join(multiple.lower().split())


_I = re.IGNORECASE
_MORE = re.compile(r"\b(?:more\s+than|over|above|exceeding)\s*$|(?:超过|不止|高于)\s*$", _I)
_CHINESE_ONES = str.maketrans("一二两三四五", "122345")
_MULTIPLE = re.compile(
    r"\b\d\s+for\s+(?:[€£$¥]\s?)?\d+(?!\s*(?:day|week|month|year|hour|night|minute|people|person))\b|\b\d\s*-?\s*for\s*-?\s*(?:the\s+price\s+of\s+)?\d\b(?!\s*[%€$£¥])|\bbuy\s+\d[^.!?\n]{0,20}?\b(?:get|receive)\b|\bbogof?\b"
    r"|\b(?:double|triple|twice)\s+(?:the\s+|your\s+)?(?:discount|saving|points?|offer|reward)|买[一二两三四五\d]\s*[送赠免]"
    r"|第[二两三\d]\s*[件双个只套份].{0,3}(?:半价|免费|折)|\b(?:2nd|second|third|3rd)\s+(?:item|pair|one|piece)\b[^.!?\n]{0,20}(?:free|half|off)",
    _I,
)

"""How much is taken off: percentages, bare figures ("50 off") and "two for one" against the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import Claim
from .reading import Draft, Reading, products_meant, read_support, read_terms, supported_numbers
from .sheet import FactSheet, Product, known_numbers
from .sums import cost_of


def check_percents(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A share off that the offer does not give."""
    true = known_numbers(sheet.percent) | {v for known in read_terms(sheet).of_kind("percent") for v in known.values}
    parts = supported_numbers(sheet, "percent")  # what a product is made of, too
    cut = {share for p in sheet.products if (share := _share_off(p)) is not None}
    for reading in draft.readings:
        for claim in reading.of_kind("percent"):
            is_own_cut = not cut.isdisjoint(claim.values) and not _cuts_otherwise(sheet, reading, claim)
            is_part = not _takes_off(reading, claim) and not parts.isdisjoint(claim.values)
            is_false = true.isdisjoint(claim.values) and not is_part and not _is_nearly(reading, claim, true)
            is_less = cut and _UP_TO.search(sheet.offer) and _is_of_one(sheet, reading, claim)
            if not is_own_cut and (is_false or is_less):
                message = _("The facts give no such percentage. Use the figure of the offer, or leave it out.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))
            elif _says_more(reading, claim):
                message = _("The offer is not more than this percentage. Say the exact figure.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))


def _takes_off(reading: Reading, claim: Claim) -> bool:
    """The share is taken off a price, and is no part of a thing: "8 % off", not "8 % elastane"."""
    before, after = reading.masked[max(0, claim.start - 20) : claim.start], reading.masked[claim.end : claim.end + 14]
    said = reading.masked[claim.start : claim.end]
    return bool(_REDUCES.search(said) or _REDUCES_BEFORE.search(before) or _REDUCES_AFTER.match(after))


def _cuts_otherwise(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The product that is meant is reduced by another share, or is not; one of them is, where none is named."""
    meant = products_meant(reading, claim.start, sheet)
    shares = [_share_off(p) for p in meant]
    if meant is sheet.products:  # "50% off this weekend" speaks of all of them
        return any(share not in claim.values for share in shares)
    return all(share not in claim.values for share in shares)


def _share_off(product: Product) -> Decimal | None:
    """By how many percent the product itself is reduced."""
    if not product.price or not product.old_price:
        return None
    return (100 * (1 - product.price / product.old_price)).quantize(Decimal(1))


def _is_of_one(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "That is 30% off" beside one product, where the offer is "up to 30%" and this one has less."""
    meant = products_meant(reading, claim.start, sheet)
    is_open = _UP_TO.search(reading.masked[max(0, claim.start - 12) : claim.start])
    return bool(reading.mentions) and len(meant) == 1 and not is_open and bool(meant[0].old_price)


def check_bare_discounts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "50 off": either the percentage or the amount of the offer."""
    true = known_numbers(sheet.percent, sheet.amount) | supported_numbers(sheet, "percent", "off")
    for reading in draft.readings:
        for claim in reading.of_kind("off"):
            if true.isdisjoint(claim.values):
                message = _("The offer gives no such reduction.")
                yield reading.finding("discount", "block", message, (claim.start, claim.end))


def check_bundles(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Two for one", "the second at half price", 买二送一: as many pieces, and as much off, as the facts say."""
    known = {bundle.terms for bundle in read_support(sheet).bundles}
    for reading in draft.readings:
        for bundle in reading.bundles:
            if bundle.terms not in known:
                yield reading.finding("offer", "block", _("The offer does not say this."), (bundle.start, bundle.end))
        for match in _MULTIPLE.finditer(reading.masked):
            said = " ".join(match.group().lower().split())
            if _is_worked_out(sheet, reading, match):
                continue
            if said not in {" ".join(m.group().lower().split()) for m in _MULTIPLE.finditer(_support_text(sheet))}:
                yield reading.finding("offer", "block", _("The offer does not say this."), match.span())


def _is_worked_out(sheet: FactSheet, reading: Reading, match: re.Match[str]) -> bool:
    """ "Two for £21", where that is what the offer makes of two."""
    found = re.fullmatch(r"(\d)\s+for\s+\D?\s?(\d+)", match.group(), re.I)
    cents = re.match(r"\.\d{1,2}", reading.masked[match.end() : match.end() + 3])
    if not found:
        return False
    cost = Decimal(found[2] + (cents.group() if cents else ""))
    return any(cost in cost_of(sheet, p, int(found[1])) for p in products_meant(reading, match.start(), sheet))


def _support_text(sheet: FactSheet) -> str:
    return read_support(sheet).passage.text


def _is_nearly(reading: Reading, claim: Claim, true: set[Decimal]) -> bool:
    """ "Nearly a third off", where 30 % are: the offer is a little less than said, and the text says so."""
    before = reading.masked[max(0, claim.start - 16) : claim.start]
    return bool(_NEARLY.search(before)) and any(0 < said - share <= 5 for said in claim.values for share in true)


def _says_more(reading: Reading, claim: Claim) -> bool:
    return bool(_MORE.search(reading.masked[max(0, claim.start - 20) : claim.start])) or bool(
        re.match(r"\s?\+|\s*(?:or\s+more|以上)", reading.masked[claim.end : claim.end + 10])
    )


_I = re.IGNORECASE
_REDUCES = re.compile(r"off|half|less|cheaper|discount|save|折|半价|减|省|优惠", _I)
_REDUCES_BEFORE = re.compile(
    r"\b(?:save|saving|take|get|extra|discount\s+of|reduced\s+by|down|cut|knock)"
    r"\s+(?:up\s+to\s+|an?\s+|another\s+)?$|[减省降惠]了?\s*$",
    _I,
)
_REDUCES_AFTER = re.compile(r"\s*(?:off|less|cheaper|discount|reduction|saving)\b|\s*(?:的?优惠|折扣)", _I)
_UP_TO = re.compile(r"\bup\s+to\b|最高|低至|最多", _I)
_MORE = re.compile(
    r"\b(?:more\s+than|over|above|exceeding|at\s+least|up\s+to\s+and\s+over)\s*$|(?:超过|不止|高于|至少)\s*$", _I
)
_NEARLY = re.compile(r"\b(?:nearly|almost|close\s+to|just\s+under)\s*$|(?:近|将近|接近|差不多)\s*$", _I)
_MULTIPLE = re.compile(
    r"(?<!\bpack of )(?<!\bset of )(?<!\bbox of )"
    r"\b\d\s+for\s+[€£$¥]\s?\d+|\b(?:double|triple|twice)\s+(?:the\s+|your\s+)?(?:discount|saving|points?|offer|reward)"
    r"|双倍(?:优惠|积分|折扣)|折上折",
    _I,
)

"""Every number that no other check explains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .amounts import Claim, read_number
from .number_sources import (
    earns_points,
    is_age_of_shop,
    is_end_of_years,
    is_multiple,
    is_stock,
    is_stock_of_named,
    list_counted,
    list_counted_in,
)
from .reading import Draft, Reading, read_support
from .sheet import FactSheet, known_numbers, names_of_products
from .text import OFFER_WORDS, content_stems, is_instruction, sentence_around, sentence_span


def check_other_numbers(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """What no other check explains: small numbers in words are shown, figures are blocked."""
    true = _loose_numbers(sheet)
    every = _numbers_by_unit(sheet)
    said_of = {unit: values for unit, values in every.items() if len(unit) > 1 or not unit.isascii()}
    counted = list_counted(draft)
    for reading in draft.readings:
        for claim in reading.of_kind("number"):
            if claim.unit in {"分", "积", "point"} and earns_points(sheet, claim):
                continue
            is_headline = reading.passage.field in _HEADLINES
            said = counted if is_headline else list_counted_in(sentence_around(reading.masked, claim.start))
            if is_multiple(every.get(claim.unit, set()), said, claim):
                continue
            other = said_of.get(claim.unit)
            if (
                other
                and other.isdisjoint(claim.values)
                and _same_topic(sheet, reading, claim)
                and not _is_of_product(sheet, reading, claim)
            ):
                message = _("The facts give another number for this.")
                yield reading.finding("number", "block", message, (claim.start, claim.end))
                continue
            if not true.isdisjoint(claim.values) or _is_small_word(reading, claim) or is_stock(sheet, reading, claim):
                continue
            if (
                reading.masked[claim.start : claim.start + 4] == "24/7"
                or reading.masked[max(0, claim.end - 4) : claim.end] == "24/7"
            ):
                continue  # a service, which the promises look at
            if _is_day_of_sales(sheet, reading, claim) or is_age_of_shop(sheet, claim) or is_end_of_years(sheet, claim):
                continue
            if reading.passage.field in _HEADLINES and is_stock_of_named(sheet, draft, claim):
                continue
            if _contradicts_range(sheet, reading, claim):
                message = _("The facts give another number for this.")
                yield reading.finding("number", "block", message, (claim.start, claim.end))
                continue
            if _is_rating(reading, claim):
                message = _("The facts do not say this about the shop or its customers.")
                yield reading.finding("count", "block", message, (claim.start, claim.end))
                continue
            is_harmless = claim.unit in _HARMLESS or _is_year_of_story(sheet, reading, claim)
            near_name = _beside_product(sheet, reading, claim)
            most = max(claim.values, default=Decimal(0))
            is_told = reading.is_spelled(claim) and most <= 100 and claim.unit not in _MEASURES
            is_small = (most < 10 or is_told) and most == most.to_integral_value() and claim.unit not in _MEASURES
            verdict: Verdict = "warn" if (is_harmless or is_small) and not near_name else "block"
            if _only_tells(draft, reading, claim):
                verdict = "warn"
            message = _("This number is not in the facts.")
            if _is_postcode(reading, claim):
                continue
            yield reading.finding("number", verdict, message, (claim.start, claim.end))


def _same_topic(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The sentence shares more with the line of the facts than the noun that both count."""
    support = read_support(sheet)
    here = content_stems(sentence_around(reading.masked, claim.start).replace(claim.unit, " "))
    lines = (sentence_around(support.masked, c.start) for c in support.of_kind("number") if c.unit == claim.unit)
    fitting = [line for line in lines if here & content_stems(line.replace(claim.unit, " "))]
    known = {v for line in fitting for n in re.findall(r"\d+(?:[.,]\d+)*", line) for v in read_number(n)}
    return bool(fitting) and known.isdisjoint(claim.values)  # "for every 50 that we sell, we give 1"


def _contradicts_range(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "For 2 to 6 players", where the facts say 2 to 4 of the same product."""
    support = read_support(sheet)
    before = _RANGE_BEFORE.search(reading.masked[max(0, claim.start - 12) : claim.start])
    if not before or not claim.unit:
        return False
    return any(
        known.unit == claim.unit and _RANGE_BEFORE.search(support.masked[max(0, known.start - 12) : known.start])
        for known in support.of_kind("number")
    )


def _is_rating(reading: Reading, claim: Claim) -> bool:
    """ "Rated 4.9": what customers gave."""
    before, after = reading.masked[max(0, claim.start - 16) : claim.start], reading.masked[claim.end : claim.end + 8]
    return bool(_RATED.search(before) or re.match(r"\s*(?:out\s+of|/\s*5|分(?!钟))", after, re.I))


def _only_tells(draft: Draft, reading: Reading, claim: Claim) -> bool:
    """The number says how something is done, or nothing of the shop; a headline has it from such a sentence."""
    if is_instruction(sentence_around(reading.masked, claim.start)):
        return True
    if reading.passage.field in _HEADLINES:
        same = [
            (r, c)
            for r in draft.readings
            if r.passage.field not in _HEADLINES
            for c in r.of_kind("number")
            if set(c.values) & set(claim.values)
        ]
        return bool(same) and all(_only_tells(draft, r, c) for r, c in same)
    is_boast = max(claim.values, default=Decimal(0)) >= 1000 and claim.unit not in _MEASURES | {"米", "克", "度"}
    return not is_boast and not _is_about_shop(reading, claim)


def _is_about_shop(reading: Reading, claim: Claim) -> bool:
    """The sentence names a product, the shop or an offer; else its numbers tell of cooking, knitting or the road."""
    start, end = sentence_span(reading.passage.text, claim.start)
    sentence = reading.passage.text[start:end]
    is_priced = any(start <= known.start < end for known in reading.of_kind("money"))
    return (
        is_priced
        or any(start <= s < end for s, _e, _p in reading.mentions)
        or bool(_OF_SHOP.search(sentence) or OFFER_WORDS.search(sentence) or _BOAST.search(sentence))
    )


def _numbers_by_unit(sheet: FactSheet) -> dict[str, set[Decimal]]:
    """What the free text of the facts counts, by the noun: another figure for the same noun contradicts it."""
    found: dict[str, set[Decimal]] = {}
    for claim in read_support(sheet).of_kind("number"):
        if claim.unit and claim.unit not in _LOOSE_UNITS:
            found.setdefault(claim.unit, set()).update(claim.values)
    return found


def _is_of_product(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The number is one of the names or the stock of a product, whatever else is counted in that noun."""
    start, end = sentence_span(reading.passage.text, claim.start)
    here = "\n".join(p.name for s, _e, p in reading.mentions if start <= s < end)
    named = {v for n in re.findall(r"\d+(?:[.,]\d+)*", here) for v in read_number(n)}
    return not named.isdisjoint(claim.values) or is_stock(sheet, reading, claim)


def _loose_numbers(sheet: FactSheet) -> set[Decimal]:
    """Numbers that may stand without a unit: of the offer, of names, and the year."""
    texts = f"{names_of_products(sheet)}\n{sheet.shop}\n{read_support(sheet).passage.text}"
    found = {v for number in re.findall(r"\d+(?:[.,]\d+)*", texts) for v in read_number(number)}
    years = {Decimal(day.year) for day in (sheet.valid_from, sheet.valid_until, sheet.send_date) if day}
    return found | years | known_numbers(sheet.percent, sheet.amount, sheet.min_basket)


def _is_small_word(reading: Reading, claim: Claim) -> bool:
    """ "two frosty mornings" tells a story; "one of them" counts nothing."""
    return reading.is_spelled(claim) and max(claim.values) <= 12 and claim.unit not in _MEASURES


def _is_day_of_sales(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """618 is the eighteenth of June, 520 the twentieth of May: the day of the offer, or the best known of them."""
    days = [day for day in (sheet.valid_from, sheet.valid_until, sheet.send_date) if day]
    said = reading.masked[claim.start : claim.end]
    return said == "618" or said in {f"{day.month}{day.day:02}" for day in days}


def _beside_product(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Ridge 45" where the facts know a Ridge 40: another product."""
    before = re.findall(r"[A-Za-z\u4e00-\u9fff]+", reading.passage.text[max(0, claim.start - 24) : claim.start])
    numbered = {
        word.lower() for p in sheet.products if re.search(r"\d", p.name) for word in re.findall(r"[A-Za-z]{3,}", p.name)
    }
    return bool(before) and before[-1].lower() in numbered


def _is_year_of_story(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "In 1971" tells of old times; "since 1971" boasts of the shop."""
    said = reading.masked[claim.start : claim.end]
    if not re.fullmatch(r"1[89]\d\d|20\d\d", said) or (sheet.send_date and int(said) >= sheet.send_date.year):
        return False
    before = reading.masked[max(0, claim.start - 8) : claim.start]
    is_in = re.search(r"\b(?:in|of|from|summer|spring|autumn|winter)\s+$", before, re.I) or re.match(
        r"\s*年", reading.masked[claim.end :]
    )
    return bool(is_in) and not _BOAST.search(sentence_around(reading.masked, claim.start))


def _is_postcode(reading: Reading, claim: Claim) -> bool:
    around = reading.passage.text[max(0, claim.start - 6) : claim.end + 5]
    return bool(re.search(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", around))


_RATED = re.compile(r"\b(?:rated|rating|score[ds]?|average)\b[^.!?\d]*$|评分[^。\d]*$|好评率[^。\d]*$", re.I)
_RANGE_BEFORE = re.compile(r"\d\s*(?:to|-|or|至|到|~)\s*$", re.I)
_HEADLINES = frozenset(["subject", "preheader", "button_label"])
_OF_SHOP = re.compile(
    r"\b(?:we|our|us|pay|cost|months?|trusted|chosen|used|loved|sold|shop|store|brand|it|they|this|these|its|has|have|comes?|made|holds?|weighs?|lasts?|contains?|new)\b"
    r"|我们|本店|店|它|这|新|有|含|重|达|款|采用|配备|支持",
    re.I,
)
_BOAST = re.compile(
    r"\b(?:since|founded|establish\w*|est\b|began|started|opened|born|award\w*|winner|won|medal|voted|we|our)\b|创立|成立|创始|始于|自|起|获|奖|我们",
    re.I,
)
_LOOSE_UNITS = frozenset(
    [
        "to",
        "and",
        "or",
        "of",
        "the",
        "for",
        "in",
        "on",
        "at",
        "with",
        "from",
        "by",
        "per",
        "is",
        "as",
        "it",
        "we",
        "if",
        "so",
        "no",
        "be",
        "my",
        "us",
        "up",
        "an",
        "am",
        "pm",
        "he",
        "me",
        "do",
        "go",
        "x",
        "a",
        "i",
        "的",
        "和",
        "至",
        "到",
    ]
)
_HARMLESS = frozenset(
    [
        "reason",
        "idea",
        "tip",
        "way",
        "step",
        "thing",
        "question",
        "pick",
        "suggestion",
        "favourite",
        "favorite",
        "word",
        "minute",
        "click",
    ]
)
_MEASURES = frozenset(
    [
        "kg",
        "g",
        "gram",
        "l",
        "litre",
        "liter",
        "ml",
        "m",
        "km",
        "cm",
        "mm",
        "metre",
        "mile",
        "°c",
        "c",
        "f",
        "degree",
        "w",
        "watt",
        "mah",
        "season",
        "layer",
        "x",
    ]
)

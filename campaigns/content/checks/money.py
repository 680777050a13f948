"""Prices, amounts off and minima against the offer, the products and the policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from . import amount_words as words
from .amounts import Claim
from .currencies import fits_currency
from .pieces import costs_that, count_for, counts_pieces, judge_deal
from .reading import Draft, Reading, products_meant, read_claims, read_support, supported_numbers
from .scope import is_in_scope
from .sheet import FactSheet, Product, known_numbers
from .sums import cost_of, count_pieces, find_deals, follows_from_facts
from .text import content_stems, read_passage, sentence_around, sentence_span
from .worked_out import counted_before, is_just_above, is_sum, is_worked_out, list_fees, names_price_of


def check_money(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A price, an amount off or a minimum that the facts do not hold, or one that is held of another product."""
    true: dict[str, set[Decimal]] = {}
    for reading in sorted(draft.readings, key=lambda reading: reading.passage.field in words.HEADLINES):
        is_headline = reading.passage.field in words.HEADLINES
        for claim in reading.of_kind("money"):
            if counts_pieces(sheet, reading, claim):
                continue
            message = _judge_money(sheet, reading, claim)
            said_alike = true.setdefault(_tense_of(reading, claim), set())
            if not message and not is_headline:
                said_alike |= set(claim.values)
            elif message and not (is_headline and said_alike & set(claim.values) and not _names_price(reading, claim)):
                yield reading.finding("money", "block", message, (claim.start, claim.end))


def _tense_of(reading: Reading, claim: Claim) -> str:
    """What the words around an amount make of it: taken off, a minimum, or paid. A headline may say again in its short
    way what the body explains, but not of something else."""
    before = reading.masked[max(0, claim.start - 40) : claim.start]
    after = reading.masked[claim.end : claim.end + 24]
    if words.DISCOUNT_AFTER.search(after) or words.DISCOUNT_BEFORE.search(before) or words.KEPT.search(before):
        return "off"
    return "minimum" if words.LIMIT_BEFORE.search(before) or words.LIMIT_AFTER.search(after) else "paid"


def _names_price(reading: Reading, claim: Claim) -> bool:
    return names_price_of(reading, claim) is not None


def _judge_money(sheet: FactSheet, reading: Reading, claim: Claim) -> str:
    """What is wrong with an amount; "" where it is in the facts or the letter works it out."""
    message = _judge_stated(sheet, reading, claim)
    if message and fits_currency(sheet, claim) and is_worked_out(sheet, reading, claim):
        return ""
    return message


def _judge_stated(sheet: FactSheet, reading: Reading, claim: Claim) -> str:
    text = reading.masked
    before, after = text[max(0, claim.start - 40) : claim.start], text[claim.end : claim.end + 24]
    said = set(claim.values)
    supported = said & {v for c in read_support(sheet).of_kind("money") for v in c.values}
    if not fits_currency(sheet, claim):
        return _("The facts give this in another currency.")
    if said == {Decimal(0)}:  # "chalk bag: £0" says that it is free
        return "" if words.GIVES_FREE.search(sheet.support) else _("No price or amount of the facts is this one.")
    if (deals := find_deals(sheet)) and (verdict := judge_deal(reading, claim, deals)) is not None:
        return "" if verdict else _("So many of this do not cost that.")
    if (count := count_for(reading, claim)) and not costs_that(sheet, reading, claim, count):
        return _("So many of this do not cost that.")
    is_off = bool(words.DISCOUNT_AFTER.search(after) or words.DISCOUNT_BEFORE.search(before))
    is_limit = bool(words.LIMIT_BEFORE.search(before) or words.LIMIT_AFTER.search(after))
    is_limit |= bool(sheet.min_basket and words.FROM.search(before) and words.OFFER_BEHIND.match(after))
    meant = products_meant(reading, claim.start, sheet)
    if (message := _judge_role(sheet, reading, claim, before, after)) is not None:
        return message
    named = names_price_of(reading, claim)
    if not is_off and _is_of_delivery(text, claim) and _free_from(sheet) and words.FROM.search(before):
        free = _free_from(sheet) | {value + Decimal("0.01") for value in _free_from(sheet)}
        return "" if said & free else _("Delivery is free from another amount.")
    if named is None and not is_limit and follows_from_facts(sheet, reading, claim, meant):
        return ""
    if named is not None and (n := counted_before(reading, claim, named)) and not said & cost_of(sheet, named, n):
        return _("So many of this do not cost that.")
    if named is not None and any(said & cost_of(sheet, named, n) for n in count_pieces(reading, claim)):
        return ""
    is_meant = _names_offer(sheet, reading, claim) or bool(reading.mentions) or reading.passage.field in words.HEADLINES
    derived = _derived_prices(sheet, meant)
    saved = {price - after_it for price in known_numbers(*(p.price for p in meant)) for after_it in derived}
    saved |= {p.old_price - p.price for p in meant if p.old_price and p.price}
    derived = derived if is_meant else set()
    reduced = [
        product for product in meant if product.old_price and product.price and product.price < product.old_price
    ]
    prices = known_numbers(*(product.price for product in meant), *(product.old_price for product in reduced))
    derived |= known_numbers(*(product.price for product in reduced))
    if words.BELOW.search(before):
        if is_just_above(sheet, reading, claim):
            return ""
        return "" if _all_cost_less(sheet, reading, claim) else _("Not everything that is meant costs less.")
    if is_off:
        saved |= {price - after_it for price in prices for after_it in derived | _fixed_prices(sheet)}
        ok = said & (known_numbers(sheet.amount) | saved) or (supported and sheet.amount is None)
        return "" if ok else _("The offer takes no such amount off.")
    if is_limit:
        if _is_of_delivery(text, claim) and _free_from(sheet):
            free = _free_from(sheet) | {value + Decimal("0.01") for value in _free_from(sheet)}
            return "" if said & free else _("Delivery is free from another amount.")
        ok = said & known_numbers(sheet.min_basket) or (
            supported and (sheet.min_basket is None or _speaks_of_policy(text, claim))
        )
        return "" if ok else _("The offer has another minimum, or none.")
    if said & _after_policies(sheet, reading, claim, meant):
        return ""
    if said & saved and not words.PRICE_SAID.search(before):
        return ""  # "that is 5.40 to put towards cake"
    if words.CUT_TO.search(before) and said & prices and not said & derived:
        return _("This is the usual price, not a reduced one.")
    if said & (prices | derived):
        return ""
    if (
        supported
        and named is None
        and not (_names_in_sentence(reading, claim) and words.PRICE_SAID.search(before) and prices)
    ):
        return ""
    if supported and _says_line(sheet, reading, claim):
        return ""
    if reading.mentions and _names_in_sentence(reading, claim):
        return _("The product has another price.")
    if said & known_numbers(sheet.amount, sheet.min_basket) and not words.PRICE_WORDS.search(before[-20:]):
        return ""
    return _("No price or amount of the facts is this one.")


def _judge_role(sheet: FactSheet, reading: Reading, claim: Claim, before: str, after: str) -> str | None:
    """What the words right beside an amount make of it, where that leaves no choice: the fee of a delivery, a sum, or what
    is paid after the offer. None where it may be several things."""
    said = set(claim.values)
    plain = {p.price for p in sheet.products if p.price is not None and not (p.old_price and p.old_price > p.price)}
    if words.FEE_BEFORE.search(before) and not words.LIMIT_AFTER.search(after):
        fees = list_fees(sheet)
        return None if not fees else "" if said & fees else _("No price or amount of the facts is this one.")
    is_off = words.DISCOUNT_AFTER.search(after) or words.DISCOUNT_BEFORE.search(before)
    if is_off and said & plain and not said & (known_numbers(sheet.amount) | supported_numbers(sheet, "money")):
        return "" if is_worked_out(sheet, reading, claim) else _("The offer takes no such amount off.")
    is_lack = words.SHORT_AFTER.match(after) or words.SHORT_BEFORE.search(before)
    if is_lack and said & plain and not is_worked_out(sheet, reading, claim):
        return _("No price or amount of the facts is this one.")
    if (
        (words.SUM_BEFORE.search(before) or words.SUM_AFTER.match(after))
        and said & plain
        and not is_sum(sheet, reading, claim)
    ):
        return _("This is the price of one product, and no sum.")
    start, end = sentence_span(reading.masked, claim.start)
    given = known_numbers(*(p.price for s, _e, p in reading.mentions if start <= s < end))
    if words.WORTH.search(before) and said & plain - given - supported_numbers(sheet, "money"):
        return _("No price or amount of the facts is this one.")
    if _is_after_offer(before, after) and said & plain:
        reduced = _derived_prices(sheet, products_meant(reading, claim.start, sheet))
        if reduced and not said & reduced and not is_worked_out(sheet, reading, claim):
            return _("This is the usual price, not a reduced one.")
    earlier = max((c for c in reading.of_kind("money") if c.end <= claim.start), key=lambda c: c.end, default=None)
    if earlier is not None and _falls_from(reading, earlier, claim) and min(said) >= max(earlier.values):
        return _("This is the usual price, not a reduced one.")
    behind = min((c for c in reading.of_kind("money") if c.start >= claim.end), key=lambda c: c.start, default=None)
    if (
        behind is not None
        and words.INSTEAD.fullmatch(reading.masked[claim.end : behind.start])
        and said & set(behind.values)
    ):
        return _("This is the usual price, not a reduced one.")
    return None


def _falls_from(reading: Reading, earlier: Claim, claim: Claim) -> bool:
    """ "Normally 48, now 36", "drops from 26 to 23.40": what the second is said to be less than."""
    between = reading.masked[earlier.end : claim.start]
    if words.NOW.fullmatch(between):
        return True
    return bool(words.TO.fullmatch(between) and words.FALLS_FROM.search(reading.masked[: earlier.start][-40:]))


def _is_after_offer(before: str, after: str) -> bool:
    """ "28.16 with the code", but not "instead of 32 with the code"."""
    return bool(words.REDUCED_BEFORE.search(before)) or bool(
        words.REDUCED_AFTER.match(after) and not words.USUAL_BEFORE.search(before)
    )


def _names_offer(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The sentence says in some way that the price is not the usual one."""
    sentence = sentence_around(reading.masked, claim.start)
    whole = sentence_around(reading.passage.text, claim.start).lower()
    return bool(words.DERIVED.search(sentence)) or bool(sheet.code and sheet.code.lower() in whole)


def _names_in_sentence(reading: Reading, claim: Claim) -> bool:
    sentence = sentence_around(reading.passage.text, claim.start)
    return any(reading.passage.text[start:end] in sentence for start, end, _product in reading.mentions)


def _says_line(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "We reproof your jacket for 15", where a line of the facts says "reproofing service: 15"."""
    support = read_support(sheet)
    here = content_stems(sentence_around(reading.masked, claim.start))
    return any(
        set(known.values) & set(claim.values) and here & content_stems(sentence_around(support.masked, known.start))
        for known in support.of_kind("money")
    )


def _fixed_prices(sheet: FactSheet) -> set[Decimal]:
    """Five in "your first bag for 5": what the offer lets somebody pay."""
    reading = read_claims(read_passage("offer", sheet.offer), None)
    return {
        value
        for claim in reading.of_kind("money")
        if words.FOR_ONLY.search(reading.masked[max(0, claim.start - 12) : claim.start])
        for value in claim.values
    }


def _derived_prices(sheet: FactSheet, products: Iterable[Product]) -> set[Decimal]:
    """What is paid after the offer: to the cent, and as shops round it."""
    found: set[Decimal] = set()
    for product in products:
        if product.price is None or not is_in_scope(sheet, product):
            continue
        if sheet.percent:
            exact = product.price * (100 - sheet.percent) / 100
            found |= {exact, exact.quantize(Decimal("0.01"), ROUND_HALF_UP)}
        if sheet.amount and (sheet.min_basket is None or product.price >= sheet.min_basket):
            found.add(product.price - sheet.amount)
    return found


def _after_policies(sheet: FactSheet, reading: Reading, claim: Claim, meant: tuple[Product, ...]) -> set[Decimal]:
    """What a product costs those of whom a line of the facts says so: "subscribers save 10 %"."""
    support = read_support(sheet)
    here = content_stems(sentence_around(reading.masked, claim.start))
    shares = {
        share
        for known in support.of_kind("percent")
        if here & content_stems(sentence_around(support.masked, known.start))
        for share in known.values
    }
    return {
        (p.price * (100 - share) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for p in meant
        if p.price
        for share in shares
    }


def _all_cost_less(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Shoes under 50": of the category or the products that the sentence names, else of all."""
    sentence = sentence_around(reading.passage.text, claim.start).lower()
    meant = [p for p in sheet.products if p.category and p.category.lower().rstrip("s") in sentence]
    meant = meant or list(products_meant(reading, claim.start, sheet))
    costs_less = [p.price is not None and any(p.price < value for value in claim.values) for p in meant]
    is_of_one = not reading.mentions and not words.ALL.search(sentence)
    return any(costs_less) if is_of_one else bool(meant) and all(costs_less)


def _is_of_delivery(text: str, claim: Claim) -> bool:
    """The words around the minimum, up to the next comma, speak of delivery and of no reduction."""
    before = re.split(r"[,;.!?。]\s|[,。;]|\band\b", text[max(0, claim.start - 60) : claim.start])[-1]
    after = re.split(r"[,;.!?。]\s|[,。;]|\band\b", text[claim.end : claim.end + 40])[0]
    beside = before + after
    return bool(words.DELIVERY.search(beside)) and not re.search(r"\boff\b|save|discount|减|折", beside, re.I)


def _free_from(sheet: FactSheet) -> set[Decimal]:
    """The minima that the policies name for free delivery."""
    support = read_support(sheet)
    lines = support.passage.text
    return {
        value
        for claim in support.of_kind("money")
        if words.DELIVERY.search(sentence_around(lines, claim.start))
        for value in claim.values
    }


def _speaks_of_policy(text: str, claim: Claim) -> bool:
    return bool(words.POLICY.search(sentence_around(text, claim.start)))

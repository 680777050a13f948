"""Percentages, money, time spans and counts against the facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .amounts import Claim, find_spans, read_number
from .reading import Draft, Reading, products_meant, read_support
from .sheet import FactSheet, Product
from .text import sentence_around


def check_percents(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A share off that the offer does not give."""
    true = _numbers(sheet.percent) | _supported(sheet, "percent")
    for reading in draft.readings:
        for claim in reading.of_kind("percent"):
            if true.isdisjoint(claim.values):
                message = _("The facts give no such percentage. Use the figure of the offer, or leave it out.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))
            elif _says_more(reading, claim):
                message = _("The offer is not more than this percentage. Say the exact figure.")
                yield reading.finding("percent", "block", message, (claim.start, claim.end))


def check_money(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A price, an amount off or a minimum that the facts do not hold, or one that is held of another product."""
    for reading in draft.readings:
        for claim in reading.of_kind("money"):
            message = _judge_money(sheet, reading, claim)
            if message:
                yield reading.finding("money", "block", message, (claim.start, claim.end))


def check_bare_discounts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "50 off": either the percentage or the amount of the offer."""
    true = _numbers(sheet.percent, sheet.amount) | _supported(sheet, "percent", "off")
    for reading in draft.readings:
        for claim in reading.of_kind("off"):
            if true.isdisjoint(claim.values):
                message = _("The offer gives no such reduction.")
                yield reading.finding("discount", "block", message, (claim.start, claim.end))


def check_spans(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Lengths of time: of a policy, or what is left of the offer. Others are claims only where a promise stands by."""
    supported = read_support(sheet)
    true = {value for claim in supported.of_kind("span") if claim.unit == "day" for value in claim.values}
    for reading in draft.readings:
        for claim in reading.of_kind("span"):
            sentence = sentence_around(reading.masked, claim.start)
            if not reading.masked[claim.start].isdigit() and not _STRICT.search(sentence):
                continue
            values = {value.quantize(Decimal("0.01")) for value in claim.values}
            is_supported = bool(values & {value.quantize(Decimal("0.01")) for value in true})
            if is_supported and _speaks_of_offer(sentence) and not _fits_deadline(sheet, sentence, values):
                yield reading.finding("time", "block", _MESSAGE_SPAN(), (claim.start, claim.end))
                continue
            if claim.unit == "minute" or is_supported:
                if claim.unit == "minute" and _PROMISE.search(sentence):
                    yield reading.finding("time", "block", _MESSAGE_SPAN(), (claim.start, claim.end))
                continue
            if _fits_deadline(sheet, sentence, values) or _in_names(sheet, claim):
                continue
            is_loose = not _PROMISE.search(sentence) and (reading.is_spelled(claim) or max(claim.values) < 10)
            verdict: Verdict = "warn" if is_loose else "block"
            yield reading.finding("time", verdict, _MESSAGE_SPAN(), (claim.start, claim.end))


def check_counts(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Customers, stars, reviews, first places: only what the facts say in the same words."""
    true = {(value, claim.unit) for claim in read_support(sheet).of_kind("count") for value in claim.values}
    for reading in draft.readings:
        for claim in reading.of_kind("count"):
            if reading.is_spelled(claim) and set(claim.values) == {Decimal(1)} and claim.unit not in {"", "#"}:
                continue
            if true.isdisjoint((value, claim.unit) for value in claim.values) and not _quoted(sheet, reading, claim):
                message = _("The facts do not say this about the shop or its customers.")
                yield reading.finding("count", "block", message, (claim.start, claim.end))


def check_other_numbers(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """What no other check explains: small numbers in words are shown, figures are blocked."""
    true = _loose_numbers(sheet)
    for reading in draft.readings:
        for claim in reading.of_kind("number"):
            if not true.isdisjoint(claim.values) or _is_small_word(reading, claim):
                continue
            is_harmless = claim.unit in _HARMLESS
            near_name = _beside_product(sheet, reading, claim)
            is_small = max(claim.values, default=Decimal(0)) < 10 and claim.unit not in _MEASURES
            verdict: Verdict = "warn" if (is_harmless or is_small) and not near_name else "block"
            message = _("This number is not in the facts.")
            if _is_postcode(reading, claim):
                continue
            yield reading.finding("number", verdict, message, (claim.start, claim.end))


def check_multiples(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Two for one and the like, which no percentage says."""
    for reading in draft.readings:
        for match in _MULTIPLE.finditer(reading.masked):
            known = {_terms(found.group()) for found in _MULTIPLE.finditer(read_support(sheet).passage.text)}
            if _terms(match.group()) not in known:
                message = _("The offer does not say this.")
                yield reading.finding("offer", "block", message, match.span())


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


def _MESSAGE_SPAN() -> str:
    return _("The facts say nothing of this length of time.")


_CHINESE_ONES = str.maketrans("一二两三四五", "122345")
_I = re.IGNORECASE
_MORE = re.compile(r"\b(?:more\s+than|over|above|exceeding)\s*$|(?:超过|不止|高于)\s*$", _I)
_DERIVED = re.compile(
    r"\b(?:now|instead|after|with|save|saving|was|down|reduced|off|discount|pay|only|just|becomes?|brings?|comes|code|yours)\b|折|券后|到手|优惠|立减|省|减|原价|现价|仅",
    _I,
)
_PROMISE = re.compile(
    r"return|refund|warrant|guarante|deliver|ship|arriv|dispatch|\bleft\b|remaining|\bonly\b|\bends?\b|expir|valid|\buntil\b|runs?\s+out|closes?|"
    r"\blast\s+\d|\bto\s+(?:use|redeem|claim)\b|\byou\s+have\b|持续|\bwithin\b|\boffer\b|\bsale\b|trial|exchange|money[\s-]back|\bevery\b|\bnext\b|haven't|\bago\b|\bsince\b|\bfor\s+over\b"
    r"|experience|founded|退|换货|保修|质保|送达|送到|发货|配送|剩|仅|之?内|有效|结束|截止|倒计时|到期|无理由|老店|经验|最后",
    _I,
)
_DEADLINE = re.compile(
    r"\bleft\b|remaining|\bonly\b|\bends?\b|expir|valid|until|within|\boffer\b|\buse\b|\byours\b|\blast\b|\bnext\b|\bsale\b|\bcode\b|\btime\b|\boff\b|%|\bend\b|\bmore\b|\bhave\b|runs?\s+out|\bto\s+go\b"
    r"|剩|仅|内|有效|结束|截止|倒计时|到期|还有|最后",
    _I,
)
_STRICT = re.compile(
    r"return|refund|warrant|guarante|exchange|deliver|\bleft\b|remaining|expir|\bends?\b|trial|runs?\s+out", _I
)
_NOT_DEADLINE = re.compile(
    r"return|refund|warrant|guarante|deliver|ship|arriv|dispatch|trial|exchange|\bback\b|change\s+your\s+mind"
    r"|退|换货|保修|质保|送达|发货|配送",
    _I,
)
_OFFER_LASTS = re.compile(
    r"\bvalid\b|expir|\bends?\b|\bleft\b|remaining|\bcode\b|\boffer\b|\bdiscount\b|有效|截止|到期|结束|优惠|还剩|仅剩",
    _I,
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
_MULTIPLE = re.compile(
    r"\b\d\s+for\s+(?:[€£$¥]\s?)?\d+(?!\s*(?:day|week|month|year|hour|night|minute|people|person))\b|\b\d\s*-?\s*for\s*-?\s*(?:the\s+price\s+of\s+)?\d\b(?!\s*[%€$£¥])|\bbuy\s+\d[^.!?\n]{0,20}?\b(?:get|receive)\b|\bbogof?\b"
    r"|\b(?:double|triple|twice)\s+(?:the\s+|your\s+)?(?:discount|saving|points?|offer|reward)|买[一二两三四五\d]\s*[送赠免]"
    r"|第[二两三\d]\s*[件双个只套份].{0,3}(?:半价|免费|折)|\b(?:2nd|second|third|3rd)\s+(?:item|pair|one|piece)\b[^.!?\n]{0,20}(?:free|half|off)",
    _I,
)
_DISCOUNT_AFTER = re.compile(
    r"^\s*(?:off|discount|reduction|less|cheaper|rebate|back\b|saving|credit|voucher|coupon|(?:的)?(?:优惠|折扣|代金|抵用|无门槛|券|红包))",
    _I,
)
_DISCOUNT_BEFORE = re.compile(
    r"(?:\b(?:sav(?:e|ing)s?(?:\s+of)?|discount(?:\s+of)?|knock|take|reduc\w+\s+(?:by|of)|voucher\s+(?:for|worth|of)|minus|get)|"
    r"立减|减免?|直[降减]|优惠|立省|节?省|返|抵扣?|便宜|降价?)\s*(?:an?\s+|up\s+to\s+|another\s+|extra\s+|了)*$",
    _I,
)
_LIMIT_BEFORE = re.compile(
    r"(?:\b(?:over|above|spend(?:ing)?|minimum(?:\s+[a-z]+){0,3}?(?:\s+of|\s+is|:)?|at\s+least|more\s+than|exceed\w*|reach(?:es)?"
    r"|(?:basket|order|purchase)s?(?:\s+value)?\s+(?:of|from|over|above|worth)|orders?\s+(?:is|are))|满|超过|高于|最低(?:消费)?|不低于|达到?)"
    r"\s*(?:at\s+least\s+|or\s+)?$",
    _I,
)
_LIMIT_AFTER = re.compile(
    r"^\s*(?:or\s+more|and\s+(?:over|above|up|more)|\+|minimum|min\b|basket|以上|及以上|起(?:可|用|减|享)|可用)", _I
)
_CURRENCIES = {
    "€": "EUR", "euro": "EUR", "欧元": "EUR", "£": "GBP", "pound": "GBP", "poundssterling": "GBP", "quid": "GBP", "英镑": "GBP",
    "p": "GBP", "pence": "GBP", "us$": "USD", "美元": "USD", "美金": "USD", "au$": "AUD", "a$": "AUD", "ca$": "CAD", "c$": "CAD",
    "nz$": "NZD", "hk$": "HKD", "港币": "HKD", "港元": "HKD", "nt$": "TWD", "台币": "TWD", "新台币": "TWD", "s$": "SGD",
    "yuan": "CNY", "renminbi": "CNY", "人民币": "CNY", "rmb": "CNY", "yen": "JPY", "日元": "JPY", "₩": "KRW", "₹": "INR",
    "rs": "INR", "rupee": "INR", "₽": "RUB", "zloty": "PLN", "złoty": "PLN", "zł": "PLN", "kč": "CZK",
    "franc": "CHF", "fr": "CHF",
    "瑞郎": "CHF", "kronor": "SEK", "kroner": "NOK DKK", "kronen": "NOK DKK SEK", "kr": "SEK NOK DKK ISK",
    "$": "USD AUD CAD NZD HKD SGD TWD MXN", "dollar": "USD AUD CAD NZD HKD SGD TWD", "buck": "USD AUD CAD", "¥": "CNY JPY",
    "元": "CNY TWD HKD JPY USD EUR GBP", "块": "CNY", "块钱": "CNY", "圆": "CNY JPY", "cent": "EUR USD AUD CAD",
    "¢": "USD CAD AUD",
}  # fmt: skip


def _judge_money(sheet: FactSheet, reading: Reading, claim: Claim) -> str:
    text = reading.masked
    before, after = text[max(0, claim.start - 40) : claim.start], text[claim.end : claim.end + 24]
    said = set(claim.values)
    supported = said & {v for c in read_support(sheet).of_kind("money") for v in c.values}
    if not _fits_currency(sheet, reading, claim):
        return _("The facts give this in another currency.")
    is_off = bool(_DISCOUNT_AFTER.search(after) or _DISCOUNT_BEFORE.search(before))
    is_limit = bool(_LIMIT_BEFORE.search(before) or _LIMIT_AFTER.search(after))
    meant = products_meant(reading, claim.start, sheet)
    is_meant = _names_offer(sheet, reading, claim) or _names_in_sentence(reading, claim)
    derived = _derived_prices(sheet, meant) if is_meant else set()
    prices = _numbers(*(product.price for product in meant))
    if _BELOW.search(before):
        return "" if _all_cost_less(sheet, reading, claim) else _("Not everything that is meant costs less.")
    if not is_off and _is_of_delivery(text, claim) and _free_from(sheet) and _FROM.search(before):
        return "" if said & _free_from(sheet) else _("Delivery is free from another amount.")
    if is_off:
        saved = {price - after_it for price in prices for after_it in derived} if derived else set()
        ok = said & (_numbers(sheet.amount) | saved) or (supported and sheet.amount is None)
        return "" if ok else _("The offer takes no such amount off.")
    if is_limit:
        if _is_of_delivery(text, claim) and _free_from(sheet):
            return "" if said & _free_from(sheet) else _("Delivery is free from another amount.")
        ok = said & _numbers(sheet.min_basket) or (
            supported and (sheet.min_basket is None or _speaks_of_policy(text, claim))
        )
        return "" if ok else _("The offer has another minimum, or none.")
    if said & (prices | derived) or supported:
        return ""
    if reading.mentions and _names_in_sentence(reading, claim):
        return _("The product has another price.")
    if said & _numbers(sheet.amount, sheet.min_basket) and not _PRICE_WORDS.search(before[-20:]):
        return ""
    return _("No price or amount of the facts is this one.")


def _all_cost_less(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Shoes under 50": of the category or the products that the sentence names, else of all."""
    sentence = sentence_around(reading.passage.text, claim.start).lower()
    meant = [p for p in sheet.products if p.category and p.category.lower().rstrip("s") in sentence]
    meant = meant or list(products_meant(reading, claim.start, sheet))
    return bool(meant) and all(p.price is not None and any(p.price < value for value in claim.values) for p in meant)


_BELOW = re.compile(r"\b(?:under|below|less\s+than|cheaper\s+than)\s*$|(?:不到|低于|不足)\s*$", _I)
_FROM = re.compile(r"\b(?:from|starting\s+at)\s*$", _I)
_PRICE_WORDS = re.compile(r"(?:\bprices?d?(?:\s+at)?|\bcosts?|售价|价格|仅售|只要|只需)\s*:?\s*$", _I)
_POLICY = re.compile(r"deliver|\bship|\bships?\b|postage|return|包邮|免邮|运费|配送|退", _I)


def _is_of_delivery(text: str, claim: Claim) -> bool:
    """The words around the minimum, up to the next comma, speak of delivery and of no reduction."""
    before = re.split(r"[,;.!?。]\s|[,。;]|\band\b", text[max(0, claim.start - 60) : claim.start])[-1]
    after = re.split(r"[,;.!?。]\s|[,。;]|\band\b", text[claim.end : claim.end + 40])[0]
    words = before + after
    return bool(_DELIVERY.search(words)) and not re.search(r"\boff\b|save|discount|减|折", words, _I)


def _free_from(sheet: FactSheet) -> set[Decimal]:
    """The minima that the policies name for free delivery."""
    support = read_support(sheet)
    lines = support.passage.text
    return {
        value
        for claim in support.of_kind("money")
        if _DELIVERY.search(sentence_around(lines, claim.start))
        for value in claim.values
    }


_DELIVERY = re.compile(r"deliver|\bship|postage|包邮|免邮|运费|配送", _I)


def _names_offer(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The sentence says in some way that the price is not the usual one."""
    sentence = sentence_around(reading.masked, claim.start)
    whole = sentence_around(reading.passage.text, claim.start).lower()
    return bool(_DERIVED.search(sentence)) or bool(sheet.code and sheet.code.lower() in whole)


def _speaks_of_policy(text: str, claim: Claim) -> bool:
    return bool(_POLICY.search(sentence_around(text, claim.start)))


def _names_in_sentence(reading: Reading, claim: Claim) -> bool:
    sentence = sentence_around(reading.passage.text, claim.start)
    return any(reading.passage.text[start:end] in sentence for start, end, _product in reading.mentions)


def _derived_prices(sheet: FactSheet, products: Iterable[Product]) -> set[Decimal]:
    """What is paid after the offer: to the cent, and as shops round it."""
    found: set[Decimal] = set()
    for product in products:
        if product.price is None:
            continue
        if sheet.percent:
            exact = product.price * (100 - sheet.percent) / 100
            found |= {exact, exact.quantize(Decimal("0.01"), ROUND_HALF_UP)}
        if sheet.amount:
            found.add(product.price - sheet.amount)
    return found


def _fits_currency(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    unit = claim.unit.rstrip(".")
    named = _CURRENCIES.get(unit) or _CURRENCIES.get(unit.rstrip("s")) or unit.upper()
    if not claim.unit:
        return True
    known = {sheet.currency, *(product.currency for product in sheet.products)} - {""}
    aliases = {"RMB": "CNY", "NTD": "TWD"}
    return not known or any(aliases.get(code, code) in known for code in named.split())


def _fits_deadline(sheet: FactSheet, sentence: str, values: set[Decimal]) -> bool:
    """ "7 days left", "valid for 14 days": counted with or without the first day."""
    if sheet.valid_until is None or not _DEADLINE.search(sentence) or _NOT_DEADLINE.search(sentence):
        return False
    lengths: set[Decimal] = set()
    for first in (sheet.send_date, sheet.valid_from):
        if first is not None:
            days = (sheet.valid_until - first).days
            lengths |= {Decimal(days), Decimal(days + 1)}
    return bool(lengths & values)


def _speaks_of_offer(sentence: str) -> bool:
    """How long the offer lasts, not how long a policy does: the thirty days of the one are not those of the other."""
    return bool(_OFFER_LASTS.search(sentence)) and not _NOT_DEADLINE.search(sentence)


def _says_more(reading: Reading, claim: Claim) -> bool:
    return bool(_MORE.search(reading.masked[max(0, claim.start - 20) : claim.start])) or bool(
        re.match(r"\s?\+|\s*(?:or\s+more|以上)", reading.masked[claim.end : claim.end + 10])
    )


def _quoted(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    words = " ".join(reading.passage.text[claim.start : claim.end].lower().split())
    return words in " ".join(read_support(sheet).passage.text.lower().split())


def _supported(sheet: FactSheet, *kinds: str) -> set[Decimal]:
    return {value for claim in read_support(sheet).of_kind(*kinds) for value in claim.values}


def _numbers(*values: Decimal | None) -> set[Decimal]:
    return {value for value in values if value is not None}


def _names(sheet: FactSheet) -> str:
    return "\n".join(part for p in sheet.products for part in (p.name, p.sku, p.category))


def _in_names(sheet: FactSheet, claim: Claim) -> bool:
    """A "3 Season" tent: the same number with the same unit, not any digit of an article number."""
    return any(not set(claim.values).isdisjoint(named.values) for named in find_spans(_names(sheet)))


def _loose_numbers(sheet: FactSheet) -> set[Decimal]:
    """Numbers that may stand without a unit: of the offer, of names, and the year."""
    texts = f"{_names(sheet)}\n{sheet.shop}\n{read_support(sheet).passage.text}"
    found = {v for number in re.findall(r"\d+(?:[.,]\d+)*", texts) for v in read_number(number)}
    years = {Decimal(day.year) for day in (sheet.valid_from, sheet.valid_until, sheet.send_date) if day}
    return found | years | _numbers(sheet.percent, sheet.amount, sheet.min_basket)


def _beside_product(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "Ridge 45" where the facts know a Ridge 40: another product."""
    before = re.findall(r"[A-Za-z\u4e00-\u9fff]+", reading.passage.text[max(0, claim.start - 24) : claim.start])
    numbered = {
        word.lower() for p in sheet.products if re.search(r"\d", p.name) for word in re.findall(r"[A-Za-z]{3,}", p.name)
    }
    return bool(before) and before[-1].lower() in numbered


def _is_small_word(reading: Reading, claim: Claim) -> bool:
    """ "two frosty mornings" tells a story; "one of them" counts nothing; 618 is a day of sales."""
    is_word = reading.is_spelled(claim) and max(claim.values) <= 12 and claim.unit not in _MEASURES
    return is_word or reading.masked[claim.start : claim.end] == "618"


def _is_postcode(reading: Reading, claim: Claim) -> bool:
    around = reading.passage.text[max(0, claim.start - 6) : claim.end + 5]
    return bool(re.search(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", around))

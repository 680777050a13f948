"""Prices, amounts off and minima against the offer, the products and the policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import MEASURES, Claim
from .reading import Draft, Reading, products_meant, read_support, supported_numbers
from .scope import is_in_scope
from .sheet import FactSheet, Product, known_numbers
from .sums import cost_of, count_pieces, find_deals, follows_from_facts
from .text import content_stems, sentence_around, sentence_span
from .worked_out import counted_before, is_just_above, is_sum, is_worked_out, list_fees, names_price_of


def check_money(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A price, an amount off or a minimum that the facts do not hold, or one that is held of another product."""
    true: dict[str, set[Decimal]] = {}
    for reading in sorted(draft.readings, key=lambda reading: reading.passage.field in _HEADLINES):
        is_headline = reading.passage.field in _HEADLINES
        for claim in reading.of_kind("money"):
            if _counts_pieces(sheet, reading, claim):
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
    if _DISCOUNT_AFTER.search(after) or _DISCOUNT_BEFORE.search(before) or _KEPT.search(before):
        return "off"
    return "minimum" if _LIMIT_BEFORE.search(before) or _LIMIT_AFTER.search(after) else "paid"


def _names_price(reading: Reading, claim: Claim) -> bool:
    return names_price_of(reading, claim) is not None


def _counts_pieces(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """块 is a measure too: 一块腕表 is a watch, 100块积木 are bricks where a product is called so."""
    if claim.unit != "块":
        return False
    behind = reading.masked[claim.end : claim.end + 1]
    if re.search(r"\d\s*元\s*$", reading.masked[max(0, claim.start - 6) : claim.start]) and set(claim.values) == {
        Decimal(1)
    }:
        return True  # 3000元一块
    if _counts_stock(sheet, reading, claim) or _counts_as_priced(reading, claim):
        return True
    is_few = reading.is_spelled(claim) and max(claim.values, default=Decimal(99)) <= 12
    if is_few and any(s == claim.end for s, _e, _p in reading.mentions):
        return True  # 两块猫抓板
    if reading.is_spelled(claim) and set(claim.values) == {Decimal(1)}:
        return bool(re.match(r"[\u4e00-\u9fff\ue000]", behind)) and behind not in "钱就起包"
    return any(f"{value:f}块" in product.name for value in claim.values for product in sheet.products)


def _counts_stock(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """还剩8块: eight pieces are left, where eight is the stock, or only 剩 can be meant."""
    before = reading.masked[max(0, claim.start - 6) : claim.start]
    stocks = {Decimal(p.stock) for p in products_meant(reading, claim.start, sheet) if p.stock is not None}
    is_stock = re.search(r"剩下?|还有|仅有|库存|现货|最后$", before) or reading.passage.field in _HEADLINES
    return bool(is_stock) and not stocks.isdisjoint(claim.values)


def _counts_as_priced(reading: Reading, claim: Claim) -> bool:
    """两块90元: so many pieces, and the price behind them."""
    return bool(
        re.match(
            r"\s*(?:共|一共|只要|只需|仅|要|原价|合计|才)?\s*\d+(?:\.\d+)?\s*元",
            reading.masked[claim.end : claim.end + 14],
        )
    )


def _judge_money(sheet: FactSheet, reading: Reading, claim: Claim) -> str:
    """What is wrong with an amount; "" where it is in the facts or the letter works it out."""
    message = _judge_stated(sheet, reading, claim)
    if message and _fits_currency(sheet, reading, claim) and is_worked_out(sheet, reading, claim):
        return ""
    return message


def _judge_stated(sheet: FactSheet, reading: Reading, claim: Claim) -> str:
    text = reading.masked
    before, after = text[max(0, claim.start - 40) : claim.start], text[claim.end : claim.end + 24]
    said = set(claim.values)
    supported = said & {v for c in read_support(sheet).of_kind("money") for v in c.values}
    if not _fits_currency(sheet, reading, claim):
        return _("The facts give this in another currency.")
    if (deals := find_deals(sheet)) and (verdict := _judge_deal(reading, claim, deals)) is not None:
        return "" if verdict else _("So many of this do not cost that.")
    if (count := _count_for(reading, claim)) and not _costs_that(sheet, reading, claim, count):
        return _("So many of this do not cost that.")
    is_off = bool(_DISCOUNT_AFTER.search(after) or _DISCOUNT_BEFORE.search(before))
    is_limit = bool(_LIMIT_BEFORE.search(before) or _LIMIT_AFTER.search(after))
    is_limit |= bool(sheet.min_basket and _FROM.search(before) and _OFFER_BEHIND.match(after))
    meant = products_meant(reading, claim.start, sheet)
    if (message := _judge_role(sheet, reading, claim, before, after)) is not None:
        return message
    named = names_price_of(reading, claim)
    if not is_off and _is_of_delivery(text, claim) and _free_from(sheet) and _FROM.search(before):
        free = _free_from(sheet) | {value + Decimal("0.01") for value in _free_from(sheet)}
        return "" if said & free else _("Delivery is free from another amount.")
    if named is None and not is_limit and follows_from_facts(sheet, reading, claim, meant):
        return ""
    if named is not None and (n := counted_before(reading, claim, named)) and not said & cost_of(sheet, named, n):
        return _("So many of this do not cost that.")
    if named is not None and any(said & cost_of(sheet, named, n) for n in count_pieces(reading, claim)):
        return ""
    is_meant = _names_offer(sheet, reading, claim) or bool(reading.mentions) or reading.passage.field in _HEADLINES
    derived = _derived_prices(sheet, meant)
    saved = {price - after_it for price in known_numbers(*(p.price for p in meant)) for after_it in derived}
    saved |= {p.old_price - p.price for p in meant if p.old_price and p.price}
    derived = derived if is_meant else set()
    reduced = [
        product for product in meant if product.old_price and product.price and product.price < product.old_price
    ]
    prices = known_numbers(*(product.price for product in meant), *(product.old_price for product in reduced))
    derived |= known_numbers(*(product.price for product in reduced))
    if _BELOW.search(before):
        if is_just_above(sheet, reading, claim):
            return ""
        return "" if _all_cost_less(sheet, reading, claim) else _("Not everything that is meant costs less.")
    if is_off:
        saved |= {price - after_it for price in prices for after_it in derived}
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
    if said & saved and not _PRICE_SAID.search(before):
        return ""  # "that is 5.40 to put towards cake"
    if _CUT_TO.search(before) and said & prices and not said & derived:
        return _("This is the usual price, not a reduced one.")
    if said & (prices | derived):
        return ""
    if (
        supported
        and named is None
        and not (_names_in_sentence(reading, claim) and _PRICE_SAID.search(before) and prices)
    ):
        return ""
    if reading.mentions and _names_in_sentence(reading, claim):
        return _("The product has another price.")
    if said & known_numbers(sheet.amount, sheet.min_basket) and not _PRICE_WORDS.search(before[-20:]):
        return ""
    return _("No price or amount of the facts is this one.")


def _judge_role(sheet: FactSheet, reading: Reading, claim: Claim, before: str, after: str) -> str | None:
    """What the words right beside an amount make of it, where that leaves no choice: the fee of a delivery, a sum, or what
    is paid after the offer. None where it may be several things."""
    said = set(claim.values)
    plain = {p.price for p in sheet.products if p.price is not None and not (p.old_price and p.old_price > p.price)}
    if _FEE_BEFORE.search(before) and not _LIMIT_AFTER.search(after):
        fees = list_fees(sheet)
        return None if not fees or said & fees else _("No price or amount of the facts is this one.")
    is_off = _DISCOUNT_AFTER.search(after) or _DISCOUNT_BEFORE.search(before)
    if is_off and said & plain and not said & (known_numbers(sheet.amount) | supported_numbers(sheet, "money")):
        return "" if is_worked_out(sheet, reading, claim) else _("The offer takes no such amount off.")
    is_lack = _SHORT_AFTER.match(after) or _SHORT_BEFORE.search(before)
    if is_lack and said & plain and not is_worked_out(sheet, reading, claim):
        return _("No price or amount of the facts is this one.")
    if (_SUM_BEFORE.search(before) or _SUM_AFTER.match(after)) and said & plain and not is_sum(sheet, reading, claim):
        return _("This is the price of one product, and no sum.")
    if _REDUCED_BEFORE.search(before) and said & plain:
        reduced = _derived_prices(sheet, products_meant(reading, claim.start, sheet))
        if reduced and not said & reduced and not is_worked_out(sheet, reading, claim):
            return _("This is the usual price, not a reduced one.")
    behind = min((c for c in reading.of_kind("money") if c.start >= claim.end), key=lambda c: c.start, default=None)
    if (
        behind is not None
        and _INSTEAD.fullmatch(reading.masked[claim.end : behind.start])
        and said & set(behind.values)
    ):
        return _("This is the usual price, not a reduced one.")
    return None


def _judge_deal(reading: Reading, claim: Claim, deals: dict[Decimal, int]) -> bool | None:
    """ "Two puzzles for 30" is the offer: whether the text gives so many for it; None where it speaks of no such amount."""
    pieces = next((deals[value] for value in claim.values if value in deals), None)
    if pieces is None:
        return None
    start, _end = sentence_span(reading.masked, claim.start)
    said = [
        int(n)
        for n in re.findall(
            rf"(?<![\d.,£€$])(\d{{1,2}})(?![\d.,%])\s*(?:{MEASURES}|[a-z])", reading.masked[start : claim.start], re.I
        )
    ]
    return not said or pieces in said


def _count_for(reading: Reading, claim: Claim) -> int:
    """ "5 for 450", 3件99元: how many pieces the amount is said to buy; 0 where it does not say."""
    before, after = reading.masked[max(0, claim.start - 20) : claim.start], reading.masked[claim.end : claim.end + 10]
    found = _PIECES_FOR.search(before) or _PIECES_BEFORE.search(before) or _PIECES_AFTER.match(after)
    if found and _A_PACK.search(before[: found.start()] if found.re is _PIECES_FOR else ""):
        return 0
    return int(found["n"]) if found else 0


def _costs_that(sheet: FactSheet, reading: Reading, claim: Claim, pieces: int) -> bool:
    """Whether so many pieces of a product that is meant cost that, before or after the offer."""
    totals = {total for p in products_meant(reading, claim.start, sheet) for total in cost_of(sheet, p, pieces)}
    return not totals or not totals.isdisjoint(claim.values) or is_sum(sheet, reading, claim)


def _fits_currency(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    unit = claim.unit.rstrip(".")
    named = _CURRENCIES.get(unit) or _CURRENCIES.get(unit.rstrip("s")) or unit.upper()
    if not claim.unit:
        return True
    known = {sheet.currency, *(product.currency for product in sheet.products)} - {""}
    aliases = {"RMB": "CNY", "NTD": "TWD"}
    return not known or any(aliases.get(code, code) in known for code in named.split())


def _names_offer(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """The sentence says in some way that the price is not the usual one."""
    sentence = sentence_around(reading.masked, claim.start)
    whole = sentence_around(reading.passage.text, claim.start).lower()
    return bool(_DERIVED.search(sentence)) or bool(sheet.code and sheet.code.lower() in whole)


def _names_in_sentence(reading: Reading, claim: Claim) -> bool:
    sentence = sentence_around(reading.passage.text, claim.start)
    return any(reading.passage.text[start:end] in sentence for start, end, _product in reading.mentions)


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
    is_of_one = not reading.mentions and not _ALL.search(sentence)
    return any(costs_less) if is_of_one else bool(meant) and all(costs_less)


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


def _speaks_of_policy(text: str, claim: Claim) -> bool:
    return bool(_POLICY.search(sentence_around(text, claim.start)))


_I = re.IGNORECASE
_DERIVED = re.compile(
    r"\b(?:now|instead|after|with|save|saving|was|down|reduced|off|discount|pay|only|just|becomes?|brings?|comes|code|yours|normally|usually|regular(?:ly)?|originally|today|this\s+(?:week|weekend|month))\b|折|券后|到手|优惠|立减|省|减|原价|现价|仅",
    _I,
)
_DISCOUNT_AFTER = re.compile(
    r"^\s*(?:off|discount|reduction|less|cheaper|rebate|back\b|saving|credit|voucher|coupon|(?:的)?(?:优惠|折扣|代金|抵用|无门槛|券|红包))",
    _I,
)
_DISCOUNT_BEFORE = re.compile(
    r"(?:\b(?:sav(?:e|ing)s?(?:\s+of)?|discount(?:\s+of)?|knock|take|reduc\w+\s+(?:by|of)|voucher\s+(?:for|worth|of)|minus|get)|"
    r"立减|减免?|直[降减]|优惠|立省|节?省|返|抵扣?|便宜|降价?)\s*(?:an?\s+|you\s+|up\s+to\s+|another\s+|extra\s+|了|下|出)*$",
    _I,
)
_LIMIT_BEFORE = re.compile(
    r"(?:\b(?:over|above|spend(?:ing)?|minimum(?:\s+[a-z]+){0,3}?(?:\s+of|\s+is|:)?|at\s+least|more\s+than|exceed\w*|reach(?:es)?|pass(?:es)?|past(?:\s+the)?"
    r"|(?:basket|order|purchase)s?(?:\s+value)?\s+(?:of|from|over|above|worth)|orders?\s+(?:is|are))|满|超过|高于|凑[到够]|[,。]过|最低(?:消费)?|不低于|达到?)"
    r"\s*(?:at\s+least\s+|or\s+)?$",
    _I,
)
_LIMIT_AFTER = re.compile(
    r"^\s*(?:or\s+more|and\s+(?:over|above|up|more)|\+(?!\s*[£€$¥\d\ue000\u4e00-\u9fff])|minimum|min\b|basket|以上|及以上|起(?:可|用|减|享)|可用)",
    _I,
)
_CUT_TO = re.compile(
    r"\b(?:reduced|cut|slashed|dropped|lowered|marked\s+down|discounted|falls?|drops?)\s+(?:down\s+)?to\s*$|(?:直?降[到至为]|特价)\s*:?\s*$",
    _I,
)
_PIECES_FOR = re.compile(r"\b(?P<n>[2-9]|1\d)\s+for\s+(?:only\s+|just\s+)?$", _I)
_PIECES_BEFORE = re.compile(rf"(?<![\d.第])(?P<n>[2-9]|1\d)\s*{MEASURES}\s*(?:共|一共|只要|才|就是)?\s*$")
_A_PACK = re.compile(r"\b(?:packs?|sets?|box(?:es)?|bundles?|cases?)\s+of\s*$", _I)
_PIECES_AFTER = re.compile(rf"[ \t]?(?:任选|任意)?(?P<n>[2-9])\s*{MEASURES}(?!起|以上)")
_FEE_BEFORE = re.compile(
    r"\b(?:delivery|shipping|postage)\b[^,.;:\d£€$¥]{0,24}?\b(?:is|are|costs?|at)\s*(?:only\s+|just\s+)?$|(?:运费|邮费)\s*(?:为|是|:|只要|仅)?\s*$",
    _I,
)
_SUM_BEFORE = re.compile(
    r"(?:\b(?:together|in\s+total|altogether)\b,?\s*(?:that|they|it|both)?\s*(?:'s|is|are|costs?|comes?\s+to|makes?)?|\bcome\s+to|\badd\s+up\s+to|合计|总共|一共|总价|加起来|(?<=[样件口者])共|[两三四五]样|=)\s*(?:是|为|才|只要)?\s*:?\s*$",
    _I,
)
_OFFER_BEHIND = re.compile(
    r",?\s*(?:(?:the|our|your)\s+code|you\s+(?:can\s+)?(?:also\s+)?(?:take|get|save)|\ue000+\s+takes)\b", _I
)
_SHORT_AFTER = re.compile(r"\s*(?:short|away)\b", _I)
_SHORT_BEFORE = re.compile(r"差了?\s*$")
_SUM_AFTER = re.compile(r"\s*(?:in\s+(?:all|total)|altogether|together)\b", _I)
_INSTEAD = re.compile(r"\s*\(?\s*(?:instead\s+of|down\s+from|rather\s+than|was|usually|normally|原价|平时)\s*:?\s*", _I)
_REDUCED_BEFORE = re.compile(
    r"(?:折后|券后|减后|到手价?|实付|\d\s*折(?:之?后|下来)?|减\s*\d+\s*元后|\bbecomes|\bdown\s+to|\bmakes\s+(?:it|that)),?\s*(?:只要|仅需?|只需|才|是|为)?\s*:?\s*$"
)
_KEPT = re.compile(r"\b(?:keep|kept)\s*$|省[了下]?\s*$", _I)
_BELOW = re.compile(r"\b(?:under|below|less\s+than|cheaper\s+than)\s*$|(?:不到|低于|不足)\s*$", _I)
_FROM = re.compile(r"\b(?:from|starting\s+at)\s*$", _I)
_PRICE_WORDS = re.compile(r"(?:\bprices?d?(?:\s+at)?|\bcosts?|售价|价格|仅售|只要|只需)\s*:?\s*$", _I)
#: Said of a product: what it costs, not from where the delivery is free.
_PRICE_SAID = re.compile(
    r"(?:\b(?:now|just|only|at|for|is|are|costs?|was)|现在|现价|只要|仅需|只需|仅售|售价|价格|才|只|仅|特价|一口价)\s*:?\s*$",
    _I,
)
#: Too short to say how a price came about: the body does.
_HEADLINES = frozenset(["subject", "preheader", "button_label"])
_ALL = re.compile(r"\b(?:every(?:thing)?|all|each|any)\b|所有|全部|全场|全店|都", _I)
_POLICY = re.compile(r"deliver|\bship|\bships?\b|postage|return|包邮|免邮|运费|配送|退", _I)
_DELIVERY = re.compile(r"deliver|\bship|postage|\bparcel|\btravels?\s+free|\bpost(?:ed)?\b|包邮|免邮|运费|配送", _I)
_CURRENCIES = {
    "€": "EUR", "euro": "EUR", "欧元": "EUR", "£": "GBP", "pound": "GBP", "poundssterling": "GBP", "quid": "GBP", "英镑": "GBP",
    "p": "GBP", "pence": "GBP", "us$": "USD", "美元": "USD", "美金": "USD", "au$": "AUD", "a$": "AUD", "ca$": "CAD", "c$": "CAD",
    "nz$": "NZD", "hk$": "HKD", "港币": "HKD", "港元": "HKD", "nt$": "TWD", "台币": "TWD", "新台币": "TWD", "s$": "SGD",
    "yuan": "CNY", "renminbi": "CNY", "人民币": "CNY", "rmb": "CNY", "yen": "JPY", "日元": "JPY", "₩": "KRW", "₹": "INR",
    "rs": "INR", "rupee": "INR", "₽": "RUB", "zloty": "PLN", "złoty": "PLN", "zł": "PLN", "kč": "CZK",
    "franc": "CHF", "fr": "CHF",
    "瑞郎": "CHF", "kronor": "SEK", "kroner": "NOK DKK", "kronen": "NOK DKK SEK", "kr": "SEK NOK DKK ISK",
    "$": "USD AUD CAD NZD HKD SGD TWD MXN", "dollar": "USD AUD CAD NZD HKD SGD TWD", "buck": "USD AUD CAD", "¥": "CNY JPY",
    "元": "CNY TWD HKD JPY", "块": "CNY", "块钱": "CNY", "圆": "CNY JPY", "cent": "EUR USD AUD CAD",
    "¢": "USD CAD AUD",
}  # fmt: skip

"""Lengths of time against the policies and the days of the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .amounts import Claim, find_spans
from .elapsed import is_elapsed
from .reading import Draft, Reading, read_support
from .sheet import FactSheet, names_of_products
from .text import OFFER_WORDS, content_stems, is_instruction, sentence_around, sentence_span


def check_spans(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Lengths of time: of a policy, or what is left of the offer. Others are claims only where a promise stands by."""
    supported = read_support(sheet)
    true = {value for claim in supported.of_kind("span") if claim.unit == "day" for value in claim.values}
    for reading in draft.readings:
        for claim in reading.of_kind("span"):
            sentence = sentence_around(reading.masked, claim.start)
            if not reading.masked[claim.start].isdigit() and not _STRICT.search(sentence):
                continue
            if _IDIOM.match(reading.masked, claim.start) or _is_age(supported, reading, claim, sentence):
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
            if is_elapsed(sheet, reading, claim, sentence):
                continue
            if _contradicts_product(sheet, reading, claim, sentence):
                yield reading.finding("time", "block", _MESSAGE_SPAN(), (claim.start, claim.end))
                continue
            if _is_story(reading, claim, sentence):
                yield reading.finding("time", "warn", _MESSAGE_SPAN(), (claim.start, claim.end))
                continue
            if _contradicts(supported, reading, claim, sentence):
                yield reading.finding("time", "block", _MESSAGE_SPAN(), (claim.start, claim.end))
                continue
            is_small = reading.is_spelled(claim) or max(claim.values) < 10
            is_loose = is_small and (not _PROMISE.search(sentence) or _is_habit(reading, claim, sentence))
            verdict: Verdict = "warn" if is_loose else "block"
            yield reading.finding("time", verdict, _MESSAGE_SPAN(), (claim.start, claim.end))


def _contradicts(supported: Reading, reading: Reading, claim: Claim, sentence: str) -> bool:
    """ "On high it lasts 3.5 hours", where a line of the facts says how many hours it lasts on high."""
    unit = reading.masked[claim.start : claim.end].split()[-1].lower().rstrip("s")
    here = content_stems(sentence.replace(unit, " "))
    return not reading.is_spelled(claim) and any(
        supported.masked[known.start : known.end].lower().rstrip("s").endswith(unit)
        and here & content_stems(sentence_around(supported.masked, known.start).replace(unit, " "))
        for known in supported.of_kind("span")
    )


def _contradicts_product(sheet: FactSheet, reading: Reading, claim: Claim, sentence: str) -> bool:
    """ "Up to 60 hours on a charge", in a paragraph that names a product, where the products give other hours."""
    if not _HOURS.search(reading.masked[claim.start : claim.end]) or is_instruction(sentence):
        return False
    paragraph = reading.masked.rfind("\n\n", 0, claim.start)
    is_named = any(paragraph < s < claim.start for s, _e, _p in reading.mentions)
    return is_named and any(_HOURS.search(p.details) for p in sheet.products)


def _is_story(reading: Reading, claim: Claim, sentence: str) -> bool:
    """ "After 30 days you will not want to stop": the reader's own time, with no product, offer or shop beside it."""
    start, end = sentence_span(reading.passage.text, claim.start)
    said = reading.passage.text[start:end]
    behind = sentence_around(reading.passage.text, min(end + 2, len(reading.passage.text) - 1))
    if _TAKE_TIME.search(said) and _GIVES_BACK.search(behind):
        return False  # "So take 100 days. If it does not suit you, we collect it": a trial
    names_product = any(start <= s < end for s, _e, _p in reading.mentions)
    return (
        reading.passage.field not in {"subject", "preheader"}
        and not names_product
        and not (_SHOP_SAYS.search(said) or _PROMISE.search(said) or OFFER_WORDS.search(said) or _OF_THING.search(said))
    )


def _is_age(supported: Reading, reading: Reading, claim: Claim, sentence: str) -> bool:
    """ "For children from 3 years", where the facts say "for ages 3 and up"."""
    if not _AGE.search(sentence):
        return False
    said = set(re.findall(r"\d+", reading.masked[claim.start : claim.end]))
    lines = (line for line in supported.passage.text.split("\n") if _AGE.search(line))
    return any(said & set(re.findall(r"\d+", line)) for line in lines)


def _speaks_of_offer(sentence: str) -> bool:
    """How long the offer lasts, not how long a policy does: the thirty days of the one are not those of the other."""
    return bool(_OFFER_LASTS.search(sentence)) and not _NOT_DEADLINE.search(sentence)


def _fits_deadline(sheet: FactSheet, sentence: str, values: set[Decimal]) -> bool:
    """ "7 days left", "valid for 14 days": counted with or without the first day. What is left is counted from the day of
    sending alone."""
    policy = _NOT_DEADLINE.search(sentence)
    if sheet.valid_until is None or not _DEADLINE.search(sentence):
        return False
    if policy and not (_SHIPPING.match(policy.group()) and _SHIPPING.search(sheet.offer)):
        return False
    lengths: set[Decimal] = set()
    is_rest = sheet.send_date is not None and _IS_LEFT.search(sentence)
    for first in (sheet.send_date, None if is_rest else sheet.valid_from):
        if first is not None:
            days = (sheet.valid_until - first).days
            lengths |= {Decimal(days), Decimal(days + 1)}
    return bool(lengths & values)


def _is_habit(reading: Reading, claim: Claim, sentence: str) -> bool:
    """ "Water it every two weeks": how a thing is used, where nothing of the shop or the offer is said."""
    # 头两天…中间三天…最后两天: one step after the other
    tells = _STEPS.search(sentence) or _USE.search(sentence)
    if tells and not _SHOP_SAYS.search(sentence) and not OFFER_WORDS.search(sentence):
        return True
    before = reading.masked[max(0, claim.start - 10) : claim.start]
    words = _PROMISE.sub(lambda match: "" if match.group().lower() == "every" else match.group(), sentence)
    is_use = re.search(r"\bevery\s*$|[每隔]\s*$", before, re.I)
    return bool(is_use) and not _PROMISE.search(words) and not OFFER_WORDS.search(sentence)


def _in_names(sheet: FactSheet, claim: Claim) -> bool:
    """A "3 Season" tent: the same number with the same unit, not any digit of an article number."""
    return any(not set(claim.values).isdisjoint(named.values) for named in find_spans(names_of_products(sheet)))


def _MESSAGE_SPAN() -> str:
    return _("The facts say nothing of this length of time.")


_I = re.IGNORECASE
_STRICT = re.compile(
    r"return|refund|warrant|guarante|exchange|deliver|\bleft\b|remaining|expir|\bends?\b|trial|runs?\s+out", _I
)
_PROMISE = re.compile(
    r"return|refund|warrant|guarante|deliver|ship|arriv|dispatch|\bleft\b|remaining|\bonly\b|\bends?\b|expir|valid|\buntil\b|runs?\s+out|\bcloses?\b(?!\s+(?:the|your|to|it|them|by|up)\b)|"
    r"\blast\s+\d|\bto\s+(?:use|redeem|claim|order)\b|^\s*(?:only\s+|just\s+)?\d+\s+\w+\s+to\s+go\b|\bleaves?\s+\d|\bcounting\s+today\b|\byou\s+have\b|持续|\bwithin\b|\boffer\b|\bsale\b|trial|exchange|money[\s-]back|\bevery\b|\bnext\b|haven't|\bago\b|\bsince\b|\bfor\s+over\b"
    r"|experience|founded|退|换货|保修|质保|联保|送达|送到|发货|配送|剩|仅|之?内|有效|结束|截止|倒计时|到期|无理由|老店|经验|最后",
    _I,
)
_DEADLINE = re.compile(
    r"\bleft\b|remaining|\bonly\b|\bends?\b|expir|valid|until|within|\boffer\b|\buse\b|\byours\b|\blast\b|\bnext\b|\bsale\b|\bcode\b|\btime\b|\boff\b|%|\bend\b|\bmore\b|\bhave\b|runs?\s+out|\bto\s+go\b|\bcounting\b"
    r"|\bcounting\b|剩|仅|内|有效|结束|截止|倒计时|到期|还有|最后|一?共",
    _I,
)
_IS_LEFT = re.compile(
    r"\bleft\b|\bfrom\s+(?:now|today)\b|remaining|\bto\s+go\b|\bmore\b|runs?\s+out|剩|还有|最后|倒计时", _I
)
_NOT_DEADLINE = re.compile(
    r"return|refund|warrant|guarante|deliver|ship|arriv|dispatch|trial|exchange|\bback\b|change\s+your\s+mind"
    r"|退|换货|保修|质保|联保|送达|发货|配送",
    _I,
)
_SHIPPING = re.compile(r"deliver|ship|运费|包邮|免邮|配送", _I)
_TAKE_TIME = re.compile(
    r"\b(?:take|have|get|give\s+(?:it|yourself))\s+(?:a\s+full\s+|up\s+to\s+)?\d+\b|\b\d+\s+(?:days|weeks|months|nights)\s+to\s+(?:decide|try|think|find\s+out|make\s+up)",
    _I,
)
_GIVES_BACK = re.compile(
    r"\b(?:we|us)\b.*\b(?:collect|refund|back)\b|\b(?:send|return|give|bring)\b.*\bback\b|\breturn\b", _I
)
_STEPS = re.compile(
    r"[头前]\d+[天日周].*(?:中间|后|接下来|再)\d+[天日周]|\bfirst\s+\d+\s+(?:days|weeks).*\b(?:then|next|after\s+that)\b"
)
#: How a thing is used or kept, which is no promise of the shop's.
_USE = re.compile(
    r"\b(?:drink|eat|keep|store|cook|bake|boil|simmer|brew|steep|soak|wash|rinse|dry|rest|stir|roast|wait|wear|water|charge|practi[sc]e|leave\s+it|let\s+it|forget\s+it)\b"
    r"|喝|吃|煮|泡|焖|烤|炖|腌|晾|洗|浇水|充电|保存|存放|冷藏|开封|打开|敷|用完|用一次|静置",
    _I,
)
_SHOP_SAYS = re.compile(
    r"\b(?:we|our|us|returns?|refund|warrant\w*|guarante\w*|deliver\w*|ship\w*|left|remaining|expir\w*|valid|trial|exchange)\b|我们|退|换货|保修|质保|联保|送达|发货|配送|有效|截止|到期|活动",
    _I,
)
_OF_THING = re.compile(
    r"\b(?:it|its|they|lasts?|plays?|holds?|runs?|batter\w+|made|aged|cured|matured|tested|worn|trusted|years)\b|续航|熟成|陈酿|发酵|历时|可用|耐用|试[穿睡用戴]|它",
    _I,
)
#: Words in which a length of time measures nothing.
_HOURS = re.compile(r"\d\s*(?:hours?|hrs?)\b|\d\s*小时", _I)
_IDIOM = re.compile(
    r"\d+[\s-]year[\s-]olds?\b(?=\s*(?:[.,;:!?)]|$|(?:who|that|can|will|and|or|in|at|with|to|has|is|needs?|loves?|on)\b))|1年(?:四季|到头|又1年)|1天(?:到晚|之计|里|的)|百年好合|\b1\s+day\s+(?:soon|when)|a\s+day\s+(?:out|off)",
    _I,
)
_AGE = re.compile(r"\bages?d?\b|\bchild(?:ren)?\b|\bkids?\b|\bbab(?:y|ies)\b|\bold\b|岁|个月(?:以上|起|宝宝)", _I)
_OFFER_LASTS = re.compile(
    r"\bvalid\b|expir|\bends?\b|\b(?:days?|hours?|weeks?|months?)\s+(?:are\s+|is\s+)?left\b|remaining|\bcode\b|\boffer\b|\bdiscount\b|有效|截止|到期|结束|优惠|还剩|仅剩",
    _I,
)

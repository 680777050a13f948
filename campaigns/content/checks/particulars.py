"""What the facts say of one thing, said of another, or with another figure: a prize, a running time, a number of pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import MEASURES, Claim
from .reading import Draft, Reading, find_mentions, read_support
from .sheet import FactSheet, Product
from .text import OFFER_WORDS, content_stems, read_passage, sentence_around, sentence_span


def check_prizes(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A prize of one product, said of another."""
    lines = [line for line in _sentences_of_facts(sheet) if _PRIZE.search(line)]
    for reading in draft.readings:
        for match in _PRIZE.finditer(reading.masked):
            if not lines:
                message = _("The facts do not promise this.")
                yield reading.finding("reputation", "block", message, match.span())
                continue
            start, end = sentence_span(reading.passage.text, match.start())
            named = {p for s, _e, p in reading.mentions if start <= s < end}
            holders = {p for p in sheet.products for line in lines if _is_named(line, p)}
            if named and holders and named.isdisjoint(holders):
                message = _("The facts say this of another product.")
                yield reading.finding("reputation", "block", message, match.span())


def check_contradicted_spans(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Plays for 60 hours", where the facts say 40 of the same product: another figure in the same unit."""
    support = read_support(sheet)
    replaced = [
        (claim, line)
        for claim in support.of_kind("span")
        if _REPLACES.search(line := sentence_around(support.passage.text, claim.start))
    ]
    lines = ((claim, sentence_around(support.passage.text, claim.start)) for claim in support.of_kind("span"))
    known = [(claim, line, {p for _s, _e, p in find_mentions(line, sheet.products)}) for claim, line in lines]
    for reading in draft.readings:
        for claim in reading.of_kind("span"):
            sentence = sentence_around(reading.passage.text, claim.start)
            here = {p for s, _e, p in reading.mentions if reading.passage.text[s:_e] in sentence}
            if _REPLACES.search(sentence) and replaced:
                if all(set(other.values).isdisjoint(claim.values) for other, _line in replaced):
                    message = _("The facts give another number for this.")
                    yield reading.finding("time", "block", message, (claim.start, claim.end))
                continue
            rivals = [
                other
                for other, line, named in known
                if _unit(reading, claim) == _unit(support, other)
                and (not here or not here.isdisjoint(named))
                and len(content_stems(line) & content_stems(sentence)) > (1 if here else 2 if line.isascii() else 3)
            ]
            is_said = any(
                _unit(reading, claim) == _unit(support, other)
                and set(other.values) & set(claim.values)
                and (not here or not named or not here.isdisjoint(named))
                and len(content_stems(line) & content_stems(sentence)) > 1
                for other, line, named in known
            )
            if rivals and not is_said and all(set(other.values).isdisjoint(claim.values) for other in rivals):
                message = _("The facts give another number for this.")
                yield reading.finding("time", "block", message, (claim.start, claim.end))


def check_choices(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Every 2, 4 or 6 weeks", where the facts give the choice of 4, 6 or 8."""
    known: dict[str, set[str]] = {}
    for match in _CHOICE.finditer(read_support(sheet).passage.text):
        known.setdefault(_unit_of_choice(match), set()).update(re.findall(r"\d+", match["n"]))
    for reading in draft.readings:
        for match in _CHOICE.finditer(reading.masked):
            true = known.get(_unit_of_choice(match))
            said = set(re.findall(r"\d+", match["n"]))
            if true and said & true and not said <= true:
                message = _("The facts give another number for this.")
                yield reading.finding("number", "block", message, match.span("n"))


def _unit_of_choice(match: re.Match[str]) -> str:
    return str(match["unit"]).lower().removesuffix("s")


def check_measures(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "A 100 g pouch", where the facts give one of 50 g: the same measure of the same thing, and another figure."""
    facts = read_support(sheet).passage.text
    known: dict[tuple[str, str], set[str]] = {}
    for match in _MEASURED.finditer(facts):
        known.setdefault((match["unit"].lower(), match["thing"].lower()), set()).add(match["n"])
    for reading in draft.readings:
        for match in _MEASURED.finditer(reading.masked):
            true = known.get((match["unit"].lower(), match["thing"].lower()))
            if true and match["n"] not in true:
                message = _("The facts give another number for this.")
                yield reading.finding("number", "block", message, (match.start("n"), match.end("unit")))


def check_pieces(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The offer needs so many pieces ("20 % off any 12 bottles", 满3本打七折); the text says that fewer are enough."""
    offer = read_passage("offer", sheet.offer).text
    needed = {n for n, _start, _end in find_conditions(offer)} | {
        int(match["en"] or match["zh"]) for match in _OFF_PIECES.finditer(offer)
    }
    needed.discard(1)
    if not needed:
        return
    for reading in draft.readings:
        for match in _ONLY_ONE.finditer(reading.masked):
            yield reading.finding("scope", "block", _("The offer needs more pieces than that."), match.span())
        for n, start, end in find_conditions(reading.masked):
            if n < min(needed) and OFFER_WORDS.search(sentence_around(reading.passage.text, start)):
                yield reading.finding("scope", "block", _("The offer needs more pieces than that."), (start, end))


def check_limited_services(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """What is free for one product, said of all: 钢笔免费刻字 makes no 所有商品免费刻字."""
    lines = [line for line in _sentences_of_facts(sheet) if _IS_FREE.search(line)]
    limited = [(line, ps) for line in lines if (ps := {p for _s, _e, p in find_mentions(line, sheet.products)})]
    for reading in draft.readings:
        for match in _ALL_GOODS.finditer(reading.masked):
            start, end = sentence_span(reading.passage.text, match.start())
            sentence = reading.passage.text[start:end]
            named = {p for s, _e, p in reading.mentions if start <= s < end}
            if not _IS_FREE.search(sentence):
                continue
            topic = content_stems(_IS_FREE.sub(" ", sentence))
            fitting = [ps for line, ps in limited if topic & content_stems(_IS_FREE.sub(" ", line))]
            if fitting and all(named.isdisjoint(ps) for ps in fitting):
                message = _("The facts promise this for something else, or not for everything.")
                yield reading.finding("scope", "block", message, match.span())


def find_conditions(text: str) -> Iterator[tuple[int, int, int]]:
    """How many pieces an offer asks for, and where that stands."""
    for match in _CONDITION.finditer(text):
        number = match["n"] or match["zh"] or match["from"] or match["en"]
        yield int(number), match.start(), match.end()


def _sentences_of_facts(sheet: FactSheet) -> list[str]:
    return re.split(r"[.!?。;\n](?:\s|$)|\n", read_support(sheet).passage.text)


def _is_named(line: str, product: Product) -> bool:
    return any(named == product for _s, _e, named in find_mentions(line, (product,)))


def _unit(reading: Reading, claim: Claim) -> str:
    """The word of the unit, in the singular."""
    words = re.findall(r"[a-z]+|小时|分钟|[天日周月年秒]", reading.masked[claim.start : claim.end].lower())
    return words[-1].rstrip("s") if words else ""


#: A promise to make good, however it is worded.
_REPLACES = re.compile(r"\b(?:send|get|give)\b.{0,20}\bnew\s+1\b|\breplac\w+|\bdies\b|补发|包赔|死苗", re.IGNORECASE)
_MEASURED = re.compile(
    r"(?<![\d.,])(?P<n>\d{1,5}(?:\.\d{1,2})?)[\s-]?(?P<unit>g|kg|ml|l|cm|mm|m|oz|lb)\b\s+(?P<thing>(?!of\b|and\b|or\b|for\b|with\b|in\b|at\b|to\b|is\b|per\b)[a-z]{4,})",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"(?<![\d.,])(?P<n>\d{1,4}(?:, ?\d{1,4}){0,6},?\s*(?:or|and|或|和)\s*\d{1,4})\s*(?P<unit>[a-z]{2,}|[\u4e00-\u9fff])",
    re.IGNORECASE,
)
_PRIZE = re.compile(
    r"\b(?:won|wins|winner\s+of|took|takes|received|earned|awarded)\b[^.!?\n]{0,24}?\b(?:gold|silver|bronze|awards?|medals?|prizes?|trophy)\b"
    r"|\b(?:gold|silver|bronze)\s+(?:medal|award)|金奖|银奖|铜奖|大奖得主|荣获|斩获",
    re.IGNORECASE,
)
_IS_FREE = re.compile(r"\bfree\b|免费", re.IGNORECASE)
_ALL_GOODS = re.compile(
    r"\beverything\b|\b(?:all|every|any)\s+(?:our\s+)?(?:products?|items?)\b|所有(?:商品|产品)|全部商品|全场|任何商品",
    re.IGNORECASE,
)
#: "£4 off two jars", 两瓶立减20元.
_OFF_PIECES = re.compile(
    rf"\b(?:off|on)\s+(?P<en>[2-9]|1\d)\s+[a-z]+s\b|(?<![\d.])(?P<zh>[2-9])\s*{MEASURES}(?=立?减|[\d.]+\s*折)",
    re.IGNORECASE,
)
_ONLY_ONE = re.compile(
    rf"\b(?:take|buy|order|choose|pick|want)\s+(?:only|just)\s+1\b|\beven\s+(?:for\s+|on\s+)?(?:a\s+single|1)\b|(?:[买拿选要]|^|[,。!?])\s*1{MEASURES}也|\b(?:off|on)\s+(?:a\s+single|just\s+1|only\s+1|1)\s+[a-z]+",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    rf"(?:任[选意]|[买购]?满|[买购]够|凑[齐满够])\s*(?P<n>\d{{1,2}})\s*{MEASURES}"
    rf"|(?<![\d.])(?P<zh>\d{{1,2}})\s*{MEASURES}(?:起|以上|及以上|就打|即打|就享|即享)"
    r"|\b(?:from|at\s+least|minimum(?:\s+of)?)\s+(?P<from>\d{1,2})\s+(?:\w+\s+)?(?!days|years|weeks|months|hours|minutes|pounds|euros|dollars|times)[a-z]+s\b"
    r"|\b(?:any|buy|choose|pick|order|on)\s+(?:any\s+|just\s+)?(?P<en>\d{1,2})\s+(?:\w+\s+)?(?:or\s+more\s+)?(?!days|years|weeks|months|hours|minutes|pounds|euros|dollars|times)[a-z]+s\b",
    re.IGNORECASE,
)

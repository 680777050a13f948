"""A line of the facts said again with one thing other: one more colour in a list, cash instead of store credit, "works on
subscriptions" where the line says that it does not. What shares no words with a line is not looked at here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .reading import Draft, Reading, read_support
from .sheet import FactSheet, names_of_products
from .text import sentence_span

#: So many of a list have to stand in one line of the facts before the rest must stand in some.
LEAST_KNOWN = 2


def check_lists(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "In sage, rust, navy or black", where a line of the facts has the first three and nothing has the last."""
    lines = [words_of(line) for line in _lines_of_facts(sheet)]
    known = set().union(*lines) if lines else set()
    for reading in draft.readings:
        for items in _find_lists(reading):
            heads = [(words_of(words), start, end) for words, start, end in items]
            most = max((sum(bool(words & line) for words, _s, _e in heads) for line in lines), default=0)
            strange = [(s, e) for words, s, e in heads if not words & known and (s, e) != heads[0][1:]]
            if most >= LEAST_KNOWN and len(strange) == 1 and most == len(heads) - 1:
                yield reading.finding("detail", "block", _("The facts do not name this among the others."), strange[0])


def check_blends(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "A blend of retinol and squalane", where a product is of niacinamide and squalane."""
    lines = [words_of(line) for p in sheet.products for line in p.details.split("\n") if line]
    known = words_of(f"{names_of_products(sheet)}\n{read_support(sheet).passage.text}")
    for reading in draft.readings:
        for match in _BLEND.finditer(reading.masked):
            parts = [(words_of(match[name]), match.span(name)) for name in ("first", "second")]
            strange = [span for words, span in parts if words and not words & known]
            if len(strange) == 1 and any(words & line for words, _span in parts for line in lines):
                yield reading.finding("detail", "block", _("The facts do not name this among the others."), strange[0])


def check_endings(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "We take back books in good condition for cash", where the facts say "... in good condition for store credit"; a name
    needs fewer words before it: "translated from Norwegian" for "translated from German"."""
    facts = _lines_of_facts(sheet)
    known = words_of(f"{names_of_products(sheet)}\n{sheet.shop}\n" + "\n".join(facts))
    endings = dict(ending for line in facts for ending in _list_endings(line))
    for reading in draft.readings:
        for beginning, word, start in _find_endings(reading.masked):
            true = endings.get(beginning)
            is_name = bool(true) and word[:1].isupper() and str(true)[:1].isupper()
            is_long = sum(len(part) > 3 for part in beginning) > 1
            is_day = bool({word.lower(), word.lower().removesuffix("s")} & _SMALL_WORDS)
            if (
                true
                and not is_day
                and (is_name or is_long)
                and len(word) > 3
                and (words := words_of(word))
                and not words & known
            ):
                message = _("The facts say another thing here.")
                yield reading.finding("detail", "block", message, (start, start + len(word)))


def check_denials(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """What a line of the facts leaves out, promised; what a product is said to do, denied."""
    lines = _lines_of_facts(sheet)
    left_out = {word for line in lines for match in _LEFT_OUT.finditer(line) for word in _stems(match["what"])}
    left_out -= {word for line in lines if not _NOT.search(line) for word in _stems(line)}
    outside = {
        word
        for match in _LEFT_OUT_ZH.finditer(read_support(sheet).passage.text)
        for word in words_of(match[1] or match[2])
    }
    can = {
        word for p in sheet.products for line in p.details.split("\n") if not _NOT.search(line) for word in _stems(line)
    }
    for reading in draft.readings:
        for match in _WORKS_ON.finditer(reading.masked):
            start, _end = sentence_span(reading.masked, match.start())
            clause = re.split(r"[,;:]|\bbut\b", reading.masked[start : match.end()])[-1]
            if _stems(match["what"]) & left_out and not _NOT.search(clause):
                yield reading.finding("scope", "block", _("The facts leave this out."), match.span())
        for match in _INCLUDES_ZH.finditer(reading.masked):
            if words_of(match["what"]) & outside:
                yield reading.finding("scope", "block", _("The facts leave this out."), match.span())
        for match in _NOT_ON.finditer(reading.masked):
            if _stems(match["what"]) & can:
                yield reading.finding("detail", "block", _("The facts say the opposite."), match.span())


def check_free_of(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "No added sugar", "gluten-free", 无糖: what a thing is said to be without, the facts say too."""
    facts = f"{names_of_products(sheet)}\n{read_support(sheet).passage.text}"
    free = {_canon(match) for match in _FREE_OF.finditer(facts)} | {
        _SUBSTANCES[match["what"].lower().rstrip("s")] for match in _ZERO.finditer(facts)
    }
    spoken_of = {_SUBSTANCES[match.group().lower()] for match in _SUBSTANCE.finditer(facts)} - free
    for reading in draft.readings:
        for match in _FREE_OF.finditer(reading.masked):
            if (what := _canon(match)) not in free:
                verdict: Verdict = "block" if what in spoken_of else "warn"
                message = _("The facts do not say that it is without this.")
                yield reading.finding("detail", verdict, message, match.span())


def _canon(match: re.Match[str]) -> str:
    said = next(part for part in match.groups() if part).lower().rstrip("s")
    return _SUBSTANCES[said]


def _lines_of_facts(sheet: FactSheet) -> list[str]:
    parts = re.split(r"[!?。;；\n]+|\.(?=\s|$)", read_support(sheet).passage.text)
    return [part for part in parts if part.strip()]


def _find_lists(reading: Reading) -> Iterator[list[tuple[str, int, int]]]:
    """Rows of three things or more, each of a word or two. What stands before the first is not told from it, and so the first
    is left out where it has no other before it; the last ends at a sign."""
    for match in _LIST.finditer(reading.masked):
        parts = list(re.finditer(rf"{_WORD}(?:\s+(?!and\b|or\b){_WORD})?(?=,|\s+(?:and|or)\b|$)", match.group(), _I))
        yield [(part.group(), match.start() + part.start(), match.start() + part.end()) for part in parts]
    for match in _CHINESE_LIST.finditer(_with_pauses(reading)):
        parts = list(re.finditer(r"[\u4e00-\u9fff]{2,}", re.sub("[和或及]", " ", match.group())))
        spans = [part.span() for part in parts]
        spans[0] = (max(spans[0][0], spans[0][1] - 2), spans[0][1])
        spans[-1] = (spans[-1][0], min(spans[-1][1], spans[-1][0] + 2))
        yield [(match.group()[start:end], match.start() + start, match.start() + end) for start, end in spans]


def _with_pauses(reading: Reading) -> str:
    """The text with 、 where it stood, which folding makes a comma of."""
    raw, origin = reading.passage.raw, reading.passage.origin
    return "".join(
        "、" if sign == "," and raw[place[0]] == "、" else sign
        for sign, place in zip(reading.masked, origin, strict=True)
    )


@lru_cache(maxsize=4_096)
def words_of(text: str) -> frozenset[str]:
    """Words from three letters on, in the singular and cut to what their forms share; in Chinese every two signs."""
    words = {w.removesuffix("s")[:5] for w in re.findall(r"[a-zà-ÿ]{3,}", text.lower()) if w not in _SMALL_WORDS}
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    return frozenset(words | {run[i : i + 2] for run in runs for i in range(len(run) - 1)})


def _stems(text: str) -> frozenset[str]:
    return frozenset(word for word in words_of(text) if len(word) > 3)


def _list_endings(line: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for beginning, word, _start in _find_endings(line):
        yield beginning, word


def _find_endings(text: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """The words up to a preposition, and what comes behind it: (("translated", "from"), "German"), and with one more word
    before, (("good", "condition", "for"), "store")."""
    for match in _ENDING.finditer(text):
        words = (*re.findall(r"[a-z]+", match["before"].lower()), match["prep"].lower())
        for size in (2, 3):
            if len(words) >= size:
                yield words[-size:], match["word"], match.start("word")


_I = re.IGNORECASE
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "the and for with our your you are its all any one two but not who can has have from into that this them they was were"
        " out off per each also plus both more most very just now here new every other either these those then when what which"
        " monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
        " january february march april june july august september october november december",
    )
)
_WORD = r"[A-Za-zà-ÿ][\w'à-ÿ-]*"
_LIST = re.compile(
    rf"\b{_WORD}(?:,\s+(?!and\b|or\b){_WORD}(?:\s+(?!and\b|or\b){_WORD})?){{1,6}},?\s+(?:and|or)\s+{_WORD}(?=\s*[,.;:!?()]|\s*$)",
    _I,
)
_BLEND = re.compile(
    rf"\b(?:blend|mix|mixture|notes|combination|made|contains)\s+(?:of\s+|from\s+|with\s+)?(?P<first>{_WORD})\s+and\s+(?P<second>{_WORD})"
    r"(?=\s*[,.;:!?()]|\s*$)",
    _I,
)
_CHINESE_LIST = re.compile(
    r"[\u4e00-\u9fff]{2,6}(?:、 ?[\u4e00-\u9fff]{2,6}?){1,6}[和或及][\u4e00-\u9fff]{2,}"
    r"|[\u4e00-\u9fff]{2,6}(?:、 ?[\u4e00-\u9fff]{2,6}){2,6}"
)
_ENDING = re.compile(
    rf"\b(?=(?P<before>[a-z]{{3,}}(?:\s+[a-z]{{3,}})?)\s+(?P<prep>from|for|in|of|with|by|on|to)\s+(?:the\s+|an?\s+)?(?P<word>{_WORD}))",
    _I,
)
_NOT = re.compile(r"\b(?:not|no|never|cannot|except|exclud\w+|without)\b|n't\b|不|无法|除", _I)
_LEFT_OUT = re.compile(
    r"\b(?:not\s+(?:valid|available|applicable|usable)|(?:cannot|can't|may\s+not)\s+be\s+(?:used|combined|redeemed)|does\s+not\s+(?:apply|work)|excluded)"
    r"\s+(?:on|for|with|to|in|from|at)\s+(?P<what>[a-z][a-z -]{2,40})",
    _I,
)
_LEFT_OUT_ZH = re.compile(
    r"([\u4e00-\u9fff]{2,8}(?:, ?[\u4e00-\u9fff]{2,8}){0,4})(?:地区)?除外|除(?!了)([\u4e00-\u9fff、, ]{2,16}?)(?:以外|之外|外)"
)
_INCLUDES_ZH = re.compile(r"(?:(?<![不除])含|包括|连)(?P<what>[\u4e00-\u9fff]{2,8}(?:, ?[\u4e00-\u9fff]{2,8}){0,4})")
_WORKS_ON = re.compile(
    r"\b(?:works?|valid|applies|apply|good|use(?:\s+(?:it|the\s+code))?|counts?|holds?)\s+"
    r"(?:\w+\s+)?(?:on|for|with|to|in|at)\s+(?P<what>[a-z][a-z -]{2,30})",
    _I,
)
_NOT_ON = re.compile(
    r"\b(?:not|isn't|aren't|won't|doesn't|don't)\s+(?:\w+\s+){0,2}?(?:on|for|with|in)\s+(?:the\s+|an?\s+)?(?P<what>[a-z]{4,})",
    _I,
)
_WHAT = (
    "sugar|gluten|lactose|dairy|milk|grain|wheat|nut|soy|caffeine|alcohol|additive|preservative|colouring|colorant|flavouring|sweetener"
    "|palm oil|paraben|silicone|sulphate|sulfate|fragrance|perfume|salt|fat|cholesterol"
)
_ZH_WHAT = {
    "糖": "sugar", "蔗糖": "sugar", "麸质": "gluten", "乳糖": "lactose", "咖啡因": "caffeine", "酒精": "alcohol",
    "添加剂": "additive", "防腐剂": "preservative", "色素": "colouring", "香精": "flavouring", "谷": "grain",
    "谷物": "grain", "盐": "salt", "香料": "fragrance",
}  # fmt: skip
_SUBSTANCES = {word: word for word in _WHAT.split("|")} | _ZH_WHAT | {"添加": "additive"}
_SUBSTANCE = re.compile(rf"\b(?:{_WHAT})(?=s?\b)|{'|'.join(sorted(_ZH_WHAT, key=len, reverse=True))}", _I)
_FREE_OF = re.compile(
    rf"\b({_WHAT})s?[\s-]free\b|\b(?:no|without|zero|free\s+(?:of|from))\s+(?:any\s+|added\s+|artificial\s+|extra\s+){{0,2}}({_WHAT})s?\b"
    rf"|(?:不含|无|零|0)(?:添加)?({'|'.join(sorted(_ZH_WHAT, key=len, reverse=True))}|添加)",
    _I,
)
_ZERO = re.compile(rf"\b(?P<what>{_WHAT})s?:?\s*(?:0(?:\.0+)?\s*(?:%|g\b|mg\b)|none\b)", _I)

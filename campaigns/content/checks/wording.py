"""Language, loudness, and words that are for staff only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading
from .sheet import FactSheet
from .text import FILLER

LONG_ENOUGH = 8


def check_language(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The script, and for English its small words; a single field may be in the wrong language too."""
    language = sheet.language.split("-")[0]
    if language not in {"en", "zh"}:
        return
    for reading in draft.readings:
        if _is_other_language(_plain_words(reading), language):
            message = _("This is not written in the customer's language (%(language)s).") % {"language": sheet.language}
            yield Finding("language", "block", reading.passage.field, message, reading.passage.raw.strip()[:60])


def check_scoring_words(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Nobody is told in which drawer they lie."""
    for reading in draft.readings:
        for match in _SCORING.finditer(reading.masked):
            message = _("This is a word of ours about customers, not for them.")
            yield reading.finding("scoring", "block", message, match.span())
        text = " ".join(reading.passage.raw.lower().split())
        for label in sheet.labels:
            if len(label.split()) > 1 and " ".join(label.lower().split()) in text:
                message = _("The name of the segment stands in the text.")
                yield Finding("scoring", "block", reading.passage.field, message, label[:80])


def check_shouting(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Capitals, rows of exclamation marks, many emoji."""
    for reading in draft.readings:
        capitals = [word for word in re.findall(r"\b[A-Z]{4,}\b", reading.masked) if word not in _ACRONYMS]
        if len(capitals) > 1 or (capitals and reading.passage.field == "subject"):
            message = _("Capitals shout. Write words in the usual way.")
            yield Finding("shouting", "warn", reading.passage.field, message, " ".join(capitals)[:80])
        if re.search(r"[!！]{2,}", reading.passage.raw):
            yield Finding("shouting", "warn", reading.passage.field, _("One exclamation mark is enough."))
        if sum(unicodedata.category(sign) == "So" for sign in reading.passage.raw) > 3:
            yield Finding("shouting", "warn", reading.passage.field, _("There are many emoji."))


def _plain_words(reading: Reading) -> str:
    text = re.sub(r"\{\{[^{}]*\}\}|https?://\S+|\S+@\S+", " ", reading.masked)
    return re.sub(r"\b[A-Z0-9_-]{3,}\b", " ", text.replace(FILLER, " "))


def _is_other_language(text: str, language: str) -> bool:
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    kana = len(re.findall(r"[\u3040-\u30ff\uac00-\ud7af]", text))
    words = re.findall(r"[A-Za-zÀ-ÿ']+", text)
    other = sum(sign.isalpha() and not sign.isascii() and not "À" <= sign <= "ɏ" for sign in text) - han
    if language == "zh":
        return han + kana + len(words) + other > 2 and (kana > han * 0.1 or han < 2 * (len(words) + other))
    if han + other > 0.1 * (han + other + 5 * len(words)) and han + other > 1:
        return True
    english = sum(word.lower() in _ENGLISH for word in words) / max(len(words), 1)
    foreign = sum(word.lower() in _FOREIGN for word in words) / max(len(words), 1)
    return len(words) >= LONG_ENOUGH and foreign > english and foreign > 0.12


_SCORING = re.compile(
    r"\bas\s+an\s+ai\b|\b(?:ai|language)\s+model\b|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|"
    r"\bchurn\w*|\bat[\s-]risk\b|\bsegment(?:s|ed|ation)?\b|\blikely\s+to\s+(?:leave|churn|stop|lapse)|\babout\s+to\s+leave\b|\blapsed\b|\bwin[\s-]?back\b|\binactive\s+(?:customer|user|member)|\bdormant\b"
    r"|\bpropensity\b|\bretention\b|\blifetime\s+value\b|\bhigh[\s-]value\s+customer|\bhold-?out\b|\barchetype\b|\breactivat\w+|\bour\s+(?:model|algorithm|data|records)\s+(?:says?|shows?|predicts?|suggests?)|\bpredict(?:s|ed|ion)?\s+(?:that\s+)?you|\b(?:your|risk|customer|engagement|rfm)\s+score\b|\btarget\s+(?:group|audience)\b"
    r"|\byou(?:'re|\s+are)\s+(?:about\s+to\s+leave|leaving\s+us|a\s+lost\s+customer)|流失|沉睡(?:用户|客户|会员)|高风险|召回(?:用户|客户)|挽回(?:用户|客户)|唤醒(?:用户|客户)|目标人群|客户分[群层]|细分(?:人群|客群)|高价值客户|用户画像|留存率|预测您",
    re.IGNORECASE,
)
_ACRONYMS = frozenset(["GORE", "HTTP", "HTTPS", "NATO", "IKEA"])
_ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "to",
        "of",
        "in",
        "for",
        "on",
        "with",
        "your",
        "you",
        "we",
        "our",
        "is",
        "are",
        "it",
        "this",
        "that",
        "have",
        "has",
        "been",
        "at",
        "from",
        "by",
        "as",
        "be",
        "will",
        "can",
        "all",
        "not",
        "but",
        "so",
        "if",
        "when",
        "what",
        "there",
        "here",
        "more",
        "just",
        "new",
        "now",
        "out",
        "up",
        "about",
        "into",
        "some",
        "its",
        "was",
        "were",
        "us",
        "my",
        "me",
        "i",
        "they",
        "them",
        "their",
        "back",
        "off",
        "until",
        "get",
    ]
)
_FOREIGN = frozenset(
    [
        "der",
        "die",
        "das",
        "und",
        "ist",
        "nicht",
        "mit",
        "für",
        "sie",
        "wir",
        "ein",
        "eine",
        "einen",
        "auf",
        "von",
        "zu",
        "dem",
        "den",
        "im",
        "ihr",
        "ihre",
        "auch",
        "sich",
        "noch",
        "bei",
        "haben",
        "es",
        "le",
        "la",
        "les",
        "et",
        "des",
        "une",
        "un",
        "du",
        "est",
        "pour",
        "avec",
        "vous",
        "nous",
        "votre",
        "nos",
        "sur",
        "dans",
        "pas",
        "que",
        "qui",
        "ce",
        "cette",
        "el",
        "los",
        "las",
        "y",
        "en",
        "su",
        "una",
        "para",
        "con",
        "por",
        "usted",
        "de",
        "il",
        "lo",
        "di",
        "che",
        "per",
        "non",
        "è",
        "i",
        "gli",
        "della",
        "sono",
        "het",
        "een",
        "van",
        "voor",
        "met",
        "je",
        "u",
        "ons",
        "onze",
        "niet",
        "zijn",
        "och",
        "att",
        "det",
        "som",
        "för",
        "med",
        "på",
        "av",
        "är",
        "vi",
    ]
)

"""Language and loudness."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading
from .sheet import FactSheet
from .text import FILLER, NOT_WORDS

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
    text = NOT_WORDS.sub(" ", reading.masked)
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

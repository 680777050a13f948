"""Recognises what is for people only in wordings that no list foresees: the list of `escalating` is a floor, this is beside it.

A classifier for each language (`classifier`, as triage has for its other fields), learned from the sentences in
`examples_en.txt` and `examples_zh.txt`, which were written for it: no customer's words are in it. What came of them is kept in
`people_only_en.json` and `people_only_zh.json` (`./rekindle manage learn_people_only`). Each sentence of a text is weighed by
itself, so that a long letter hides none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from .classifier import Floats, TextClassifier
from .folding import fold_text
from .rules import find_language
from .sections import read_sections

LANGUAGES: Final = ("en", "zh")
HARMLESS: Final = "harmless"
#: From here on a sentence is for people: chosen over whole lines of the examples (`./rekindle bench people_only`) that the
#: classifier had not seen. docs/support.md has what it costs.
LEAST: Final = {"en": 0.93, "zh": 0.94}
STRENGTH: Final = 10.0
#: A writer's sentences, and pieces of one that goes on over several commas.
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\n+")
_DIGIT: Final = re.compile(r"\d")
#: Without one of these a row of figures is a telephone number or that of an order, and no payment data.
_PAYS: Final = re.compile(
    r"card|cvv|cvc|iban|bank|account|\bpin\b|password|login|\bcode|visa|master|amex|digits|卡|密码|账|帐|户|验证|短信|支付",
    re.I,
)
MOST_SENTENCES: Final = 1_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Example:
    """A sentence with its reason, or `HARMLESS`; wordings of one thing have the same `group`."""

    text: str
    label: str
    group: int


def recognise_reason(text: str) -> str:
    """The reason of the sentence that speaks clearest for one; "" where none speaks clearly enough. `text` may be any."""
    sentences = split_text(text)
    best, reason = 0.0, ""
    for language in LANGUAGES:
        own = [sentence for sentence in sentences if find_language(sentence) == language]
        if not own:
            continue
        recogniser = load_recogniser(language)
        shares = recogniser.predict_proba(own)
        for sentence, sureness, label in zip(own, *rate_sentences(recogniser, shares), strict=True):
            is_meant = label != "payment_data" or _PAYS.search(sentence)
            if sureness >= LEAST[language] and sureness > best and is_meant:
                best, reason = sureness, label
    return reason


def rate_sentences(recogniser: TextClassifier, shares: Floats) -> tuple[list[float], list[str]]:
    """For each row of `shares` how far its likeliest reason outweighs harmlessness (0 to 1, even at .5), and that reason."""
    at = recogniser.classes_.index(HARMLESS)
    reasons = [label for label in recogniser.classes_ if label != HARMLESS]
    others = np.delete(shares, at, axis=1)
    likeliest = others.max(axis=1)
    sureness = likeliest / (likeliest + shares[:, at])
    return [float(one) for one in sureness], [reasons[int(one)] for one in others.argmax(axis=1)]


def split_text(text: str) -> list[str]:
    """The sentences of a text as the recogniser reads them: folded, each figure a nought, each once."""
    plain = _DIGIT.sub("0", fold_text(text))
    sentences = (sentence.strip() for sentence in _SENTENCE.split(plain))
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))[:MOST_SENTENCES]


def read_examples(language: str) -> list[Example]:
    """What a language's recogniser learns from."""
    sections = read_sections(Path(__file__).parent / f"examples_{language}.txt")
    lines = [(label, line) for label, entries in sections.items() for line in entries]
    return [
        Example(_DIGIT.sub("0", fold_text(text)).strip(), label, group)
        for group, (label, line) in enumerate(lines)
        for text in line.split(" | ")
    ]


def train_recogniser(language: str, examples: Sequence[Example]) -> TextClassifier:
    """Deterministic; within a second or two."""
    classifier = TextClassifier(language, strength=STRENGTH, each_alone=True)
    return classifier.fit([one.text for one in examples], [one.label for one in examples])


def learn_recogniser(language: str) -> dict[str, Any]:
    """What is kept of a language's examples, with the mark of what it was learned from."""
    examples = read_examples(language)
    return {"learned_from": mark_examples(examples)} | train_recogniser(language, examples).to_plain()


def mark_examples(examples: Sequence[Example]) -> str:
    """A hash of the sentences and of how they are learned from: where it differs, what is kept is out of date."""
    told = [STRENGTH, *((one.label, one.text) for one in examples)]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def find_kept_file(language: str) -> Path:
    """Where what a language's recogniser has learned is kept."""
    return Path(__file__).parent / f"people_only_{language}.json"


@lru_cache(maxsize=len(LANGUAGES))
def load_recogniser(language: str) -> TextClassifier:
    """As it is kept, within some hundredths of a second; learned anew where the examples were changed since, within seconds."""
    kept, examples = find_kept_file(language), read_examples(language)
    told = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    if told.get("learned_from") == mark_examples(examples):
        return TextClassifier.from_plain(told)
    log.warning("people_only_out_of_date", language=language, mend="./rekindle manage learn_people_only")
    return train_recogniser(language, examples)

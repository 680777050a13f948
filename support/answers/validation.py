"""The validating step: each sentence of an answer with the passage that carries it, or a mark that none does.

By rules, so that it holds without a model and against one: numbers with their units, names, negation, words that widen
("always", "everybody"), conditions left out, and the ideas that the passage does not have. A sentence that is marked may
be right; one that is not marked stands in the base. A model's own view (`drafting`) can add marks, never take one away.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .articles import Passage, split_sentences
from .numbers import find_numbers
from .word_lists import read_pattern
from .words import find_ideas, find_keys, is_chinese

#: The share of a sentence's ideas, usual ones counted a quarter, that its passage may lack.
MOST_MISSING: Final = 0.2
_NEGATION: Final = read_pattern("negation")
_WIDENING: Final = read_pattern("widening")
_CONDITION: Final = read_pattern("condition")
_NAME: Final = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+|[A-Z]{2,}")
_ADDRESS: Final = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+\.\w+"
    r"|\b[\w-]+\.(?:com|org|net|co|io|de|uk|cn|shop|test|example)\b\S*",
    re.I,
)

#: Sentences that promise nothing: they need no source.
_COURTESY: Final = re.compile(rf"(?:{read_pattern('courtesy').pattern})[\s,.!，。！]*", re.IGNORECASE)


@dataclass(frozen=True)
class CheckedSentence:
    """A sentence, the passage that carries it (None: none does) and, where none does, why: a word for each rule."""

    text: str
    source: Passage | None
    why: tuple[str, ...] = ()
    is_courtesy: bool = False

    @property
    def is_supported(self) -> bool:
        return self.source is not None or self.is_courtesy


def check_answer(answer: str, passages: Sequence[Passage], *, facts: Iterable[str] = ()) -> list[CheckedSentence]:
    """Each sentence of an answer with what carries it. `facts` are texts that code filled in, such as an order's state."""
    sources = [*passages, *(Passage("", number, fact, is_chinese(fact)) for number, fact in enumerate(facts))]
    return [check_sentence(sentence, sources) for line in answer.splitlines() for sentence in split_sentences(line)]


def check_sentence(sentence: str, passages: Sequence[Passage]) -> CheckedSentence:
    """The passage that carries a sentence, or what the nearest one lacks."""
    if _COURTESY.fullmatch(sentence.strip()):
        return CheckedSentence(sentence, None, is_courtesy=True)
    folded = _fold(sentence)
    best: tuple[tuple[int, float], tuple[str, ...]] | None = None
    for passage in passages:
        if folded == _fold(passage.text):
            return CheckedSentence(sentence, passage)
        missing = _share_missing(sentence, passage)
        faults = _find_faults(sentence, passage.text, missing)
        if not faults:
            return CheckedSentence(sentence, passage)
        if best is None or (len(faults), missing) < best[0]:
            best = ((len(faults), missing), faults)
    return CheckedSentence(sentence, None, best[1] if best else ("no_source",))


def _find_faults(sentence: str, passage: str, missing: float) -> tuple[str, ...]:
    faults = []
    if missing > MOST_MISSING:
        faults.append("no_source")
    if find_numbers(sentence) - find_numbers(passage):
        faults.append("number")
    if _names(sentence) - _names(passage, everywhere=True):
        faults.append("name")
    if {found.lower() for found in _ADDRESS.findall(sentence)} - {found.lower() for found in _ADDRESS.findall(passage)}:
        faults.append("address")
    if len(_NEGATION.findall(sentence)) != len(_NEGATION.findall(passage)):
        faults.append("negation")
    if _count(_WIDENING, sentence) - _count(_WIDENING, passage):
        faults.append("widened")
    if _CONDITION.search(passage) and not _CONDITION.search(sentence):
        faults.append("condition")
    return tuple(faults)


def _count(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(match.group(0).lower() for match in pattern.finditer(text))


def _share_missing(sentence: str, passage: Passage) -> float:
    """The weight of the ideas of a sentence that its passage lacks; 1 for a sentence without any."""
    held = find_keys(passage.text, strictly=True)
    weights = {idea.key: (0.25 if idea.claims_little else 1.0, {idea.key, *idea.same}) for idea in find_ideas(sentence)}
    total = sum(weight for weight, _keys in weights.values())
    return sum(weight for weight, keys in weights.values() if not keys & held) / total if total else 1.0


def _names(text: str, *, everywhere: bool = False) -> set[str]:
    pattern = re.compile(r"[A-Za-z][\w’'-]+") if everywhere else _NAME
    return {name.lower().removesuffix("'s").removesuffix("’s") for name in pattern.findall(text)}


def _fold(text: str) -> str:
    return re.sub(r"[\s.!。！]+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()

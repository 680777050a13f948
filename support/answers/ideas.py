"""What customers and shops say in several ways: the lines of `concepts.txt`, by English phrase and by Chinese word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from .stems import stem

_IS_CJK: Final = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True)
class Idea:
    """One thing that a text speaks of. `key` compares; `text` is as it was written.

    `same` are the keys of further lines that have this word: a text that has it speaks of them too. `wider` are those of
    which it is a part: who asks about a Saturday is answered by "every day", though not the other way round. `implied` are
    the parts of it: postage speaks of delivery and of what it costs, and neither alone answers who asks for postage.
    `claims_little` is for what an answer says as `is_usual` is for what a question asks, and stricter.
    """

    key: str
    text: str
    is_usual: bool = False
    same: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    implied: tuple[str, ...] = ()
    claims_little: bool = False

    @property
    def spoken(self) -> tuple[str, ...]:
        """The keys that a text with this word has."""
        return (self.key, *self.same, *self.implied)

    @property
    def answered_by(self) -> tuple[str, ...]:
        """The keys of which a text needs one to answer a question with this word."""
        return (self.key, *self.same, *self.wider)


@dataclass(frozen=True)
class Concept:
    """One line; `is_usual` where nearly every question has it."""

    key: str
    is_usual: bool
    wider: tuple[str, ...]
    parts: tuple[str, ...] = ()
    claims_little: bool = False


@dataclass(frozen=True)
class Lexicon:
    """`english` by the stems of a phrase; `made_of` are ideas that follow where several others are."""

    english: dict[tuple[str, ...], list[Concept]]
    chinese: dict[str, list[Concept]]
    made_of: dict[str, frozenset[str]]
    #: The English words of all terms as they are written.
    written: frozenset[str]
    longest_english: int
    longest_chinese: int


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """`concepts.txt`, whose head says how a line is read."""
    english: dict[tuple[str, ...], list[Concept]] = {}
    joined: dict[tuple[str, ...], list[Concept]] = {}
    chinese: dict[str, list[Concept]] = {}
    made_of: dict[str, frozenset[str]] = {}
    written: set[str] = set()
    for line in (Path(__file__).parent / "concepts.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, first, second = (part.strip() for part in line.split("|"))
        name, _arrow, wider = head.lstrip("~").partition(">")
        name, _arrow, parts = name.partition("<")
        made = tuple(f"={part.strip()}" for part in parts.split("+")) if parts else ()
        if made:
            made_of[f"={name.strip()}"] = frozenset(made)
        is_usual, wide = head.startswith("~"), (f"={wider.strip()}",) if wider else ()
        concept = Concept(f"={name.strip()}", is_usual, wide, made, is_usual and not head.startswith("~~"))
        for term in first.split(","):
            words = re.split(r"[\s-]+", term.strip())
            written.update(words)
            english.setdefault(tuple(map(stem, words)), []).append(concept)
            if len(words) == 2:  # pick up, pickup
                joined.setdefault((stem("".join(words)),), []).append(concept)
        for term in second.split(","):
            if _IS_CJK.match(term.strip()):
                chinese.setdefault(term.strip(), []).append(concept)
    english = joined | english
    return Lexicon(english, chinese, made_of, frozenset(written), max(map(len, english)), max(map(len, chinese)))


def merge_concepts(concepts: Sequence[Concept], text: str) -> Idea:
    """One idea for a term that stands in several lines: any of them answers it, but for those of which another is made."""
    parts = {part for concept in concepts for part in concept.parts}
    first, *others = [concept for concept in concepts if concept.key not in parts]
    wider = tuple(key for concept in concepts for key in concept.wider)
    is_usual = any(concept.is_usual for concept in concepts)  # what may mean nothing in particular tells little
    same, little = tuple(other.key for other in others), all(concept.claims_little for concept in concepts)
    return Idea(first.key, text, is_usual, same, wider, tuple(sorted(parts)), little)

"""Takes texts in English and Chinese apart into ideas that can be compared, across wordings and across the two languages.

English words lose their endings (Lovins-like, a few rules); Chinese, which has no spaces, is cut by the longest idea of
`concepts.txt` that fits and for the rest into overlapping pairs of characters. An idea is a line of that file or a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from support.triage.rules import find_language

from .word_lists import read_list

_CJK: Final = "\u3400-\u9fff"
_RUN: Final = re.compile(rf"[{_CJK}]+|[^\W{_CJK}_]+(?:['’.-][^\W{_CJK}_]+)*")
_IS_CJK: Final = re.compile(rf"[{_CJK}]")

STOP_WORDS: Final = frozenset(read_list("stop words"))
STOP_CHINESE: Final = frozenset(read_list("stop Chinese"))
_BETWEEN: Final = frozenset(("it", "them", "someth", "this", "that", "my", "me", "these", "one"))
_IRREGULAR: Final = {
    "sent": "send", "bought": "buy", "paid": "pay", "kept": "keep", "broke": "break", "broken": "break", "worn": "wear",
    "wore": "wear", "forgot": "forget", "forgotten": "forget", "children": "child", "feet": "foot", "got": "get",
    "lost": "lose", "stolen": "steal", "sold": "sell", "came": "come", "torn": "tear", "ground": "ground", "cost": "cost",
}  # fmt: skip


@dataclass(frozen=True)
class Idea:
    """One thing that a text speaks of. `key` compares; `text` is as it was written; `covers` are further keys that answer it."""

    key: str
    text: str
    is_usual: bool = False
    covers: tuple[str, ...] = ()


def find_ideas(text: str) -> list[Idea]:
    """The ideas of a text in order, without words that every sentence has. Any text; "" gives none."""
    found: list[Idea] = []
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    words: list[str] = []
    for run in _RUN.findall(folded):
        if _IS_CJK.match(run):
            found += _match_words(words)
            words = []
            found += _cut_chinese(run)
        else:
            words += [part for part in re.split(r"[-.]", run) if part] if not run.isnumeric() else [run]
    return found + _match_words(words)


def stem(word: str) -> str:
    """An English word without its ending; other words as they are."""
    word = word.removesuffix("'s").removesuffix("s'").replace("'", "")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "i"
    if len(word) > 3 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 2 and word.endswith(ending) and re.search("[aeiouy]", word[: -len(ending)]):
            word = word[: -len(ending)]
            if len(word) > 2 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") and word[-2] not in "aeiou" else word


def hold_keys(ideas: Iterable[Idea]) -> set[str]:
    """Every key that a text with these ideas has, those that are made of several included."""
    keys = {key for idea in ideas for key in (idea.key, *idea.covers)}
    return keys | {whole for whole, parts in _lexicon().made_of.items() if parts <= keys}


def is_chinese(text: str) -> bool:
    """Whether a text is written in Chinese: as many of its characters as it has words in other letters, or more."""
    return find_language(text) == "zh"


@dataclass(frozen=True)
class _Concept:
    key: str
    is_usual: bool
    covers: tuple[str, ...]


@dataclass(frozen=True)
class _Lexicon:
    english: dict[tuple[str, ...], list[_Concept]]
    chinese: dict[str, list[_Concept]]
    made_of: dict[str, frozenset[str]]
    longest_english: int
    longest_chinese: int


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    english: dict[tuple[str, ...], list[_Concept]] = {}
    chinese: dict[str, list[_Concept]] = {}
    made_of: dict[str, frozenset[str]] = {}
    for line in (Path(__file__).parent / "concepts.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, first, second = (part.strip() for part in line.split("|"))
        name, _arrow, wider = head.lstrip("~").partition(">")
        name, _arrow, parts = name.partition("<")
        if parts:
            made_of[f"={name.strip()}"] = frozenset(f"={part.strip()}" for part in parts.split("+"))
        concept = _Concept(f"={name.strip()}", head.startswith("~"), (f"={wider.strip()}",) if wider else ())
        for term in first.split(","):
            english.setdefault(tuple(stem(word) for word in re.split(r"[\s-]+", term.strip())), []).append(concept)
        for term in second.split(","):
            if _IS_CJK.match(term.strip()):
                chinese.setdefault(term.strip(), []).append(concept)
    return _Lexicon(english, chinese, made_of, max(map(len, english)), max(map(len, chinese)))


def _match_words(words: list[str]) -> list[Idea]:
    """The longest phrase of the lexicon at each place, or the word itself."""
    lexicon, stems, found, at = _lexicon(), [stem(word) for word in words], [], 0
    while at < len(words):
        for length in range(min(lexicon.longest_english + 1, len(words) - at), 0, -1):
            concepts = lexicon.english.get(tuple(stems[at : at + length])) or _match_around(stems[at : at + length])
            if concepts and (length > 1 or words[at] not in STOP_WORDS):
                found.append(_merge(concepts, " ".join(words[at : at + length])))
                at += length
                break
        else:
            if words[at] not in STOP_WORDS and len(words[at]) > 1:
                found.append(Idea(stems[at], words[at], is_usual=words[at].isnumeric()))
            at += 1
    return found


def _match_around(stems: list[str]) -> list[_Concept] | None:
    """A phrase of two words with one between that stands for the thing: "send it back"."""
    if len(stems) != 3 or stems[1] not in _BETWEEN:
        return None
    return _lexicon().english.get((stems[0], stems[2]))


def _cut_chinese(run: str) -> list[Idea]:
    lexicon, found, rest, at = _lexicon(), [], "", 0
    while at < len(run):
        for length in range(min(lexicon.longest_chinese, len(run) - at), 0, -1):
            piece = run[at : at + length]
            concepts = lexicon.chinese.get(piece)
            if concepts or piece in STOP_CHINESE:
                found += _pair(rest)
                rest = ""
                if concepts:
                    found.append(_merge(concepts, piece))
                at += length
                break
        else:
            rest += run[at]
            at += 1
    return found + _pair(rest)


def _pair(rest: str) -> list[Idea]:
    """Overlapping pairs of characters; a single one as it is."""
    if len(rest) <= 2:
        return [Idea(rest, rest, is_usual=len(rest) == 1)] if rest else []
    return [Idea(rest[at : at + 2], rest[at : at + 2]) for at in range(len(rest) - 1)]


def _merge(concepts: list[_Concept], text: str) -> Idea:
    """One idea for a term that stands in several lines: any of them covers it."""
    first, others = concepts[0], concepts[1:]
    covers = tuple(key for concept in concepts for key in concept.covers) + tuple(other.key for other in others)
    return Idea(first.key, text, first.is_usual, covers)

"""Takes texts in English and Chinese apart into ideas that can be compared, across wordings and across the two languages.

An idea is a line of `concepts.txt` or a word: English without its ending (`stems`), Chinese as a kept library cuts it
(`chinese_words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from support.triage.folding import fold_text
from support.triage.rules import find_language

from .chinese_words import cut_chinese, find_pieces
from .ideas import Concept, Idea, load_lexicon, merge_concepts
from .stems import stem
from .word_lists import read_list

_CJK: Final = "\u3400-\u9fff"
_RUN: Final = re.compile(rf"[{_CJK}]+|[^\W{_CJK}_]+(?:['’.-][^\W{_CJK}_]+)*")
_IS_CJK: Final = re.compile(rf"[{_CJK}]")

#: "12.50 euros for Denmark" says what it costs without the word.
_MONEY: Final = re.compile(r"[£$€¥]\s?\d|\d\s?(?:euro|eur\b|pound|gbp|dollar|usd|yuan|cny|欧元|英镑|美元|元)")
_COST: Final = Idea("=cost", "")

STOP_WORDS: Final = frozenset(read_list("stop words"))
_BETWEEN: Final = frozenset(("it", "them", "someth", "this", "that", "my", "me", "these", "one"))


def find_ideas(text: str) -> list[Idea]:
    """The ideas of a text in order, without words that every sentence has. Any text; "" gives none."""
    found: list[Idea] = []
    words: list[str] = []
    for run in _RUN.findall(_fold(text)):
        if _IS_CJK.match(run):
            found += _match_words(words)
            words = []
            found += cut_chinese(run)
        else:
            words += [part for part in re.split(r"[-.]", run) if part] if not run.isnumeric() else [run]
    return found + _match_words(words)


def find_keys(text: str) -> set[str]:
    """Everything that a text speaks of: the keys of its ideas, its pieces of Chinese, and what an amount of money says."""
    folded = _fold(text)
    keys = hold_keys([*find_ideas(text), _COST] if _MONEY.search(folded) else find_ideas(text))
    return keys | find_pieces(folded)


def hold_keys(ideas: Iterable[Idea]) -> set[str]:
    """Every key that a text with these ideas has, those that are made of several included."""
    keys = {key for idea in ideas for key in idea.spoken}
    wholes = load_lexicon().made_of
    return keys | {whole for whole, parts in wholes.items() if parts <= keys}


def is_chinese(text: str) -> bool:
    """Whether a text is written in Chinese: as many of its characters as it has words in other letters, or more."""
    return find_language(text) == "zh"


def _fold(text: str) -> str:
    return fold_text(text).lower()


def _match_words(words: list[str]) -> list[Idea]:
    """The longest phrase of the lexicon at each place, or the word itself."""
    lexicon, stems, found, at = load_lexicon(), [stem(word) for word in words], [], 0
    while at < len(words):
        for length in range(min(lexicon.longest_english + 1, len(words) - at), 0, -1):
            concepts = lexicon.english.get(tuple(stems[at : at + length])) or _match_around(stems[at : at + length])
            if concepts and (length > 1 or words[at] not in STOP_WORDS):
                found.append(merge_concepts(concepts, " ".join(words[at : at + length])))
                at += length
                break
        else:
            if words[at] not in STOP_WORDS and len(words[at]) > 1:
                found.append(Idea(stems[at], words[at], is_usual=words[at].isnumeric()))
            at += 1
    return found


def _match_around(stems: list[str]) -> list[Concept] | None:
    """A phrase of two words with one between that stands for the thing: "send it back"."""
    if len(stems) != 3 or stems[1] not in _BETWEEN:
        return None
    return load_lexicon().english.get((stems[0], stems[2]))

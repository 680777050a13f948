"""Puts slips of the finger right before a question is asked: towards words of the base and of our lists, never away from one.

Two letters that changed places ("lable"), and in words of six letters or more one that is missing, doubled or too much
("adress", "recieve", "delievery"), as in Damerau 1964, who found four slips in five to be of these kinds. Another letter in the
place of one is left alone: that makes a word that somebody may have meant ("shirt", "short").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from .ideas import load_lexicon
from .stems import stem
from .word_lists import read_list

SHORTEST_SWAPPED, SHORTEST_OTHER = 5, 6
_WORD: Final = re.compile(r"(?<![\w@./-])[A-Za-z]{5,20}(?![\w@/-])")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def list_words(texts: Iterable[str]) -> frozenset[str]:
    """The English words of some texts in small letters."""
    return frozenset(word.lower() for text in texts for word in re.findall(r"[A-Za-z]{3,20}", text))


def correct_spelling(text: str, words: frozenset[str]) -> str:
    """The text with each word that nobody knows and that is one slip away from exactly one known word put right.

    `words` are those of the base; names (in capitals inside a sentence) are looked at as well, because customers write them so
    or so. Safe to do twice.
    """
    known, stems = _know(words)

    def correct(match: re.Match[str]) -> str:
        word = match.group().lower()
        if word in known or stem(word) in stems:
            return match.group()
        found = {near for near in _slips(word) if near in known}
        return min(found) if len({*map(stem, found)}) == 1 else match.group()

    return _WORD.sub(correct, text)


def _slips(word: str) -> Iterator[str]:
    """All that this word may have been before one slip."""
    if len(word) >= SHORTEST_SWAPPED:
        for at in range(len(word) - 1):
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if len(word) >= SHORTEST_OTHER:
        for at in range(1, len(word)):
            yield word[:at] + word[at + 1 :]
        for at in range(1, len(word) + 1):
            for letter in _LETTERS:
                yield word[:at] + letter + word[at:]


@lru_cache(maxsize=4)
def _know(words: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a base and of our lists, and all of them without their endings."""
    known = words | load_lexicon().written | frozenset(read_list("stop words")) | frozenset(read_list("everyday"))
    return known, frozenset(map(stem, known))

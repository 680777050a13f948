"""Cuts a text into the pieces that a classifier counts, as scikit-learn cuts them, and weighs them without loading it.

Chinese into single characters and pairs; English into words and pairs of words, and into three to five characters inside words.
What a process needs to predict is this module and numpy; `tests/support/triage/test_pieces.py` holds it beside scikit-learn.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Cut = Callable[[str], list[str]]
_WORD: Final = re.compile(r"\b\w+\b")
_SPACES: Final = re.compile(r"\s\s+")
_INSIDE: Final = range(3, 6)


def cut_characters(text: str) -> list[str]:
    """Every character and every pair of neighbours."""
    plain = _SPACES.sub(" ", text.lower())
    return [*plain, *(plain[at : at + 2] for at in range(len(plain) - 1))]


def cut_words(text: str) -> list[str]:
    """Every word and every pair of neighbours."""
    words = _WORD.findall(text.lower())
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def cut_inside_words(text: str) -> list[str]:
    """Three to five characters of each word with a space around it; a word that is shorter once."""
    return [piece for word in text.lower().split() for piece in _cut_word(word)]


#: By language: one list of pieces for each way of cutting, each with its own frequencies and length.
CUTS: Final[dict[str, tuple[Cut, ...]]] = {"zh": (cut_characters,), "en": (cut_words, cut_inside_words)}


@dataclass(frozen=True)
class Vocabulary:
    """The pieces that one way of cutting has learned: the column of each, and how much each tells (inverse frequency)."""

    columns: Mapping[str, int]
    idf: NDArray[Any]

    def weigh(self, pieces: Sequence[str]) -> tuple[list[int], NDArray[np.float64]]:
        """The columns of a text's pieces and their weights: 1 + ln of how often, by rarity, as a vector of length one."""
        counts = Counter(column for piece in pieces if (column := self.columns.get(piece)) is not None)
        columns = sorted(counts)
        often = np.array([1 + math.log(counts[column]) for column in columns], dtype=np.float64)
        weights: NDArray[np.float64] = often * self.idf[columns]
        length = math.sqrt(float(weights @ weights))
        return columns, weights / length if length else weights


@lru_cache(maxsize=20_000)
def _cut_word(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    found = []
    for size in _INSIDE:
        found += [padded[at : at + size] for at in range(max(len(padded) - size, 0) + 1)]
        if len(padded) <= size:  # it stands there whole, once
            break
    return tuple(found)

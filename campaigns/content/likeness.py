"""How alike texts are, and which of many are nearly the same. Pure.

The resemblance of two texts is that of Broder (1997): the shingles they share over the shingles that either has, here of
characters, so that one measure does for English and Chinese. All pairs above a threshold are found exactly and without
comparing each with each: two sets of which t is shared must share one of their rarest shingles (the prefix filter of
Chaudhuri, Ganti and Kaushik 2006), so only texts that do are compared.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

#: Characters to a shingle.
SHINGLE: Final = 4
#: From here on two texts are nearly the same: about one sentence of five is another.
ALIKE: Final = 0.7


def shingle(text: str) -> frozenset[str]:
    """The runs of four letters and figures of a text, whatever its case, spaces and punctuation; a shorter text is one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(sign for sign in folded if sign.isalnum())
    return frozenset(plain[start : start + SHINGLE] for start in range(max(1, len(plain) - SHINGLE + 1)) if plain)


def measure_likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared over all shingles, 0 to 1; 0 where one has none."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def find_alike(texts: Sequence[str], least: float = ALIKE) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, likeness) with i < j whose likeness is at least `least`. Equal texts are shingled and compared once."""
    places: dict[frozenset[str], list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[shingle(text)].append(place)
    for same in places.values():
        yield from ((one, other, 1.0) for k, one in enumerate(same) for other in same[k + 1 :] if texts[one].strip())
    for one, other, likeness in _pair_sets([shingles for shingles in places if shingles], least):
        for first in places[one]:
            for second in places[other]:
                yield min(first, second), max(first, second), likeness


def _pair_sets(sets: Sequence[frozenset[str]], least: float) -> Iterator[tuple[frozenset[str], frozenset[str], float]]:
    """Different sets that are alike, by an index of the rarest shingles of each."""
    how_often = Counter(part for shingles in sets for part in shingles)
    seen: dict[str, list[int]] = defaultdict(list)
    for place, shingles in enumerate(sets):
        rarest = sorted(shingles, key=lambda part: (how_often[part], part))
        prefix = rarest[: len(rarest) - ceil(least * len(rarest)) + 1]
        for candidate in sorted({other for part in prefix for other in seen[part]}):
            likeness = measure_likeness(sets[candidate], shingles)
            if likeness >= least:
                yield sets[candidate], shingles, likeness
        for part in prefix:
            seen[part].append(place)

"""Whether those who enter a live campaign are the kinds of people that its texts were approved for. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: With fewer people nothing is said: their shares are mostly chance.
FEWEST_ENTERED: Final = 100
#: A difference that chance alone would make more often than this is not told.
LARGEST_P: Final = 0.01


@dataclass(frozen=True)
class EntryDrift:
    """Of `entered` people, the share that fell into other archetypes than was expected (half the sum of the differences of
    the shares, 0 to 1), and how often chance alone would make as much of it (Pearson's chi-square)."""

    entered: int
    share: float
    p_value: float

    def is_beyond(self, most: float) -> bool:
        return self.entered >= FEWEST_ENTERED and self.share > most and self.p_value < LARGEST_P


def compare_shares(expected: Mapping[int, int], found: Mapping[int, int]) -> EntryDrift:
    """`expected`: frozen people by archetype; `found`: people who entered, in both arms."""
    from scipy.stats import chi2  # a second of imports that no start of Django should pay

    people, entered = sum(expected.values()), sum(found.values())
    if not people or not entered:
        return EntryDrift(entered, 0.0, 1.0)
    kinds = [kind for kind in expected if expected[kind]]
    shares = {kind: expected[kind] / people for kind in kinds}
    moved = sum(abs(found.get(kind, 0) / entered - shares[kind]) for kind in kinds)
    moved += sum(number / entered for kind, number in found.items() if kind not in shares)
    statistic = sum((found.get(kind, 0) - entered * shares[kind]) ** 2 / (entered * shares[kind]) for kind in kinds)
    p_value = float(chi2.sf(statistic, len(kinds) - 1)) if len(kinds) > 1 else 1.0
    return EntryDrift(entered, moved / 2, p_value)

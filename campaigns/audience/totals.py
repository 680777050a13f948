"""The sums of some cells of an audience: what a card is made of, without a look at its people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from campaigns.models import AudienceCell

from .cells import SIDES


@dataclass(frozen=True)
class Totals:
    """How many people; of each side how many have which value; of each measure its sum and how many people have one; and of
    how many each claim is true."""

    people: int
    sides: Mapping[str, Mapping[str, int]]
    measures: Mapping[str, tuple[float, int]]
    claims: Mapping[str, int]

    def mean(self, measure: str) -> float | None:
        total, people = self.measures.get(measure, (0.0, 0))
        return total / people if people else None

    def share_with(self, side: str, value: str) -> float:
        return self.sides[side].get(value, 0) / self.people if self.people else 0.0

    def share_claimed(self, claim: str) -> float:
        return self.claims.get(claim, 0) / self.people if self.people else 0.0


def add_up(cells: Iterable[AudienceCell]) -> Totals:
    """The totals of these cells, in any order."""
    people = 0
    sides: dict[str, Counter[str]] = {side: Counter() for side in SIDES}
    claims: Counter[str] = Counter()
    measures: dict[str, tuple[float, int]] = {}
    for cell in cells:
        people += cell.size
        for side, counts in sides.items():
            counts[getattr(cell, side)] += cell.size
        claims.update(cell.sums.get("claims", {}))
        for name, (total, number) in cell.sums.get("measures", {}).items():
            before, people_before = measures.get(name, (0.0, 0))
            measures[name] = (before + total, people_before + number)
    return Totals(people, sides, measures, claims)

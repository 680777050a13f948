"""Cells of an audience, what lies near what, and what a group of cells is called. No Django here.

A cell is the finest kind of customer; `grouping` puts cells together. Languages and channels are never mixed: they need
another text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

#: A text that somebody has to read and approve is written for at least so many people: the larger of the two.
SMALLEST_PEOPLE: Final = 10
SMALLEST_SHARE: Final = 0.02
#: A group is called by what at least this share of its people have in common; by "any" where they have not.
COMMON_SHARE: Final = 0.8

#: Distances of the sides add up: another reason weighs most, because the text is about it; then what they like.
REASON_WEIGHT: Final = 3.0
INTEREST_WEIGHT: Final = 2.0
BAND_WEIGHT: Final = 1.0
#: From anything to "any", and from what is not known to anything that is.
UNKNOWN: Final = 0.5
#: Between two reasons of one family.
KIN: Final = 0.5
BANDS: Final = ("low", "middle", "high")

#: The sides that may be mixed, and what a difference in each weighs.
SIDES: Final = ("reason", "interest", "value_band")
WEIGHTS: Final = (REASON_WEIGHT, INTEREST_WEIGHT, BAND_WEIGHT)


@dataclass(frozen=True, order=True)
class Cell:
    """Why they are leaving x what they like x value band x language x channel. The first three may be empty: any."""

    reason: str
    interest: str
    value_band: str
    language: str
    channel: str

    @property
    def key(self) -> str:
        """How a cell is named in the database: at most 250 characters."""
        return "|".join(side or "*" for side in (self.reason, self.interest, self.value_band, *self.place))

    @property
    def place(self) -> tuple[str, str]:
        """What is never mixed: language and channel."""
        return self.language, self.channel


@dataclass(frozen=True)
class Group:
    """Cells that get the same text. `is_shaped`: a person wants them so, and nothing undoes it but that person."""

    cells: frozenset[Cell]
    is_shaped: bool = False


@dataclass(frozen=True)
class Nearness:
    """What lies near what: the family of each reason, and how alike two interests are (pairs in order, 0 to 1)."""

    families: Mapping[str, str]
    likeness: Mapping[tuple[str, str], float]

    def between(self, one: Cell, other: Cell) -> float:
        """The distance of two cells of one language and channel: 0 for the same, at most 6."""
        return round(
            REASON_WEIGHT * self.between_reasons(one.reason, other.reason)
            + INTEREST_WEIGHT * self.between_interests(one.interest, other.interest)
            + BAND_WEIGHT * between_bands(one.value_band, other.value_band),
            6,
        )

    def between_reasons(self, one: str, other: str) -> float:
        """0 for the same, 0.5 within a family or where one is not known, else 1."""
        if one == other:
            return 0.0
        if not (one and other):
            return UNKNOWN
        return KIN if self.families.get(one, one) == self.families.get(other, other) else 1.0

    def between_interests(self, one: str, other: str) -> float:
        """0 for the same, 0.5 where one is not known, else one less their likeness."""
        if one == other:
            return 0.0
        if not (one and other):
            return UNKNOWN
        return 1.0 - self.likeness.get((min(one, other), max(one, other)), 0.0)


def between_bands(one: str, other: str) -> float:
    """0 for the same, 0.5 between neighbours or where one is not known, 1 from low to high."""
    if one == other:
        return 0.0
    if not (one and other):
        return UNKNOWN
    return abs(BANDS.index(one) - BANDS.index(other)) / (len(BANDS) - 1)


def smallest_size(people: int) -> int:
    """How small a group may be among so many people: 2 in 100, and 10 at least."""
    return max(SMALLEST_PEOPLE, math.ceil(people * SMALLEST_SHARE))


def count_people(group: Group, sizes: Mapping[Cell, int]) -> int:
    return sum(sizes[cell] for cell in group.cells)


def heart_of(cells: Iterable[Cell], sizes: Mapping[Cell, int]) -> Cell:
    """The largest cell, the first in order where two are: the one that a group is named by in the database."""
    return min(cells, key=lambda cell: (-sizes[cell], cell))


def describe_cells(cells: Iterable[Cell], sizes: Mapping[Cell, int]) -> Cell:
    """What the people of some cells of one language and channel have in common: a side is empty where under
    COMMON_SHARE of them agree."""
    cells = list(cells)
    found = heart_of(cells, sizes)
    people = sum(sizes[cell] for cell in cells)
    for side in SIDES:
        by_value: dict[str, int] = {}
        for cell in cells:
            value = getattr(cell, side)
            by_value[value] = by_value.get(value, 0) + sizes[cell]
        value, number = max(by_value.items(), key=lambda item: (item[1], item[0]))
        found = replace(found, **{side: value if number >= COMMON_SHARE * people else ""})
    return found


def find_nearest(cell: Cell, homes: Mapping[Cell, int], sizes: Mapping[Cell, int], nearness: Nearness) -> int | None:
    """The home (an archetype) of the cell of the same language and channel that lies nearest, of two the one with more
    people; None where no home is of that language and channel."""
    near = [other for other in homes if other.place == cell.place]
    if not near:
        return None
    return homes[min(near, key=lambda other: (nearness.between(cell, other), -sizes.get(other, 0), other))]


def find_heirs(groups: Sequence[Group], former: Mapping[Cell, int], sizes: Mapping[Cell, int]) -> dict[int, int]:
    """Which archetype each group carries on: {index of the group: id of `former`}.

    A group carries on the one that most of its people belonged to; each is carried on once, by the group that holds
    most of its people.
    """
    shared: dict[tuple[int, int], int] = {}
    for index, group in enumerate(groups):
        for cell in group.cells & former.keys():
            pair = (index, former[cell])
            shared[pair] = shared.get(pair, 0) + sizes[cell]
    heirs: dict[int, int] = {}
    for index, archetype in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if index not in heirs and archetype not in heirs.values():
            heirs[index] = archetype
    return heirs

"""The arithmetic of archetypes: which small cells are put together, by nearness. No Django here.

A cell is the finest kind of customer. Cells are put together, the smallest first and each into the nearest, until at
most `limit` groups are left and none is smaller than `smallest`. Languages and channels are never mixed: they would
need another text. The same sizes give the same groups whatever their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

#: A text that somebody has to read and approve is written for at least so many people: the larger of the two.
SMALLEST_PEOPLE: Final = 10
SMALLEST_SHARE: Final = 0.02
#: A group is called by what at least this share of its people have in common; by "any" where they have not.
COMMON_SHARE: Final = 0.8

#: Distances add up: another reason weighs most, because the text is about it; then what they like, then their value.
REASON_WEIGHT: Final = 3.0
INTEREST_WEIGHT: Final = 2.0
BAND_WEIGHT: Final = 1.0
#: From what is not known to anything that is.
UNKNOWN: Final = 0.5
#: Between two reasons of one family.
KIN: Final = 0.5
BANDS: Final = ("low", "middle", "high")

_SIDES = ("reason", "interest", "value_band")


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


def group_cells(
    sizes: Mapping[Cell, int], nearness: Nearness, *, limit: int, smallest: int, kept: Sequence[Group] = ()
) -> list[Group]:
    """Put the cells into at most `limit` groups of at least `smallest` people, the largest group first.

    The limit gives way to the number of languages x channels, and a group is smaller only where it is all of its
    language and channel, or where a person shaped it. Cells that are together in one of `kept` stay together; groups
    that a person shaped are put into others only where nothing else is left to keep the limit. Cells of `kept` that
    have nobody are left out. Raises ValueError for a limit under 1.
    """
    if limit < 1:
        raise ValueError("an audience has at least one archetype")
    pool = _Pool(_begin(sizes, kept), sizes, nearness)
    while (small := pool.find_smallest(limit, smallest)) is not None:
        pool.put_into(small, pool.find_nearest(small))
    return sorted(pool.list_groups(), key=lambda group: (-count_people(group, sizes), heart_of(group.cells, sizes)))


def smallest_size(people: int) -> int:
    """How small a group may be among so many people: 2 in 100, and 10 at least."""
    return max(SMALLEST_PEOPLE, math.ceil(people * SMALLEST_SHARE))


def count_people(group: Group, sizes: Mapping[Cell, int]) -> int:
    return sum(sizes[cell] for cell in group.cells)


def heart_of(cells: Iterable[Cell], sizes: Mapping[Cell, int]) -> Cell:
    """The largest cell: the one that a group's distances are measured from. The first in order where two are."""
    return min(cells, key=lambda cell: (-sizes[cell], cell))


def describe_cells(cells: Iterable[Cell], sizes: Mapping[Cell, int]) -> Cell:
    """What the people of some cells of one language and channel have in common: a side is empty where under
    COMMON_SHARE of them agree."""
    cells = list(cells)
    found = heart_of(cells, sizes)
    people = sum(sizes[cell] for cell in cells)
    for side in _SIDES:
        by_value: dict[str, int] = {}
        for cell in cells:
            value = getattr(cell, side)
            by_value[value] = by_value.get(value, 0) + sizes[cell]
        value, number = max(by_value.items(), key=lambda item: (item[1], item[0]))
        found = replace(found, **{side: value if number >= COMMON_SHARE * people else ""})
    return found


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


def _begin(sizes: Mapping[Cell, int], kept: Sequence[Group]) -> list[Group]:
    """The groups before anything is put together: those that are kept, and every other cell alone."""
    begun, placed = [], set[Cell]()
    for group in kept:
        cells = frozenset(cell for cell in group.cells if cell in sizes and cell not in placed)
        for place in {cell.place for cell in cells}:
            begun.append(Group(frozenset(cell for cell in cells if cell.place == place), group.is_shaped))
        placed |= cells
    begun += [Group(frozenset([cell])) for cell in sizes if cell not in placed]
    return sorted(begun, key=lambda group: min(group.cells))


class _Pool:
    """The groups as rows of arrays, so that thousands of cells are put together in a moment."""

    def __init__(self, groups: list[Group], sizes: Mapping[Cell, int], nearness: Nearness) -> None:
        self._cells = [set(group.cells) for group in groups]
        hearts = [heart_of(group.cells, sizes) for group in groups]
        self._size = np.array([count_people(group, sizes) for group in groups])
        self._heart_size = np.array([sizes[heart] for heart in hearts])
        self._is_shaped = np.array([group.is_shaped for group in groups], dtype=bool)
        self._is_left = np.ones(len(groups), dtype=bool)
        places = sorted({heart.place for heart in hearts})
        self._place = np.array([places.index(heart.place) for heart in hearts])
        self._at = {side: _number([getattr(heart, side) for heart in hearts]) for side in _SIDES}
        self._between = {
            "reason": _measure([h.reason for h in hearts], nearness.between_reasons, REASON_WEIGHT),
            "interest": _measure([h.interest for h in hearts], nearness.between_interests, INTEREST_WEIGHT),
            "value_band": _measure([h.value_band for h in hearts], between_bands, BAND_WEIGHT),
        }

    def find_smallest(self, limit: int, smallest: int) -> int | None:
        """The group that has to go into another; None where all is well. Ties go to the first."""
        in_place = np.bincount(self._place[self._is_left], minlength=self._place.max(initial=0) + 1)
        movable = self._is_left & (in_place[self._place] > 1)
        if self._is_left.sum() <= limit:
            movable &= ~self._is_shaped & (self._size < smallest)
        rows = np.flatnonzero(movable)
        if not rows.size:
            return None
        order = np.lexsort((rows, self._size[rows], self._is_shaped[rows]))
        return int(rows[order[0]])

    def find_nearest(self, small: int) -> int:
        """The nearest other group of its place; the largest, then the first, where two are as near."""
        others = self._is_left & (self._place == self._place[small])
        others[small] = False
        rows = np.flatnonzero(others)
        distance = np.zeros(rows.size)
        for side, at in self._at.items():
            distance += self._between[side][at[small], at[rows]]
        order = np.lexsort((rows, -self._size[rows], np.round(distance, 6)))
        return int(rows[order[0]])

    def put_into(self, small: int, target: int) -> None:
        self._cells[target] |= self._cells[small]
        self._size[target] += self._size[small]
        self._is_shaped[target] |= self._is_shaped[small]
        self._is_left[small] = False
        if (self._heart_size[small], -small) > (self._heart_size[target], -target):
            self._heart_size[target] = self._heart_size[small]
            for at in self._at.values():
                at[target] = at[small]

    def list_groups(self) -> list[Group]:
        return [Group(frozenset(self._cells[row]), bool(self._is_shaped[row])) for row in np.flatnonzero(self._is_left)]


def _number(values: Sequence[str]) -> npt.NDArray[np.int_]:
    places = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.array([places[value] for value in values])


def _measure(values: Sequence[str], between: Callable[[str, str], float], weight: float) -> npt.NDArray[np.float64]:
    names = sorted(set(values))
    return np.array([[weight * between(one, other) for other in names] for one in names])

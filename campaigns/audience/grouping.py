"""Puts the cells of an audience into groups, by nearness. No Django here.

The smallest group goes first, and each where it costs least, until at most `limit` are left and none is smaller than
`smallest`. A group is called by what most of its people have in common, and its text is about that; what a group costs
is how far its people are from what it is called, added up. So a small kind goes to a near one, or to the general rest
where none is near, and no group is watered down for a few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .cells import COMMON_SHARE, SIDES, WEIGHTS, Cell, Group, Nearness, between_bands, count_people, heart_of

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def group_cells(
    sizes: Mapping[Cell, int], nearness: Nearness, *, limit: int, smallest: int, kept: Sequence[Group] = ()
) -> list[Group]:
    """Put the cells into at most `limit` groups of at least `smallest` people, the largest group first.

    The limit gives way to the number of languages x channels, and a group is smaller only where it is all of its
    language and channel, or where a person shaped it. Two that would be called the same become one. Cells that are
    together in one of `kept` stay together; groups that a person shaped are put into others only where nothing else is
    left to keep the limit. Cells of `kept` that have nobody are left out. Raises ValueError for a limit under 1.
    """
    if limit < 1:
        raise ValueError("an audience has at least one archetype")
    pool = _Pool(_begin(sizes, kept), sizes, nearness, {cell for group in kept for cell in group.cells})
    while (small := pool.find_smallest(limit, smallest)) is not None:
        pool.put_into(small, pool.find_nearest(small))
    return sorted(pool.list_groups(), key=lambda group: (-count_people(group, sizes), heart_of(group.cells, sizes)))


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
    """The groups as rows of arrays, so that thousands of cells are put together in seconds.

    `_people[side][row]` counts the people of a group by their value of the side, the first value being "", any;
    `_costs[side][row]` says what the group would cost if it were called by that value.
    """

    def __init__(self, groups: list[Group], sizes: Mapping[Cell, int], nearness: Nearness, kept: set[Cell]) -> None:
        self._cells = [set(group.cells) for group in groups]
        self._size = np.array([count_people(group, sizes) for group in groups])
        self._is_shaped = np.array([group.is_shaped for group in groups], dtype=bool)
        self._is_kept = np.array([group.cells <= kept for group in groups], dtype=bool)
        self._is_left = np.ones(len(groups), dtype=bool)
        places = sorted({cell.place for cell in sizes})
        self._place = np.array([places.index(next(iter(group.cells)).place) for group in groups])
        self._people, self._costs = [], []
        measures = (nearness.between_reasons, nearness.between_interests, between_bands)
        for side, between, weight in zip(SIDES, measures, WEIGHTS, strict=True):
            values = ["", *sorted({getattr(cell, side) for cell in sizes} - {""})]
            people = _count_by_value(groups, sizes, side, values)
            self._people.append(people)
            self._costs.append(
                people @ (weight * np.array([[between(one, other) for other in values] for one in values]))
            )
        self._cost, self._called = self._weigh(np.arange(len(groups)))

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
        """The other group of its place where it costs least; the largest, then the first, of those that cost the same."""
        rows = self._others(small)
        cost, _called = self._weigh(rows, small)
        order = np.lexsort((rows, -self._size[rows], np.round(cost - self._cost[rows], 6)))
        return int(rows[order[0]])

    def put_into(self, small: int, target: int) -> None:
        """Put a group into another, and that with whichever is now called the same: they would get the same text."""
        self._cells[target] |= self._cells[small]
        self._size[target] += self._size[small]
        self._is_shaped[target] |= self._is_shaped[small]
        self._is_left[small] = False
        for counts in (*self._people, *self._costs):
            counts[target] += counts[small]
        cost, called = self._weigh(np.array([target]))
        self._cost[target], self._called[target] = cost[0], called[0]
        twin = self._find_twin(target)
        if twin is not None:
            self.put_into(max(target, twin), min(target, twin))

    def list_groups(self) -> list[Group]:
        return [Group(frozenset(self._cells[row]), bool(self._is_shaped[row])) for row in np.flatnonzero(self._is_left)]

    def _others(self, row: int) -> Places:
        others = self._is_left & (self._place == self._place[row])
        others[row] = False
        return np.flatnonzero(others)

    def _find_twin(self, row: int) -> int | None:
        """Another group that is called the same; what a person shaped, or saw when they did, is left alone."""
        if self._is_shaped[row] or self._is_kept[row]:
            return None
        rows = self._others(row)
        rows = rows[~self._is_shaped[rows] & ~self._is_kept[rows]]
        same = rows[(self._called[rows] == self._called[row]).all(axis=1)]
        return int(same[0]) if same.size else None

    def _weigh(self, rows: Places, added: int | None = None) -> tuple[Floats, Places]:
        """What these groups cost, each with the group `added` to it, and what they are then called on every side."""
        cost, called = np.zeros(len(rows)), np.zeros((len(rows), len(SIDES)), dtype=np.intp)
        size = self._size[rows] + (0 if added is None else self._size[added])
        at = np.arange(len(rows))
        for side, (people, costs) in enumerate(zip(self._people, self._costs, strict=True)):
            counts = people[rows] if added is None else people[rows] + people[added]
            most = counts.argmax(axis=1)
            called[:, side] = np.where(counts[at, most] >= COMMON_SHARE * size, most, 0)
            cost += costs[rows, called[:, side]] + (0 if added is None else costs[added, called[:, side]])
        return cost, called


def _count_by_value(groups: Sequence[Group], sizes: Mapping[Cell, int], side: str, values: Sequence[str]) -> Floats:
    place = {value: number for number, value in enumerate(values)}
    people = np.zeros((len(groups), len(values)))
    for row, group in enumerate(groups):
        for cell in group.cells:
            people[row, place[getattr(cell, side)]] += sizes[cell]
    return people

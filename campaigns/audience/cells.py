"""The arithmetic of archetypes: which small cells become part of a more general one. No Django here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

SMALLEST_SHARE = 0.02


@dataclass(frozen=True, order=True)
class Cell:
    """Why they are leaving x what they like x language. An empty reason or interest means any."""

    reason: str
    interest: str
    language: str

    @property
    def key(self) -> str:
        """How the cell is kept: Archetype.cell, at most 200 characters."""
        return f"{self.reason or '*'}|{self.interest or '*'}|{self.language}"

    def generalise(self) -> Cell | None:
        """The next more general cell: any interest, then any reason. None at the top: languages are never mixed."""
        if self.interest:
            return replace(self, interest="")
        if self.reason:
            return replace(self, reason="")
        return None


def merge_cells(sizes: Mapping[Cell, int], *, limit: int, smallest_share: float = SMALLEST_SHARE) -> dict[Cell, Cell]:
    """For every cell the one that it becomes part of (itself where it stays).

    The smallest cell is made more general until at most `limit` cells are left and none holds under `smallest_share`
    of the people. One cell per language always stays, so the limit gives way to the number of languages. The same
    sizes give the same answer whatever their order.
    """
    if limit < 1:
        raise ValueError("an audience has at least one archetype")
    home = {cell: cell for cell in sizes}
    merged = Counter(dict(sizes))
    threshold = smallest_share * sum(sizes.values())
    while True:
        movable = [cell for cell in merged if cell.generalise() is not None]
        smallest = min(movable, key=lambda cell: (merged[cell], cell), default=None)
        if smallest is None or (len(merged) <= limit and merged[smallest] >= threshold):
            return home
        general = smallest.generalise()
        assert general is not None
        merged[general] += merged.pop(smallest)
        home = {cell: general if to == smallest else to for cell, to in home.items()}

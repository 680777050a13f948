"""Columns that grow step by step and are handed out up to a moment; what lies later waits its turn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]


class Tape:
    """An append-only record of rows with a time, as columns of 64-bit integers."""

    def __init__(self, *columns: str) -> None:
        self._columns = ("at", *columns)
        self._parts: list[dict[str, Column]] = []

    def add(self, at: Column, **columns: Column | int) -> None:
        """Append rows; every column is an array as long as `at`, or one number for all rows."""
        if len(at) == 0:
            return
        values: Mapping[str, Column | int] = {"at": at, **columns}
        self._parts.append({name: np.broadcast_to(values[name], len(at)) for name in self._columns})

    def take_before(self, until: int) -> dict[str, Column]:
        """Remove and return the rows with `at` < `until`, ordered by time; the others stay."""
        rows = self.peek()
        due = rows["at"] < until
        kept = {name: column[~due] for name, column in rows.items()}
        self._parts = [kept] if len(kept["at"]) else []
        order = np.argsort(rows["at"][due], kind="stable")
        return {name: column[due][order] for name, column in rows.items()}

    def peek(self) -> dict[str, Column]:
        """All rows that were not yet taken, in the order in which they were added."""
        if not self._parts:
            return {name: np.empty(0, dtype=np.int64) for name in self._columns}
        return {name: np.concatenate([part[name] for part in self._parts]) for name in self._columns}

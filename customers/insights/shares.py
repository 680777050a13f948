"""A share with its doubt: how many of how many, and Wilson's 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass

from customers.scoring.proportion import wilson_interval


@dataclass(frozen=True)
class Share:
    """`count` of `of` (of > 0). `value`, `low` and `high` are 0 to 1."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of

    @property
    def low(self) -> float:
        return wilson_interval(self.count, self.of)[0]

    @property
    def high(self) -> float:
        return wilson_interval(self.count, self.of)[1]

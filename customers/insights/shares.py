"""A share with its doubt: how many of how many, and Wilson's 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054  # the standard normal's 97.5 % point


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


def wilson_interval(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a binomial share (Wilson, 1927, JASA 22); raises ValueError for none of none."""
    if not 0 <= count <= of or of == 0:
        raise ValueError(f"{count} of {of} is no share")
    share, square = count / of, _Z**2 / of
    middle = (share + square / 2) / (1 + square)
    reach = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    # At both ends the formula gives exactly 0 or 1, up to the last digit of floating point.
    return (0.0 if count == 0 else middle - reach), (1.0 if count == of else middle + reach)

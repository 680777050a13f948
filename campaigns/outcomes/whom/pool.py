"""People of several campaigns side by side, each campaign a stratum with its own share held out. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """n people of all campaigns; whoever was in several stands there once for each.

    `x` (n, p) is what was known of them on their campaign's day, `names` its columns; `treated` whether they were written to,
    `stratum` the campaign's place, `customer` who it is. `kept` is 1 where they ordered in the window, `gross` what they bought
    for before discounts less what went back, `discount` what of it they did not have to pay. `weight` is one over the
    probability of having been in the campaign at all.
    """

    names: tuple[str, ...]
    x: Array
    treated: Flags
    stratum: Places
    customer: Places
    kept: Array
    gross: Array
    discount: Array
    weight: Array

    @property
    def n(self) -> int:
        return len(self.kept)

    @cached_property
    def customer_place(self) -> Places:
        """Of each row, the place of its customer among all of them: looked up once, for it sorts everybody."""
        _who, place = np.unique(self.customer, return_inverse=True)
        return place.astype(np.int64)

    def find_propensity(self) -> Array:
        """The share of each person's campaign that was written to: known, because it was drawn."""
        whole = np.bincount(self.stratum)
        treated = np.bincount(self.stratum, weights=self.treated)
        share: Array = (treated / whole)[self.stratum]
        return share

    def draw_folds(self, folds: int) -> Places:
        """By customer: what is learned of somebody in one campaign would give away what they did in the other."""
        mixed = (self.customer.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
        return (mixed % np.uint64(folds)).astype(np.int64)


def find_gains(pool: Pool, y: Array, means: Array | None = None) -> Array:
    """Of each person the doubly robust gain of being written to, in units of y; its mean over people is the effect.

    `means` (n, 2) is E(y | arm, x), not written to first, from models that have not seen the person; without it, and about it,
    stands the mean of the campaign's arm.
    """
    share, treated = pool.find_propensity(), pool.treated
    base = np.zeros((pool.n, 2)) if means is None else means
    sides = []
    for place, mine in enumerate((~treated, treated)):
        away = y - base[:, place]
        count = np.bincount(pool.stratum[mine], minlength=pool.stratum.max() + 1)
        middle = np.bincount(pool.stratum[mine], weights=away[mine], minlength=pool.stratum.max() + 1)
        centred = base[:, place] + (middle / np.maximum(count, 1))[pool.stratum]
        over = np.where(mine, 1 / np.where(treated, share, 1 - share), 0.0)
        sides.append(centred + over * (y - centred))
    return np.asarray(sides[1] - sides[0], dtype=np.float64)


def find_rates(pool: Pool, y: Array, base: Array) -> Array:
    """Of each person the doubly robust y if they are not written to; `base` (n) is E(y | not written to, x)."""
    share = pool.find_propensity()
    over = np.where(~pool.treated, 1 / (1 - share), 0.0)
    return np.asarray(base + over * (y - base), dtype=np.float64)


def add_by_customer(pool: Pool, values: Array) -> Array:
    """Sums over the rows of each customer: what is independent of one another is people, not rows. (customers, ...)"""
    place, size = pool.customer_place, int(pool.customer_place.max()) + 1
    if values.ndim == 1:
        return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=np.float64)
    return np.column_stack([np.bincount(place, weights=column, minlength=size) for column in values.T])

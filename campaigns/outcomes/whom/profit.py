"""What writing to the first so many per cent would bring, in money, for any margin and cost. No Django here.

Valued off-line and doubly robust on people whom the ranking had not seen. A person's gain is linear in what they bought for and
what they were let off, so that the sums and squares of both, share by share, are enough to draw the curve for every margin.
The best share is chosen anew for each fifth of the customers by the other four, so that its value carries no optimism.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from campaigns.outcomes.lift import CONFIDENCE
from customers.scoring.evaluation import Estimate

from .pool import Array, Flags, Places, Pool, add_by_customer

#: Shares of the people who are written to: 0, 5, ..., 100 %.
STEPS = 20
#: How many shares on either side a share is judged together with.
_BESIDE = 2


@dataclass(frozen=True)
class Terms:
    """`margin` (0 to 1) of what is bought for before discounts is left after goods and handling; a message costs `cost`."""

    margin: float
    cost: float

    @property
    def parts(self) -> Array:
        """What a unit of (gross, discount) is worth."""
        return np.array([self.margin, -1.0])


@dataclass(frozen=True)
class Profit:
    """Net value per person of an audience, against writing to nobody. `curve` has STEPS + 1 points, from nobody to everybody.
    `best` is the step that is best on all; `best_value` what choosing it so is worth, `against_all` that less writing to all."""

    curve: list[Estimate]
    best: int
    best_value: Estimate
    against_all: Estimate

    @property
    def best_share(self) -> float:
        return self.best / STEPS

    @property
    def is_clear(self) -> bool:
        """Whether it is better than writing to all beyond doubt."""
        return self.against_all.low > 0


def sum_profit(pool: Pool, score: Array, gross: Array, discount: Array, fold: Places) -> dict[str, Any]:
    """Sums from which `draw_profit` draws: for each fold and step of those who are picked, and of those who are not.

    `score` is of people whom the model had not seen; `gross` and `discount` are gains as of `find_gains`.
    """
    order = np.argsort(-score, kind="stable")
    place = np.empty(pool.n, dtype=np.int64)
    place[order] = np.arange(pool.n) * STEPS // pool.n
    values = np.column_stack([gross, discount]) * pool.weight[:, None]
    folds = []
    for number in range(int(fold.max()) + 1):
        mine = fold == number
        inside = _Rows(pool, mine, values)
        folds.append({
            "people": float(pool.weight[mine].sum()),
            "picked": [inside.add(place < step) for step in range(STEPS + 1)],
            "left": [inside.add(place >= step) for step in range(STEPS + 1)],
        })  # fmt: skip
    return {"folds": folds}


@dataclass(frozen=True)
class _Rows:
    pool: Pool
    mine: Flags
    values: Array

    def add(self, chosen: Flags) -> dict[str, Any]:
        rows = self.mine & chosen
        by_customer = add_by_customer(self.pool, self.values * rows[:, None])
        return {
            "people": float(self.pool.weight[rows].sum()),
            "sum": by_customer.sum(axis=0).tolist(),
            "squares": (by_customer.T @ by_customer).tolist(),
        }


def draw_profit(sums: dict[str, Any], terms: Terms) -> Profit:
    """The curve, and the best share with what it is worth."""
    folds = sums["folds"]
    people = sum(fold["people"] for fold in folds)
    nets = np.array([[_net(fold["picked"][step], terms) for step in range(STEPS + 1)] for fold in folds])
    whole = nets.sum(axis=0)
    curve = [_bound(whole[step], [fold["picked"][step] for fold in folds], people, terms) for step in range(STEPS + 1)]
    chosen = [int(np.argmax(_steady(whole - own))) for own in nets]
    picked = [fold["picked"][step] for fold, step in zip(folds, chosen, strict=True)]
    left = [fold["left"][step] for fold, step in zip(folds, chosen, strict=True)]
    value = _bound(sum(_net(part, terms) for part in picked), picked, people, terms)
    spared = _bound(sum(_net(part, terms) for part in left), left, people, terms)
    return Profit(curve, int(np.argmax(_steady(whole))), value, Estimate(-spared.value, -spared.high, -spared.low))


def _net(part: dict[str, Any], terms: Terms) -> float:
    return float(terms.parts @ np.array(part["sum"])) - terms.cost * float(part["people"])


def _bound(net: float, parts: list[dict[str, Any]], people: float, terms: Terms) -> Estimate:
    """Per person. Folds share no customer, so that their squares add up."""
    squares = sum(float(terms.parts @ np.array(part["squares"]) @ terms.parts) for part in parts)
    half = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * math.sqrt(max(squares, 0.0)) / people
    return Estimate(net / people, net / people - half, net / people + half)


def _steady(values: Array) -> Array:
    """A share is judged together with those beside it: the best of many noisy points is most often a peak of the noise."""
    steady = values.copy()
    for step in range(1, len(values) - 1):
        reach = min(_BESIDE, step, len(values) - 1 - step)
        steady[step] = values[step - reach : step + reach + 1].mean()
    return steady

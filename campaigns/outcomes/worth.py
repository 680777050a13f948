"""What a campaign cost, what each customer kept cost, and what was left of it: from the sums of `spending`. No Django here.

A person's orders in their window are told by five numbers: what was paid, all discounts, the discount of this offer, the orders
that used it, and whether they ordered at all. Each arm has their means and covariances, so that a margin or a price that a
person changes tomorrow needs no second look at the orders.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .lift import LEAST_PER_ARM, MeanDifference, Moments, estimate_mean_difference
from .ratio import UNKNOWN, Bounded, CostPerKept, bound_ratio

#: The order of the numbers in `ArmSpending`.
NUMBERS = ("paid", "discounts", "redeemed", "redemptions", "kept")
_PAID, _DISCOUNTS, _REDEEMED, _REDEMPTIONS, _KEPT = range(len(NUMBERS))
_Z = 1.959963984540054


@dataclass(frozen=True)
class ArmSpending:
    """One arm: people, means and covariances (n - 1) of NUMBERS per person, those who ordered nothing included."""

    n: int
    means: Sequence[float]
    spread: Sequence[Sequence[float]]

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> ArmSpending:
        return cls(int(found["n"]), found["means"], found["spread"])

    def as_json(self) -> dict[str, Any]:
        return {"n": self.n, "means": list(self.means), "spread": [list(row) for row in self.spread]}

    def combine(self, weights: Sequence[float]) -> Moments:
        """Mean and variance per person of a weighted sum of NUMBERS."""
        mean = sum(weight * value for weight, value in zip(weights, self.means, strict=True))
        return Moments(self.n, mean, max(self.covary(weights, weights), 0.0))

    def covary(self, one: Sequence[float], other: Sequence[float]) -> float:
        """The covariance per person of two weighted sums."""
        places = range(len(NUMBERS))
        return sum(one[i] * other[j] * self.spread[i][j] for i in places for j in places)


@dataclass(frozen=True)
class Costs:
    """Money in the shop's currency, by part; None is not known, and is added as nothing. `delivery` is of orders that the offer
    sent free of charge."""

    discounts: float
    delivery: float | None
    sending: float | None
    model: float | None
    staff: float | None

    @property
    def total(self) -> float:
        return sum(part or 0.0 for part in asdict(self).values())

    @property
    def fixed(self) -> float:
        """What does not depend on who ordered."""
        return sum(part or 0.0 for part in (self.sending, self.model, self.staff))

    @property
    def missing(self) -> list[str]:
        """The parts whose price is not known."""
        return [name for name, part in asdict(self).items() if part is None]


def cost_per_kept(treated: ArmSpending, kept: Bounded, costs: Costs, *, delivery_price: float = 0.0) -> CostPerKept:
    """All costs over the customers kept (with the limits of the retention figure).

    Discounts vary from person to person and go together with ordering, which also makes a customer kept: their correlation
    narrows the interval. The other parts are known amounts.
    """
    if treated.n < LEAST_PER_ARM:
        return UNKNOWN
    return bound_ratio(*parts_of_ratio(treated, kept, costs, delivery_price=delivery_price))


def parts_of_ratio(
    treated: ArmSpending, kept: Bounded, costs: Costs, *, delivery_price: float = 0.0
) -> tuple[Bounded, Bounded, float]:
    """The cost with its limits, those kept with theirs, and the correlation of the two estimates."""
    weights = _weigh(redeemed=1.0, redemptions=delivery_price)
    error = math.sqrt(treated.n * treated.combine(weights).variance)
    cost = Bounded(costs.total, max(costs.total - _Z * error, costs.fixed), costs.total + _Z * error)
    kept_error = (kept.high - kept.low) / (2 * _Z)
    if error <= 0 or kept_error <= 0:
        return cost, kept, 0.0
    covariance = treated.n * treated.covary(weights, _weigh(kept=1.0))
    return cost, kept, max(-1.0, min(1.0, covariance / (error * kept_error)))


def net_value(
    treated: ArmSpending, holdout: ArmSpending, costs: Costs, *, margin: float, delivery_price: float = 0.0
) -> MeanDifference | None:
    """What was earned because of the campaign less what it cost, with Welch's interval; None with too few people in an arm.

    An order brings `margin` (0 to 1) of its price before discounts, less every discount on it, less the delivery that the offer
    paid for. That is compared between the arms, per person and times the treated; then sending, model and staff go off.
    """
    weights = [margin, margin - 1.0, 0.0, -delivery_price, 0.0]
    found = estimate_mean_difference(treated.combine(weights), holdout.combine(weights))
    if found is None:
        return None
    each = costs.fixed / treated.n
    return MeanDifference(
        found.per_person - each, found.low - each, found.high - each,
        found.total - costs.fixed, found.total_low - costs.fixed, found.total_high - costs.fixed,
    )  # fmt: skip


def _weigh(**weights: float) -> list[float]:
    return [weights.get(name, 0.0) for name in NUMBERS]

"""What BG/NBD and Pareto/NBD share: the fit by maximum likelihood, and what follows from a likelihood alone.

P(no order in the next H) is L(x, t_x, T + H) / L(x, t_x, T): the chance of a history that stays as it is, given the
history. It is what "leaves" means everywhere in Rekindle, and not 1 - P(alive): somebody alive may well not order, and
who is dead does not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from customers.scoring.lanes import hold_blas

from .histories import DAYS_PER_UNIT, Array, Histories, read_histories

MOST_CUSTOMERS = 5_000
FEWEST_REPEATERS = 10

_START = np.array([-1.0, 1.0, -0.5, 1.0])
#: Where a parameter reaches these (e to the power of), it has run away: the likelihood is flat, the number means nothing.
_LOWEST, _HIGHEST = -6.0, 8.0
_PRIOR_MEAN = np.array([-0.5, 2.0, -0.5, 2.0])
_PRIOR_STD = 1.5


class DegenerateFit(Exception):
    """No parameters describe these customers, for example because next to nobody ordered twice."""


class PurchaseProcess(ABC):
    """Four positive parameters, fitted to histories by maximum likelihood.

    Follows scikit-learn: `fit(X)` takes a frame with the features order_days, recency_days and tenure_days (labels are
    not needed and not looked at), `predict_proba(X)` gives (n, 2) with P(no order in `horizon_days`) in the second
    column. Where the likelihood has no maximum inside reason (shops whose customers hardly ever stop, as in the UCI
    file), a weak log-normal prior holds the parameters, and `is_guarded_` says so.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, str, str, str]]
    theta_: Array
    is_guarded_: bool
    log_likelihood_: float

    def __init__(self, *, horizon_days: int = 90, random_state: int = 0) -> None:
        self.horizon_days = horizon_days
        self.random_state = random_state

    def fit(self, X: pl.DataFrame, y: Array | None = None) -> Self:
        """Fit to the customers of a feature frame; raises DegenerateFit."""
        return self.fit_histories(read_histories(X))

    def fit_histories(self, histories: Histories, *, near: Self | None = None) -> Self:
        """`near`, the same model fitted some weeks earlier or later, is where the climb begins: several times faster."""
        if histories.weight[histories.x > 0].sum() < FEWEST_REPEATERS:
            raise DegenerateFit(f"fewer than {FEWEST_REPEATERS} customers ordered on more than one day")
        kept = histories.thin_out(MOST_CUSTOMERS, seed=self.random_state).merge_equals()
        start = _START if near is None else np.log(near.theta_)
        self.is_guarded_ = near is not None and near.is_guarded_
        if not self.is_guarded_:
            found = self._climb(kept, start, guarded=False)
            self.is_guarded_ = not (found[0].min() > _LOWEST + 0.01 and found[0].max() < _HIGHEST - 0.01)
        if self.is_guarded_:
            held = start if near is not None and near.is_guarded_ else _PRIOR_MEAN
            found = self._climb(kept, held, guarded=True)
        if not np.isfinite(found[1]):
            raise DegenerateFit("the likelihood of these histories is not finite")
        self.theta_ = np.exp(found[0])
        self.log_likelihood_ = float(np.sum(kept.weight * self.log_likelihoods(kept, self.theta_)))
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        p = self.probability_no_order(read_histories(X), self.horizon_days)
        return np.column_stack([1 - p, p])

    def probability_no_order(self, histories: Histories, horizon_days: float) -> Array:
        """P(no order within the next `horizon_days`), shape (n,)."""
        later = Histories(histories.x, histories.t_x, histories.T + horizon_days / DAYS_PER_UNIT, histories.weight)
        change = self.log_likelihoods(later, self.theta_) - self.log_likelihoods(histories, self.theta_)
        return np.asarray(np.exp(np.minimum(change, 0.0)), dtype=np.float64)

    @abstractmethod
    def log_likelihoods(self, histories: Histories, theta: Array) -> Array:
        """The logarithm of each history's likelihood, shape (n,)."""

    @abstractmethod
    def climb_histories(self, histories: Histories, theta: Array) -> tuple[Array, Array]:
        """`log_likelihoods`, and their derivatives by the four parameters, shape (n, 4)."""

    @abstractmethod
    def probability_alive(self, histories: Histories) -> Array:
        """P(has not stopped for good), shape (n,). A feature, never a churn score."""

    @abstractmethod
    def expected_orders(self, histories: Histories, horizon_days: float) -> Array:
        """Orders to be expected within the next `horizon_days`, shape (n,)."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "horizon_days": self.horizon_days,
            "theta_": self.theta_.tolist(),
            "is_guarded_": self.is_guarded_,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        made = cls(horizon_days=int(stored["horizon_days"]))
        made.theta_ = np.asarray(stored["theta_"], dtype=np.float64)
        made.is_guarded_ = bool(stored["is_guarded_"])
        return made

    def _climb(self, histories: Histories, start: Array, *, guarded: bool) -> tuple[Array, float]:
        """The logarithms of the parameters with the least mean negative log-likelihood, and that."""
        from scipy.optimize import minimize

        total = histories.weight.sum()

        def loss(log_theta: Array) -> tuple[float, Array]:
            theta = np.exp(log_theta)
            seen, slopes = self.climb_histories(histories, theta)
            away = (log_theta - _PRIOR_MEAN) / _PRIOR_STD * float(guarded)
            value = (0.5 * float(away @ away) - float(histories.weight @ seen)) / total
            slope = (away / _PRIOR_STD - (histories.weight @ slopes) * theta) / total
            return (value, slope) if np.isfinite(value) and np.isfinite(slope).all() else (1e6, np.zeros(4))

        bounds = [(_LOWEST, _HIGHEST)] * 4
        options = {"ftol": 1e-10, "gtol": 1e-6}
        with hold_blas():
            found = minimize(loss, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
        return np.asarray(found.x, dtype=np.float64), float(found.fun)

"""Pareto/NBD (Schmittlein, Morrison and Colombo 1987, "Counting your customers", Management Science 33:1-24).

While alive, a customer orders at a rate that differs by customer as Gamma(r, alpha), and they die at a rate that differs
as Gamma(s, beta). The likelihood is the one of Fader and Hardie 2005, "A note on deriving the Pareto/NBD model", but with
the integral over the moment of death left as an integral: Gauss-Legendre in logarithms is exact to four digits and more, has no
case distinction between alpha and beta, and does not overflow where the hypergeometric functions do.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .histories import DAYS_PER_UNIT, Array, Histories
from .process import PurchaseProcess

_NODES = 32
_ROWS_AT_ONCE = 20_000


class ParetoNbd(PurchaseProcess):
    """theta_ is (r, alpha, s, beta), times in weeks."""

    name: ClassVar[str] = "pareto_nbd"
    parameters = ("r", "alpha", "s", "beta")

    def log_likelihoods(self, histories: Histories, theta: Array) -> Array:
        from scipy.special import gammaln

        r, alpha, s, beta = theta
        shared = gammaln(r + histories.x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        alive = self._log_alive(histories, theta)
        return np.asarray(shared + np.logaddexp(alive, _log_dead(histories, theta)), dtype=np.float64)

    def probability_alive(self, histories: Histories) -> Array:
        odds = _log_dead(histories, self.theta_) - self._log_alive(histories, self.theta_)
        return np.asarray(1 / (1 + np.exp(np.minimum(odds, 700.0))), dtype=np.float64)

    def expected_orders(self, histories: Histories, horizon_days: float) -> Array:
        """Fader and Hardie 2005, equation (41); finite at s = 1 too."""
        r, alpha, s, beta = self.theta_
        time = horizon_days / DAYS_PER_UNIT
        lived = np.log1p(time / (beta + histories.T))
        power = (s - 1) * lived
        alive_for = np.where(np.abs(power) < 1e-9, lived, -np.expm1(-power) / (s - 1 if s != 1 else 1.0))
        rate = (r + histories.x) * (beta + histories.T) / (alpha + histories.T)
        return np.asarray(self.probability_alive(histories) * rate * alive_for, dtype=np.float64)

    @staticmethod
    def _log_alive(histories: Histories, theta: Array) -> Array:
        r, alpha, s, beta = theta
        return np.asarray(
            -(r + histories.x) * np.log(alpha + histories.T) - s * np.log(beta + histories.T), dtype=np.float64
        )


def _log_dead(histories: Histories, theta: Array) -> Array:
    """Logarithm of the integral over deaths at tau between t_x and T of
    s (alpha + tau)^-(r + x) (beta + tau)^-(s + 1), in parts so that memory stays bounded."""
    parts = range(0, max(len(histories), 1), _ROWS_AT_ONCE)
    return np.concatenate([_log_dead_rows(histories, theta, slice(i, i + _ROWS_AT_ONCE)) for i in parts])


def _log_dead_rows(histories: Histories, theta: Array, rows: slice) -> Array:
    """The substitution v = ln(m + tau), m the smaller of alpha and beta, turns the steeper power into an exponential."""
    r, alpha, s, beta = theta
    x, t_x, T = histories.x[rows], histories.t_x[rows], histories.T[rows]
    at, weight = np.polynomial.legendre.leggauss(_NODES)
    m = min(alpha, beta)
    low, high = np.log(m + t_x), np.log(m + T)
    half = (high - low) / 2
    v = low[:, None] + half[:, None] * (at + 1)
    tau = np.maximum(np.exp(v) - m, 0.0)
    terms = v - (r + x)[:, None] * np.log(alpha + tau) - (s + 1) * np.log(beta + tau) + np.log(weight)
    peak = terms.max(axis=1)
    total = np.exp(terms - peak[:, None]).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(s) + np.log(half) + peak + np.log(total), dtype=np.float64)

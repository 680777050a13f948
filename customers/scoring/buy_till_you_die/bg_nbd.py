"""BG/NBD (Fader, Hardie and Lee 2005, "Counting your customers the easy way", Marketing Science 24:275-284).

While active, a customer orders at a rate that differs by customer as Gamma(r, alpha); after each order they stop with a
probability that differs as Beta(a, b).
"""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from .histories import DAYS_PER_UNIT, Array, Histories
from .process import PurchaseProcess

_NODES = 64


class BgNbd(PurchaseProcess):
    """theta_ is (r, alpha, a, b), times in weeks."""

    name: ClassVar[str] = "bg_nbd"
    parameters = ("r", "alpha", "a", "b")

    def log_likelihoods(self, histories: Histories, theta: Array) -> Array:
        """Their equation (6), in logarithms throughout."""
        from scipy.special import gammaln

        r, alpha = theta[:2]
        shared = gammaln(r + histories.x) - gammaln(r) + r * np.log(alpha)
        return np.asarray(shared + np.logaddexp(*_log_fates(histories, theta)), dtype=np.float64)

    def climb_histories(self, histories: Histories, theta: Array) -> tuple[Array, Array]:
        from scipy.special import digamma

        r, alpha, a, b = theta
        x, repeats = histories.x, np.maximum(histories.x, 1.0)
        active, stopped = _log_fates(histories, theta)
        has_stopped = np.exp(stopped - np.logaddexp(active, stopped))
        until_now, until_last = alpha + histories.T, alpha + histories.t_x
        mean_log = (1 - has_stopped) * np.log(until_now) + has_stopped * np.log(until_last)
        mean_inverse = (1 - has_stopped) / until_now + has_stopped / until_last
        both = digamma(a + b) - digamma(a + b + x)
        went_on = (1 - has_stopped) * digamma(b + x) + has_stopped * digamma(b + repeats - 1) - digamma(b)
        by_r = digamma(r + x) - digamma(r) + np.log(alpha) - mean_log
        slopes = np.column_stack([by_r, r / alpha - (r + x) * mean_inverse, has_stopped / a + both, went_on + both])
        return self.log_likelihoods(histories, theta), slopes

    def probability_alive(self, histories: Histories) -> Array:
        r, alpha, a, b = self.theta_
        x = histories.x
        ratio = np.log(a / (b + np.maximum(x, 1.0) - 1))
        ratio = ratio + (r + x) * (np.log(alpha + histories.T) - np.log(alpha + histories.t_x))
        return np.where(x > 0, 1 / (1 + np.exp(np.minimum(ratio, 700.0))), 1.0)

    def expected_orders(self, histories: Histories, horizon_days: float) -> Array:
        """Their equation (10), as a mean over the stopping probability p of an active customer, Beta(a, b + x).

        A quadrature over the quantiles of p takes the place of Gauss's hypergeometric function, which has poles near
        a = 1 and overflows for customers with hundreds of orders.
        """
        from scipy.special import betaincinv

        r, alpha, a, b = self.theta_
        time = horizon_days / DAYS_PER_UNIT
        nodes, weights = _crowded_nodes()
        repeats, place = np.unique(histories.x, return_inverse=True)
        stopping = np.maximum(betaincinv(a, b + repeats[:, None], nodes[None, :]), 1e-12)[place.ravel()]
        shape, rate = (r + histories.x)[:, None], (alpha + histories.T)[:, None]
        orders = -np.expm1(-shape * np.log1p(stopping * time / rate)) / stopping
        return np.asarray(self.probability_alive(histories) * (orders @ weights), dtype=np.float64)


def _log_fates(histories: Histories, theta: Array) -> tuple[Array, Array]:
    """The two ways to have such a history, without the factors they share: active until now, stopped at the last order."""
    from scipy.special import betaln

    r, alpha, a, b = theta
    x = histories.x
    active = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + histories.T)
    stopped = betaln(a + 1, b + np.maximum(x, 1.0) - 1) - betaln(a, b) - (r + x) * np.log(alpha + histories.t_x)
    return active, np.where(x > 0, stopped, -np.inf)


@functools.cache
def _crowded_nodes() -> tuple[Array, Array]:
    """Gauss-Legendre nodes of (0, 1) crowded at both ends, where the quantiles of a beta distribution are steep."""
    at, weight = np.polynomial.legendre.leggauss(_NODES)
    v = (at + 1) / 2
    return v**3 * (10 - 15 * v + 6 * v**2), weight / 2 * 30 * v**2 * (1 - v) ** 2

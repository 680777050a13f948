"""Pareto/NBD (Schmittlein, Morrison and Colombo 1987, "Counting your customers", Management Science 33:1-24).

While alive, a customer orders at a rate that differs by customer as Gamma(r, alpha), and they die at a rate that differs
as Gamma(s, beta). The likelihood is the one of Fader and Hardie 2005, "A note on deriving the Pareto/NBD model", but with
the integral over the moment of death left as an integral: Gauss-Legendre in logarithms is exact to four digits and more, has no
case distinction between alpha and beta, and does not overflow where the hypergeometric functions do.
"""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from .histories import DAYS_PER_UNIT, Array, Histories
from .process import PurchaseProcess

_NODES = 24
_ROWS_AT_ONCE = 4_000
_NOTHING_LEFT = 45.0


class ParetoNbd(PurchaseProcess):
    """theta_ is (r, alpha, s, beta), times in weeks."""

    name: ClassVar[str] = "pareto_nbd"
    parameters = ("r", "alpha", "s", "beta")

    def log_likelihoods(self, histories: Histories, theta: Array) -> Array:
        dead, _ = _integrate_deaths(histories, theta, means=False)
        return _log_shared(histories, theta) + np.logaddexp(_log_alive(histories, theta), dead)

    def climb_histories(self, histories: Histories, theta: Array) -> tuple[Array, Array]:
        from scipy.special import digamma

        r, alpha, s, beta = theta
        x, T = histories.x, histories.T
        alive = _log_alive(histories, theta)
        dead, died = _integrate_deaths(histories, theta, means=True)
        either = np.logaddexp(alive, dead)
        is_dead = np.exp(dead - either)
        lived = np.column_stack([np.log(alpha + T), 1 / (alpha + T), np.log(beta + T), 1 / (beta + T)])
        mean = (1 - is_dead)[:, None] * lived + is_dead[:, None] * died
        by_r = digamma(r + x) - digamma(r) + np.log(alpha) - mean[:, 0]
        by_s = np.log(beta) + is_dead / s - mean[:, 2]
        by_beta = s / beta - s * mean[:, 3] - is_dead * died[:, 3]
        slopes = np.column_stack([by_r, r / alpha - (r + x) * mean[:, 1], by_s, by_beta])
        return _log_shared(histories, theta) + either, slopes

    def probability_alive(self, histories: Histories) -> Array:
        dead, _ = _integrate_deaths(histories, self.theta_, means=False)
        return _share_alive(_log_alive(histories, self.theta_), dead)

    def expected_orders(self, histories: Histories, horizon_days: float) -> Array:
        """Fader and Hardie 2005, equation (41); finite at s = 1 too."""
        return self.probability_alive(histories) * self._orders_while_alive(histories, horizon_days)

    def foretell(self, histories: Histories, horizon_days: float) -> tuple[Array, Array, Array]:
        """`probability_no_order`, `probability_alive` and `expected_orders` at once, in half of the time."""
        theta = self.theta_
        later = Histories(histories.x, histories.t_x, histories.T + horizon_days / DAYS_PER_UNIT, histories.weight)
        alive, alive_later = _log_alive(histories, theta), _log_alive(later, theta)
        dead, _ = _integrate_deaths(histories, theta, means=False)
        dead_later, _ = _integrate_deaths(later, theta, means=False)
        change = np.logaddexp(alive_later, dead_later) - np.logaddexp(alive, dead)
        still = _share_alive(alive, dead)
        return np.exp(np.minimum(change, 0.0)), still, still * self._orders_while_alive(histories, horizon_days)

    def _orders_while_alive(self, histories: Histories, horizon_days: float) -> Array:
        r, alpha, s, beta = self.theta_
        time = horizon_days / DAYS_PER_UNIT
        lived = np.log1p(time / (beta + histories.T))
        power = (s - 1) * lived
        alive_for = np.where(np.abs(power) < 1e-9, lived, -np.expm1(-power) / (s - 1 if s != 1 else 1.0))
        rate = (r + histories.x) * (beta + histories.T) / (alpha + histories.T)
        return np.asarray(rate * alive_for, dtype=np.float64)


def _share_alive(alive: Array, dead: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(np.minimum(dead - alive, 700.0))), dtype=np.float64)


@functools.cache
def _place_nodes() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(_NODES)


def _log_shared(histories: Histories, theta: Array) -> Array:
    from scipy.special import gammaln

    r, alpha, s, beta = theta
    shared = gammaln(r + histories.x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return np.asarray(shared, dtype=np.float64)


def _log_alive(histories: Histories, theta: Array) -> Array:
    r, alpha, s, beta = theta
    return np.asarray(
        -(r + histories.x) * np.log(alpha + histories.T) - s * np.log(beta + histories.T), dtype=np.float64
    )


def _integrate_deaths(histories: Histories, theta: Array, *, means: bool) -> tuple[Array, Array]:
    """Over deaths at tau between t_x and T: the logarithm of the integral of s (alpha + tau)^-(r + x)
    (beta + tau)^-(s + 1), (n,), and where `means`, (n, 4): the means of ln(alpha + tau), 1 / (alpha + tau) and the same
    with beta over when the dead have died. In parts, so that memory stays bounded."""
    parts = [slice(i, i + _ROWS_AT_ONCE) for i in range(0, max(len(histories), 1), _ROWS_AT_ONCE)]
    done = [_integrate_rows(histories, theta, rows, means=means) for rows in parts]
    return np.concatenate([logs for logs, _ in done]), np.concatenate([each for _, each in done])


def _integrate_rows(histories: Histories, theta: Array, rows: slice, *, means: bool) -> tuple[Array, Array]:
    """The substitution v = ln(m + tau), m the smaller of alpha and beta, turns the steeper power into an exponential; what
    lies beyond e to the -45 of the peak is left out, so that the nodes stand where something is."""
    r, alpha, s, beta = theta
    x, t_x, T = histories.x[rows], histories.t_x[rows], histories.T[rows]
    at, weight = _place_nodes()
    m, wider = min(alpha, beta), abs(alpha - beta)
    by_orders = (alpha + t_x) * np.expm1(np.minimum(_NOTHING_LEFT / (r + x), 50.0))
    by_deaths = (beta + t_x) * np.expm1(min(_NOTHING_LEFT / (s + 1), 50.0))
    until = np.minimum(T, t_x + np.minimum(by_orders, by_deaths))
    low, high = np.log(m + t_x), np.log(m + until)
    half = (high - low) / 2
    v = low[:, None] + half[:, None] * (at + 1)
    near = np.exp(v)
    far = near + wider
    log_far = np.log(far)
    by_alpha, by_beta = (v, log_far) if alpha <= beta else (log_far, v)
    terms = v - (r + x)[:, None] * by_alpha - (s + 1) * by_beta
    peak = terms.max(axis=1)
    mass = np.exp(terms - peak[:, None]) * weight
    total = mass.sum(axis=1)
    with np.errstate(divide="ignore"):
        logs = np.log(s) + np.log(half) + peak + np.log(total)
    if not means:
        return np.asarray(logs, dtype=np.float64), np.empty((len(x), 4))
    share = mass / total[:, None]
    nearer, farther = (share / near).sum(axis=1), (share / far).sum(axis=1)
    inverse = (nearer, farther) if alpha <= beta else (farther, nearer)
    columns = [(share * by_alpha).sum(axis=1), inverse[0], (share * by_beta).sum(axis=1), inverse[1]]
    return np.asarray(logs, dtype=np.float64), np.column_stack(columns)

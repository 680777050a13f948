"""Gamma-Gamma (Fader, Hardie and Lee 2005, "RFM and CLV", JMR 42:415-430): what an order of a customer is worth.

Values of one customer scatter as Gamma(p, nu), and nu differs by customer as Gamma(q, gamma).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from customers.scoring.lanes import hold_blas

from .histories import Array

FEWEST_CUSTOMERS = 30

_LOWEST, _HIGHEST = -7.0, 14.0


class GammaGammaRejected(Exception):
    """The fit has no mean value (q <= 1) or there is too little to fit it to; take the shop's plain means."""


class GammaGamma:
    """theta_ is (p, q, gamma); values in the shop's currency."""

    def fit(self, orders: Array, mean_value: Array) -> GammaGamma:
        """`orders` per customer and their mean value, both (n,); rows without a positive value are left out.

        Raises GammaGammaRejected.
        """
        from scipy.optimize import minimize

        known = (orders > 0) & (mean_value > 0) & np.isfinite(mean_value)
        x, z = np.asarray(orders[known], dtype=np.float64), np.asarray(mean_value[known], dtype=np.float64)
        if len(x) < FEWEST_CUSTOMERS:
            raise GammaGammaRejected(f"{len(x)} customers with a positive value, {FEWEST_CUSTOMERS} are needed")
        scale = float(np.median(z))

        def loss(log_theta: Array) -> float:
            value = -float(np.mean(_log_likelihoods(x, z / scale, np.exp(log_theta))))
            return value if np.isfinite(value) else 1e6

        start = np.array([0.5, 1.0, 1.0])
        bounds = [(_LOWEST, _HIGHEST)] * 3
        with hold_blas():
            found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12})
        p, q, gamma = np.exp(found.x)
        if not np.isfinite(found.fun) or q <= 1:
            raise GammaGammaRejected(f"q is {q:.2f}: with q of 1 or less the mean value of an order does not exist")
        self.theta_ = np.array([p, q, gamma * scale])
        return self

    def expected_value(self, orders: Array, mean_value: Array) -> Array:
        """What the next order is worth, (n,): between the customer's own mean and the shop's, by how much is known. The shop's
        where their mean is not above 0 (who sent everything back) or not known: the distribution has no such values."""
        p, q, gamma = self.theta_
        x = np.where(mean_value > 0, orders, 0.0)
        seen = np.where(mean_value > 0, mean_value, 0.0)
        return np.asarray(p * (gamma + x * seen) / (p * x + q - 1), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        return {"theta_": self.theta_.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> GammaGamma:
        made = cls()
        made.theta_ = np.asarray(stored["theta_"], dtype=np.float64)
        return made


def _log_likelihoods(x: Array, z: Array, theta: Array) -> Array:
    """Their equation (1a)."""
    from scipy.special import gammaln

    p, q, gamma = theta
    shapes = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    values = q * np.log(gamma) + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(x * z + gamma)
    return np.asarray(shapes + values, dtype=np.float64)

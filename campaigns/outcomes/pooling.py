"""Several campaigns together: their mean effect, and how much they differ beyond chance. No Django here.

A random-effects mean with the variance between campaigns by DerSimonian and Laird (Controlled Clinical Trials 7, 1986), and
the interval of Hartung and Knapp (Statistics in Medicine 20, 2001), never narrower than the usual one (Röver, Knapp and
Friede, BMC Medical Research Methodology 15, 2015): campaigns are few, and the usual interval covers too seldom then. I² is
the share of the spread that chance does not explain (Higgins and Thompson, Statistics in Medicine 21, 2002).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pooled:
    """The mean over campaigns like these, in the unit of the effects. `tau` is the standard deviation of the true effects,
    `i_squared` 0 to 1, `p_value` that of Cochran's Q; `next_low` and `next_high` bound the true effect of one more such
    campaign (None with fewer than three)."""

    campaigns: int
    effect: float
    low: float
    high: float
    error: float
    tau: float
    i_squared: float
    q: float
    p_value: float
    next_low: float | None
    next_high: float | None


def pool_effects(effects: Sequence[float], errors: Sequence[float]) -> Pooled | None:
    """None with fewer than two: one campaign is no group. Raises ValueError for an error that is not above nought."""
    count = len(effects)
    if any(error <= 0 for error in errors):
        raise ValueError("each effect needs a standard error above nought")
    if count < 2:
        return None
    weights = [1 / error**2 for error in errors]
    fixed = _mean(effects, weights)
    q = sum(weight * (effect - fixed) ** 2 for effect, weight in zip(effects, weights, strict=True))
    scale = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    between = max(0.0, (q - (count - 1)) / scale)
    weights = [1 / (error**2 + between) for error in errors]
    mean = _mean(effects, weights)
    error = math.sqrt(_squared_error(effects, weights, mean))
    half = _quantile(count - 1) * error
    reach = _quantile(count - 2) * math.sqrt(between + error**2) if count > 2 else None
    return Pooled(
        count, mean, mean - half, mean + half, error, math.sqrt(between),
        max(0.0, 1 - (count - 1) / q) if q > 0 else 0.0, q, _chi_square_tail(q, count - 1),
        None if reach is None else mean - reach, None if reach is None else mean + reach,
    )  # fmt: skip


def _mean(effects: Sequence[float], weights: Sequence[float]) -> float:
    return sum(weight * effect for effect, weight in zip(effects, weights, strict=True)) / sum(weights)


def _squared_error(effects: Sequence[float], weights: Sequence[float], mean: float) -> float:
    """Hartung and Knapp's, or the usual one where that is larger."""
    usual = 1 / sum(weights)
    spread = sum(weight * (effect - mean) ** 2 for effect, weight in zip(effects, weights, strict=True))
    return usual * max(1.0, spread / (len(effects) - 1))


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit  # takes a while to import, and only this report needs it

    return float(stdtrit(freedom, 0.975))


def _chi_square_tail(q: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, q))

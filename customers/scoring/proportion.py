"""The interval of one share, and of the difference of two. No framework here."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_interval(successes: float, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds (0 to 1) of a binomial share, the score interval of Wilson (JASA 22, 1927).

    Raises ValueError for none of none and for more than all.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, square = successes / n, z * z / n
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    # At both ends the formula gives exactly 0 or 1, up to the last digit of floating point.
    return (0.0 if successes == 0 else middle - reach), (1.0 if successes == n else middle + reach)


def newcombe_interval(
    successes: float, n: int, others: float, of: int, *, confidence: float = 0.95, correlation: float = 0.0
) -> tuple[float, float]:
    """Bounds (-1 to 1) of a share less another one, the hybrid score interval of Newcombe (Statistics in Medicine 17, 1998,
    method 10) from the two of Wilson. `correlation` is that of the two shares where some people are in both (Newcombe in the
    same volume for paired shares; Donner and Zou, Statistical Methods in Medical Research 21, 2012, for any two). Raises
    ValueError as `wilson_interval`."""
    low1, high1 = wilson_interval(successes, n, confidence=confidence)
    low2, high2 = wilson_interval(others, of, confidence=confidence)
    p1, p2 = successes / n, others / of
    below = _add_arms(p1 - low1, high2 - p2, correlation)
    above = _add_arms(high1 - p1, p2 - low2, correlation)
    return p1 - p2 - below, p1 - p2 + above


def _add_arms(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))

"""What each arm did: the average treatment effect with and without CUPED, several arms corrected for. No Django here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from campaigns.audience.any_look import share_confidence
from campaigns.outcomes.correction import correct_holm
from campaigns.outcomes.cuped import (
    CAP_QUANTILE,
    LEAST_AMOUNTS,
    Adjusted,
    ArmMoments,
    Difference,
    bound_difference,
    estimate_adjusted,
    take_moments,
)
from campaigns.outcomes.lift import CONFIDENCE

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """One arm against control. `p_holm` is corrected for the number of arms; `low_all` and `high_all` bound the adjusted
    effects of all arms at once."""

    arm: str
    n: int
    mean: float
    found: Adjusted
    p_value: float
    p_holm: float
    low_all: float
    high_all: float

    @property
    def is_clear(self) -> bool:
        return self.p_holm < 1 - CONFIDENCE


@dataclass(frozen=True)
class Winsorised:
    """The outcome with large amounts cut to `cap`, and how many people that touched."""

    cap: float
    touched: int
    y: Array


def estimate_effects(arms: Sequence[str], arm: npt.NDArray[np.int64], y: Array, x: Array) -> list[Effect]:
    """Every arm against the first one. Arms of fewer than two people raise ValueError."""
    moments = [take_moments(y[arm == place], x[arm == place]) for place in range(len(arms))]
    found = [estimate_adjusted(treated, moments[0]) for treated in moments[1:]]
    p_values = [_find_p_value(each.adjusted) for each in found]
    return [
        _describe(name, treated, each, p_value, p_holm, len(found))
        for name, treated, each, p_value, p_holm in zip(
            arms[1:], moments[1:], found, p_values, correct_holm(p_values), strict=True
        )
    ]


def winsorise(y: Array, quantile: float = CAP_QUANTILE) -> Winsorised | None:
    """None where the outcome is yes or no, a count of few values, or has too few amounts to say what is large.

    Amounts below nought (returns) are cut in the same way from below, at the mirror of the cap.
    """
    amounts = np.abs(y[y != 0])
    if quantile >= 1 or len(amounts) < LEAST_AMOUNTS or len(np.unique(amounts)) <= 20:
        return None
    cap = float(np.quantile(amounts, quantile))
    return Winsorised(cap, int((np.abs(y) > cap).sum()), np.clip(y, -cap, cap))


def _find_p_value(found: Difference) -> float:
    """By Student's t, as the interval is: with the normal approximation an effect of small arms is called clear whose interval
    holds nought."""
    from scipy.stats import t

    if found.error <= 0:
        return 1.0 if found.effect == 0 else 0.0
    return float(2 * t.sf(abs(found.effect) / found.error, max(found.degrees, 1.0)))


def _describe(name: str, treated: ArmMoments, found: Adjusted, p_value: float, p_holm: float, arms: int) -> Effect:
    best = found.adjusted
    joint: Difference = bound_difference(best.effect, best.error, best.degrees, share_confidence(CONFIDENCE, arms))
    return Effect(name, treated.n, treated.mean, found, p_value, p_holm, joint.low, joint.high)

"""How many stayed because of the campaign: treated against held-out people, with an honest interval. No Django here.

The difference of two proportions with Newcombe's hybrid score interval (Newcombe, Statistics in Medicine 17, 1998,
method 10, without continuity correction), which keeps its coverage where groups are small or shares near 0 and 1. The
difference of two means (revenue) with Welch's interval. Both are of intention to treat: everybody counts in the
arm they were drawn into, whether or not the message reached them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

from campaigns.audience.any_look import CONFIDENCE as CONFIDENCE
from campaigns.audience.planning import LEAST_PER_ARM as LEAST_PER_ARM
from customers.scoring.proportion import newcombe_interval

Verdict = Literal["positive", "negative", "no_effect", "too_early"]


@dataclass(frozen=True)
class Lift:
    """What the campaign did to the share of customers kept, in percentage points, and to their number.

    `low` and `high` bound `points`; `kept_low` and `kept_high` bound `kept`, the customers kept because of it:
    points / 100 x treated. `treated_rate` and `holdout_rate` are 0 to 1.
    """

    treated: int
    treated_kept: int
    holdout: int
    holdout_kept: int
    treated_rate: float
    holdout_rate: float
    points: float
    low: float
    high: float
    kept: float
    kept_low: float
    kept_high: float
    verdict: Verdict
    confidence: float = CONFIDENCE

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Moments:
    """One arm's amounts per person: how many people, mean and variance (n - 1) over all of them, zeros included."""

    n: int
    mean: float
    variance: float


@dataclass(frozen=True)
class MeanDifference:
    """Treated less held out, per person, and times the number treated; None where an arm is too small to say."""

    per_person: float
    low: float
    high: float
    total: float
    total_low: float
    total_high: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def estimate_lift(
    treated_n: int,
    treated_kept: int,
    holdout_n: int,
    holdout_kept: int,
    *,
    is_complete: bool = True,
    confidence: float = CONFIDENCE,
) -> Lift:
    """The lift in retention. `is_complete` False, while the attribution window is open, always says `too_early`:
    looking every day and stopping when it looks well would find effects that are not there.

    `no_effect` means that the interval holds nought, not that nought was shown. Raises ValueError for counts that
    cannot be.
    """
    for kept, n in ((treated_kept, treated_n), (holdout_kept, holdout_n)):
        if not 0 <= kept <= n:
            raise ValueError(f"{kept} kept of {n} cannot be")
    treated_rate = treated_kept / treated_n if treated_n else 0.0
    holdout_rate = holdout_kept / holdout_n if holdout_n else 0.0
    difference, low, high = 0.0, -1.0, 1.0
    if treated_n and holdout_n:
        difference = treated_rate - holdout_rate
        low, high = newcombe_interval(treated_kept, treated_n, holdout_kept, holdout_n, confidence=confidence)
    is_large = min(treated_n, holdout_n) >= LEAST_PER_ARM
    return Lift(
        treated=treated_n,
        treated_kept=treated_kept,
        holdout=holdout_n,
        holdout_kept=holdout_kept,
        treated_rate=treated_rate,
        holdout_rate=holdout_rate,
        points=100 * difference,
        low=100 * low,
        high=100 * high,
        kept=difference * treated_n,
        kept_low=low * treated_n,
        kept_high=high * treated_n,
        verdict=_judge(low, high) if is_complete and is_large else "too_early",
        confidence=confidence,
    )


def estimate_mean_difference(
    treated: Moments, holdout: Moments, *, confidence: float = CONFIDENCE
) -> MeanDifference | None:
    """The difference of means with Welch's interval (Welch, Biometrika 34, 1947); None for fewer than LEAST_PER_ARM."""
    if min(treated.n, holdout.n) < LEAST_PER_ARM:
        return None
    share1, share2 = treated.variance / treated.n, holdout.variance / holdout.n
    spread = math.sqrt(share1 + share2)
    half = 0.0
    if spread > 0:
        freedom = welch_degrees((share1, share2), (treated.n, holdout.n))
        half = student_quantile(0.5 + confidence / 2, freedom) * spread
    difference = treated.mean - holdout.mean
    return MeanDifference(
        per_person=difference,
        low=difference - half,
        high=difference + half,
        total=difference * treated.n,
        total_low=(difference - half) * treated.n,
        total_high=(difference + half) * treated.n,
    )


def welch_degrees(shares: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Welch and Satterthwaite's degrees of freedom; `shares` is each arm's part of the squared error, `sizes` its people."""
    if sum(shares) <= 0:
        return float(sum(sizes) - 2)
    below = shares[0] ** 2 / (sizes[0] - 1) + shares[1] ** 2 / (sizes[1] - 1)
    return float(sum(shares) ** 2 / below)


def student_quantile(p: float, freedom: float) -> float:
    """Quantile of Student's t by the expansion of Abramowitz and Stegun (26.7.5), good to five digits from 29 degrees on;
    the library that has it exactly takes seconds to import into every worker."""
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def _judge(low: float, high: float) -> Verdict:
    if low > 0:
        return "positive"
    if high < 0:
        return "negative"
    return "no_effect"

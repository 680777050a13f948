"""The difference of two arms with what was known before taken out of it (CUPED). No Django here.

Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment
data" (WSDM 2013): what people did before explains part of what they do after, and that part is no doubt about the effect.
With several covariates and a slope for each arm it is the regression of Lin ("Agnostic notes on regression adjustments to
experimental data", Annals of Applied Statistics 7, 2013), which in large samples is never wider than the plain difference,
however unequal the arms are. It needs means and covariances alone, which a database counts in one pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .lift import CONFIDENCE, student_quantile, welch_degrees

Array = npt.NDArray[np.float64]

#: With fewer people per covariate in an arm, the slopes would be learned from noise: nothing is taken out then.
PEOPLE_PER_COVARIATE = 20
#: Of the standardised covariates: below it two columns say the same.
_TOLERANCE = 1e-9
#: A standard deviation below a billionth of the mean is what adding up leaves of a column that is the same for everybody.
_SAME = 1e-18
#: Amounts are cut at this quantile of those that are not nought, all arms together: a rule that does not see the arms cannot
#: favour one, and where few people buy at all, a quantile of everybody would be nought. With fewer amounts than LEAST_AMOUNTS
#: the quantile would be one of the few largest orders: nothing is cut.
CAP_QUANTILE = 0.99
LEAST_AMOUNTS = 200
_ROUNDING = 1e-6
_TOO_FEW = "A difference needs at least two people in each arm."


@dataclass(frozen=True)
class ArmMoments:
    """One arm: people, mean and variance (n - 1) of the outcome y, means and covariances of the covariates x (p of them)."""

    n: int
    mean: float
    variance: float
    x_mean: Array
    x_covariance: Array
    xy_covariance: Array


@dataclass(frozen=True)
class Difference:
    """Treated less control per person, in units of the outcome, with its standard error and interval."""

    effect: float
    error: float
    low: float
    high: float
    degrees: float


@dataclass(frozen=True)
class Adjusted:
    """The difference without and with the covariates.

    `narrowing` is the share by which the interval became narrower (0.2: by a fifth; below 0: wider), `theory` the share that
    the correlation promises, 1 - sqrt(1 - correlation²); `correlation` is that of the outcome with what the covariates say
    of it, within the arms. `is_adjusted` False: too few people for so many covariates, or none that varies.
    """

    plain: Difference
    adjusted: Difference
    correlation: float
    narrowing: float
    theory: float
    is_adjusted: bool


def take_moments(y: Array, x: Array) -> ArmMoments:
    """Of one arm: y (n), x (n, p); p may be 0. Raises ValueError for fewer than two people."""
    n, p = x.shape
    if n < 2:
        raise ValueError(_TOO_FEW)
    both = np.cov(np.column_stack([y, x]), rowvar=False).reshape(p + 1, p + 1)
    return ArmMoments(n, float(y.mean()), float(both[0, 0]), x.mean(axis=0), both[1:, 1:], both[1:, 0])


def estimate_adjusted(treated: ArmMoments, control: ArmMoments, *, confidence: float = CONFIDENCE) -> Adjusted:
    """Both estimates. Raises ValueError for an arm of fewer than two people."""
    if min(treated.n, control.n) < 2:
        raise ValueError(_TOO_FEW)
    plain = _subtract_means(treated, control, confidence)
    used = _find_used(treated, control)
    if min(treated.n, control.n) < PEOPLE_PER_COVARIATE * (len(used) + 1) or not len(used) or plain.error == 0:
        return Adjusted(plain, plain, 0.0, 0.0, 0.0, False)
    scale = np.sqrt(np.diag(treated.x_covariance)[used])
    treated, control = _keep_covariates(treated, used, scale), _keep_covariates(control, used, scale)
    adjusted, correlation = _subtract_adjusted(treated, control, confidence)
    if adjusted.error <= _ROUNDING * plain.error:  # the covariates say the outcome itself, and what is left is rounding
        return Adjusted(plain, plain, 0.0, 0.0, 0.0, False)
    return Adjusted(
        plain, adjusted, correlation, 1 - adjusted.error / plain.error, 1 - math.sqrt(1 - correlation**2), True
    )


def bound_difference(effect: float, error: float, degrees: float, confidence: float = CONFIDENCE) -> Difference:
    """A difference with Student's interval."""
    half = student_quantile(0.5 + confidence / 2, max(degrees, 1.0)) * error if error > 0 else 0.0
    return Difference(effect, error, effect - half, effect + half, degrees)


def _subtract_means(treated: ArmMoments, control: ArmMoments, confidence: float) -> Difference:
    shares = (treated.variance / treated.n, control.variance / control.n)
    degrees = welch_degrees(shares, (treated.n, control.n))
    return bound_difference(treated.mean - control.mean, math.sqrt(sum(shares)), degrees, confidence)


def _subtract_adjusted(treated: ArmMoments, control: ArmMoments, confidence: float) -> tuple[Difference, float]:
    """Each arm's mean moved to the covariates' mean over both, and how much of the doubt the covariates took away."""
    n, p = treated.n + control.n, len(treated.x_mean)
    centre = (treated.n * treated.x_mean + control.n * control.x_mean) / n
    slopes, means, shares, left = [], [], [], []
    for arm in (treated, control):
        inverse = np.linalg.pinv(arm.x_covariance, rcond=_TOLERANCE, hermitian=True)
        slope, away = inverse @ arm.xy_covariance, arm.x_mean - centre
        residual = max(arm.variance - float(arm.xy_covariance @ slope), 0.0) * (arm.n - 1) / (arm.n - p - 1)
        slopes.append(slope)
        means.append(arm.mean - float(slope @ away))
        shares.append(residual * (1 / arm.n + float(away @ inverse @ away) / (arm.n - 1)))
        left.append(max(arm.variance - float(arm.xy_covariance @ slope), 0.0) / arm.n)
    gap = slopes[0] - slopes[1]
    spread = (treated.n * treated.x_covariance + control.n * control.x_covariance) / n
    error = math.sqrt(sum(shares) + float(gap @ spread @ gap) / n)
    whole = treated.variance / treated.n + control.variance / control.n
    correlation = math.sqrt(min(max(1 - sum(left) / whole, 0.0), 1.0))
    degrees = max(welch_degrees((shares[0], shares[1]), (treated.n, control.n)) - p, 1.0)
    return bound_difference(means[0] - means[1], error, degrees, confidence), correlation


def _find_used(treated: ArmMoments, control: ArmMoments) -> npt.NDArray[np.intp]:
    """The covariates that vary in both arms."""
    least = np.minimum(np.diag(treated.x_covariance), np.diag(control.x_covariance))
    return np.flatnonzero(least > _SAME * np.maximum(treated.x_mean**2, control.x_mean**2))


def _keep_covariates(arm: ArmMoments, used: npt.NDArray[np.intp], scale: Array) -> ArmMoments:
    """Those alone, in the units given: one in cents beside one in years would be lost to the inverse's tolerance."""
    return ArmMoments(
        arm.n,
        arm.mean,
        arm.variance,
        arm.x_mean[used] / scale,
        arm.x_covariance[np.ix_(used, used)] / np.outer(scale, scale),
        arm.xy_covariance[used] / scale,
    )

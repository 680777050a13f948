"""How far people and scores have moved since training, and whether past scores came true. Arithmetic only.

The population stability index is that of credit scoring (Siddiqi, Credit Risk Scorecards, 2006): the sum over bins of
(now - then) x ln(now / then), with the customary limits of 0.1 and 0.25. Bins are tenths of the training values (each
value its own bin where there are at most ten), unknown values are a bin of their own, and half a customer is added to
every bin, so that an empty one gives a large figure instead of an infinite one. Between two samples of one and the same
population the index is about (1/n + 1/m) times chi-square with bins - 1 degrees of freedom (Yurdakul, Statistical
Properties of Population Stability Index, 2018): below the 95 % point of that it says nothing, whatever the limits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .evaluation import bin_calibration, roc_auc
from .proportion import wilson_interval

Array = npt.NDArray[np.float64]

BINS = 10
SHIFTED_FROM = 0.1
MOVED_FROM = 0.25
SMOOTHING = 0.5
#: Past scores are called off where the share of leavers differs by as much, and by more than chance.
OFF_BY = 0.05
FEWEST_JUDGED = 30


@dataclass(frozen=True)
class Shift:
    """One index. `noise` is what chance alone stays below in 19 of 20 cases; verdict: steady, shifted or moved."""

    psi: float
    noise: float
    verdict: str
    mean_then: float | None
    mean_now: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PastScores:
    """Scores whose horizon has passed: shares of leavers expected and seen (Wilson's 95 % interval), as_said or off."""

    customers: int
    expected: float
    observed: float
    low: float
    high: float
    calibration_error: float
    auc: float | None
    verdict: str
    bins: list[dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure_shift(then: Array, now: Array) -> Shift:
    """The index of `now` against `then`; NaN stands for unknown. Empty samples are steady: nothing can be said."""
    from scipy.stats import chi2  # a second of imports that no start of Django should pay

    if not len(then) or not len(now):
        return Shift(0.0, 0.0, "steady", None, None)
    edges = _find_edges(then)
    counts = np.stack([_count_bins(then, edges), _count_bins(now, edges)])
    counts = counts[:, counts.sum(axis=0) > 0] + SMOOTHING
    before, after = counts / counts.sum(axis=1, keepdims=True)
    psi = float(np.sum((after - before) * np.log(after / before)))
    freedom = max(len(before) - 1, 1)
    noise = float((1 / len(then) + 1 / len(now)) * chi2.ppf(0.95, freedom))
    return Shift(round(psi, 4), round(noise, 4), _judge_shift(psi, noise), _mean(then), _mean(now))


def judge_past_scores(p: Array, left: Array) -> PastScores | None:
    """What was said against what happened; None below 30 customers."""
    n = len(p)
    if n < FEWEST_JUDGED:
        return None
    bins = bin_calibration(left, p)
    expected, observed = float(p.mean()), float(left.mean())
    low, high = wilson_interval(float(left.sum()), n)
    is_off = abs(expected - observed) >= OFF_BY and not low <= expected <= high
    error = sum(row["customers"] * abs(row["predicted"] - row["observed"]) for row in bins) / n
    auc = round(roc_auc(left, p), 4) if 0 < left.sum() < n else None
    return PastScores(
        n, round(expected, 4), round(observed, 4), round(low, 4), round(high, 4), round(error, 4), auc,
        "off" if is_off else "as_said", bins,
    )  # fmt: skip


def _find_edges(then: Array) -> Array:
    """Right ends of all bins but the last. A value on an edge belongs to the bin on its left."""
    known = then[np.isfinite(then)]
    values = np.unique(known)
    if len(values) <= BINS:
        return np.asarray((values[1:] + values[:-1]) / 2, dtype=np.float64)
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))


def _count_bins(values: Array, edges: Array) -> Array:
    known = values[np.isfinite(values)]
    inside = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(inside, len(values) - len(known)).astype(np.float64)


def _judge_shift(psi: float, noise: float) -> str:
    if psi < max(SHIFTED_FROM, noise):
        return "steady"
    return "moved" if psi >= MOVED_FROM else "shifted"


def _mean(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.mean()), 4) if len(known) else None

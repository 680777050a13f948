"""How good predictions are, each figure with a bootstrap interval, and against the plain rule on the same people.

`y` is 1 for a customer who left. Intervals are percentile intervals over resampled customers (Efron and Tibshirani
1993), but for the calibration error, which resamples exaggerate (`calibration_error`); every estimator sees the same
resamples, so that differences are paired.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .calibration_error import BINS as CALIBRATION_BINS
from .calibration_error import bound_error, sum_errors
from .lanes import run_in_lanes
from .proportion import wilson_interval

Array = npt.NDArray[np.float64]

METRICS = ("auc", "pr_auc", "log_loss", "brier", "ece", "lift10")
HISTOGRAM_BINS = 20

_CELLS_PER_CHUNK = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> list[float]:
        return [_rounded(self.low), _rounded(self.high)]


@dataclass(frozen=True)
class Evaluation:
    """The figures of one estimator, and the difference of its AUC to the baseline's on the same resamples."""

    figures: dict[str, Estimate]
    auc_gain: Estimate

    @property
    def beats_baseline(self) -> bool:
        """Better at ranking beyond doubt: the interval of the difference lies above 0."""
        return self.auc_gain.low > 0

    def to_json(self) -> dict[str, Any]:
        values = {name: _rounded(figure.value) for name, figure in self.figures.items()}
        intervals = {name: figure.interval for name, figure in self.figures.items()}
        gain = {"auc": _rounded(self.auc_gain.value), "interval": self.auc_gain.interval}
        return {**values, "intervals": intervals, "against_rule": gain, "beats_rule": self.beats_baseline}


def evaluate_predictions(
    y: Array, predictions: Mapping[str, Array], *, baseline: str, seed: int, replicates: int = 200
) -> dict[str, Evaluation]:
    """Evaluate several predictions of the same `y`; raises ValueError unless both outcomes occur."""
    return judge_predictions(y, predictions, baseline=baseline, chosen=baseline, seed=seed, replicates=replicates)[0]


def judge_predictions(
    y: Array, predictions: Mapping[str, Array], *, baseline: str, chosen: str, seed: int, replicates: int = 200
) -> tuple[dict[str, Evaluation], dict[str, Estimate]]:
    """Every evaluation, and by how much the AUC of `chosen` is above that of each other prediction, on the same resamples.

    Raises ValueError unless both outcomes occur.
    """
    outcome = np.asarray(y, dtype=np.float64)
    if not 0 < outcome.sum() < len(outcome):
        raise ValueError("figures need customers who left and customers who stayed")
    ones = np.ones((1, len(outcome)))
    points = {name: _measure(outcome, p, ones) for name, p in predictions.items()}
    samples: dict[str, dict[str, list[Array]]] = {name: {metric: [] for metric in METRICS} for name in predictions}
    for weights in draw_resamples(outcome, seed=seed, replicates=replicates):
        measured = run_in_lanes([functools.partial(_measure, outcome, p, weights) for p in predictions.values()])
        for name, found in zip(predictions, measured, strict=True):
            for metric, values in found.items():
                samples[name][metric].append(values)
    drawn = {name: {metric: np.concatenate(parts) for metric, parts in by.items()} for name, by in samples.items()}

    def difference(of: str, to: str) -> Estimate:
        return bound_resamples(points[of]["auc"][0] - points[to]["auc"][0], drawn[of]["auc"] - drawn[to]["auc"])

    evaluations = {}
    for name in predictions:
        figures = {metric: bound_resamples(points[name][metric][0], drawn[name][metric]) for metric in METRICS}
        error = figures["ece"].value
        figures["ece"] = Estimate(error, *bound_error(error, drawn[name]["ece"], predictions[name], seed=seed))
        evaluations[name] = Evaluation(figures, difference(name, baseline))
    return evaluations, {name: difference(chosen, name) for name in predictions if name != chosen}


def tell_gain(gain: Estimate) -> str:
    """`win`, `tie` or `loss`: on which side of 0 the whole interval lies."""
    if gain.low > 0:
        return "win"
    return "loss" if gain.high < 0 else "tie"


def normalised_gini(actual: Array, expected: Array) -> float:
    """How well `expected` puts those with the largest `actual` first: 1 is the best order, 0 is chance; ties keep their
    order, negative amounts count nothing."""
    amounts = np.maximum(np.asarray(actual, dtype=np.float64), 0.0)
    if not amounts.sum():
        return 0.0
    return _lorenz_area(amounts, expected) / _lorenz_area(amounts, amounts)


def _lorenz_area(amounts: Array, by: Array) -> float:
    order = np.argsort(-np.asarray(by), kind="stable")
    captured = np.cumsum(amounts[order]) / amounts.sum()
    return float(np.sum(captured - np.arange(1, len(amounts) + 1) / len(amounts)))


def bin_calibration(y: Array, p: Array, *, bins: int = CALIBRATION_BINS) -> list[dict[str, float]]:
    """Predicted against observed share of leavers in bins of equal size, with Wilson's 95 % interval."""
    order = np.argsort(p, kind="stable")
    rows = []
    for part in np.array_split(order, bins):
        if len(part):
            low, high = wilson_interval(float(y[part].sum()), len(part))
            rows.append(
                {
                    "predicted": _rounded(float(p[part].mean())),
                    "observed": _rounded(float(y[part].mean())),
                    "low": _rounded(low),
                    "high": _rounded(high),
                    "customers": len(part),
                }
            )
    return rows


def bin_scores(y: Array, p: Array, *, bins: int = HISTOGRAM_BINS) -> list[dict[str, float]]:
    """How many leavers and stayers got a probability in each of `bins` bins of equal width."""
    place = np.minimum((np.asarray(p) * bins).astype(int), bins - 1)
    leavers = np.bincount(place, weights=y, minlength=bins)
    everyone = np.bincount(place, minlength=bins)
    return [
        {
            "from": round(i / bins, 4),
            "to": round((i + 1) / bins, 4),
            "leavers": int(leavers[i]),
            "stayers": int(everyone[i] - leavers[i]),
        }
        for i in range(bins)
    ]


def roc_auc(y: Array, p: Array) -> float:
    """Chance that a leaver has a higher probability than a stayer, ties counting half."""
    return float(_measure(np.asarray(y, dtype=np.float64), p, np.ones((1, len(y))))["auc"][0])


def draw_resamples(y: Array, *, seed: int, replicates: int) -> Iterator[Array]:
    """Weights of resampled customers, (rows, n) at a time so that memory stays bounded; a one-sided draw is dropped."""
    rng = np.random.default_rng(seed)
    n = len(y)
    rows = max(1, min(replicates, _CELLS_PER_CHUNK // n))
    done = 0
    while done < replicates:
        size = min(rows, replicates - done)
        picks = rng.integers(0, n, size=(size, n))
        offsets = picks + np.arange(size)[:, None] * n
        weights = np.bincount(offsets.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        done += size
        leavers = weights @ y
        keep = (leavers > 0) & (leavers < n)
        if keep.any():
            yield weights[keep]


def bound_resamples(value: float, drawn: Array) -> Estimate:
    """A figure with the percentile interval of the same figure on resamples (replicates,)."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(value), float(low), float(high))


def _measure(y: Array, p: Array, weights: Array) -> dict[str, Array]:
    """Every metric for each row of `weights`; shapes (n,), (n,), (rows, n) to arrays of (rows,)."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    w = weights[:, order]
    leavers = np.cumsum(w * y[order], axis=1)[:, ends]
    everyone = np.cumsum(w, axis=1)[:, ends]
    total, positives = everyone[:, -1], leavers[:, -1]
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    log_losses = -(y * np.log(clipped) + (1 - y) * np.log(1 - clipped))
    return {
        "auc": _area_under_roc(leavers, everyone),
        "pr_auc": _average_precision(leavers, everyone),
        "log_loss": weights @ log_losses / total,
        "brier": weights @ (p - y) ** 2 / total,
        "ece": sum_errors(y, p, weights) / total,
        "lift10": _capture(leavers, everyone, 0.1) / (0.1 * positives),
    }


def _area_under_roc(leavers: Array, everyone: Array) -> Array:
    stayers = everyone - leavers
    before = np.hstack([np.zeros((len(leavers), 1)), leavers[:, :-1]])
    new_stayers = np.diff(stayers, axis=1, prepend=0.0)
    area = (new_stayers * (before + leavers) / 2).sum(axis=1)
    return np.asarray(area / (leavers[:, -1] * stayers[:, -1]))


def _average_precision(leavers: Array, everyone: Array) -> Array:
    precision = leavers / np.maximum(everyone, 1e-12)
    return np.asarray((np.diff(leavers, axis=1, prepend=0.0) * precision).sum(axis=1) / leavers[:, -1])


def _capture(leavers: Array, everyone: Array, share: float) -> Array:
    """Leavers among the `share` with the highest probability; a tie at the border is split evenly."""
    caught = np.empty(len(leavers))
    for row, (got, seen) in enumerate(zip(leavers, everyone, strict=True)):
        caught[row] = np.interp(share * seen[-1], np.append(0.0, seen), np.append(0.0, got))
    return caught


def _rounded(value: float) -> float:
    return round(float(value), 5)

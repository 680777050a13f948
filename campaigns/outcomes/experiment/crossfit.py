"""Predictions for everybody by models that have not seen them: fitted on four fifths, asked about the fifth. No Django here."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from customers.scoring.lanes import run_in_lanes

from .curves import Array, Sizes
from .learners import UpliftModels, fit_models

Places = npt.NDArray[np.int64]

FOLDS = 5


@dataclass(frozen=True)
class CrossFit:
    """Of n people: `outcomes` (n, k) is E(outcome | arm, x) for each arm, `scores` by learner (n, k - 1), `fold` (n) says in
    which fifth somebody is. With several rounds the predictions are means over them, and `fold` is of the first one.
    `sizes` are those of the curves."""

    outcomes: Array
    scores: dict[str, Array]
    fold: Places
    sizes: Sizes


def cross_fit(
    x: Array,
    y: Array,
    arm: Places,
    arms: int,
    *,
    seed: int,
    folds: int = FOLDS,
    rounds: int = 1,
    drawn: Sequence[Places] | None = None,
    propensity: Array | None = None,
) -> CrossFit:
    """Fit all learners `folds` times for each round and keep what each said of those it had not seen.

    How large each model may be is found once, by cross-validation on all of them. `drawn` says for each round in which of
    the folds somebody is, where they cannot be drawn person by person; `propensity` as in `fit_models`.
    """
    sizes: Sizes = {}
    fit_models(x, y, arm, arms, sizes=sizes, seed=seed, propensity=propensity)
    if drawn is None:
        drawn = [draw_folds(y, arm, folds=folds, seed=seed + number) for number in range(rounds)]
    rounds = len(drawn)
    jobs = [
        functools.partial(_predict_fold, x, y, arm, arms, fold == place, sizes, seed + 101 * number + place, propensity)
        for number, fold in enumerate(drawn)
        for place in range(folds)
    ]
    told = run_in_lanes(jobs)
    outcomes, scores = np.zeros((len(y), arms)), {name: np.zeros((len(y), arms - 1)) for name in told[0][1]}
    for job, (means, ranks) in enumerate(told):
        out = drawn[job // folds] == job % folds
        outcomes[out] += means / rounds
        for name, values in ranks.items():
            scores[name][out] += values / rounds
    return CrossFit(outcomes, scores, drawn[0], sizes)


def draw_folds(y: Array, arm: Places, *, folds: int, seed: int) -> Places:
    """Evenly within each arm, and within those with an outcome and those without one: where few buy, a fifth without
    buyers would say nothing."""
    random = np.random.default_rng(seed)
    fold = np.zeros(len(y), dtype=np.int64)
    for place in np.unique(arm):
        for happened in (False, True):
            rows = np.flatnonzero((arm == place) & ((y != 0) == happened))
            fold[random.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def _predict_fold(
    x: Array,
    y: Array,
    arm: Places,
    arms: int,
    out: npt.NDArray[np.bool_],
    sizes: Sizes,
    seed: int,
    propensity: Array | None,
) -> tuple[Array, dict[str, Array]]:
    known = None if propensity is None else propensity[~out]
    models: UpliftModels = fit_models(x[~out], y[~out], arm[~out], arms, sizes=dict(sizes), seed=seed, propensity=known)
    return models.predict_outcomes(x[out]), models.predict_scores(x[out])

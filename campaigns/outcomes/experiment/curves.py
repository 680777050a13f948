"""E(y | x) by boosted trees that are no larger than what there is to learn. No Django here.

Outcomes of campaigns are rare and little is known beforehand: a hundred trees on the buyers of a control arm mostly learn its
noise, and the difference of two such models is noise twice. So the number of trees of every curve, and how deep they are, is
found by cross-validation; where nothing can be learned, the mean is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Curve = Callable[[Array], Array]
#: How deep and how many the trees of each curve of an experiment are, by its name; filled in by the first fit and used by
#: those after it.
Sizes = dict[str, tuple[int, int]]

#: Shallow, slow and strongly held, as in scoring: effects are small beside the noise.
_SETTINGS: dict[str, Any] = {
    "tree_method": "hist",
    "max_bin": 64,
    "learning_rate": 0.05,
    "subsample": 0.7,
    "reg_lambda": 10.0,
    "nthread": 1,
    "verbosity": 0,
}
MOST_TREES = 150
_DEPTHS = (2, 4)
_FOLDS = 4
#: The search ends when so many more trees have not helped.
_PATIENCE = 15
#: With fewer people a tree would split on chance; the mean is all that is known.
_LEAST_ROWS = 100


def is_yes_or_no(y: Array) -> bool:
    """Whether an outcome is 0 or 1 for everybody."""
    return bool(np.isin(y, (0.0, 1.0)).all())


def fit_curve(x: Array, y: Array, *, name: str, sizes: Sizes, seed: int, weight: Array | None = None) -> Curve:
    """A probability where y is 0 or 1 alone, else a mean; constant where there is too little to learn from.

    The size of the trees is `sizes[name]`, and is found and written there if it is missing.
    """
    import xgboost as xgb

    mean = float(np.average(y, weights=weight)) if len(y) else 0.0
    if len(y) < _LEAST_ROWS or not x.shape[1] or y.min() == y.max():
        return lambda rows: np.full(len(rows), mean)
    is_binary = is_yes_or_no(y)
    spread = 1.0 if is_binary else float(y.std())
    target = y if is_binary else (y - mean) / spread
    settings = _choose_settings(mean, len(y), is_binary) | {"seed": seed}
    if name not in sizes:
        sizes[name] = _find_size(settings, x, target, weight)
    depth, trees = sizes[name]
    if not trees:
        return lambda rows: np.full(len(rows), mean)
    data = xgb.QuantileDMatrix(x, label=target, weight=weight, max_bin=_SETTINGS["max_bin"], nthread=1)
    booster = xgb.train(settings | {"max_depth": depth}, data, num_boost_round=trees)
    if is_binary:
        return lambda rows: np.asarray(booster.inplace_predict(rows), dtype=np.float64)
    return lambda rows: mean + spread * np.asarray(booster.inplace_predict(rows), dtype=np.float64)


def _choose_settings(mean: float, n: int, is_binary: bool) -> dict[str, Any]:
    """A leaf has to hold a fiftieth of the people or 200, whichever is less; for yes and no a person weighs p (1 - p)."""
    people = min(200.0, n / 50)
    return _SETTINGS | {
        "objective": "binary:logistic" if is_binary else "reg:squarederror",
        "min_child_weight": people * (mean * (1 - mean) if is_binary else 1.0),
        "base_score": mean if is_binary else 0.0,
    }


def _find_size(settings: dict[str, Any], x: Array, target: Array, weight: Array | None) -> tuple[int, int]:
    """Depth and number of trees with the least cross-validated loss; no tree where none is better than the mean."""
    import xgboost as xgb

    is_binary = settings["objective"] == "binary:logistic"
    data = xgb.DMatrix(x, label=target, weight=weight, nthread=1)
    metric = "logloss" if is_binary else "rmse"
    least, best = _find_plain_loss(target, weight, is_binary), (_DEPTHS[0], 0)
    for depth in _DEPTHS:
        found = xgb.cv(
            settings | {"max_depth": depth}, data, MOST_TREES, nfold=_FOLDS, stratified=is_binary, metrics=(metric,),
            seed=settings["seed"], early_stopping_rounds=_PATIENCE, as_pandas=False,
        )  # fmt: skip
        losses = np.asarray(found[f"test-{metric}-mean"], dtype=np.float64)
        place = int(np.argmin(losses))
        if losses[place] < least:
            least, best = float(losses[place]), (depth, place + 1)
    return best


def _find_plain_loss(target: Array, weight: Array | None, is_binary: bool) -> float:
    """Of saying the mean to everybody."""
    mean = float(np.average(target, weights=weight))
    if is_binary:
        return -(mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    return float(np.sqrt(np.average((target - mean) ** 2, weights=weight)))

"""E(y | x) by boosted trees that are no larger than what there is to learn, or by a regression. No Django here.

Outcomes of campaigns are rare and little is known beforehand: a hundred trees on the buyers of a control arm mostly learn its
noise, and the difference of two such models is noise twice. So the number of trees of every curve, and how deep they are, is
found by cross-validation; where nothing can be learned, the mean is left. Beside the trees stands a penalised regression on
products of covariates (`pairs`). Each is used if its cross-validated loss is smaller than that of saying the mean; where both
are, what is said is the mean of the two, of log-odds for a yes or no: they err on different people.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .fitted import Blended, Boosted, Combined, Constant, Curve, Regression
from .pairs import find_penalty, fit_slopes, learn_basis

Array = npt.NDArray[np.float64]


class Size(NamedTuple):
    """How deep and how many the trees of a curve are, and the penalty of the regression beside them; 0 where there is none."""

    depth: int = 0
    trees: int = 0
    penalty: float = 0.0


#: Of each curve of an experiment, by its name; filled in by the first fit and used by those after it.
Sizes = dict[str, Size]

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
#: A regression is fitted on a sample where there are more: its few slopes are known by then, and its cost grows with people.
_MOST_REGRESSED = 50_000
#: The search ends when so many more trees have not helped.
_PATIENCE = 15
#: With fewer people a tree would split on chance; the mean is all that is known.
_LEAST_ROWS = 100


def is_yes_or_no(y: Array) -> bool:
    """Whether an outcome is 0 or 1 for everybody."""
    return bool(np.isin(y, (0.0, 1.0)).all())


def fit_curve(x: Array, y: Array, *, name: str, sizes: Sizes, seed: int, weight: Array | None = None) -> Curve:
    """A probability where y is 0 or 1 alone, else a mean; constant where there is too little to learn from.

    Its size is `sizes[name]`, and is found and written there if it is missing.
    """
    mean = float(np.average(y, weights=weight)) if len(y) else 0.0
    if len(y) < _LEAST_ROWS or not x.shape[1] or y.min() == y.max():
        return Constant(mean)
    is_binary = is_yes_or_no(y)
    spread = 1.0 if is_binary else float(y.std())
    target = y if is_binary else (y - mean) / spread
    settings = _choose_settings(mean, len(y), is_binary) | {"seed": seed}
    if name not in sizes:
        sizes[name] = _find_size(settings, x, target, weight)
    size, fitted = sizes[name], list[Curve]()
    if size.trees:
        fitted.append(_fit_trees(settings, x, target, weight, size, mean=mean, scale=spread, is_binary=is_binary))
    if size.penalty:
        fitted.append(_fit_regression(x, target, weight, size.penalty, mean=mean, scale=spread, is_binary=is_binary))
    if len(fitted) < 2:
        return fitted[0] if fitted else Constant(mean)
    return Blended(tuple(fitted)) if is_binary else Combined(tuple((0.5, curve) for curve in fitted))


def _fit_trees(
    settings: dict[str, Any],
    x: Array,
    target: Array,
    weight: Array | None,
    size: Size,
    *,
    mean: float,
    scale: float,
    is_binary: bool,
) -> Curve:
    import xgboost as xgb

    data = xgb.QuantileDMatrix(x, label=target, weight=weight, max_bin=_SETTINGS["max_bin"], nthread=1)
    booster = xgb.train(settings | {"max_depth": size.depth}, data, num_boost_round=size.trees)
    return Boosted(booster) if is_binary else Boosted(booster, mean, scale)


def _fit_regression(
    x: Array, target: Array, weight: Array | None, penalty: float, *, mean: float, scale: float, is_binary: bool
) -> Curve:
    x, target, weights = _sample(x, target, _weigh(target, weight))
    basis = learn_basis(x)
    slopes = fit_slopes(basis.expand(x), target, weights, penalty=penalty, is_logistic=is_binary)
    return Regression(basis, slopes[1:], float(slopes[0]), is_binary, mean, scale)


def _sample(x: Array, target: Array, weight: Array) -> tuple[Array, Array, Array]:
    if len(target) <= _MOST_REGRESSED:
        return x, target, weight
    rows = np.random.default_rng(0).choice(len(target), _MOST_REGRESSED, replace=False)
    return x[rows], target[rows], weight[rows]


def _weigh(target: Array, weight: Array | None) -> Array:
    """Weights of mean 1, so that a penalty means the same whatever their unit."""
    return np.ones(len(target)) if weight is None else weight / weight.mean()


def _choose_settings(mean: float, n: int, is_binary: bool) -> dict[str, Any]:
    """A leaf has to hold a fiftieth of the people or 200, whichever is less; for yes and no a person weighs p (1 - p)."""
    people = min(200.0, n / 50)
    return _SETTINGS | {
        "objective": "binary:logistic" if is_binary else "reg:squarederror",
        "min_child_weight": people * (mean * (1 - mean) if is_binary else 1.0),
        "base_score": mean if is_binary else 0.0,
    }


def _find_size(settings: dict[str, Any], x: Array, target: Array, weight: Array | None) -> Size:
    """The trees and the penalty with the least cross-validated loss; none of those that are no better than the mean."""
    import xgboost as xgb

    is_binary = settings["objective"] == "binary:logistic"
    data = xgb.DMatrix(x, label=target, weight=weight, nthread=1)
    metric = "logloss" if is_binary else "rmse"
    plain = _find_plain_loss(target, weight, is_binary)
    least, best = plain, Size()
    for depth in _DEPTHS:
        found = xgb.cv(
            settings | {"max_depth": depth}, data, MOST_TREES, nfold=_FOLDS, stratified=is_binary, metrics=(metric,),
            seed=settings["seed"], early_stopping_rounds=_PATIENCE, as_pandas=False,
        )  # fmt: skip
        losses = np.asarray(found[f"test-{metric}-mean"], dtype=np.float64)
        place = int(np.argmin(losses))
        if losses[place] < least:
            least, best = float(losses[place]), Size(depth, place + 1)
    penalty, lost = find_penalty(
        *_sample(x, target, _weigh(target, weight)), is_logistic=is_binary, folds=_FOLDS, seed=settings["seed"]
    )
    return best._replace(penalty=penalty) if lost < plain else best


def _find_plain_loss(target: Array, weight: Array | None, is_binary: bool) -> float:
    """Of saying the mean to everybody."""
    mean = float(np.average(target, weights=weight))
    if is_binary:
        return -(mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    return float(np.sqrt(np.average((target - mean) ** 2, weights=weight)))

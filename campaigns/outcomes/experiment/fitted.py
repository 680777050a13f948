"""What was fitted: functions of people's covariates that can be kept as plain JSON and read again. No Django here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .pairs import Basis

Array = npt.NDArray[np.float64]

#: People whose products of covariates are in memory at once: of a million they would be gigabytes.
_AT_ONCE = 20_000


class Curve(Protocol):
    """Says a number of each of n people from their covariates (n, p)."""

    def __call__(self, x: Array) -> Array: ...

    def to_dict(self) -> dict[str, Any]:
        """JSON that `load_curve` makes the same curve of; reading it runs no code."""


@dataclass(frozen=True)
class Constant:
    """The same of everybody: where nothing could be learned."""

    value: float

    def __call__(self, x: Array) -> Array:
        return np.full(len(x), self.value)

    def to_dict(self) -> dict[str, Any]:
        return {"constant": self.value}


@dataclass(frozen=True)
class Boosted:
    """Boosted trees (XGBoost), stretched by `scale` and moved by `mean`."""

    booster: Any
    mean: float = 0.0
    scale: float = 1.0

    def __call__(self, x: Array) -> Array:
        return self.mean + self.scale * np.asarray(self.booster.inplace_predict(x), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        trees = json.loads(bytes(self.booster.save_raw("json")))
        return {"trees": trees, "mean": self.mean, "scale": self.scale}


@dataclass(frozen=True)
class Regression:
    """A penalised regression on a basis: a probability where `is_logistic`, else mean + scale × the sum."""

    basis: Basis
    slopes: Array
    intercept: float
    is_logistic: bool
    mean: float = 0.0
    scale: float = 1.0

    def __call__(self, x: Array) -> Array:
        said = np.full(len(x), self.intercept)
        for first in range(0, len(x), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            said[some] += self.basis.expand(x[some]) @ self.slopes
        told: Array = 1 / (1 + np.exp(-said)) if self.is_logistic else self.mean + self.scale * said
        return told

    def to_dict(self) -> dict[str, Any]:
        return {
            "slopes": self.slopes.tolist(),
            "intercept": self.intercept,
            "is_logistic": self.is_logistic,
            "mean": self.mean,
            "scale": self.scale,
            "basis": self.basis.to_dict(),
        }


@dataclass(frozen=True)
class Blended:
    """The mean of the log-odds of several probabilities."""

    curves: tuple[Curve, ...]

    def __call__(self, x: Array) -> Array:
        odds = [_find_log_odds(curve(x)) for curve in self.curves]
        told: Array = 1 / (1 + np.exp(-np.mean(odds, axis=0)))
        return told

    def to_dict(self) -> dict[str, Any]:
        return {"blend": [curve.to_dict() for curve in self.curves]}


@dataclass(frozen=True)
class Combined:
    """A weighted sum of curves and a constant."""

    parts: tuple[tuple[float, Curve], ...]
    constant: float = 0.0

    def __call__(self, x: Array) -> Array:
        whole = np.full(len(x), self.constant)
        for weight, curve in self.parts:
            whole += weight * curve(x)
        return whole

    def to_dict(self) -> dict[str, Any]:
        return {"sum": [[weight, curve.to_dict()] for weight, curve in self.parts], "plus": self.constant}


def load_curve(stored: dict[str, Any]) -> Curve:
    """The curve of `to_dict`. Raises ValueError for anything else."""
    if "constant" in stored:
        return Constant(float(stored["constant"]))
    if "sum" in stored:
        return Combined(tuple((float(weight), load_curve(part)) for weight, part in stored["sum"]), stored["plus"])
    if "blend" in stored:
        return Blended(tuple(load_curve(part) for part in stored["blend"]))
    if "slopes" in stored:
        basis = Basis.from_dict(stored["basis"])
        slopes = np.array(stored["slopes"], dtype=np.float64)
        rest = (stored["intercept"], stored["is_logistic"], stored["mean"], stored["scale"])
        return Regression(basis, slopes, *rest)
    if "trees" not in stored:
        raise ValueError(f"no curve has {', '.join(sorted(stored)) or 'nothing'}")
    import xgboost as xgb

    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(json.dumps(stored["trees"]).encode()))
    return Boosted(booster, stored["mean"], stored["scale"])


def _find_log_odds(probability: Array) -> Array:
    held = np.clip(probability, 1e-9, 1 - 1e-9)
    odds: Array = np.log(held / (1 - held))
    return odds

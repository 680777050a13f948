"""Estimators of P(no order within the horizon), from a plain rule to boosted trees.

All follow scikit-learn: settings in `__init__`, `fit` returns self, learned values end in `_`, `predict_proba` gives
an (n, 2) array whose second column is the probability of leaving. X is a Polars frame with the features as columns, and
beside them those that `processes` adds; each estimator takes those it needs. `contributions` splits the log-odds of
every row exactly among the features of the catalogue: row sum plus `base_` is the logit of the prediction. `to_dict` is
plain JSON (no pickle: an artifact out of the database must not be able to run code), and `load_estimator` makes the
estimator again from it.

XGBoost, scikit-learn, SciPy and PyTorch are imported where they are used: every start of Django comes by here, and they take
seconds.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

import numpy as np
import polars as pl

from .logistic import PlainRule, RfmLogistic, RichLogistic
from .logits import MAX_PROBABILITY, Array, gather_parts, pair_columns, take_matrix, to_logit, to_probability
from .process_columns import NO_ORDER_COLUMNS
from .sequence import SequenceModel
from .trees import BoostedTrees

__all__ = [
    "ESTIMATORS",
    "MAX_PROBABILITY",
    "Array",
    "BgNbdScore",
    "Blend",
    "BoostedTrees",
    "ChurnEstimator",
    "ParetoNbdScore",
    "PlainRule",
    "RfmLogistic",
    "RichLogistic",
    "SequenceModel",
    "load_estimator",
    "to_logit",
]


class ChurnEstimator(Protocol):
    """What every estimator offers."""

    name: ClassVar[str]

    @property
    def base_(self) -> float: ...
    def fit(self, X: pl.DataFrame, y: Array) -> ChurnEstimator: ...
    def predict_proba(self, X: pl.DataFrame) -> Array: ...
    def contributions(self, X: pl.DataFrame) -> dict[str, Array]: ...
    def to_dict(self) -> dict[str, Any]: ...


class BgNbdScore:
    """What BG/NBD says by itself: P(no order in the horizon), read from the column that `processes` adds."""

    name: ClassVar[str] = "bg_nbd"

    def fit(self, X: pl.DataFrame, y: Array) -> Self:
        """Only the mean is learned, against which contributions are told; the model was fitted without labels."""
        self.base_ = float(np.mean(self._logits(X)))
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        return pair_columns(to_probability(self._logits(X)))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        return gather_parts({NO_ORDER_COLUMNS[self.name]: self._logits(X) - self.base_})

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "base_": self.base_}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        made = cls()
        made.base_ = float(stored["base_"])
        return made

    def _logits(self, X: pl.DataFrame) -> Array:
        return to_logit(take_matrix(X, [NO_ORDER_COLUMNS[self.name]])[:, 0])


class ParetoNbdScore(BgNbdScore):
    """The same of Pareto/NBD."""

    name: ClassVar[str] = "pareto_nbd"


class Blend:
    """The mean of several estimators on the logit scale, so that contributions are means too."""

    name: ClassVar[str] = "blend"

    def __init__(self, members: list[ChurnEstimator]) -> None:
        self.members = members

    def fit(self, X: pl.DataFrame, y: Array) -> Blend:
        for member in self.members:
            member.fit(X, y)
        return self

    @property
    def base_(self) -> float:
        return float(np.mean([member.base_ for member in self.members]))

    def predict_proba(self, X: pl.DataFrame) -> Array:
        logits = [to_logit(member.predict_proba(X)[:, 1]) for member in self.members]
        return pair_columns(to_probability(np.mean(logits, axis=0)))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        total: dict[str, Array] = {}
        for member in self.members:
            for name, part in member.contributions(X).items():
                total[name] = total.get(name, 0.0) + part / len(self.members)
        return total

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "members": [member.to_dict() for member in self.members]}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Blend:
        return cls([load_estimator(member) for member in stored["members"]])


#: All there are, in the order in which they are shown.
ESTIMATORS = (PlainRule, RfmLogistic, BgNbdScore, ParetoNbdScore, RichLogistic, BoostedTrees, SequenceModel, Blend)


def load_estimator(stored: dict[str, Any]) -> ChurnEstimator:
    """The fitted estimator that `to_dict` described; raises ValueError for a name that is not ours."""
    kinds: dict[str, Any] = {kind.name: kind for kind in ESTIMATORS}
    if stored.get("name") not in kinds:
        raise ValueError(f"no estimator is called {stored.get('name')!r}")
    made: ChurnEstimator = kinds[stored["name"]].from_dict(stored)
    return made

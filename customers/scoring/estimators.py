"""Estimators of P(no order within the horizon), from a plain rule to boosted trees.

All follow scikit-learn: settings in `__init__`, `fit` returns self, learned values end in `_`, `predict_proba` gives
an (n, 2) array whose second column is the probability of leaving. X is a Polars frame with the features as columns;
each estimator takes those it needs. `contributions` splits the log-odds of every row exactly among the features:
row sum plus `base_` is the logit of the prediction. `to_dict` is plain JSON (no pickle: an artifact out of the
database must not be able to run code), and `load_estimator` makes the estimator again from it.

XGBoost and scikit-learn are imported where they are used: every start of Django comes by here, and they take seconds.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    import xgboost as xgb

Array = npt.NDArray[np.float64]

MAX_PROBABILITY = 0.999


class ChurnEstimator(Protocol):
    """What every estimator offers."""

    name: ClassVar[str]

    @property
    def base_(self) -> float: ...
    def fit(self, X: pl.DataFrame, y: Array) -> ChurnEstimator: ...
    def predict_proba(self, X: pl.DataFrame) -> Array: ...
    def contributions(self, X: pl.DataFrame) -> dict[str, Array]: ...
    def to_dict(self) -> dict[str, Any]: ...


class RichLogistic:
    """Logistic regression on transformed features: signed logarithm, standardised, with a mark where one is missing.

    `C` is the inverse strength of the L2 penalty. Contributions are the terms of the sum, against the mean customer.
    """

    name: ClassVar[str] = "rich_logistic"

    def __init__(self, columns: list[str], *, C: float = 0.05) -> None:
        self.columns = columns
        self.C = C

    def fit(self, X: pl.DataFrame, y: Array) -> RichLogistic:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        logs = _signed_log(_matrix(X, self.columns))
        self.missing_ = np.isnan(logs).mean(axis=0)
        self.mean_ = np.nan_to_num(np.nanmean(logs, axis=0))
        spread = np.nanstd(logs, axis=0)
        self.scale_ = np.where(np.isfinite(spread) & (spread > 1e-9), spread, 1.0)
        model = LogisticRegression(C=self.C, solver="newton-cholesky", max_iter=200)
        with threadpool_limits(limits=1):  # BLAS threads that wait for a shared core cost far more than they bring
            model.fit(self._transform(X), y)
        self.coef_: Array = model.coef_[0]
        self.base_ = float(model.intercept_[0])
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        return _two_columns(_sigmoid(self.base_ + self._transform(X) @ self.coef_))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        terms = self._transform(X) * self.coef_
        parts = {name: terms[:, i] for i, name in enumerate(self.columns)}
        for place, i in enumerate(np.flatnonzero(self.missing_), start=len(self.columns)):
            parts[self.columns[i]] = parts[self.columns[i]] + terms[:, place]
        return parts

    def to_dict(self) -> dict[str, Any]:
        learned = {key: getattr(self, key).tolist() for key in ("missing_", "mean_", "scale_", "coef_")}
        return {"name": self.name, "columns": self.columns, "C": self.C, "base_": self.base_, **learned}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RichLogistic:
        made = cls(list(stored["columns"]), C=float(stored["C"]))
        made.base_ = float(stored["base_"])
        for key in ("missing_", "mean_", "scale_", "coef_"):
            setattr(made, key, np.asarray(stored[key], dtype=np.float64))
        return made

    def _transform(self, X: pl.DataFrame) -> Array:
        logs = _signed_log(_matrix(X, self.columns))
        absent = np.isnan(logs)
        known = np.where(absent, 0.0, np.clip((logs - self.mean_) / self.scale_, -4, 4))
        marked = np.flatnonzero(self.missing_)
        return np.hstack([known, absent[:, marked] - self.missing_[marked]])


class RfmLogistic(RichLogistic):
    """Logistic regression on recency, frequency and monetary value alone: the text-book model."""

    name: ClassVar[str] = "rfm_logistic"

    def __init__(self, columns: list[str] | None = None, *, C: float = 1.0) -> None:
        super().__init__(columns or ["recency_days", "order_days", "order_value_mean"], C=C)


class PlainRule(RichLogistic):
    """ "No order in N days": what a shop does without a model.

    Customers are ranked by the days since their last order, which is the strongest form of that rule (its ROC AUC is
    that of every N at once); a one-variable logistic curve makes probabilities of it. `threshold_days_` is the single
    N that tells leavers from stayers best on the training data (largest true less false positive rate).
    """

    name: ClassVar[str] = "plain_rule"

    def __init__(self, columns: list[str] | None = None, *, C: float = 1e6) -> None:
        super().__init__(columns or ["recency_days"], C=C)

    def fit(self, X: pl.DataFrame, y: Array) -> PlainRule:
        super().fit(X, y)
        recency = X["recency_days"].to_numpy()
        order = np.argsort(-recency, kind="stable")
        leaver = np.asarray(y)[order] > 0.5
        gain = np.cumsum(leaver) / max(leaver.sum(), 1) - np.cumsum(~leaver) / max((~leaver).sum(), 1)
        self.threshold_days_ = float(np.ceil(recency[order][int(np.argmax(gain))]))
        return self

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "threshold_days_": self.threshold_days_}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> PlainRule:
        made = super().from_dict(stored)
        assert isinstance(made, PlainRule)
        made.threshold_days_ = float(stored["threshold_days_"])
        return made


class BoostedTrees:
    """Gradient-boosted trees (XGBoost, Chen and Guestrin 2016), shallow and with a fixed number of rounds.

    Contributions are exact TreeSHAP values (Lundberg et al. 2018) in log-odds. One thread by default: on shared cores
    OpenMP's waiting threads make two several times slower than one, and work is spread by partitions anyway.
    """

    name: ClassVar[str] = "boosted_trees"

    def __init__(
        self,
        columns: list[str],
        *,
        rounds: int = 200,
        depth: int = 4,
        learning_rate: float = 0.04,
        min_child_weight: float = 20.0,
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.columns = columns
        self.rounds = rounds
        self.depth = depth
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: pl.DataFrame, y: Array) -> BoostedTrees:
        import xgboost as xgb

        settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": self.depth,
            "learning_rate": self.learning_rate,
            "min_child_weight": self.min_child_weight,
            "subsample": 0.7,
            "colsample_bytree": 0.5,
            "reg_lambda": 5.0,
            "seed": self.random_state,
            "nthread": self.n_jobs,
        }
        self.booster_ = xgb.train(settings, self._data(X, y), num_boost_round=self.rounds)
        self.base_ = float(self.booster_.predict(self._data(X[:1]), pred_contribs=True)[0, -1])
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        return _two_columns(np.asarray(self.booster_.predict(self._data(X)), dtype=np.float64))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        shap = np.asarray(self.booster_.predict(self._data(X), pred_contribs=True), dtype=np.float64)
        return {name: shap[:, i] for i, name in enumerate(self.columns)}

    def to_dict(self) -> dict[str, Any]:
        raw = base64.b64encode(bytes(self.booster_.save_raw("ubj"))).decode("ascii")
        settings = ("rounds", "depth", "learning_rate", "min_child_weight", "random_state")
        kept = {key: getattr(self, key) for key in settings}
        return {"name": self.name, "columns": self.columns, "settings": kept, "base_": self.base_, "booster": raw}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> BoostedTrees:
        import xgboost as xgb

        made = cls(list(stored["columns"]), **stored["settings"])
        made.base_ = float(stored["base_"])
        made.booster_ = xgb.Booster({"nthread": made.n_jobs})
        made.booster_.load_model(bytearray(base64.b64decode(stored["booster"])))
        return made

    def _data(self, X: pl.DataFrame, y: Array | None = None) -> xgb.DMatrix:
        import xgboost as xgb

        return xgb.DMatrix(_matrix(X, self.columns), label=y, nthread=self.n_jobs)


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
        return _two_columns(_sigmoid(np.mean(logits, axis=0)))

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


def load_estimator(stored: dict[str, Any]) -> ChurnEstimator:
    """The fitted estimator that `to_dict` described; raises ValueError for a name that is not ours."""
    kinds: dict[str, Any] = {kind.name: kind for kind in (PlainRule, RfmLogistic, RichLogistic, BoostedTrees, Blend)}
    if stored.get("name") not in kinds:
        raise ValueError(f"no estimator is called {stored.get('name')!r}")
    made: ChurnEstimator = kinds[stored["name"]].from_dict(stored)
    return made


def to_logit(probability: Array) -> Array:
    """Log-odds of probabilities, kept finite."""
    p = np.clip(probability, 1 - MAX_PROBABILITY, MAX_PROBABILITY)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float64)


def _matrix(X: pl.DataFrame, columns: list[str]) -> Array:
    return np.asarray(X.select(pl.col(columns).cast(pl.Float64)).to_numpy(), dtype=np.float64)


def _signed_log(values: Array) -> Array:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)


def _sigmoid(logit: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), dtype=np.float64)


def _two_columns(probability: Array) -> Array:
    p = np.clip(probability, 1 - MAX_PROBABILITY, MAX_PROBABILITY)
    return np.column_stack([1 - p, p])

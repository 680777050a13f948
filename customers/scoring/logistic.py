"""Logistic regressions: the plain rule, the text-book model of recency, frequency and value, and one on all features."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl

from .lanes import hold_blas
from .logits import Array, bound_parts, gather_parts, pair_columns, take_matrix, to_logit, to_probability
from .process_columns import PROBABILITY_COLUMNS


class RichLogistic:
    """Logistic regression on transformed features: signed logarithm (log-odds of what is a probability), standardised, with
    a mark where one is missing.

    `C` is the inverse strength of the L2 penalty. Contributions are the terms of the sum, against the mean customer.
    """

    name: ClassVar[str] = "rich_logistic"

    def __init__(self, columns: list[str], *, C: float = 0.02) -> None:
        self.columns = columns
        self.C = C

    def fit(self, X: pl.DataFrame, y: Array) -> RichLogistic:
        from sklearn.linear_model import LogisticRegression

        logs = self._take_logs(X)
        self.missing_ = np.isnan(logs).mean(axis=0)
        self.mean_ = np.nan_to_num(np.nanmean(logs, axis=0))
        spread = np.nanstd(logs, axis=0)
        self.scale_ = np.where(np.isfinite(spread) & (spread > 1e-9), spread, 1.0)
        model = LogisticRegression(C=self.C, solver="newton-cholesky", max_iter=200)
        with hold_blas():
            model.fit(self._transform(X), y)
        self.coef_: Array = model.coef_[0]
        self.base_ = float(model.intercept_[0])
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        # No `@`: BLAS would wake threads for it that then wait about on cores which others need.
        return pair_columns(to_probability(self.base_ + np.einsum("ij,j->i", self._transform(X), self.coef_)))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        terms = self._transform(X) * self.coef_
        parts = {name: terms[:, i] for i, name in enumerate(self.columns)}
        for place, i in enumerate(np.flatnonzero(self.missing_), start=len(self.columns)):
            parts[self.columns[i]] = parts[self.columns[i]] + terms[:, place]
        return bound_parts(gather_parts(parts), self.base_)

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

    def _take_logs(self, X: pl.DataFrame) -> Array:
        values = take_matrix(X, self.columns)
        logs = np.sign(values) * np.log1p(np.abs(values))
        for place in np.flatnonzero(np.isin(self.columns, PROBABILITY_COLUMNS)):
            logs[:, place] = to_logit(values[:, place])
        return np.asarray(logs, dtype=np.float64)

    def _transform(self, X: pl.DataFrame) -> Array:
        logs = self._take_logs(X)
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

"""Boosted trees, the estimator that finds thresholds and interactions by itself."""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from .logits import Array, bound_parts, gather_parts, pair_columns, take_matrix
from .process_columns import ALIVE_COLUMN, NO_ORDER_COLUMNS, ORDERS_COLUMN
from .tree_shares import TooDeep, TreeShares

if TYPE_CHECKING:
    import xgboost as xgb

#: From so many rows on, making tables of the trees takes less time than it saves.
_TABLES_FROM_ROWS = 1_000

_DIRECTIONS = {
    "recency_days": 1,
    "overdue_ratio": 1,
    **dict.fromkeys(NO_ORDER_COLUMNS.values(), 1),
    **dict.fromkeys((ALIVE_COLUMN, ORDERS_COLUMN), -1),
    **dict.fromkeys(("order_days", "orders_30d", "orders_90d", "orders_180d", "active_share"), -1),
    **dict.fromkeys(("orders_decayed_30d", "orders_decayed_120d"), -1),
    **dict.fromkeys(("revenue_total", "revenue_90d", "distinct_products"), -1),
}


class BoostedTrees:
    """Gradient-boosted trees (XGBoost, Chen and Guestrin 2016), shallow, slow, strongly held, with a fixed number of rounds.

    Monotone where anything else would be noise: more orders never make leaving likelier, more days since the last never
    less likely. A leaf holds at least 50 customers' worth of weight, or a hundredth of the rows in a small shop.

    Contributions are exact TreeSHAP values (Lundberg et al. 2018) in log-odds. One thread by default: on shared cores
    OpenMP's waiting threads make two several times slower than one, and work is spread by partitions anyway.
    """

    name: ClassVar[str] = "boosted_trees"

    def __init__(
        self,
        columns: list[str],
        *,
        rounds: int = 150,
        depth: int = 3,
        learning_rate: float = 0.04,
        min_child_weight: float = 50.0,
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
            "min_child_weight": min(self.min_child_weight, max(5.0, X.height / 100)),
            "subsample": 0.7,
            "colsample_bytree": 0.3,
            "reg_lambda": 20.0,
            "monotone_constraints": tuple(_DIRECTIONS.get(name, 0) for name in self.columns),
            "seed": self.random_state,
            "nthread": self.n_jobs,
        }
        self.__dict__.pop("_tables", None)
        self.booster_ = xgb.train(settings, self._data(X, y), num_boost_round=self.rounds)
        self.base_ = float(self.booster_.predict(self._data(X[:1]), pred_contribs=True)[0, -1])
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        # On the matrix as it is: the same figures as through a DMatrix, which would be made for this one look.
        told = self.booster_.inplace_predict(take_matrix(X, self.columns))
        return pair_columns(np.asarray(told, dtype=np.float64))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        if X.height >= _TABLES_FROM_ROWS and self._tables is not None:
            shares = self._tables.split_margins(take_matrix(X, self.columns))
        else:
            shares = np.asarray(self.booster_.predict(self._data(X), pred_contribs=True), dtype=np.float64)
        parts = gather_parts({name: shares[:, i] for i, name in enumerate(self.columns)})
        return bound_parts(parts, self.base_)

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

    @functools.cached_property
    def _tables(self) -> TreeShares | None:
        """Made once for all parts of a shop; None for trees too deep for it."""
        try:
            return TreeShares(self.booster_)
        except TooDeep:
            return None

    def _data(self, X: pl.DataFrame, y: Array | None = None) -> xgb.DMatrix:
        import xgboost as xgb

        return xgb.DMatrix(take_matrix(X, self.columns), label=y, nthread=self.n_jobs)

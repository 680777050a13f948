"""A trained model as one object, and as bytes for the database."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from customers.features.builder import ShopData

from .estimators import Array, ChurnEstimator, load_estimator
from .expectations import Expectations, OrderModel
from .process_columns import PROCESS_COLUMNS
from .processes import Processes, add_process_columns
from .sequence import SequenceModel, add_tokens

FORMAT = 2


@dataclass(frozen=True)
class TrainedModel:
    """Everything that is needed to score customers again: the estimators, the buy-till-you-die models and the popularity
    of products as of the end of training, and the shop's averages and medians for the reasons. `sequence` is the
    self-attention model where one was trained: it is `churn` itself, or kept beside it to be asked what it looks at."""

    churn: ChurnEstimator
    orders: OrderModel
    averages: dict[str, float]
    horizon_days: int
    currency: str
    processes: Processes
    popularity: pl.DataFrame | None = None
    sequence: SequenceModel | None = None
    medians: dict[str, float] = field(default_factory=dict)

    def describe(self, features: pl.DataFrame) -> pl.DataFrame:
        """Features with what the buy-till-you-die models say beside them; a frame that has it stays as it is."""
        if set(PROCESS_COLUMNS) <= set(features.columns):
            return features
        return add_process_columns(features, self.processes)

    def join_tokens(self, features: pl.DataFrame, shop: ShopData, *, as_of: dt.datetime) -> pl.DataFrame:
        """Features with the customers' tokens beside them, where the estimator in use is the one that looks at tokens."""
        return (
            add_tokens(features, shop.orders, shop.events, as_of=as_of)
            if isinstance(self.churn, SequenceModel)
            else features
        )

    def predict_churn(self, features: pl.DataFrame) -> Array:
        """P(no order within the horizon) for each row, 0 to 1."""
        return np.asarray(self.churn.predict_proba(self.describe(features))[:, 1], dtype=np.float64)

    def predict_orders(self, features: pl.DataFrame, churn_probability: Array) -> Expectations:
        return self.orders.predict(self.describe(features), churn_probability)

    def contributions(self, features: pl.DataFrame) -> dict[str, Array]:
        """The log-odds of each row, split among features of the catalogue."""
        return self.churn.contributions(self.describe(features))

    def to_bytes(self) -> bytes:
        """Compressed JSON: the same model gives the same bytes, and reading them runs no code."""
        stored: dict[str, Any] = {
            "format": FORMAT,
            "churn": self.churn.to_dict(),
            "orders": self.orders.to_dict(),
            "averages": self.averages,
            "medians": self.medians,
            "horizon_days": self.horizon_days,
            "currency": self.currency,
            "processes": self.processes.to_dict(),
            "popularity": self.popularity.to_dict(as_series=False) if self.popularity is not None else None,
        }
        if self.sequence is not None and self.sequence is not self.churn:
            stored["sequence"] = self.sequence.to_dict()
        return zlib.compress(json.dumps(stored, sort_keys=True).encode())

    @classmethod
    def from_bytes(cls, artifact: bytes) -> TrainedModel:
        """The model again; raises ValueError for an artifact of another format."""
        try:
            stored = json.loads(zlib.decompress(bytes(artifact)))
        except zlib.error as broken:
            raise ValueError(f"this artifact cannot be read ({broken}): train again") from broken
        if stored.get("format") != FORMAT:
            raise ValueError(f"this artifact has format {stored.get('format')!r}, not {FORMAT}: train again")
        churn = load_estimator(stored["churn"])
        return cls(
            churn=churn,
            orders=OrderModel.from_dict(stored["orders"]),
            averages=stored["averages"],
            horizon_days=stored["horizon_days"],
            currency=stored["currency"],
            processes=Processes.from_dict(stored["processes"]),
            popularity=_read_popularity(stored["popularity"]),
            sequence=churn if isinstance(churn, SequenceModel) else _read_beside(stored.get("sequence")),
            medians=stored.get("medians", {}),
        )


def _read_beside(stored: dict[str, Any] | None) -> SequenceModel | None:
    """The sequence model that is not in use; one that cannot be read must not keep the one in use from working."""
    try:
        return SequenceModel.from_dict(stored) if stored is not None else None
    except ValueError:
        return None


def _read_popularity(stored: dict[str, list[Any]] | None) -> pl.DataFrame | None:
    if stored is None:
        return None
    if not stored["product_id"]:
        return pl.DataFrame(schema={"product_id": pl.Int64, "popularity": pl.Float64})
    return pl.DataFrame(stored)

"""A trained model as one object, and as bytes for the database."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .estimators import Array, ChurnEstimator, load_estimator
from .expectations import Expectations, OrderModel

FORMAT = 1


@dataclass(frozen=True)
class TrainedModel:
    """Everything that is needed to score customers again: the estimators, and the shop's averages for the reasons."""

    churn: ChurnEstimator
    orders: OrderModel
    averages: dict[str, float]
    horizon_days: int
    currency: str

    def predict_churn(self, features: pl.DataFrame) -> Array:
        """P(no order within the horizon) for each row, 0 to 1."""
        return np.asarray(self.churn.predict_proba(features)[:, 1], dtype=np.float64)

    def predict_orders(self, features: pl.DataFrame, churn_probability: Array) -> Expectations:
        return self.orders.predict(features, churn_probability)

    def to_bytes(self) -> bytes:
        """Compressed JSON: the same model gives the same bytes, and reading them runs no code."""
        stored: dict[str, Any] = {
            "format": FORMAT,
            "churn": self.churn.to_dict(),
            "orders": self.orders.to_dict(),
            "averages": self.averages,
            "horizon_days": self.horizon_days,
            "currency": self.currency,
        }
        return zlib.compress(json.dumps(stored, sort_keys=True).encode())

    @classmethod
    def from_bytes(cls, artifact: bytes) -> TrainedModel:
        """The model again; raises ValueError for an artifact of another format."""
        stored = json.loads(zlib.decompress(bytes(artifact)))
        if stored.get("format") != FORMAT:
            raise ValueError(f"this artifact has format {stored.get('format')!r}, not {FORMAT}: train again")
        return cls(
            churn=load_estimator(stored["churn"]),
            orders=OrderModel.from_dict(stored["orders"]),
            averages=stored["averages"],
            horizon_days=stored["horizon_days"],
            currency=stored["currency"],
        )

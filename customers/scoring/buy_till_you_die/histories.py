"""What a buy-till-you-die model knows of a customer: repeat orders, when the last of them was, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]

DAYS_PER_UNIT = 7.0
#: The columns of the feature frame that the models read.
HISTORY_COLUMNS = ("order_days", "recency_days", "tenure_days")

_DAY = 1 / DAYS_PER_UNIT


@dataclass(frozen=True)
class Histories:
    """Arrays of length n, times in weeks: x repeat orders, t_x from the first to the last order, T from the first to now.

    `weight` counts customers with the same history, so that a likelihood is worked out once for all of them.
    """

    x: Array
    t_x: Array
    T: Array
    weight: Array

    def __len__(self) -> int:
        return len(self.x)

    def merge_equals(self) -> Histories:
        """Customers with the same history as one row with their number as its weight."""
        return self.merge_with_places()[0]

    def merge_with_places(self) -> tuple[Histories, npt.NDArray[np.int64]]:
        """The same, and the row in it of each customer, (n,)."""
        table = pl.DataFrame({"x": self.x, "t_x": self.t_x, "T": self.T, "weight": self.weight})
        ranks = table.select(place=pl.struct("x", "t_x", "T").rank("dense").cast(pl.Int64) - 1)
        table = table.with_columns(ranks)
        merged = table.group_by("place").agg(pl.col("x", "t_x", "T").first(), pl.col("weight").sum()).sort("place")
        x, t_x, T, weight = (merged[name].to_numpy() for name in ("x", "t_x", "T", "weight"))
        return Histories(x, t_x, T, weight), table["place"].to_numpy()

    def thin_out(self, most: int, *, seed: int) -> Histories:
        """At most `most` of the rows, drawn without replacement."""
        if len(self) <= most:
            return self
        kept = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        return Histories(self.x[kept], self.t_x[kept], self.T[kept], self.weight[kept])


def make_histories(x: Array, t_x: Array, T: Array) -> Histories:
    """Histories from plain arrays in weeks; raises ValueError for times that cannot be."""
    x, t_x, T = (np.asarray(each, dtype=np.float64) for each in (x, t_x, T))
    if (x < 0).any() or (t_x < 0).any() or (t_x > T).any():
        raise ValueError("a last order lies before the first or after now")
    return Histories(x, np.where(x > 0, t_x, 0.0), T, np.ones_like(x))


def read_histories(features: pl.DataFrame) -> Histories:
    """Histories out of a frame with the features order_days, recency_days and tenure_days.

    Times count from day to day up to the last whole day known, as in the published fits: hours tell a purchase process
    nothing, and equal histories can be merged.
    """
    orders, recency, tenure = (features[name].cast(pl.Float64).to_numpy() for name in HISTORY_COLUMNS)
    since_first = np.maximum(np.ceil(tenure) - 1, 0.0)
    since_last = np.clip(np.ceil(recency) - 1, 0.0, since_first)
    return make_histories(np.maximum(orders - 1, 0.0), (since_first - since_last) * _DAY, since_first * _DAY)

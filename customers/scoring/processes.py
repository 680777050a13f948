"""The buy-till-you-die models of a shop as of a date, and what they say of each customer as columns beside the features.

They are fitted to histories alone, of everybody with an order before that date: no label, nothing after it. A model that
does not fit (next to nobody ordered twice) leaves its columns empty, and estimators that need them do not stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .buy_till_you_die import BgNbd, DegenerateFit, ParetoNbd, PurchaseProcess, read_histories
from .logits import Array
from .process_columns import ALIVE_COLUMN, NO_ORDER_COLUMNS, ORDERS_COLUMN, PROCESS_COLUMNS

_KINDS: dict[str, type[PurchaseProcess]] = {BgNbd.name: BgNbd, ParetoNbd.name: ParetoNbd}


@dataclass(frozen=True)
class Processes:
    """Fitted models by name; one that did not fit is absent."""

    fitted: dict[str, PurchaseProcess]

    def to_dict(self) -> dict[str, Any]:
        return {name: process.to_dict() for name, process in self.fitted.items()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Processes:
        return cls({name: _KINDS[name].from_dict(each) for name, each in stored.items()})


def fit_processes(
    features: pl.DataFrame, *, horizon_days: int, near: Processes | None = None, seed: int = 0
) -> Processes:
    """Both models fitted to the customers of a feature frame. `near` are those of a date some weeks away."""
    fitted: dict[str, PurchaseProcess] = {}
    histories = read_histories(features)
    for name, kind in _KINDS.items():
        beside = near.fitted.get(name) if near is not None else None
        try:
            fitted[name] = kind(horizon_days=horizon_days, random_state=seed).fit_histories(histories, near=beside)
        except DegenerateFit:
            continue
    return Processes(fitted)


def add_process_columns(features: pl.DataFrame, processes: Processes) -> pl.DataFrame:
    """The frame with `process_columns.PROCESS_COLUMNS` as Float64, null for a model that is absent."""
    known, place = read_histories(features).merge_with_places()
    told: dict[str, Array] = {}
    for name, process in processes.fitted.items():
        days = process.horizon_days
        if isinstance(process, ParetoNbd):
            found = process.foretell(known, days)
            told |= {NO_ORDER_COLUMNS[name]: found[0], ALIVE_COLUMN: found[1], ORDERS_COLUMN: found[2]}
        else:
            told[NO_ORDER_COLUMNS[name]] = process.probability_no_order(known, days)
    missing = np.full(len(place), np.nan)
    return features.with_columns(
        pl.Series(column, told[column][place].round(9) if column in told else missing).fill_nan(None)
        for column in PROCESS_COLUMNS
    )

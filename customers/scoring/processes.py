"""The buy-till-you-die models of a shop as of a date, and what they say of each customer as columns beside the features.

They are fitted to histories alone, of everybody with an order before that date: no label, nothing after it. A model that
does not fit (next to nobody ordered twice) leaves its columns empty, and estimators that need them do not stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from .buy_till_you_die import BgNbd, DegenerateFit, ParetoNbd, PurchaseProcess, read_histories
from .process_columns import ALIVE_COLUMNS, NO_ORDER_COLUMNS, ORDERS_COLUMNS

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
    histories = read_histories(features)
    columns = []
    for name in _KINDS:
        process = processes.fitted.get(name)
        wanted = NO_ORDER_COLUMNS[name], ALIVE_COLUMNS[name], ORDERS_COLUMNS[name]
        if process is None or not len(histories):
            columns += [pl.lit(None, dtype=pl.Float64).alias(column) for column in wanted]
            continue
        days = process.horizon_days
        found = (
            process.probability_no_order(histories, days),
            process.probability_alive(histories),
            process.expected_orders(histories, days),
        )
        columns += [pl.lit(pl.Series(column, values.round(9))) for column, values in zip(wanted, found, strict=True)]
    return features.with_columns(columns)

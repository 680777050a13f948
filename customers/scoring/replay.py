"""A day of the past replayed: whom we would have flagged with the knowledge of that day, and what then happened.

The JSON of `replay_day` holds figures of the model and of the plain rule, a calibration by tenths, the gain curve, a
curve over 101 thresholds for the slider, and the customers with the highest scores. Nothing in it is drawn at random
but the seeded intervals: the same data give the same day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from customers.features.builder import ShopData
from customers.features.catalogue import get_feature

from .backtest import RULE, Backtest, run_backtest
from .estimators import Array
from .evaluation import bin_calibration
from .expectations import OrderModel
from .replay_curves import trace_gain, trace_thresholds
from .snapshots import SHORTEST_HISTORY_DAYS

MOST_SHOWN = 200
TERMS_KEPT = 3


@dataclass(frozen=True)
class Period:
    """The days that can be replayed, both ends included; empty where `last` is before `first`."""

    first: dt.date
    last: dt.date

    @property
    def is_empty(self) -> bool:
        return self.last < self.first


def find_period(first_order_at: dt.datetime, last_known_at: dt.datetime, horizon_days: int) -> Period:
    """The days with enough orders before them to learn from, and a whole horizon of known days after them."""
    first = first_order_at + dt.timedelta(days=least_history(horizon_days))
    last = last_known_at - dt.timedelta(days=horizon_days)
    return Period(first.astimezone(dt.UTC).date(), last.astimezone(dt.UTC).date())


def least_history(horizon_days: int) -> int:
    """Days of orders that there must be before a day that is replayed."""
    return horizon_days + SHORTEST_HISTORY_DAYS + 1


def replay_day(
    shop: ShopData, *, cutoff: dt.datetime, horizon_days: int, seed: int = 0, replicates: int = 200
) -> dict[str, Any]:
    """Train with what was known at `cutoff` and tell what became of everybody; JSON. Raises NotEnoughHistory.

    `shop` must reach `horizon_days` past `cutoff`: the outcome is read from there and from nowhere else. The estimator is
    the one that training rows before the cutoff choose.
    """
    backtest = run_backtest(shop, cutoff=cutoff, horizon_days=horizon_days, seed=seed, replicates=replicates)
    p = backtest.predictions[backtest.champion]
    value = _value_at_stake(backtest, p, seed=seed)
    figures = {name: evaluation.to_json() for name, evaluation in backtest.evaluations.items()}
    return {
        "cutoff": cutoff.date().isoformat(),
        "horizon_days": horizon_days,
        "customers": len(p),
        "left": int(backtest.churned.sum()),
        "tenth": _count_tenth(backtest, p),
        "estimator": backtest.champion,
        "grade": backtest.grade,
        "rule_days": backtest.threshold_days,
        "train_dates": [date.date().isoformat() for date in backtest.train.dates],
        "figures": figures[backtest.champion],
        "rule_figures": figures[RULE],
        "calibration": bin_calibration(backtest.churned, p),
        "gain": trace_gain(backtest.churned, p, _quietness(backtest), seed=seed, replicates=replicates),
        "curve": trace_thresholds(backtest.churned, p, _quietness(backtest), value),
        "people": _list_people(backtest, p, value),
        "currency": shop.currency,
        "warnings": backtest.warnings,
    }


def _count_tenth(backtest: Backtest, p: Array) -> dict[str, float]:
    """Of the tenth with the highest scores, and of as many of the quietest, how many left."""
    count = max(1, round(len(p) / 10))
    first, quietest = (np.argsort(-scores, kind="stable")[:count] for scores in (p, _quietness(backtest)))
    left = backtest.churned
    return {"customers": count, "left": int(left[first].sum()), "rule_left": int(left[quietest].sum())}


def _value_at_stake(backtest: Backtest, p: Array, *, seed: int) -> Array:
    """What each customer would be expected to spend in the horizon if they do not leave, learned before the cutoff."""
    rows = backtest.train.rows
    model = OrderModel(backtest.columns, horizon_days=backtest.horizon_days, random_state=seed)
    model.fit(rows, backtest.fitted[backtest.champion].predict_proba(rows)[:, 1]).hold_level(backtest.test, p)
    return np.asarray(model.predict(backtest.test, p).value / np.maximum(1 - p, 1e-6), dtype=np.float64)


def _quietness(backtest: Backtest) -> Array:
    return np.asarray(backtest.test["recency_days"].to_numpy(), dtype=np.float64)


def _list_people(backtest: Backtest, p: Array, value: Array) -> list[dict[str, Any]]:
    """The customers with the highest scores, with what spoke for leaving, and what they then did."""
    first = np.argsort(-p, kind="stable")[:MOST_SHOWN]
    rows = backtest.test[first.tolist()]
    terms = _strongest_terms(backtest, rows)
    return [
        {
            "customer": row["customer_id"],
            "p": round(float(p[i]), 4),
            "at_stake": round(float(value[i]), 2),
            "quiet_days": round(row["recency_days"], 1),
            "by_rule": row["recency_days"] >= backtest.threshold_days,
            "left": bool(row["churned"]),
            "orders": int(row["orders"]),
            "spent": round(row["value"], 2),
            "next_in_days": None if row["next_in_days"] is None else round(row["next_in_days"], 1),
            "terms": told,
        }
        for i, row, told in zip(first.tolist(), rows.to_dicts(), terms, strict=True)
    ]


def _strongest_terms(backtest: Backtest, rows: pl.DataFrame) -> list[list[dict[str, Any]]]:
    """For each row the features that push most towards leaving, one of each theme, with their values."""
    parts = backtest.fitted[backtest.champion].contributions(rows)
    keys = [key for key in parts if get_feature(key).told and key in rows.columns]
    told: list[list[dict[str, Any]]] = []
    for i, row in enumerate(rows.to_dicts()):
        best: dict[str, str] = {}
        for key in sorted(keys, key=lambda key: -float(parts[key][i])):
            if parts[key][i] > 0:
                best.setdefault(get_feature(key).theme, key)
        kept = list(best.values())[:TERMS_KEPT]
        told.append([_tell_term(row, key, backtest) for key in kept])
    return told


def _tell_term(row: Mapping[str, Any], key: str, backtest: Backtest) -> dict[str, Any]:
    """An entry as `explain.describe_reason` reads it."""
    typical = get_feature(key).compared_with
    value, average, median = row[key], backtest.test[key].mean(), backtest.test[key].median()
    skewed = None not in (value, average, median) and (value - average) * (value - median) < 0
    return {
        "feature": key,
        "value": _rounded(value),
        "average": _rounded(average),
        "median": _rounded(median) if skewed else None,
        "typical": _rounded(row.get(typical)) if typical else None,
    }


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 3)

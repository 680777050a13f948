"""Orders, value and the date of the next order, beside the probability of leaving.

Simple on purpose, and consistent with that probability p:

- expected orders = (1 - p) x orders of somebody who does order (Poisson boosted trees on those who did, which see what
  BG/NBD and Pareto/NBD expect)
- expected value = expected orders x what an order of theirs is worth by Gamma-Gamma (Fader, Hardie and Lee 2005), scaled
  so that the training rows add up; returns are netted. Where Gamma-Gamma has no mean (q <= 1), the customer's own mean is
  drawn towards the shop's the more the fewer orders are known (Bühlmann's credibility, 1967). Of who paid in another
  currency alone no order's worth is known: they are taken for worth the shop's mean, and add nothing to the sum
- the level of both is drawn towards the total of Pareto/NBD (`hold_level`): what trees learned from past windows is nearer
  in order, what that process expects of the customers as they are now is nearer in sum
- next order date: the 10 %, 50 % and 90 % quantile of the days to the next order among those who did order within the
  horizon (quantile boosted trees). It answers "when, if they come back", and is left empty where p is above 0.8
"""

from __future__ import annotations

import base64
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .buy_till_you_die import GammaGamma, GammaGammaRejected
from .lanes import run_in_lanes
from .logits import Array, take_matrix
from .process_columns import ORDERS_COLUMN

if TYPE_CHECKING:
    import xgboost as xgb

QUANTILES = (0.1, 0.5, 0.9)
GONE_ABOVE = 0.8
#: What our own total counts for beside that of Pareto/NBD. Of 1, 2/3, 1/2, 1/3 and 0 it has the least mean error in the worse
#: of two shops, over 28 windows that end before the first on which figures are told (docs/predictions.md).
OURS_COUNTS = 1 / 3
LEVELS = (0.5, 1.5)


@dataclass(frozen=True)
class Expectations:
    """Arrays of length n. `next_days` is (n, 3): earliest, middle, latest, NaN where nobody is expected."""

    orders: Array
    value: Array
    next_days: Array


class OrderModel:
    """Learns from rows of features with their labels (`snapshots.Snapshots.rows`)."""

    def __init__(self, columns: list[str], *, horizon_days: int, random_state: int = 0, n_jobs: int = 1) -> None:
        self.columns = columns
        self.horizon_days = horizon_days
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, rows: pl.DataFrame, churn_probability: Array) -> OrderModel:
        """`churn_probability` is what the churn estimator says of `rows`."""
        came_back = rows.filter(pl.col("churned") == 0)
        further_orders = came_back["orders"].to_numpy() - 1.0, {"objective": "count:poisson", "max_delta_step": 0.7}
        # Half as many steps, twice as long: three quantiles a step make this the longest fit of all.
        next_days = (
            came_back["next_in_days"].to_numpy(),
            {"objective": "reg:quantileerror", "quantile_alpha": list(QUANTILES), "learning_rate": 0.16, "rounds": 40},
        )
        self.next_days_, self.further_orders_ = run_in_lanes(
            [functools.partial(self._train, came_back, *told) for told in (next_days, further_orders)]
        )
        self.mean_value_, self.credibility_orders_ = _learn_credibility(rows)
        self.order_value_ = _fit_gamma_gamma(rows)
        self.value_scale_ = self.level_ = 1.0
        is_known = knows_money(rows)
        expected = self.predict(rows, churn_probability).value[is_known].sum()
        if expected > 0:
            self.value_scale_ = float(np.clip(rows["value"].to_numpy()[is_known].sum() / expected, 0.2, 5.0))
        return self

    def hold_level(self, now: pl.DataFrame, churn_probability: Array) -> OrderModel:
        """Draw the total over `now`, all customers as of the end of training, towards that of Pareto/NBD; no order between
        customers changes. `now` has the columns of the processes fitted as of that day; without them nothing changes."""
        self.level_ = 1.0
        theirs = now[ORDERS_COLUMN]
        ours = float(self.predict(now, churn_probability).orders.sum())
        if ours > 0 and not theirs.has_nulls():
            level = OURS_COUNTS + (1 - OURS_COUNTS) * float(theirs.sum()) / ours
            self.level_ = float(np.clip(level, *LEVELS))
        return self

    def predict(self, X: pl.DataFrame, churn_probability: Array) -> Expectations:
        matrix = take_matrix(X, self.columns)
        further = np.asarray(self.further_orders_.inplace_predict(matrix), dtype=np.float64)
        orders = self.level_ * (1 - churn_probability) * (1 + further)
        value = orders * self._value_orders(X) * self.value_scale_
        days = np.sort(np.asarray(self.next_days_.inplace_predict(matrix), dtype=np.float64), axis=1)
        days = np.clip(days, 0, self.horizon_days)
        days[churn_probability > GONE_ABOVE] = np.nan
        return Expectations(orders, np.maximum(value, 0.0), days)

    def _value_orders(self, X: pl.DataFrame) -> Array:
        """What the next order of each customer is worth, before the scale; (n,)."""
        known, own = X["order_days"].to_numpy().astype(np.float64), _net_value_per_order(X)
        if self.order_value_ is not None:
            return self.order_value_.expected_value(known, own)
        weight = np.where(np.isfinite(own), known / (known + self.credibility_orders_), 0.0)
        return np.asarray(weight * np.nan_to_num(own) + (1 - weight) * self.mean_value_, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        return {
            "columns": self.columns,
            "horizon_days": self.horizon_days,
            "random_state": self.random_state,
            "mean_value_": self.mean_value_,
            "credibility_orders_": self.credibility_orders_,
            "value_scale_": self.value_scale_,
            "level_": self.level_,
            "order_value_": self.order_value_.to_dict() if self.order_value_ is not None else None,
            "further_orders_": base64.b64encode(bytes(self.further_orders_.save_raw("ubj"))).decode("ascii"),
            "next_days_": base64.b64encode(bytes(self.next_days_.save_raw("ubj"))).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> OrderModel:
        import xgboost as xgb

        made = cls(list(stored["columns"]), horizon_days=stored["horizon_days"], random_state=stored["random_state"])
        for key in ("mean_value_", "credibility_orders_", "value_scale_"):
            setattr(made, key, float(stored[key]))
        made.level_ = float(stored.get("level_", 1.0))
        made.order_value_ = GammaGamma.from_dict(stored["order_value_"]) if stored["order_value_"] else None
        for key in ("further_orders_", "next_days_"):
            booster = xgb.Booster({"nthread": made.n_jobs})
            booster.load_model(bytearray(base64.b64decode(stored[key])))
            setattr(made, key, booster)
        return made

    def _train(self, rows: pl.DataFrame, y: Array, settings: dict[str, Any]) -> xgb.Booster:
        import xgboost as xgb

        shared = {
            "tree_method": "hist",
            "max_depth": 3,
            "learning_rate": 0.08,
            "min_child_weight": 20,
            "subsample": 0.7,
            "seed": self.random_state,
            "nthread": self.n_jobs,
        }
        settings = {**shared, **settings}
        rounds = settings.pop("rounds", 80)
        return xgb.train(settings, self._data(rows, y), num_boost_round=rounds)

    def _data(self, X: pl.DataFrame, y: Array) -> xgb.DMatrix:
        import xgboost as xgb

        return xgb.DMatrix(take_matrix(X, self.columns), label=y, nthread=self.n_jobs)


def knows_money(rows: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Of each row whether it is known what any order was worth: not of customers who paid in other currencies alone. What those
    then spend is not seen either, and would pull the level of all others down."""
    return rows["order_value_mean"].is_not_null().to_numpy()


def _fit_gamma_gamma(rows: pl.DataFrame) -> GammaGamma | None:
    """Fitted to each customer's newest row, returns netted; None where the fit is rejected."""
    newest = rows.unique("customer_id", keep="first", maintain_order=True)
    try:
        return GammaGamma().fit(newest["order_days"].to_numpy().astype(np.float64), _net_value_per_order(newest))
    except GammaGammaRejected:
        return None


def _net_value_per_order(X: pl.DataFrame) -> Array:
    """Orders less returns, per order, never below 0; NaN where it is not known what any order was worth."""
    net = X["revenue_total"].to_numpy() / X["order_days"].to_numpy()
    return np.asarray(np.where(knows_money(X), np.maximum(net, 0.0), np.nan), dtype=np.float64)


def _learn_credibility(rows: pl.DataFrame) -> tuple[float, float]:
    """The shop's mean order value, and how many orders a customer needs for half of the weight.

    From the spread of values within customers (between the mean and the last order) and between them.
    """
    newest = rows.unique("customer_id", keep="first", maintain_order=True)
    known = newest["order_days"].to_numpy().astype(np.float64)
    mean = newest["order_value_mean"].to_numpy().astype(np.float64)
    last = newest["order_value_last"].to_numpy().astype(np.float64)
    net = _net_value_per_order(newest)
    shop_mean = (
        float(np.average(np.nan_to_num(net), weights=known * np.isfinite(net))) if np.isfinite(net).any() else 0.0
    )
    several = (known > 1) & np.isfinite(mean) & np.isfinite(last)
    if several.sum() < 10:
        return shop_mean, 1.0
    # The last order differs from the mean of n orders by a variance of within x (n - 1) / n.
    within = float(np.mean((last - mean)[several] ** 2 * known[several] / (known[several] - 1)))
    between = float(np.var(mean[several]) - within * np.mean(1 / known[several]))
    if between <= 0:
        return shop_mean, 20.0
    return shop_mean, float(np.clip(within / between, 0.1, 20.0))

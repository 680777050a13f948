"""How many orders are to come over a horizon that is too long to have been seen from its beginning to its end.

Nobody can learn from labels of 39 weeks in a shop of 39 weeks. Pareto/NBD can look that far, but is too low on CDNOW by
11.5 % (Fader, Hardie and Lee 2005, and we alike). So its shape over time is taken, and the level of the estimators that
have learned from labels, over the longest horizon of which several windows lie in the past.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from customers.features.builder import ShopData

from .backtest import fit_candidates
from .buy_till_you_die import DegenerateFit, ParetoNbd, read_histories
from .estimators import Blend
from .expectations import OrderModel
from .labels import propose_label_horizon
from .logits import Array
from .process_columns import ORDERS_COLUMN
from .snapshots import choose_columns, describe_customers, plan_dates, take_snapshots


@dataclass(frozen=True)
class Projection:
    """Expected orders per customer, (n,), sorted as `customer_id`; `level` is by what Pareto/NBD was multiplied, learned
    over `learned_days`."""

    customer_id: pl.Series
    orders: Array
    level: float
    learned_days: int


def project_orders(shop: ShopData, *, as_of: dt.datetime, horizon_days: int, seed: int = 0) -> Projection:
    """Expected orders in the `horizon_days` after `as_of` of everybody with an order before it.

    Nothing at or after `as_of` is looked at. Raises NotEnoughHistory, and DegenerateFit where next to nobody ordered twice.
    """
    known = ShopData(shop.orders.filter(pl.col("ordered_at") < as_of), shop.lines, shop.events, shop.currency)
    first_at = known.orders["ordered_at"].min()
    assert isinstance(first_at, dt.datetime)
    learned_days = propose_label_horizon((as_of - first_at).days, horizon_days)
    now, processes = describe_customers(known, as_of=as_of, horizon_days=learned_days)
    process = processes.fitted.get(ParetoNbd.name)
    if process is None:
        raise DegenerateFit("Pareto/NBD does not fit these customers")
    dates = plan_dates(first_at, as_of, horizon_days=learned_days, customers=now.height)
    past = take_snapshots(known, dates, horizon_days=learned_days)
    columns = choose_columns(past)
    leaving = fit_candidates(past.rows, past.churned, columns, seed=seed)[Blend.name]
    model = OrderModel(columns, horizon_days=learned_days, random_state=seed)
    model.fit(past.rows, leaving.predict_proba(past.rows)[:, 1])
    near = model.predict(now, leaving.predict_proba(now)[:, 1]).orders.sum()
    level = float(np.clip(near / max(float(now[ORDERS_COLUMN].sum()), 1e-9), 0.5, 2.0))
    orders = process.expected_orders(read_histories(now), horizon_days) * level
    return Projection(now["customer_id"], orders, level, learned_days)

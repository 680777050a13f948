from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from customers.scoring.buy_till_you_die import Histories
from customers.scoring.buy_till_you_die.histories import Array, make_histories

SHARED = Path(os.environ.get("REKINDLE_SHARED_DATA", Path(__file__).resolve().parents[5] / "shared" / "data"))
SPLIT_ON = dt.date(1997, 9, 30)


@dataclass(frozen=True)
class CdnowSample:
    """The tenth of CDNOW that Fader and Hardie publish on: 39 weeks to fit, 39 weeks to judge."""

    histories: Histories
    later_orders: Array
    repeat_value: Array


@pytest.fixture(scope="session")
def cdnow_sample() -> CdnowSample:
    path = SHARED / "cdnow" / "cdnow_sample_1_10.parquet"
    if not path.is_file():
        pytest.skip(f"no data sets in {SHARED}: set REKINDLE_SHARED_DATA")
    raw = pl.read_parquet(path).with_columns(day=pl.col("date").cast(pl.Date))
    days = raw.group_by("customer_id", "day").agg(value=pl.col("dollar_value").sum()).sort("customer_id", "day")
    known = days.filter(pl.col("day") <= SPLIT_ON)
    frame = known.group_by("customer_id", maintain_order=True).agg(
        x=pl.len() - 1,
        t_x=(pl.col("day").max() - pl.col("day").min()).dt.total_days() / 7,
        T=(pl.lit(SPLIT_ON) - pl.col("day").min()).dt.total_days() / 7,
        value=pl.col("value").slice(1).mean(),
    )
    later = days.filter(pl.col("day") > SPLIT_ON).group_by("customer_id").agg(orders=pl.len())
    frame = frame.join(later, on="customer_id", how="left").sort("customer_id")
    columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "T", "value")}
    return CdnowSample(
        make_histories(columns["x"], columns["t_x"], columns["T"]),
        frame["orders"].fill_null(0).to_numpy().astype(np.float64),
        columns["value"],
    )


def simulate_pareto_nbd(
    *, customers: int, theta: tuple[float, float, float, float], weeks: float, later_weeks: float, seed: int
) -> tuple[Histories, Array]:
    """Histories of customers who behave exactly as the model says, and how many orders each places later."""
    r, alpha, s, beta = theta
    rng = np.random.default_rng(seed)
    x, t_x, later = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    for i in range(customers):
        rate, dies_at = rng.gamma(r) / alpha, rng.exponential(1 / max(rng.gamma(s) / beta, 1e-12))
        at = rng.exponential(1 / max(rate, 1e-12))
        while at < min(dies_at, weeks + later_weeks):
            if at <= weeks:
                x[i], t_x[i] = x[i] + 1, at
            else:
                later[i] += 1
            at += rng.exponential(1 / rate)
    return make_histories(x, t_x, np.full(customers, weeks)), later

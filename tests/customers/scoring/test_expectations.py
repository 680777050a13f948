"""Expected orders and value: their level is drawn towards Pareto/NBD's, their order is ours."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from customers.scoring.expectations import OrderModel
from customers.scoring.logits import Array

COLUMNS = ["recency_days", "order_days"]


def make_rows(customers: int = 400) -> pl.DataFrame:
    """People who order the oftener the more they have ordered."""
    rng = np.random.default_rng(5)
    known = rng.integers(1, 9, customers).astype(float)
    orders = rng.poisson(known / 3).astype(float)
    spent = rng.gamma(9, 4, customers)
    return pl.DataFrame(
        {
            "customer_id": np.arange(customers),
            "recency_days": rng.exponential(30, customers),
            "order_days": known,
            "revenue_total": spent * known,
            "order_value_mean": spent,
            "order_value_last": spent + rng.normal(0, 3, customers),
            "churned": (orders == 0).astype(int),
            "orders": orders,
            "value": orders * spent,
            "next_in_days": np.where(orders > 0, rng.uniform(0, 60, customers), np.nan),
            "orders_pareto_nbd": known / 5,
        }
    ).with_columns(pl.col("next_in_days").fill_nan(None))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return make_rows()


@pytest.fixture(scope="module")
def leaving(rows: pl.DataFrame) -> Array:
    return np.exp(-rows["order_days"].to_numpy() / 3)


@pytest.fixture
def model(rows: pl.DataFrame, leaving: Array) -> OrderModel:
    return OrderModel(COLUMNS, horizon_days=60).fit(rows, leaving)


def test_the_total_lies_two_thirds_of_the_way_to_the_process_and_nobody_changes_place(
    model: OrderModel, rows: pl.DataFrame, leaving: Array
) -> None:
    before = model.predict(rows, leaving)
    after = model.hold_level(rows, leaving).predict(rows, leaving)

    theirs = float(rows["orders_pareto_nbd"].sum())
    assert after.orders.sum() == pytest.approx(before.orders.sum() / 3 + 2 * theirs / 3)
    assert np.allclose(after.orders / before.orders, model.level_)
    assert np.allclose(after.value / before.value, model.level_)
    assert np.array_equal(after.next_days, before.next_days, equal_nan=True)


def test_holding_the_level_twice_is_holding_it_once(model: OrderModel, rows: pl.DataFrame, leaving: Array) -> None:
    once = model.hold_level(rows, leaving).level_
    assert model.hold_level(rows, leaving).level_ == pytest.approx(once)
    assert OrderModel.from_dict(model.to_dict()).level_ == once


def test_without_a_process_and_against_a_wild_one_the_level_stays_sane(
    model: OrderModel, rows: pl.DataFrame, leaving: Array
) -> None:
    unknown = rows.with_columns(orders_pareto_nbd=pl.lit(None, dtype=pl.Float64))
    assert model.hold_level(unknown, leaving).level_ == 1.0
    wild = rows.with_columns(pl.col("orders_pareto_nbd") * 1000)
    assert model.hold_level(wild, leaving).level_ == 1.5


def test_an_artifact_of_before_the_level_has_none(model: OrderModel) -> None:
    stored = model.to_dict()
    del stored["level_"]
    assert OrderModel.from_dict(stored).level_ == 1.0


@pytest.mark.parametrize("spread", [True, False], ids=["gamma-gamma", "credibility"])
def test_customers_of_another_currency_do_not_lessen_what_all_others_are_worth(spread: bool) -> None:
    """What they pay is not seen: the level of a shop of which half pays in yen was half of what its other half spends."""
    rows = make_rows()
    if not spread:  # fewer than thirty customers with a positive value: Gamma-Gamma is refused
        rows = rows.with_columns(revenue_total=pl.when(pl.col("customer_id") < 20).then("revenue_total").otherwise(0.0))
    unseen = rows.with_columns(
        customer_id=pl.col("customer_id") + 10_000, revenue_total=pl.lit(0.0), value=pl.lit(0.0),
        order_value_mean=pl.lit(None, pl.Float64), order_value_last=pl.lit(None, pl.Float64),
    )  # fmt: skip
    leaving = np.exp(-rows["order_days"].to_numpy() / 3)
    alone = OrderModel(COLUMNS, horizon_days=60).fit(rows, leaving)
    both = OrderModel(COLUMNS, horizon_days=60).fit(pl.concat([rows, unseen]), np.tile(leaving, 2))

    assert (alone.order_value_ is not None) == spread
    assert both.predict(rows, leaving).value.sum() == pytest.approx(alone.predict(rows, leaving).value.sum(), rel=0.05)
    assert both.predict(unseen, leaving).value.min() > 0

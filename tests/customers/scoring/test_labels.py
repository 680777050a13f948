from __future__ import annotations

import datetime as dt

import polars as pl

from customers.scoring.labels import build_labels, propose_horizon

UTC = dt.UTC
AS_OF = dt.datetime(2025, 3, 1, tzinfo=UTC)


def orders(*rows: tuple[int, float, float]) -> pl.DataFrame:
    """Customer, days before (-) or after AS_OF, total; a negative total is a return."""
    return pl.DataFrame(
        [(c, i, AS_OF + dt.timedelta(days=day), total, total < 0) for i, (c, day, total) in enumerate(rows)],
        schema={"customer_id": pl.Int64, "order_id": pl.Int64, "ordered_at": pl.Datetime("us", "UTC"), "total": pl.Float64,
                "is_return": pl.Boolean},
        orient="row",
    )  # fmt: skip


def label(frame: pl.DataFrame, horizon_days: int = 30) -> dict[int, dict[str, object]]:
    return {
        row.pop("customer_id"): row for row in build_labels(frame, as_of=AS_OF, horizon_days=horizon_days).to_dicts()
    }


def test_no_order_within_the_horizon_is_leaving() -> None:
    found = label(orders((1, -5, 9), (2, -5, 9), (2, 3, 9), (3, -5, 9), (3, 31, 9)))

    assert {customer: row["churned"] for customer, row in found.items()} == {1: 1, 2: 0, 3: 1}


def test_the_horizon_begins_at_the_moment_and_ends_before_its_last_one() -> None:
    found = label(orders((1, -5, 9), (1, 0, 9), (2, -5, 9), (2, 30, 9)))

    assert (found[1]["churned"], found[2]["churned"]) == (0, 1)


def test_only_customers_with_an_order_before_are_labelled() -> None:
    assert label(orders((1, 5, 9), (2, -5, -9), (3, 0, 9))) == {}


def test_returns_are_no_orders_and_are_netted() -> None:
    found = label(orders((1, -5, 9), (1, 2, -4), (2, -5, 9), (2, 2, 20), (2, 4, -5), (2, 2.2, 3)))

    assert found[1] == {"churned": 1, "orders": 0, "value": -4, "next_in_days": None}
    assert found[2] == {"churned": 0, "orders": 1, "value": 18, "next_in_days": 2}


def test_the_horizon_follows_the_shops_own_rhythm() -> None:
    weekly = orders(*[(c, -7 * i, 9) for c in range(20) for i in range(60)])
    monthly = orders(*[(c, -50 * i, 9) for c in range(20) for i in range(12)])

    assert propose_horizon(weekly) == 30
    assert propose_horizon(monthly) == 60


def test_the_horizon_leaves_room_to_learn_and_to_be_judged() -> None:
    short = orders(*[(c, -25 * i, 9) for c in range(20) for i in range(3)])

    assert propose_horizon(short) <= 25


def test_a_shop_where_nobody_came_back_gets_the_usual_horizon() -> None:
    assert propose_horizon(orders((1, -5, 9), (2, -90, 9))) == 90
    assert propose_horizon(orders()) == 90

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from customers.features.builder import build_features, measure_popularity
from customers.features.catalogue import FEATURE_KEYS, FEATURES, THEMES

from .plain_features import plain_features
from .shop_histories import (
    AS_OF,
    EVENT_SCHEMA,
    LINE_SCHEMA,
    ORDER_SCHEMA,
    UTC,
    frame,
    histories,
    moments,
)

History = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


@given(histories(), histories(moments(first=AS_OF)))
@settings(max_examples=30, deadline=None)
def test_changing_the_future_moves_no_feature(history: History, future: History) -> None:
    before = build_features(*history, as_of=AS_OF)
    changed = tuple(pl.concat([past, later]) for past, later in zip(history, future, strict=True))

    assert_frame_equal(build_features(*changed, as_of=AS_OF), before, rel_tol=0, abs_tol=1e-8)


@given(histories())
@settings(max_examples=30, deadline=None)
def test_plain_python_customer_by_customer_sees_the_same_values(history: History) -> None:
    built = {row.pop("customer_id"): row for row in build_features(*history, as_of=AS_OF).to_dicts()}
    plain = plain_features(*history, AS_OF)

    assert built.keys() == plain.keys()
    for customer, row in plain.items():
        assert row.keys() == set(FEATURE_KEYS)
        for key, value in row.items():
            seen = built[customer][key]
            assert (seen is None) == (value is None), (customer, key, seen, value)
            assert value is None or math.isclose(seen, value, rel_tol=1e-7, abs_tol=1e-7), (customer, key, seen, value)


@given(histories())
@settings(max_examples=20, deadline=None)
def test_a_customer_is_the_same_alone_as_among_others(history: History) -> None:
    everyone = build_features(*history, as_of=AS_OF)
    popularity = measure_popularity(history[1], as_of=AS_OF)
    alone = [part.filter(pl.col("customer_id") == 1) for part in history]

    assert_frame_equal(
        build_features(*alone, as_of=AS_OF, popularity=popularity),
        everyone.filter(pl.col("customer_id") == 1),
        abs_tol=1e-8,
    )


def test_an_order_at_the_very_moment_is_not_known_yet() -> None:
    order = {"customer_id": 1, "order_id": 1, "ordered_at": AS_OF, "total": 9.0, "discount": 0.0, "is_return": False}
    orders = frame([order], ORDER_SCHEMA)

    assert build_features(orders, as_of=AS_OF).is_empty()
    assert build_features(orders, as_of=AS_OF + dt.timedelta(seconds=1)).height == 1


def test_two_orders_of_one_day_count_as_one() -> None:
    day = dt.datetime(2025, 1, 10, tzinfo=UTC)
    rows = [
        {"customer_id": 1, "order_id": i, "ordered_at": at, "total": 10.0, "discount": 0.0, "is_return": False}
        for i, at in enumerate([day, day + dt.timedelta(hours=3), day + dt.timedelta(days=20)])
    ]

    row = build_features(frame(rows, ORDER_SCHEMA), as_of=AS_OF).row(0, named=True)

    assert (row["order_days"], row["gap_mean"], row["revenue_total"]) == (2, 20, 30)


def test_somebody_with_returns_alone_is_no_customer_yet() -> None:
    refund = {"customer_id": 1, "order_id": 1, "ordered_at": AS_OF - dt.timedelta(days=5), "total": -9.0,
              "discount": 0.0, "is_return": True}  # fmt: skip

    assert build_features(frame([refund], ORDER_SCHEMA), as_of=AS_OF).is_empty()


def test_what_cannot_be_known_is_empty_rather_than_nought() -> None:
    order = {"customer_id": 1, "order_id": 1, "ordered_at": AS_OF - dt.timedelta(days=5), "total": 9.0,
             "discount": 0.0, "is_return": False}  # fmt: skip

    alone = build_features(frame([order], ORDER_SCHEMA), as_of=AS_OF).row(0, named=True)
    with_logs = build_features(
        frame([order], ORDER_SCHEMA), frame([], LINE_SCHEMA), frame([], EVENT_SCHEMA), as_of=AS_OF
    ).row(0, named=True)

    assert alone["views_30d"] is None and alone["basket_items"] is None and alone["gap_mean"] is None
    assert with_logs["views_30d"] == 0 and with_logs["open_share_90d"] is None


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.key)
def test_each_feature_has_its_words(feature) -> None:  # type: ignore[no-untyped-def]
    assert feature.theme in THEMES
    assert str(feature.label) and str(feature.meaning) and str(feature.sentence)
    assert not feature.compared_with or feature.compared_with in FEATURE_KEYS

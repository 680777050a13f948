from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from customers.scoring.logits import Array
from customers.scoring.tree_shares import TooDeep, TreeShares
from customers.scoring.trees import BoostedTrees

COLUMNS = ["recency_days", "order_days", "gap_mean", "views_30d"]


def make_rows(seed: int, count: int) -> tuple[pl.DataFrame, Array]:
    """Customers with missing values and ties, and who of them left."""
    rng = np.random.default_rng(seed)
    columns = {name: np.round(rng.gamma(1.5, 20, count), int(rng.integers(0, 3))) for name in COLUMNS}
    frame = pl.DataFrame(columns).with_columns(
        gap_mean=pl.when(pl.Series(rng.random(count) < 0.4)).then(None).otherwise("gap_mean"),
        views_30d=pl.when(pl.Series(rng.random(count) < 0.1)).then(None).otherwise("views_30d"),
    )
    risk = columns["recency_days"] / 40 - columns["order_days"] / 30 + 0.5 * frame["gap_mean"].is_null().to_numpy()
    return frame, (rng.random(count) < 1 / (1 + np.exp(-risk))).astype(np.float64)


@pytest.mark.parametrize("seed", range(4))
def test_shares_by_table_are_those_of_walking_the_trees(seed: int) -> None:
    rows, left = make_rows(seed, 3_000)
    trees = BoostedTrees(COLUMNS, rounds=40, learning_rate=0.2, min_child_weight=2, random_state=seed).fit(rows, left)

    walked = trees.booster_.predict(trees._data(rows), pred_contribs=True)[:, :-1]
    by_table = TreeShares(trees.booster_).split_margins(rows.to_numpy())

    np.testing.assert_allclose(by_table, walked, atol=2e-5)
    margins = trees.booster_.predict(trees._data(rows), output_margin=True)
    np.testing.assert_allclose(by_table.sum(axis=1) + trees.base_, margins, atol=2e-5)


def test_values_on_a_threshold_go_the_way_of_the_booster() -> None:
    rows, left = make_rows(7, 2_000)
    trees = BoostedTrees(COLUMNS, rounds=30, learning_rate=0.3, min_child_weight=2).fit(rows, left)
    stored = json.loads(bytes(trees.booster_.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    thresholds = np.array([t for tree in stored for t in tree["split_conditions"]], dtype=np.float32)
    exact = pl.DataFrame({name: thresholds.astype(np.float64) for name in COLUMNS})

    walked = trees.booster_.predict(trees._data(exact), pred_contribs=True)[:, :-1]

    np.testing.assert_allclose(TreeShares(trees.booster_).split_margins(exact.to_numpy()), walked, atol=2e-5)


def test_few_rows_and_many_rows_are_told_the_same() -> None:
    rows, left = make_rows(3, 2_500)
    trees = BoostedTrees(COLUMNS, rounds=30).fit(rows, left)

    many, few = trees.contributions(rows), trees.contributions(rows.head(20))

    for name, part in few.items():
        np.testing.assert_allclose(many[name][:20], part, atol=1e-5)


def test_deeper_trees_are_walked() -> None:
    rows, left = make_rows(5, 3_000)
    trees = BoostedTrees(COLUMNS, rounds=5, depth=6, learning_rate=0.3, min_child_weight=1).fit(rows, left)

    with pytest.raises(TooDeep):
        TreeShares(trees.booster_)
    told = trees.contributions(rows)
    margins = trees.booster_.predict(trees._data(rows), output_margin=True)
    np.testing.assert_allclose(sum(told.values()) + trees.base_, margins, atol=1e-4)

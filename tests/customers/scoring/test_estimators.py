from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from customers.scoring.estimators import (
    BgNbdScore,
    Blend,
    BoostedTrees,
    ParetoNbdScore,
    PlainRule,
    RfmLogistic,
    RichLogistic,
    load_estimator,
    to_logit,
)
from customers.scoring.evaluation import roc_auc
from customers.scoring.processes import add_process_columns, fit_processes

COLUMNS = ["recency_days", "order_days", "order_value_mean", "gap_mean", "no_order_pareto_nbd"]


@pytest.fixture(scope="module")
def rows() -> tuple[pl.DataFrame, np.ndarray]:
    """Leaving grows with recency and falls with frequency; the gap is unknown for customers with one order."""
    rng = np.random.default_rng(4)
    n = 3_000
    recency, orders = rng.gamma(2, 40, n), rng.integers(1, 12, n).astype(float)
    logit = 0.03 * recency - 0.5 * orders + rng.normal(0, 0.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    gap = np.where(orders > 1, 300 / orders, np.nan)
    frame = pl.DataFrame(
        {"recency_days": recency, "order_days": orders, "order_value_mean": rng.gamma(3, 20, n), "gap_mean": gap}
    ).with_columns(pl.col("gap_mean").fill_nan(None), tenure_days=pl.col("recency_days") + 200)
    return add_process_columns(frame, fit_processes(frame, horizon_days=60)), y


def make_all() -> list:  # type: ignore[type-arg]
    rich, trees = RichLogistic(COLUMNS), BoostedTrees(COLUMNS, rounds=40)
    processes = [BgNbdScore(), ParetoNbdScore()]
    return [
        PlainRule(),
        RfmLogistic(),
        *processes,
        rich,
        trees,
        Blend([RichLogistic(COLUMNS), BoostedTrees(COLUMNS, rounds=40)]),
    ]


@pytest.mark.parametrize("estimator", make_all(), ids=lambda e: e.name)
def test_every_estimator(estimator, rows) -> None:  # type: ignore[no-untyped-def]
    """Probabilities are probabilities, contributions add up to the logit, and JSON gives the same estimator again."""
    frame, y = rows

    assert estimator.fit(frame, y) is estimator
    p = estimator.predict_proba(frame)
    parts = estimator.contributions(frame)
    again = load_estimator(json.loads(json.dumps(estimator.to_dict())))

    assert p.shape == (len(y), 2)
    assert np.allclose(p.sum(axis=1), 1)
    assert p.min() > 0 and p.max() < 1
    total = estimator.base_ + np.sum(list(parts.values()), axis=0)
    assert np.allclose(total, to_logit(p[:, 1]), atol=1e-4)
    assert np.allclose(again.predict_proba(frame), p, atol=1e-7)
    assert np.allclose(again.contributions(frame)["recency_days"], parts["recency_days"], atol=1e-6)
    assert estimator.name in ("bg_nbd", "pareto_nbd") or abs(p[:, 1].mean() - y.mean()) < 0.02


def test_parts_add_up_to_what_is_shown_of_somebody_who_is_all_but_certain() -> None:
    """Probabilities are kept from 0 and 1, and the parts with them."""
    recency = np.linspace(1, 400, 600)
    frame = pl.DataFrame(
        {"recency_days": recency, "order_days": 1.0 + recency % 3, "order_value_mean": 5 + recency % 7}
    )
    estimator = RfmLogistic(C=1e6).fit(frame, (recency > 60).astype(float))

    p = estimator.predict_proba(frame)[:, 1]
    total = estimator.base_ + np.sum(list(estimator.contributions(frame).values()), axis=0)

    assert (p >= 0.999 - 1e-9).any()
    assert np.allclose(total, to_logit(p), atol=1e-9)


def test_the_plain_rule_ranks_by_days_since_the_last_order(rows) -> None:  # type: ignore[no-untyped-def]
    frame, y = rows

    rule = PlainRule().fit(frame, y)

    assert roc_auc(y, rule.predict_proba(frame)[:, 1]) == pytest.approx(roc_auc(y, frame["recency_days"].to_numpy()))


def test_the_plain_rule_finds_the_days_that_part_leavers_from_stayers() -> None:
    recency = np.concatenate([np.linspace(1, 59, 300), np.linspace(61, 200, 300)])
    frame = pl.DataFrame({"recency_days": recency})

    assert PlainRule().fit(frame, (recency > 60).astype(float)).threshold_days_ == pytest.approx(61, abs=1)


def test_more_knowledge_ranks_better_than_recency_alone(rows) -> None:  # type: ignore[no-untyped-def]
    frame, y = rows
    train, test = frame[:2000], frame[2000:]

    def judge(estimator) -> float:  # type: ignore[no-untyped-def]
        return roc_auc(y[2000:], estimator.fit(train, y[:2000]).predict_proba(test)[:, 1])

    assert judge(BoostedTrees(COLUMNS)) > judge(PlainRule()) + 0.02
    assert judge(RichLogistic(COLUMNS)) > judge(PlainRule()) + 0.02


def test_trees_are_the_same_for_the_same_seed(rows) -> None:  # type: ignore[no-untyped-def]
    frame, y = rows
    first, second = (BoostedTrees(COLUMNS, rounds=20, random_state=3).fit(frame, y) for _ in range(2))

    assert first.to_dict() == second.to_dict()


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ValueError, match="no estimator is called"):
        load_estimator({"name": "os.system"})


def test_trees_say_the_same_on_a_bare_matrix(rows: tuple[pl.DataFrame, np.ndarray]) -> None:
    """The plain path is XGBoost's own matrix, with missing values among the figures."""
    frame, y = rows
    trees = BoostedTrees(COLUMNS, rounds=40).fit(frame, y)

    plainly = np.asarray(trees.booster_.predict(trees._data(frame)), dtype=np.float64)

    assert frame["gap_mean"].null_count()
    np.testing.assert_array_equal(trees.predict_proba(frame)[:, 1], np.clip(plainly, 0.001, 0.999))


def test_the_logistic_sum_is_that_of_a_matrix_product(rows: tuple[pl.DataFrame, np.ndarray]) -> None:
    frame, y = rows
    model = RichLogistic(COLUMNS).fit(frame, y)

    plainly = model.base_ + model._transform(frame) @ model.coef_

    np.testing.assert_allclose(to_logit(model.predict_proba(frame)[:, 1]), np.clip(plainly, -6.9, 6.9), atol=1e-6)

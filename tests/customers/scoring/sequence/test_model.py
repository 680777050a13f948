from __future__ import annotations

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from customers.features.catalogue import FEATURE_KEYS
from customers.scoring.estimators import load_estimator
from customers.scoring.evaluation import roc_auc
from customers.scoring.logits import Array, to_logit
from customers.scoring.sequence import SequenceModel, TorchMissing, build_tokens, is_torch_installed, model

AS_OF = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
CUSTOMERS = 1200
TIME = pl.Datetime("us", "UTC")

needs_torch = pytest.mark.skipif(not is_torch_installed(), reason="PyTorch, the optional extra, is not installed")


def plant_rule(*, seed: int = 3) -> tuple[pl.DataFrame, Array]:
    """Customers with some orders and views at random; whoever asked support in the last fortnight stays, with few
    exceptions, and of the others most leave. Nothing else says anything."""
    rng = np.random.default_rng(seed)
    orders, events, left = [], [], []
    for customer in range(1, CUSTOMERS + 1):
        for _ in range(int(rng.integers(1, 6))):
            at = AS_OF - dt.timedelta(days=float(rng.uniform(1, 300)))
            orders.append((customer, len(orders), at, float(rng.gamma(3, 20)), 0.0, False))
        for _ in range(int(rng.integers(0, 8))):
            events.append((customer, "product_viewed", AS_OF - dt.timedelta(days=float(rng.uniform(1, 170)))))
        asked = bool(rng.random() < 0.7)
        days_ago = float(rng.uniform(1, 14) if rng.random() < 0.5 else rng.uniform(40, 170))
        if asked:
            events.append((customer, "ticket_opened", AS_OF - dt.timedelta(days=days_ago)))
        stays = asked and days_ago < 14
        left.append(float(stays if rng.random() < 0.05 else not stays))
    order_columns = ("customer_id", "order_id", "ordered_at", "total", "discount", "is_return")
    built = build_tokens(
        pl.DataFrame(orders, schema=order_columns, orient="row").with_columns(pl.col("ordered_at").cast(TIME)),
        pl.DataFrame(events, schema=("customer_id", "kind", "occurred_at"), orient="row").with_columns(
            pl.col("occurred_at").cast(TIME)
        ),
        as_of=AS_OF,
    )
    return built, np.array(left)


@pytest.fixture(scope="module")
def rows() -> tuple[pl.DataFrame, Array]:
    return plant_rule()


@pytest.fixture(scope="module")
def fitted(rows: tuple[pl.DataFrame, Array]) -> SequenceModel:
    X, y = rows
    return SequenceModel(random_state=1).fit(X[:900], y[:900])


@pytest.mark.slow
@needs_torch
def test_it_learns_a_rule_of_time_and_kind(fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]) -> None:
    X, y = rows
    p = fitted.predict_proba(X[900:])

    assert roc_auc(y[900:], p[:, 1]) > 0.9
    assert np.allclose(p.sum(axis=1), 1)
    assert ((p > 0) & (p < 1)).all()


@pytest.mark.slow
@needs_torch
def test_attention_sums_to_one_and_falls_on_what_decides(
    fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]
) -> None:
    X, _ = rows
    told = fitted.attend(X[900:])

    shares = told.group_by("row").agg(pl.col("attention").sum())
    assert shares.height == 300
    assert np.allclose(shares["attention"], 1, atol=1e-5)
    assert told["attention"].min() >= 0
    decides = (pl.col("kind") == "ticket_opened") & (pl.col("age_days") < 14)
    with_it = told.filter(decides.any().over("row"))
    most_seen = with_it.sort("attention").group_by("row").last()
    assert most_seen.select(decides.mean()).item() > 0.9
    assert with_it.group_by("row").len().select(pl.col("len").mean()).item() > 4


@pytest.mark.slow
@needs_torch
def test_twice_the_same_gives_the_same_to_the_last_digit(rows: tuple[pl.DataFrame, Array]) -> None:
    X, y = rows
    first, second, other = (
        SequenceModel(random_state=seed, epochs=2).fit(X[:400], y[:400]).to_dict() for seed in (5, 5, 6)
    )

    assert json.dumps(first) == json.dumps(second)
    assert first["weights"] != other["weights"]


@pytest.mark.slow
@needs_torch
def test_learning_leaves_torch_as_it_found_it(rows: tuple[pl.DataFrame, Array]) -> None:
    import torch

    X, y = rows
    torch.manual_seed(11)
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    SequenceModel(epochs=1).fit(X[:100], y[:100])

    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.slow
@needs_torch
def test_stored_and_read_again_it_says_the_same(fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]) -> None:
    X, _ = rows
    again = load_estimator(json.loads(json.dumps(fitted.to_dict())))

    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.base_ == fitted.base_
    assert isinstance(again, SequenceModel)
    assert again.epochs_ == fitted.epochs_


@pytest.mark.slow
@needs_torch
def test_contributions_add_up_to_the_log_odds(fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]) -> None:
    X, _ = rows
    parts = fitted.contributions(X)

    assert parts.keys() <= set(FEATURE_KEYS)
    total = np.clip(fitted.base_ + np.sum(list(parts.values()), axis=0), -6, 6)
    assert np.allclose(total, np.clip(to_logit(fitted.predict_proba(X)[:, 1]), -6, 6), atol=1e-4)


@pytest.mark.slow
@needs_torch
def test_a_customer_alone_gets_the_score_that_they_get_among_others(
    fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]
) -> None:
    X, _ = rows
    among = fitted.predict_proba(X)[:20, 1]

    alone = [fitted.predict_proba(X[i])[0, 1] for i in range(20)]

    assert np.allclose(alone, among, atol=2e-5)


@pytest.mark.slow
@needs_torch
def test_it_stops_when_the_held_out_customers_say_so(rows: tuple[pl.DataFrame, Array]) -> None:
    X, _ = rows
    noise = (np.random.default_rng(1).random(X.height) < 0.5).astype(float)

    assert SequenceModel(epochs=12, patience=2).fit(X, noise).epochs_ < 10


@pytest.mark.slow
@needs_torch
def test_somebody_without_any_token_gets_what_the_bias_says(
    fitted: SequenceModel, rows: tuple[pl.DataFrame, Array]
) -> None:
    nobody = pl.DataFrame({"customer_id": [1], "tokens": [None]}, schema=rows[0].schema)

    p = fitted.predict_proba(nobody)[0, 1]

    assert np.isclose(to_logit(np.array([p]))[0], fitted.weights_["bias"][0], atol=1e-4)


@pytest.mark.slow
@needs_torch
def test_scikit_learn_can_clone_it() -> None:
    from sklearn.base import clone

    made = clone(SequenceModel(width=16, random_state=9))

    assert made.get_params() == SequenceModel(width=16, random_state=9).get_params()
    with pytest.raises(ValueError, match="no setting"):
        made.set_params(depth=3)


def test_weights_of_another_kind_are_refused() -> None:
    stored = {"weights": {"bias": {"kind": "object", "shape": [1], "data": "gASVCAAAAAAAAAA="}}}

    with pytest.raises(ValueError, match="no model of ours"):
        model.unpack_arrays(stored["weights"])


def test_a_model_of_other_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="other tokens"):
        load_estimator({"name": "sequence", "tokens": {"kinds": ["ordered"], "most": 64}})


@pytest.mark.skipif(is_torch_installed(), reason="PyTorch is installed")
def test_without_pytorch_it_says_what_is_missing(rows: tuple[pl.DataFrame, Array]) -> None:
    X, y = rows
    with pytest.raises(TorchMissing, match="PyTorch"):
        SequenceModel().fit(X, y)

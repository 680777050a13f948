"""The sequence model's place among the others: back-test, registry, scores and pages, with PyTorch and without."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from customers.features.builder import ShopData
from customers.models import ModelVersion, Score, ScoreStatus
from customers.scoring import runner
from customers.scoring.artifact import TrainedModel
from customers.scoring.attention import read_attention
from customers.scoring.backtest import run_backtest
from customers.scoring.change import explain_change
from customers.scoring.sequence import SequenceModel, TorchMissing, installed, is_torch_installed
from customers.scoring.training import TrainingResult, train_model
from tests.customers.scoring.simulated_shop import LAST_AT, simulate_shop, store_model, store_shop, take_customers

NOW = LAST_AT + dt.timedelta(hours=9)
CUTOFF = LAST_AT - dt.timedelta(days=60)

needs_torch = pytest.mark.skipif(not is_torch_installed(), reason="PyTorch, the optional extra, is not installed")


@pytest.fixture(scope="module")
def with_sequence() -> TrainingResult:
    return train_model(simulate_shop(customers=300), until=LAST_AT, horizon_days=60, replicates=20, sequence=True)


@pytest.fixture
def model(db: None, shop: ShopData, with_sequence: TrainingResult) -> ModelVersion:
    """Some customers, and the version that training gives."""
    store_shop(take_customers(shop, 80))
    return store_model(with_sequence, trained_at=NOW)


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which PyTorch cannot be imported."""
    monkeypatch.setattr(installed, "find_spec", lambda name: None)


@pytest.mark.slow
@needs_torch
def test_it_is_judged_beside_the_others_and_changes_nothing_for_them(shop: ShopData) -> None:
    tried = run_backtest(shop, cutoff=CUTOFF, horizon_days=60, replicates=20, sequence=True)
    plain = run_backtest(shop, cutoff=CUTOFF, horizon_days=60, replicates=20)

    assert set(tried.evaluations) - set(plain.evaluations) == {"sequence"}
    assert tried.to_json()["gains"]["sequence"]["verdict"] in ("win", "tie", "loss")
    assert tried.columns == plain.columns
    for name, p in plain.predictions.items():
        assert np.array_equal(tried.predictions[name], p)
    assert tried.evaluations["sequence"].figures["auc"].value > 0.6


@pytest.mark.slow
@needs_torch
def test_below_a_thousand_customers_it_does_not_stand_for_election(with_sequence: TrainingResult) -> None:
    assert "sequence" in with_sequence.metrics["estimators"]
    assert with_sequence.metrics["champion"] != "sequence"


@pytest.mark.slow
@needs_torch
def test_the_registry_keeps_it_beside_the_one_in_use(with_sequence: TrainingResult) -> None:
    kept = with_sequence.model.sequence
    again = TrainedModel.from_bytes(with_sequence.model.to_bytes()).sequence
    assert kept is not None
    assert again is not None
    assert with_sequence.model.churn is not kept
    assert again.to_dict() == kept.to_dict()


@pytest.mark.slow
@needs_torch
@pytest.mark.django_db
def test_where_it_is_appointed_it_scores_explains_and_can_do_so_again(
    model: ModelVersion, with_sequence: TrainingResult
) -> None:
    assert with_sequence.model.sequence is not None
    appointed = replace(with_sequence.model, churn=with_sequence.model.sequence)
    ModelVersion.objects.update(artifact=appointed.to_bytes(), estimator="sequence")
    model.refresh_from_db()

    runner.score_customers(model, as_of=LAST_AT - dt.timedelta(days=7))
    assert runner.score_customers(model, as_of=LAST_AT) > 0
    assert runner.score_customers(model, as_of=LAST_AT) == 0

    scores = Score.objects.filter(status=ScoreStatus.SCORED)
    assert scores.exists()
    assert all(0 < (score.churn_probability or 0) < 1 for score in scores)
    assert scores.exclude(reasons=[]).exists()
    score = scores.first()
    assert score is not None
    attention = read_attention(score)
    assert attention is not None
    assert attention.is_in_use
    assert attention.probability == pytest.approx(score.churn_probability, abs=1e-4)
    change = explain_change(score)
    assert change is not None
    assert change.is_exact


@pytest.mark.slow
@needs_torch
@pytest.mark.django_db
def test_the_page_says_what_it_looked_at_and_that_this_is_no_cause(
    model: ModelVersion, analyst: User, client: Client
) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    score = Score.objects.filter(status=ScoreStatus.SCORED).order_by("customer_id")[0]
    client.force_login(analyst)

    link = client.get(f"/customers/{score.customer_id}/").content.decode()
    assert f"/customers/{score.customer_id}/attention/" in link
    page = client.get(f"/customers/{score.customer_id}/attention/", headers={"HX-Request": "true"}).content.decode()
    assert "It is not a cause" in page
    assert "It is not the model in use" in page
    attention = read_attention(score)
    assert attention is not None
    assert len(attention.looked_at) == min(6, attention.things)
    shares = [each.share for each in attention.looked_at]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-5
    assert all(each.on <= LAST_AT.date() for each in attention.looked_at)


@pytest.mark.slow
@needs_torch
@pytest.mark.django_db
def test_where_torch_is_gone_the_page_says_so_and_scores_go_on(
    model: ModelVersion, analyst: User, client: Client, no_torch: None
) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    score = Score.objects.filter(status=ScoreStatus.SCORED).order_by("customer_id")[0]
    client.force_login(analyst)

    with pytest.raises(TorchMissing):
        read_attention(score)
    page = client.get(f"/customers/{score.customer_id}/attention/")
    assert "PyTorch is not installed on this machine" in page.content.decode()


@pytest.mark.slow
@needs_torch
@pytest.mark.django_db
def test_the_table_says_win_tie_or_loss(model: ModelVersion, analyst: User, client: Client) -> None:
    client.force_login(analyst)
    page = client.get("/predictions/")

    row = next(row for row in page.context["estimators"] if row["key"] == "sequence")
    gain = model.metrics["gains"]["sequence"]
    assert row["against"]["auc"] == -gain["auc"]
    assert row["against"]["verdict"] == {"win": "loses", "tie": "a tie", "loss": "wins"}[gain["verdict"]]
    assert "was not tried" not in page.content.decode()


@pytest.mark.django_db
def test_without_torch_the_setting_changes_nothing(shop: ShopData, settings: Settings, no_torch: None) -> None:
    settings.SEQUENCE_MODEL = True
    backtest = run_backtest(shop, cutoff=CUTOFF, horizon_days=60, replicates=10, sequence=True, champion="sequence")

    assert not runner.tries_sequence()
    assert "sequence" not in backtest.evaluations
    assert backtest.champion != "sequence"
    assert "tokens" not in backtest.test.columns


@pytest.mark.django_db
@pytest.mark.parametrize("is_wanted", [False, True])
def test_without_torch_the_page_says_in_one_line_how_to_try_it(
    analyst: User, client: Client, settings: Settings, no_torch: None, is_wanted: bool
) -> None:
    settings.SEQUENCE_MODEL = is_wanted
    ModelVersion.objects.create(
        version=1, status=ModelVersion.Status.CHAMPION, estimator="plain_rule", horizon_days=60, trained_at=NOW,
        data_from=CUTOFF, data_until=LAST_AT, artifact=b"", metrics={"estimators": {}}, card={},
    )  # fmt: skip
    client.force_login(analyst)

    page = client.get("/predictions/").content.decode()

    assert "was not tried: PyTorch is not installed" in page
    assert "pip install torch" in page


def test_a_model_that_nobody_can_read_here_leaves_the_one_in_use_alone(trained: TrainingResult) -> None:
    plain = trained.model
    odd = SequenceModel()
    odd.to_dict = lambda: {"name": "sequence", "tokens": {}}  # type: ignore[method-assign]

    again = TrainedModel.from_bytes(replace(plain, sequence=odd).to_bytes())

    assert again.sequence is None
    assert again.churn.to_dict() == plain.churn.to_dict()

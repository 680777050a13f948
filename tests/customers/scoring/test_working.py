"""PyTorch goes away while the self-attention model is in use: scores go on, and the pages say by which version."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from customers.features.builder import ShopData
from customers.models import FairnessReport, ModelVersion, Score, SensitiveAttributes
from customers.scoring import groups, refresh, working
from customers.scoring.sequence import installed
from customers.scoring.snapshots import NotEnoughHistory
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers

NOW = LAST_AT + dt.timedelta(hours=9)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None)


@pytest.fixture
def earlier(shop: ShopData, trained: TrainingResult) -> ModelVersion:
    """Some customers, and a version that was in use before the self-attention model."""
    store_shop(take_customers(shop, 150))
    version = store_model(trained, trained_at=NOW - dt.timedelta(days=30))
    ModelVersion.objects.update(status=ModelVersion.Status.RETIRED)
    return version


@pytest.fixture
def lost(earlier: ModelVersion) -> ModelVersion:
    """The self-attention model in use, whose artifact nobody can put to work here."""
    return ModelVersion.objects.create(
        version=2, status=ModelVersion.Status.CHAMPION, estimator="sequence", horizon_days=60, trained_at=NOW,
        data_from=earlier.data_from, data_until=earlier.data_until, metrics=earlier.metrics, card=earlier.card,
        artifact=b"weights of PyTorch",
    )  # fmt: skip


def test_the_night_scores_with_the_version_before_it_where_nothing_can_be_trained(
    earlier: ModelVersion, lost: ModelVersion
) -> None:
    """150 customers are too few to train on."""
    with pytest.raises(NotEnoughHistory):
        refresh.train_and_score(LAST_AT)

    assert Score.objects.exists()
    assert set(Score.objects.values_list("model", flat=True)) == {earlier.pk}
    assert working.find_missing_torch() == working.MissingTorch(lost, earlier)


def test_the_night_trains_a_version_without_it_where_it_can(
    shop: ShopData, trained: TrainingResult, settings: Settings
) -> None:
    store_shop(shop)
    settings.CHURN_HORIZON_DAYS, settings.SEQUENCE_MODEL = 60, True
    lost = store_model(trained, trained_at=NOW)
    ModelVersion.objects.update(estimator="sequence", artifact=b"weights of PyTorch")

    assert refresh.train_and_score(NOW)

    model = ModelVersion.objects.in_use().get()
    assert model.version == 2
    assert model.estimator != "sequence"
    assert model.metrics["appointment"]["incumbent"] == "sequence"
    assert model.metrics["appointment"]["reason"] == "gone"
    assert set(Score.objects.values_list("model", flat=True)) == {model.pk}
    assert working.find_missing_torch() == working.MissingTorch(lost, model)
    settings.SEQUENCE_MODEL = False
    assert working.find_missing_torch() is None


def test_the_command_scores_with_the_version_before_it(earlier: ModelVersion, lost: ModelVersion) -> None:
    told = StringIO()
    call_command("score_customers", "--as-of", LAST_AT.isoformat(), "--json", stdout=told)

    assert json.loads(told.getvalue())["model"] == earlier.version


def test_a_version_of_another_horizon_or_format_does_not_stand_in(earlier: ModelVersion, lost: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=earlier.pk).update(horizon_days=30)
    with pytest.raises(CommandError, match="Install PyTorch"):
        call_command("score_customers")
    ModelVersion.objects.filter(pk=earlier.pk).update(horizon_days=60, artifact=b"of another format")
    with pytest.raises(working.NoModel, match="no earlier version can stand in"):
        working.find_working_version()
    assert working.find_missing_torch() == working.MissingTorch(lost, None)


def test_the_refresh_says_what_is_missing_and_the_day_is_not_tried_again(
    earlier: ModelVersion, lost: ModelVersion
) -> None:
    assert refresh.refresh_scores(now=NOW) == 0

    state = refresh.read_refresh_state()
    assert state["state"] == "failed"
    assert "at least 200 are needed" in state["message"]
    assert not refresh.needs_refresh(NOW)


def test_predictions_and_home_say_which_version_scores(
    earlier: ModelVersion, lost: ModelVersion, analyst: User, client: Client
) -> None:
    client.force_login(analyst)
    told = "PyTorch is not installed here any more, so version 2 cannot work. Version 1 scores instead."
    for address in ("/predictions/", "/"):
        assert told in " ".join(client.get(address).content.decode().split())
    ModelVersion.objects.filter(pk=earlier.pk).delete()
    assert "No other version can work here" in client.get("/predictions/").content.decode()


def test_groups_are_not_reviewed_by_a_model_that_cannot_work(
    earlier: ModelVersion, lost: ModelVersion, shop: ShopData
) -> None:
    SensitiveAttributes.objects.create(keys=["country"], changed_at=NOW)
    assert groups.review_groups(threshold=0.6) == 0
    assert not FairnessReport.objects.exists()

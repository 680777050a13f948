"""A drift report a day for the model in use, and past scores held against what then happened."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.features.builder import ShopData
from customers.models import DriftReport, ModelVersion, Order, ScoreHistory
from customers.scoring import runner, watch
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop

NOW = LAST_AT + dt.timedelta(hours=9)

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db: None, shop: ShopData, trained: TrainingResult) -> ModelVersion:
    store_shop(shop)
    return store_model(trained, trained_at=NOW)


def test_a_report_is_made_once_a_day(model: ModelVersion) -> None:
    assert watch.watch_model(NOW) is None
    runner.score_customers(model, as_of=LAST_AT)

    first = watch.watch_model(NOW)
    second = watch.watch_model(NOW + dt.timedelta(hours=3))

    assert first is not None
    assert first == second
    assert DriftReport.objects.count() == 1
    assert first == watch.read_newest_report()
    assert first.figures["then"] == model.card["train_dates"][0]
    told = {row["feature"]: row for row in first.figures["features"]}
    assert set(told) <= set(model.card["features"])
    assert told["recency_days"]["mean_now"] > 0
    assert first.figures["past"] is None


def test_past_scores_are_judged_once_their_horizon_has_passed(model: ModelVersion) -> None:
    """Scores of two months ago are held against the orders since; counted again one customer at a time."""
    before = LAST_AT - dt.timedelta(days=60)
    runner.score_customers(model, as_of=before)
    assert watch.judge_past(model, LAST_AT - dt.timedelta(hours=1)) is None

    judged = watch.judge_past(model, LAST_AT)

    assert judged is not None
    history = list(ScoreHistory.objects.filter(churn_probability__isnull=False))
    left = [
        not Order.objects.filter(customer_id=row.customer_id, ordered_at__gte=before, ordered_at__lt=LAST_AT).exists()
        for row in history
    ]
    assert (judged["customers"], judged["version"]) == (len(history), 1)
    assert judged["observed"] == pytest.approx(sum(left) / len(left), abs=1e-4)
    assert judged["expected"] == pytest.approx(sum(row.churn_probability or 0 for row in history) / len(left), abs=1e-4)
    assert judged["auc"] > 0.7
    assert watch.first_judged_on(model) == LAST_AT.date()


def test_a_shop_that_sends_no_orders_for_a_while_does_not_look_as_if_everybody_left(model: ModelVersion) -> None:
    """Data come until ten days ago: who ordered since cannot be known, and scores of 60 days ago are not judged yet."""
    silent_since = LAST_AT - dt.timedelta(days=10)
    Order.objects.filter(ordered_at__gte=silent_since).delete()
    before = LAST_AT - dt.timedelta(days=60)
    runner.score_customers(model, as_of=before)
    assert watch.judge_past(model, LAST_AT) is None

    runner.score_customers(model, as_of=before - dt.timedelta(days=20))
    judged = watch.judge_past(model, LAST_AT)
    assert judged is not None
    assert judged["as_of"] == (before - dt.timedelta(days=20)).date().isoformat()


def test_a_model_that_was_wrong_raises_an_alarm(model: ModelVersion) -> None:
    before = LAST_AT - dt.timedelta(days=60)
    runner.score_customers(model, as_of=before)
    runner.score_customers(model, as_of=LAST_AT)
    ScoreHistory.objects.filter(as_of=before).update(churn_probability=0.05)

    report = watch.watch_model(NOW)

    assert report is not None
    assert "past_off" in report.alarms
    assert report.figures["past"]["verdict"] == "off"


def test_scores_that_moved_are_an_alarm_and_a_single_feature_is_none() -> None:
    steady = {"score": {"verdict": "steady"}, "features": [{"verdict": "moved"}], "past": None}
    assert watch.find_alarms(steady) == []
    assert watch.find_alarms(steady | {"score": {"verdict": "moved"}}) == ["score_moved"]
    assert watch.find_alarms(steady | {"past": {"verdict": "off"}}) == ["past_off"]

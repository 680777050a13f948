"""The difference of two scores of one customer, split so that the parts add up to it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.features.builder import ShopData, build_features
from customers.models import ModelVersion, Order, Score, ScoreHistory
from customers.scoring import runner
from customers.scoring.change import explain_change, split_everything
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers

NOW = LAST_AT + dt.timedelta(hours=9)
WEEK_AGO = LAST_AT - dt.timedelta(days=7)

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db: None, shop: ShopData, trained: TrainingResult) -> ModelVersion:
    store_shop(take_customers(shop, 120))
    return store_model(trained, trained_at=NOW)


@pytest.fixture
def scored(model: ModelVersion) -> ModelVersion:
    runner.score_customers(model, as_of=WEEK_AGO)
    runner.score_customers(model, as_of=LAST_AT)
    return model


def most_changed() -> Score:
    """The customer whose score moved most in the week."""
    before = dict(
        ScoreHistory.objects.filter(as_of=WEEK_AGO, churn_probability__isnull=False).values_list(
            "customer_id", "churn_probability"
        )
    )
    scores = Score.objects.filter(customer_id__in=before, churn_probability__isnull=False)
    return max(scores, key=lambda score: abs((score.churn_probability or 0) - (before[score.customer_id] or 0)))


def test_the_parts_add_up_to_the_change(shop: ShopData, trained: TrainingResult) -> None:
    then, now = (
        trained.model.describe(
            build_features(shop.orders, shop.lines, shop.events, as_of=day, popularity=trained.model.popularity)
        )
        for day in (WEEK_AGO, LAST_AT)
    )
    for customer in then["customer_id"].to_list()[:40]:
        frames = [frame.filter(frame["customer_id"] == customer) for frame in (then, now)]
        change = trained.model.predict_churn(frames[1])[0] - trained.model.predict_churn(frames[0])[0]
        parts = split_everything(trained.model, *frames)
        assert sum(part.points for part in parts) == pytest.approx(change, abs=1e-5)


def test_a_change_is_told_with_the_number_then_and_now(scored: ModelVersion) -> None:
    score = most_changed()
    change = explain_change(score)
    assert change is not None
    assert change.is_exact
    assert (change.before_on, change.by_model) == (WEEK_AGO.date(), None)
    assert change.after == score.churn_probability
    assert 1 <= len(change.reasons) <= 3
    strongest = change.reasons[0]
    assert strongest.then != strongest.now
    assert (strongest.points > 0) == (change.points > 0)


def test_what_a_newer_version_says_stands_apart(scored: ModelVersion) -> None:
    score = most_changed()
    other = ModelVersion.objects.create(
        version=0, status=ModelVersion.Status.RETIRED, estimator=scored.estimator, horizon_days=60, trained_at=NOW,
        data_from=scored.data_from, data_until=scored.data_until, artifact=scored.artifact,
    )  # fmt: skip
    ScoreHistory.objects.filter(as_of=WEEK_AGO).update(model=other)
    change = explain_change(score)
    assert change is not None
    assert change.by_model == pytest.approx(0, abs=1e-5)  # the same artifact under another number


def test_a_past_that_changed_is_not_explained_away(scored: ModelVersion) -> None:
    score = most_changed()
    Order.objects.create(
        customer_id=score.customer_id, external_id="late", ordered_at=WEEK_AGO - dt.timedelta(days=20), currency="EUR",
        total=900,
    )  # fmt: skip
    change = explain_change(score)
    assert change is not None
    assert not change.is_exact
    assert change.reasons == []


def test_a_first_score_has_nothing_to_be_held_against(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    score = Score.objects.filter(churn_probability__isnull=False).earliest("pk")
    assert explain_change(score) is None


def test_the_page_tells_it_with_and_without_script(scored: ModelVersion, client: Client, marketer: User) -> None:
    client.force_login(marketer)
    score = most_changed()
    assert f"/customers/{score.customer_id}/change/" in client.get(f"/customers/{score.customer_id}/").content.decode()
    whole = client.get(f"/customers/{score.customer_id}/change/").content.decode()
    part = client.get(f"/customers/{score.customer_id}/change/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole
    assert "<html" not in part
    assert " then, " in part
    heading = "<h3>Why did it change?</h3>"
    assert heading in part
    assert part.strip().replace(heading, "") in whole, "whose own heading says so"

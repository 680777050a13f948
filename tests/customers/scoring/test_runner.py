from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from pytest_django import Settings

from customers.features.builder import ShopData, build_features
from customers.features.reader import Partition, read_shop
from customers.ingest.clock import choose_as_of
from customers.models import Customer, ModelVersion, Order, Score, ScoreHistory, ScoreStatus
from customers.scoring import refresh, runner, working
from customers.scoring.artifact import TrainedModel
from customers.scoring.explain import describe_reason
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers

NOW = LAST_AT + dt.timedelta(hours=9)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(db: None, shop: ShopData) -> None:
    store_shop(shop)


@pytest.fixture
def model(db: None, shop: ShopData, trained: TrainingResult) -> ModelVersion:
    """The version that training this shop gives, and some of its customers."""
    store_shop(take_customers(shop, 150))
    return store_model(trained, trained_at=NOW)


def scored_rows() -> list[tuple[object, ...]]:
    return list(Score.objects.order_by("customer_id").values_list())


def test_training_stores_a_version_and_the_next_one_takes_its_place(stored: None, settings: Settings) -> None:
    settings.CHURN_HORIZON_DAYS = 60
    first = runner.train_model_version(now=NOW)
    same = runner.train_model_version(now=NOW + dt.timedelta(hours=5), horizon_days=60)
    newer = runner.train_model_version(now=NOW, horizon_days=60, seed=1)

    assert (first.version, first.horizon_days, first.data_until) == (1, 60, LAST_AT)
    assert first.beats_rule
    assert first.metrics["estimators"]["plain_rule"]["auc"] < first.metrics["estimators"][first.estimator]["auc"]
    assert same.pk == first.pk
    first.refresh_from_db()
    assert (first.status, newer.status, newer.version) == ("retired", "champion", 2)


def test_a_shop_whose_orders_pause_is_learned_from_up_to_the_pause(stored: None) -> None:
    """Nine days without an order, and scores go on; it is neither refused nor taken for nine days of leaving."""
    now = NOW + dt.timedelta(days=9)
    model = runner.train_model_version(now=now, horizon_days=30)

    assert model.data_until == LAST_AT
    assert runner.train_model_version(now=now + dt.timedelta(days=1), horizon_days=30).pk == model.pk


def test_everybody_gets_a_score_with_reasons(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)

    scores = Score.objects.filter(status=ScoreStatus.SCORED)
    assert scores.count() > 120
    assert not scores.filter(churn_probability=None).exists()
    assert not scores.filter(expected_value__lt=0).exists()
    assert not scores.filter(next_order_on__lt=LAST_AT.date()).exists()
    assert not scores.filter(next_order_from__gt=F("next_order_until")).exists()
    assert set(scores.values_list("interest", flat=True)) <= {"bags", "shoes", "jackets"}
    riskiest = scores.order_by("-churn_probability").first()
    assert riskiest is not None
    assert 1 <= len(riskiest.reasons) <= 3
    assert riskiest.main_reason in {reason["theme"] for reason in riskiest.reasons}
    assert all(describe_reason(reason) for reason in riskiest.reasons)


def test_leavers_have_the_higher_scores(model: ModelVersion) -> None:
    """What is scored without the last two months is borne out by them."""
    before = LAST_AT - dt.timedelta(days=60)
    runner.score_customers(model, as_of=before)

    stayed = Order.objects.filter(ordered_at__gte=before).values("customer_id")
    scores = Score.objects.filter(status=ScoreStatus.SCORED)
    staying = sorted(scores.filter(customer_id__in=stayed).values_list("churn_probability", flat=True))
    leaving = sorted(scores.exclude(customer_id__in=stayed).values_list("churn_probability", flat=True))

    assert leaving[len(leaving) // 2] > staying[len(staying) // 2] + 0.2


def test_the_next_order_is_on_the_day_on_which_its_moment_falls(model: ModelVersion) -> None:
    """8.4 days after a midnight lies on the eighth day after it, not on the ninth."""
    runner.score_customers(model, as_of=LAST_AT)
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    shop = read_shop(before=LAST_AT)
    features = trained.describe(
        build_features(shop.orders, shop.lines, shop.events, as_of=LAST_AT, popularity=trained.popularity)
    )
    days = trained.predict_orders(features, trained.predict_churn(features)).next_days
    dates = Score.objects.values_list("next_order_from", "next_order_on", "next_order_until")
    said = {score.customer_id: dates.get(pk=score.pk) for score in Score.objects.exclude(next_order_on=None)}

    assert len(said) > 50
    for customer_id, expected in zip(features["customer_id"], days.tolist(), strict=True):
        if customer_id in said:
            assert said[customer_id] == tuple((LAST_AT + dt.timedelta(days=day)).date() for day in expected)


def test_scoring_twice_changes_nothing(model: ModelVersion) -> None:
    assert runner.score_customers(model, as_of=LAST_AT) > 0
    first, history = scored_rows(), list(ScoreHistory.objects.order_by("pk").values_list())

    assert runner.score_customers(model, as_of=LAST_AT) == 0
    assert scored_rows() == first
    assert list(ScoreHistory.objects.order_by("pk").values_list()) == history


def test_a_later_score_replaces_the_current_one_and_keeps_the_history(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT - dt.timedelta(days=7))
    runner.score_customers(model, as_of=LAST_AT)

    assert set(Score.objects.values_list("as_of", flat=True)) == {LAST_AT}
    assert ScoreHistory.objects.values("as_of").distinct().count() == 2


def test_any_score_can_be_made_again_from_the_registry(stored: None) -> None:
    """Newer versions come and go; what an older one said on a past day follows from its artifact and the orders alone."""
    before = LAST_AT - dt.timedelta(days=20)
    old = runner.train_model_version(now=before, horizon_days=60)
    runner.score_everybody(old, as_of=before)
    newer = runner.train_model_version(now=NOW, horizon_days=60)
    runner.score_everybody(newer, as_of=LAST_AT)

    registered = ModelVersion.objects.get(version=old.version)
    again = runner.predict_scores(registered, as_of=before)

    kept = ScoreHistory.objects.filter(model=registered, as_of=before)
    said = dict(kept.values_list("customer_id", "churn_probability"))
    assert len(said) > 300
    assert {
        row["customer_id"]: row["churn_probability"] for row in again.to_dicts() if row["customer_id"] in said
    } == said
    assert registered.status == ModelVersion.Status.RETIRED
    assert registered.card["seed"] == 0 and len(registered.card["code_version"]) == 12
    assert registered.data_from < registered.data_until <= before
    assert newer.metrics["appointment"]["incumbent"] == old.estimator


def test_partitions_together_write_what_one_run_writes(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    whole = scored_rows()
    Score.objects.all().delete()

    for i in range(3):
        runner.score_customers(model, as_of=LAST_AT, partition=Partition(i, 3))

    assert scored_rows() == whole


def test_a_large_shop_is_scored_part_by_part(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    whole = scored_rows()
    Score.objects.all().delete()
    monkeypatch.setattr(runner, "MOST_CUSTOMERS_IN_MEMORY", 60)

    runner.score_everybody(model, as_of=LAST_AT)

    assert scored_rows() == whole


def test_customers_too_new_or_without_orders_are_said_to_be_so(model: ModelVersion) -> None:
    nobody = Customer.objects.create(external_id="nobody")
    newcomer = Customer.objects.create(external_id="newcomer")
    Order.objects.create(
        external_id="first", customer=newcomer, ordered_at=LAST_AT - dt.timedelta(days=2), currency="EUR", total=30
    )

    runner.score_customers(model, as_of=LAST_AT)

    for customer, status in ((nobody, ScoreStatus.NO_HISTORY), (newcomer, ScoreStatus.TOO_NEW)):
        score = Score.objects.get(customer=customer)
        assert score.status == status
        assert (score.churn_probability, score.expected_value, score.next_order_on) == (None, None, None)
        assert (score.reasons, score.main_reason) == ([], "")


def test_orders_at_or_after_the_moment_change_no_score(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    before = scored_rows()
    Order.objects.create(
        external_id="later", customer=Customer.objects.first(), ordered_at=LAST_AT, currency="EUR", total=9
    )

    assert runner.score_customers(model, as_of=LAST_AT) == 0
    assert scored_rows() == before


def test_reasons_are_written_for_the_likeliest_leavers_only_when_asked(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT, explained=10)

    told = Score.objects.exclude(reasons=[])
    assert told.count() == 10
    lowest = told.order_by("churn_probability").values_list("churn_probability", flat=True)[0]
    assert not Score.objects.filter(reasons=[], churn_probability__gt=lowest).exists()


def test_scores_are_of_midnight_or_of_the_end_of_historic_data(model: ModelVersion) -> None:
    last = Order.objects.latest("ordered_at").ordered_at

    assert choose_as_of(last + dt.timedelta(hours=30)).time() == dt.time(0)
    assert choose_as_of(last + dt.timedelta(days=400)) == last + dt.timedelta(seconds=1)


def test_a_shop_without_a_model_is_told_to_train_one(db: None) -> None:
    with pytest.raises(working.NoModel, match="Train one"):
        working.find_working_version()
    with pytest.raises(CommandError, match="Train one"):
        call_command("score_customers")


def test_a_shop_without_orders_is_told_to_import_them(db: None) -> None:
    with pytest.raises(CommandError, match="Import the shop's orders first"):
        call_command("train_model")
    assert not ModelVersion.objects.exists()


def test_training_and_scoring_at_once_and_by_command(stored: None) -> None:
    """The commands take the clock, so that the shop is looked at as of its last order."""
    now = dt.datetime.now(dt.UTC)
    assert refresh.train_and_score(now) == 2 * len(scored_rows())
    assert refresh.train_and_score(now) == 0

    told = StringIO()
    call_command("train_model", stdout=told)
    call_command("score_customers", "--as-of", "2025-02-01", "--json", stdout=told)

    first, second = told.getvalue().strip().split("\n")
    assert first.startswith("Model 1 (")
    assert "against" in first
    assert json.loads(second)["rows_changed"] > 0

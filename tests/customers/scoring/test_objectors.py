"""Whoever objects to profiling has no score, no history and no part in training, whatever runs afterwards."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.features.builder import ShopData
from customers.features.parts import read_parts
from customers.features.reader import Partition, read_objectors, read_shop
from customers.ingest.preferences import save_preference
from customers.models import Customer, ModelVersion, Score, ScoreHistory
from customers.scoring import runner
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers

NOW = LAST_AT + dt.timedelta(hours=9)
pytestmark = pytest.mark.django_db


@pytest.fixture
def model(shop: ShopData, trained: TrainingResult) -> ModelVersion:
    store_shop(take_customers(shop, 100))
    return store_model(trained, trained_at=NOW)


@pytest.fixture
def objector(model: ModelVersion) -> Customer:
    """Somebody who was scored, and objected then."""
    runner.score_customers(model, as_of=LAST_AT)
    scored = Score.objects.exclude(churn_probability=None).earliest("customer_id")
    save_preference(scored.customer, {"objects_to_profiling_at": NOW}, source="test", now=NOW)
    return scored.customer


def test_the_next_night_scores_everybody_else(model: ModelVersion, objector: Customer) -> None:
    others = dict(Score.objects.exclude(customer=objector).values_list("customer_id", "churn_probability"))
    runner.score_customers(model, as_of=LAST_AT)
    score = Score.objects.get(customer=objector)
    assert score.status == "objected"
    assert (score.churn_probability, score.interest, score.main_reason, score.reasons) == (None, "", "", [])
    assert not ScoreHistory.objects.filter(customer=objector).exists()
    assert others == dict(Score.objects.exclude(customer=objector).values_list("customer_id", "churn_probability"))


def test_no_reader_hands_out_what_they_did(objector: Customer) -> None:
    assert read_objectors()["customer_id"].to_list() == [objector.pk]
    for partition in (None, Partition(objector.pk % 2, 2)):
        shop = read_shop(before=NOW, partition=partition)
        for frame in (shop.orders, shop.lines, shop.events):
            assert frame is None or objector.pk not in frame["customer_id"].to_list()


@pytest.mark.django_db(transaction=True)
def test_nor_does_the_reader_in_parts(shop: ShopData) -> None:
    store_shop(take_customers(shop, 40))
    objector = Customer.objects.filter(orders__isnull=False).earliest("pk")
    save_preference(objector, {"objects_to_profiling_at": NOW}, source="test", now=NOW)
    parts = list(read_parts(before=NOW, events_since=NOW - dt.timedelta(days=400), parts=2, partition=None))
    assert sum(part.shop.orders.height for part in parts) > 0
    for part in parts:
        for frame in (part.shop.orders, part.shop.lines, part.shop.events):
            assert frame is None or objector.pk not in frame["customer_id"].to_list()


def test_who_takes_it_back_is_scored_again(model: ModelVersion, objector: Customer) -> None:
    save_preference(objector, {"objects_to_profiling_at": None}, source="test", now=NOW)
    runner.score_customers(model, as_of=LAST_AT)
    assert Score.objects.get(customer=objector).churn_probability is not None

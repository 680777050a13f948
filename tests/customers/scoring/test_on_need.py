"""Reasons are worked out for those who are asked about, and are the ones that the night would have written."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.features.builder import ShopData
from customers.models import Customer, ModelVersion, Order, Score, ScoreHistory, ScoreStatus
from customers.scoring import on_need
from customers.scoring.on_need import explain_scores, find_reasons
from customers.scoring.runner import score_customers
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers


@pytest.fixture
def model(db: None, shop: ShopData, trained: TrainingResult) -> ModelVersion:
    store_shop(take_customers(shop, 120))
    Customer.objects.create(external_id="nobody")
    return store_model(trained, trained_at=LAST_AT)


def told_rows(kind: type[Score] | type[ScoreHistory]) -> dict[int, tuple[str, object]]:
    rows = kind._default_manager.values_list("customer_id", "main_reason", "reasons")
    return {customer: (main, reasons) for customer, main, reasons in rows}


def test_reasons_on_need_are_those_of_the_night(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_need, "MOST_AT_ONCE", 50)
    score_customers(model, as_of=LAST_AT)
    by_night = told_rows(Score)
    Score.objects.all().delete()
    ScoreHistory.objects.all().delete()
    score_customers(model, as_of=LAST_AT, explained=10)
    assert Score.objects.exclude(reasons=[]).count() <= 10

    written = explain_scores(Customer.objects.values_list("pk", flat=True).iterator())

    assert told_rows(Score) == by_night
    assert {pk: row for pk, row in by_night.items() if pk in told_rows(ScoreHistory)} == told_rows(ScoreHistory)
    assert written == sum(bool(reasons) for _main, reasons in by_night.values()) - 10
    assert explain_scores(by_night) == 0


def test_only_the_asked_for_are_explained(model: ModelVersion) -> None:
    score_customers(model, as_of=LAST_AT, explained=0)
    asked = list(Score.objects.filter(status=ScoreStatus.SCORED).values_list("customer_id", flat=True)[:7])

    explain_scores(asked)

    explained = set(Score.objects.exclude(reasons=[]).values_list("customer_id", flat=True))
    assert explained
    assert explained <= set(asked)


def test_a_page_works_reasons_out_and_stores_nothing(model: ModelVersion) -> None:
    score_customers(model, as_of=LAST_AT)
    score = Score.objects.exclude(reasons=[]).earliest("customer_id")
    reasons = list(score.reasons)
    Score.objects.update(reasons=[], main_reason="")
    score.refresh_from_db()

    assert find_reasons(score) == reasons
    assert not Score.objects.exclude(reasons=[]).exists()


def test_a_score_that_does_not_come_out_again_gets_no_reasons(model: ModelVersion) -> None:
    """An order came in late for a day that was scored already: its reasons would explain another score."""
    score_customers(model, as_of=LAST_AT, explained=0)
    scored = Score.objects.filter(status=ScoreStatus.SCORED, churn_probability__gt=0.7)
    late, other = scored.order_by("customer_id")[:2]
    Order.objects.create(
        customer_id=late.customer_id,
        source="late",
        external_id="1",
        ordered_at=LAST_AT - dt.timedelta(days=1),
        total=50,
        currency="GBP",
    )

    explain_scores([late.customer_id, other.customer_id])

    assert find_reasons(late) is None
    assert list(Score.objects.exclude(reasons=[]).values_list("customer_id", flat=True)) == [other.customer_id]


def test_the_page_does_not_call_a_customer_average_whose_reasons_are_not_known(
    model: ModelVersion, analyst: User, client: Client
) -> None:
    score_customers(model, as_of=LAST_AT, explained=0)
    late = Score.objects.filter(status=ScoreStatus.SCORED, churn_probability__gt=0.7).order_by("customer_id")[0]
    Order.objects.create(
        customer_id=late.customer_id, source="late", external_id="1", ordered_at=LAST_AT - dt.timedelta(days=1),
        total=50, currency="EUR",
    )  # fmt: skip
    client.force_login(analyst)

    page = client.get(f"/customers/{late.customer_id}/").content.decode()

    assert "The reasons cannot be told" in page
    assert "close to the average" not in page


def test_who_has_no_score_has_no_reasons(model: ModelVersion) -> None:
    score_customers(model, as_of=LAST_AT)
    nobody = Score.objects.get(customer__external_id="nobody")

    assert find_reasons(nobody) == []
    assert explain_scores([nobody.pk, 0]) == 0

"""What the scores add up to is kept, counted anew when one was written, and says as of when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, ModelVersion, Score, ScoreHistory, ScoreMark, ScoreStatus, ScoreTotals
from customers.scoring.totals import BINS, count_scores, read_totals, sweep_totals

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture
def model() -> ModelVersion:
    return ModelVersion.objects.create(
        version=1, estimator="blend", status="champion", horizon_days=90, trained_at=NOW, data_from=NOW, data_until=NOW,
        artifact=b"",
    )  # fmt: skip


def _score(model: ModelVersion, name: str, p: float | None) -> Score:
    return Score.objects.create(
        customer=Customer.objects.create(external_id=name), model=model, as_of=NOW, churn_probability=p, expected_value=10,
        status=ScoreStatus.TOO_NEW if p is None else ScoreStatus.SCORED,
    )  # fmt: skip


def test_a_probability_falls_into_the_bin_that_it_begins(model: ModelVersion) -> None:
    for number, p in enumerate([0.0, 0.0499, 0.05, 0.15, 0.6, 0.999, 1.0]):
        _score(model, str(number), p)
    totals = count_scores(NOW)
    filled = {place: number for place, number in enumerate(totals.bins) if number}
    assert filled == {0: 2, 1: 1, 3: 1, 12: 1, 19: 2}
    assert sum(totals.bins) == totals.scored == 7
    assert len(totals.bins) == BINS


def test_those_without_a_score_are_told_by_their_status(model: ModelVersion) -> None:
    _score(model, "a", 0.5)
    _score(model, "new", None)
    assert count_scores(NOW).unscored == {"too_new": 1}


def test_what_is_kept_stays_until_it_is_counted_again(model: ModelVersion) -> None:
    _score(model, "a", 0.9)
    count_scores(NOW)
    _score(model, "b", 0.9)
    assert (read_totals(LATER).at_risk, read_totals(LATER).counted_at) == (1, NOW)
    assert sweep_totals(LATER)
    assert (read_totals(LATER).at_risk, read_totals(LATER).counted_at) == (2, LATER)
    assert not sweep_totals(LATER), "nothing was written since"
    assert ScoreTotals.objects.count() == 1


def test_any_way_of_writing_a_score_is_noted(model: ModelVersion) -> None:
    score = _score(model, "a", 0.9)
    count_scores(NOW)
    assert not ScoreMark.objects.exists()
    Score.objects.filter(pk=score.pk).update(churn_probability=0.1)
    assert sweep_totals(NOW) and read_totals(NOW).at_risk == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_score SET churn_probability = 0.8")
    assert sweep_totals(NOW) and read_totals(NOW).at_risk == 1
    score.customer.delete()
    assert sweep_totals(NOW) and read_totals(NOW).scored == 0


def test_before_the_first_count_the_scores_are_added_up_at_once(model: ModelVersion) -> None:
    _score(model, "a", 0.9)
    totals = read_totals(LATER)
    assert (totals.at_risk, totals.counted_at) == (1, LATER)
    assert not ScoreTotals.objects.exists()


def test_money_at_risk_is_exact_to_the_cent(model: ModelVersion) -> None:
    _score(model, "a", 0.75)
    assert count_scores(NOW).value_at_risk == Decimal("40.00")


@pytest.mark.parametrize(("days", "change"), [(5, None), (7, 1), (9, 1), (60, None)])
def test_this_week_is_a_week(model: ModelVersion, days: int, change: int | None) -> None:
    """After a pause of two months all that changed since stood on Home as the change of this week."""
    score = _score(model, "a", 0.9)
    before = NOW - dt.timedelta(days=days)
    ScoreHistory.objects.create(customer=score.customer, model=model, as_of=before, churn_probability=0.1)
    assert count_scores(NOW).change_in_week == change


@pytest.mark.parametrize("address", ["/", "/predictions/"])
def test_pages_read_the_kept_figures_and_no_score(client: Client, model: ModelVersion, address: str) -> None:
    _score(model, "a", 0.9)
    count_scores(NOW)
    client.force_login(User.objects.create_superuser("root"))
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(address)
    assert page.status_code == 200
    assert not [query["sql"] for query in asked if 'FROM "customers_score"' in query["sql"]]
    assert "30 Jun" in page.content.decode()

"""Training and scoring by the clock: once a day, with a new version wherever there is something new to learn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from customers.ingest.clock import choose_as_of
from customers.models import Customer, ModelVersion, Order, Score
from customers.scoring.refresh import STATE_KEY, needs_refresh, read_refresh_state, refresh_scores

from .simulated_shop import LAST_AT, simulate_shop, store_shop

NIGHT = LAST_AT + dt.timedelta(minutes=20)
DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_refreshed_yet() -> Iterator[None]:
    """The cache outlives a test."""
    cache.delete(STATE_KEY)
    yield
    cache.delete(STATE_KEY)


def test_every_hour_somebody_looks_whether_the_days_scores_are_there() -> None:
    beat = {entry["task"]: entry["schedule"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert beat["customers.tasks.score_daily"] == 3600
    assert beat["customers.tasks.watch_model"] == 300  # so that a new mark of a group is looked at soon
    assert beat["customers.tasks.warm_insights"] == 3600


def test_a_night_with_new_orders_makes_a_new_version_and_a_second_look_does_nothing(
    settings: Settings, analyst: User, client: Client
) -> None:
    settings.CHURN_HORIZON_DAYS = 60
    assert not needs_refresh(NIGHT)  # nothing to learn from
    store_shop(simulate_shop(customers=300))

    assert needs_refresh(NIGHT)
    assert refresh_scores(now=NIGHT) > 0
    assert not needs_refresh(NIGHT + dt.timedelta(hours=23))

    newest = Order.objects.order_by("-ordered_at")[0]
    Order.objects.create(
        external_id="of-today", customer_id=newest.customer_id, currency="EUR", total=30, ordered_at=NIGHT
    )
    assert needs_refresh(NIGHT + DAY)
    assert refresh_scores(now=NIGHT + DAY) > 0

    assert list(ModelVersion.objects.order_by("version").values_list("status", flat=True)) == ["retired", "champion"]
    second = ModelVersion.objects.in_use().get()
    assert (second.version, second.data_until) == (2, LAST_AT + DAY)
    assert set(Score.objects.values_list("model", flat=True)) == {second.pk}
    assert read_refresh_state()["state"] == "done"
    client.force_login(analyst)
    page = " ".join(client.get("/predictions/").content.decode().split())
    assert "Trained and scored by itself every night that brings new orders or events" in page


def test_a_shop_whose_data_ended_is_not_trained_again_every_night(settings: Settings) -> None:
    """Its clock stands still, and so do its scores."""
    customer = Customer.objects.create(external_id="a")
    Order.objects.create(external_id="o", customer=customer, currency="EUR", total=1, ordered_at=LAST_AT)
    later = LAST_AT + 200 * DAY
    assert needs_refresh(later)
    refresh_scores(now=later)
    assert read_refresh_state()["state"] == "failed"
    assert "at least 200 are needed" in read_refresh_state()["message"]
    Score.objects.create(
        customer=customer, model=_make_model(), as_of=LAST_AT + dt.timedelta(seconds=1), status="scored"
    )
    assert not needs_refresh(later)
    assert not needs_refresh(later + DAY)


@pytest.mark.parametrize(
    ("first", "state", "begins_again"),
    [
        (NIGHT - DAY, "done", True),  # the second customer has today's score, the first has not
        (NIGHT, "running", True),  # killed: nobody holds the lock, and customers may be without a score
        (NIGHT, "failed", True),
        (NIGHT, "done", False),
    ],
)
def test_a_night_that_broke_off_begins_again_within_the_hour(
    first: dt.datetime, state: str, begins_again: bool
) -> None:
    model, scored_at = _make_model(), choose_as_of(NIGHT)
    for name, as_of in (("a", scored_at - (NIGHT - first)), ("b", scored_at)):
        customer = Customer.objects.create(external_id=name)
        Order.objects.create(external_id=name, customer=customer, currency="EUR", total=1, ordered_at=LAST_AT)
        Score.objects.create(customer=customer, model=model, as_of=as_of)
    cache.set(STATE_KEY, {"state": state, "message": ""})

    assert needs_refresh(NIGHT) is begins_again


def _make_model() -> ModelVersion:
    return ModelVersion.objects.create(
        version=1, estimator="plain_rule", horizon_days=60, trained_at=LAST_AT, data_from=LAST_AT, data_until=LAST_AT,
        artifact=b"",
    )  # fmt: skip

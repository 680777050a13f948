"""The queue of replayed days: who may ask, which days, once for the same data, and what a dead worker costs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from customers.features.builder import ShopData
from customers.models import Customer, Order, Replay
from customers.scoring import replays

from .simulated_shop import LAST_AT, store_shop

NOW = LAST_AT + dt.timedelta(hours=9)
DAY = (LAST_AT - dt.timedelta(days=70)).date()

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(db: None, shop: ShopData) -> None:
    store_shop(shop)


def request(user: User, on: dt.date = DAY) -> Replay:
    return replays.request_replay(user, on, now=NOW, horizon_days=60)


def test_a_day_is_replayed_once_for_the_same_data(stored: None, marketer: User, approver: User) -> None:
    first, second = request(marketer), request(approver)
    assert (first.pk, first.requested_by) == (second.pk, marketer)
    assert replays.waiting_replays(NOW) == [first.pk]

    assert replays.run_replay(first.pk, now=NOW)
    assert not replays.run_replay(first.pk, now=NOW)

    done = replays.find_replay(DAY, 60)
    assert done is not None
    assert (done.status, done.result["cutoff"]) == ("done", DAY.isoformat())
    assert replays.waiting_replays(NOW) == []
    assert set(Customer.objects.values_list("pk", flat=True)) >= {row["customer"] for row in done.result["people"]}


def test_an_older_order_that_comes_late_asks_for_a_new_replay(stored: None, marketer: User) -> None:
    request(marketer)
    customer = Customer.objects.earliest("pk")
    later = Order(customer=customer, ordered_at=NOW, currency="EUR", total=5, external_id="later")
    later.save()
    assert replays.find_replay(DAY, 60) is not None
    Order.objects.create(
        customer=customer, ordered_at=LAST_AT - dt.timedelta(days=99), currency="EUR", total=5, external_id="late"
    )
    assert replays.find_replay(DAY, 60) is None


def test_only_those_with_the_right_ask(stored: None, support_agent: User, outsider: User) -> None:
    for user in (support_agent, outsider):
        with pytest.raises(PermissionDenied):
            request(user)
    assert not Replay.objects.exists()


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (dt.date(2019, 1, 1), "before the shop's first order"),
        (dt.date(2024, 2, 1), "Too few orders were known by then"),
        (LAST_AT.date(), "are not over in the data"),
        (dt.date(2031, 1, 1), "are not over in the data"),
    ],
)
def test_a_bad_day_is_refused_in_words_that_name_the_good_ones(
    stored: None, marketer: User, on: dt.date, words: str
) -> None:
    with pytest.raises(replays.BadDay, match=words) as refused:
        request(marketer, on)
    assert "can be replayed" in str(refused.value)


def test_an_empty_shop_has_no_day_to_replay(marketer: User) -> None:
    with pytest.raises(replays.BadDay, match="Import"):
        request(marketer)


def test_a_shop_that_is_too_young_is_told_what_it_needs(marketer: User) -> None:
    customer = Customer.objects.create(external_id="1")
    Order.objects.create(customer=customer, ordered_at=NOW, currency="EUR", total=5, external_id="1")
    with pytest.raises(replays.BadDay, match="do not reach far enough"):
        request(marketer)


def test_too_few_customers_fail_with_a_sentence_and_can_be_asked_again(marketer: User) -> None:
    customer = Customer.objects.create(external_id="1")
    for days in range(0, 300, 10):
        at = NOW - dt.timedelta(days=days)
        Order.objects.create(customer=customer, ordered_at=at, currency="EUR", total=5, external_id=str(days))
    replay = request(marketer)
    assert not replays.run_replay(replay.pk, now=NOW)
    replay.refresh_from_db()
    assert replay.status == "failed"
    assert "at least 200 are needed" in replay.error
    assert request(marketer).status == "waiting"


def test_a_dead_worker_costs_half_an_hour(stored: None, marketer: User) -> None:
    replay = request(marketer)
    Replay.objects.filter(pk=replay.pk).update(status="running", attempts=1, lease_until=NOW + replays.LEASE)
    assert replays.waiting_replays(NOW) == []
    assert not replays.run_replay(replay.pk, now=NOW)
    later = NOW + replays.LEASE + dt.timedelta(seconds=1)
    assert replays.waiting_replays(later) == [replay.pk]
    Replay.objects.update(attempts=3)
    assert not replays.run_replay(replay.pk, now=later)
    replay.refresh_from_db()
    assert (replay.status, "three times" in replay.error) == ("failed", True)

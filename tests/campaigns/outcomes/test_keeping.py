"""Of a large campaign the texts are counted with each result, and its page shows what was counted then."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, Message
from campaigns.outcomes.keeping import LARGE
from campaigns.outcomes.rollup import store_all_results
from campaigns.outcomes.texts import count_texts
from customers.models import Customer, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOTE = "counted with each result"


@pytest.fixture
def people() -> list[Customer]:
    return arrange.make_customers(6)


@pytest.fixture
def cast() -> Cast:
    return arrange.make_cast()


@pytest.fixture
def started(people: list[Customer], cast: Cast) -> Campaign:
    campaign = arrange.make_campaign(cast.marketer, people[:4], held_out=people[4:])
    arrange.start(campaign, cast)
    Message.objects.filter(campaign=campaign).update(status="delivered")
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=NOW)
    campaign.refresh_from_db()
    return campaign


def _grow(campaign: Campaign, people: int) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(audience_counts={"treatment": people, "holdout": people // 10})
    campaign.refresh_from_db()


def _buy(customer: Customer) -> None:
    Order.objects.create(external_id=str(customer.pk), customer=customer, ordered_at=NOW + DAY, total=9, currency="EUR")


def _count_ordered(campaign: Campaign) -> int:
    return sum(text.ordered for text in count_texts(campaign, as_of=NOW + 2 * DAY))


def test_a_small_one_is_counted_whenever_it_is_looked_at(
    started: Campaign, people: list[Customer], cast: Cast, client: Client
) -> None:
    _grow(started, LARGE - 1)
    assert _count_ordered(started) == 0
    _buy(people[0])
    assert _count_ordered(started) == 1
    store_all_results(now=NOW + 2 * DAY)
    client.force_login(cast.marketer)
    assert NOTE not in client.get(reverse("campaigns:result", args=[started.pk])).text


def test_a_large_one_shows_what_its_last_result_counted(
    started: Campaign, people: list[Customer], cast: Cast, client: Client
) -> None:
    _grow(started, LARGE)
    store_all_results(now=NOW + 2 * DAY)
    _buy(people[0])
    assert _count_ordered(started) == 0
    store_all_results(now=NOW + 2 * DAY)
    assert _count_ordered(started) == 1
    client.force_login(cast.marketer)
    assert NOTE in client.get(reverse("campaigns:result", args=[started.pk])).text

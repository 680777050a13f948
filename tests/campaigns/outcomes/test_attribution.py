"""Both arms are counted by the same rule: everybody drawn counts, orders in the window and no others."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Campaign, CampaignResult
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.rollup import store_all_results, store_result
from customers.models import Customer, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def people() -> list[Customer]:
    return arrange.make_customers(6)


@pytest.fixture
def started(people: list[Customer]) -> Campaign:
    """Four are written to, two are held out; orders count for 60 days from NOW."""
    cast = arrange.make_cast()
    campaign = arrange.make_campaign(cast.marketer, people[:4], held_out=people[4:])
    arrange.start(campaign, cast)
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=NOW)
    campaign.refresh_from_db()
    return campaign


def _buy(customer: Customer, days: float, total: int = 50, *, is_return: bool = False, currency: str = "EUR") -> None:
    Order.objects.create(
        external_id=f"{customer.external_id}-{days}-{total}", customer=customer, ordered_at=NOW + days * DAY,
        total=total, currency=currency, is_return=is_return,
    )  # fmt: skip


def test_an_order_counts_in_the_window_and_not_beside_it(started: Campaign, people: list[Customer]) -> None:
    _buy(people[0], 5)
    _buy(people[1], -1)
    _buy(people[2], 60)
    _buy(people[4], 59.9)
    found = measure_campaign(started, as_of=NOW + 90 * DAY)["retention"]
    assert (found["treated"], found["treated_kept"]) == (4, 1)
    assert (found["holdout"], found["holdout_kept"]) == (2, 1)
    assert found["points"] == pytest.approx(25 - 50)


def test_two_orders_of_one_person_keep_one_customer_and_a_return_keeps_none(
    started: Campaign, people: list[Customer]
) -> None:
    _buy(people[0], 1)
    _buy(people[0], 2, 30)
    _buy(people[1], 3, -20, is_return=True)
    figures = measure_campaign(started, as_of=NOW + 61 * DAY)
    assert figures["retention"]["treated_kept"] == 1
    assert figures["revenue"]["treated_mean"] == pytest.approx((50 + 30 - 20) / 4)
    assert figures["revenue"]["treated_orders"] == 2


def test_before_the_window_closes_it_is_too_early(started: Campaign) -> None:
    figures = measure_campaign(started, as_of=NOW + 10 * DAY)
    assert figures["retention"]["verdict"] == "too_early"
    assert (figures["is_complete"], figures["days_left"]) == (False, 50)


def test_what_will_be_ordered_later_is_not_known_yet(started: Campaign, people: list[Customer]) -> None:
    _buy(people[0], 20)
    assert measure_campaign(started, as_of=NOW + 10 * DAY)["retention"]["treated_kept"] == 0


def test_a_campaign_that_never_started_has_no_figures() -> None:
    campaign = arrange.make_campaign(arrange.make_cast().marketer)
    assert measure_campaign(campaign, as_of=NOW) == {}
    assert store_result(campaign, now=NOW) is None


def test_a_day_has_one_row_however_often_it_is_measured(started: Campaign) -> None:
    for _again in range(3):
        store_result(started, now=NOW + 2 * DAY)
    store_result(started, now=NOW + 3 * DAY)
    assert CampaignResult.objects.filter(campaign=started).count() == 2


def test_measuring_stops_when_nothing_can_change_any_more(started: Campaign) -> None:
    assert store_all_results(now=NOW + 61 * DAY) == 1
    assert store_all_results(now=NOW + 200 * DAY) == 0


def test_the_known_truth_of_the_demo_outlives_the_next_measurement(started: Campaign) -> None:
    store_result(started, now=NOW + 2 * DAY, true_effect_points=3.1)
    store_result(started, now=NOW + 2 * DAY)
    assert CampaignResult.objects.get(campaign=started).true_effect_points == 3.1

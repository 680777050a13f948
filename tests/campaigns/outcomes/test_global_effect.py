"""What all campaigns together did, counted from the draw of each person's own number."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pytest_django import Settings

from campaigns.audience.holdout import draws_holdout
from campaigns.models import Campaign, GlobalHoldout, GlobalHoldoutResult, Message
from campaigns.outcomes.global_effect import expect_round, measure_round
from campaigns.outcomes.rollup import store_holdout_results
from customers.models import ConsentRecord, Customer, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SHARE = 0.3
#: Who is drawn hangs on the numbers of customers: these are the same in every run.
FIRST = 9_000_000


@pytest.fixture
def holdout() -> GlobalHoldout:
    return GlobalHoldout.objects.create(
        number=1, salt="5a17" * 8, share=SHARE, begins_at=NOW, reason="learn", changed_at=NOW, renew_days=90
    )


def _is_held(holdout: GlobalHoldout, customer: Customer) -> bool:
    return draws_holdout(holdout.salt, customer.pk, SHARE)


def _order(customer: Customer, days: float, number: int = 0, total: float = 40) -> Order:
    return Order(
        external_id=f"{customer.external_id}-{days}-{number}", customer=customer, ordered_at=NOW + days * DAY, total=total,
        currency="EUR",
    )  # fmt: skip


def test_a_difference_that_is_there_is_found_in_all_three(holdout: GlobalHoldout) -> None:
    random = np.random.default_rng(3)
    people = arrange.make_customers(1_500, first_id=FIRST)
    held = [each for each in people if _is_held(holdout, each)]
    orders = []
    for each in people:
        rate = 0.25 if _is_held(holdout, each) else 0.75
        orders += [_order(each, float(random.uniform(1, 59)), n) for n in range(random.poisson(rate))]
        orders += [_order(each, -float(random.uniform(1, 300)), n) for n in range(random.poisson(1))]
    Order.objects.bulk_create(orders)
    figures = measure_round(holdout, as_of=NOW + 60 * DAY)
    assert (figures["retention"]["holdout"], figures["retention"]["treated"]) == (len(held), len(people) - len(held))
    assert figures["any_look"]["verdict"] == "positive"
    assert figures["any_look"]["low"] < 100 * (np.exp(-0.25) - np.exp(-0.75)) < figures["any_look"]["high"]
    for outcome, truth in (("orders", 0.5), ("paid", 20.0)):
        found = figures["any_look_amounts"][outcome]
        assert found["verdict"] == "positive"
        assert found["low"] < truth < found["high"]
    assert not figures["sample_ratio"]["is_alarming"]
    assert figures["reached"] == {"treated": 0, "holdout": 0}


def test_who_could_not_be_written_to_at_the_start_does_not_count(holdout: GlobalHoldout) -> None:
    people = arrange.make_customers(40)
    arrange.make_customers(5, prefix="never", consents=False)
    gone = people[0]
    for status, at in (("withdrawn", NOW - DAY),):
        ConsentRecord.objects.create(customer=gone, status=status, source="page", recorded_at=at)
    ConsentRecord.objects.create(customer=people[1], status="withdrawn", source="page", recorded_at=NOW + DAY)
    retention = measure_round(holdout, as_of=NOW + 5 * DAY)["retention"]
    assert retention["treated"] + retention["holdout"] == 39


def test_promotions_that_reached_the_held_out_are_counted_and_service_is_not(
    holdout: GlobalHoldout, settings: Settings
) -> None:
    settings.UNCAPPED_TOPICS, settings.MESSAGE_TOPICS = ["service"], ["promotions", "service"]
    people = arrange.make_customers(30, first_id=FIRST)
    held = [each for each in people if _is_held(holdout, each)]
    cast = arrange.make_cast()
    for topic, reached in (("promotions", held[:2]), ("service", held[2:4])):
        campaign = arrange.make_campaign(cast.marketer, reached, name=topic)
        Campaign.objects.filter(pk=campaign.pk).update(topic=topic, status="sending")
        variant = campaign.archetypes.get().variants.get()
        Message.objects.bulk_create(
            Message(campaign=campaign, customer=each, variant=variant, status="accepted", sending_at=NOW + DAY)
            for each in reached
        )
    assert measure_round(holdout, as_of=NOW + 5 * DAY)["reached"] == {"treated": 0, "holdout": 2}


def test_a_round_ends_where_the_next_begins_and_an_empty_one_measures_nothing(holdout: GlobalHoldout) -> None:
    people = arrange.make_customers(30, first_id=FIRST)
    Order.objects.bulk_create([_order(people[0], 5), _order(people[1], 25)])
    nobody = GlobalHoldout.objects.create(
        number=2, salt="0" * 32, share=0.0, begins_at=NOW + 20 * DAY, reason="sale", changed_at=NOW
    )
    figures = measure_round(holdout, as_of=NOW + 30 * DAY)
    assert figures["days"] == 20
    assert figures["retention"]["treated_kept"] + figures["retention"]["holdout_kept"] == 1
    assert measure_round(nobody, as_of=NOW + 30 * DAY) == {}


def test_the_days_row_is_replaced(holdout: GlobalHoldout) -> None:
    arrange.make_customers(10)
    assert store_holdout_results(now=NOW - DAY) == 0
    store_holdout_results(now=NOW + DAY)
    store_holdout_results(now=NOW + DAY + dt.timedelta(hours=1))
    assert GlobalHoldoutResult.objects.filter(holdout=holdout).count() == 1


def test_a_round_that_is_over_is_measured_while_its_figures_may_move(holdout: GlobalHoldout) -> None:
    people = arrange.make_customers(10, first_id=FIRST)
    GlobalHoldout.objects.create(
        number=2, salt="0" * 32, share=0.0, begins_at=NOW + 20 * DAY, reason="sale", changed_at=NOW
    )
    assert store_holdout_results(now=NOW + 19 * DAY) == 1
    Order.objects.bulk_create([_order(people[0], 19)])  # came late
    assert store_holdout_results(now=NOW + 22 * DAY) == 1
    kept = GlobalHoldoutResult.objects.filter(holdout=holdout).latest("day").figures["retention"]
    assert kept["treated_kept"] + kept["holdout_kept"] == 1
    assert store_holdout_results(now=NOW + 40 * DAY) == 0


def test_what_a_round_would_have_is_read_from_those_who_may_be_written_to_now() -> None:
    """Who withdrew since is nobody to write to, an order before the last days is none, and neither is one that went back."""
    people = arrange.make_customers(20, first_id=FIRST)
    Order.objects.bulk_create(_order(each, -5) for each in people[:8])
    Order.objects.bulk_create(_order(each, -95) for each in people[8:12])
    Order.objects.filter(customer=people[0]).update(is_return=True)
    left = ConsentRecord(
        customer=people[1], channel="email", status=ConsentRecord.Status.WITHDRAWN, source="test", recorded_at=NOW - DAY
    )
    ConsentRecord.objects.bulk_create([left])
    assert expect_round(90, now=NOW) == (19, pytest.approx(6 / 19))
    assert expect_round(100, now=NOW) == (19, pytest.approx(10 / 19))

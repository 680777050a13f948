"""The card of an archetype says what the data say: numbers, shares, three people; and a model is told of no person."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from campaigns.audience.cards import build_card, build_cards, card_for_prompt
from campaigns.audience.freeze import freeze_audience
from campaigns.models import Archetype, AudienceCell, AudienceMember, Campaign
from customers.models import Customer, Order

from .conftest import NOW, MakeCustomer

pytestmark = pytest.mark.django_db


def order(customer: Customer, days_ago: int, total: int, *, discount: int = 0, is_return: bool = False) -> None:
    Order.objects.create(
        external_id=f"{customer.pk}-{days_ago}-{is_return}", customer=customer, currency="EUR", total=total,
        ordered_at=NOW - dt.timedelta(days=days_ago), discount=discount, is_return=is_return,
    )  # fmt: skip


@pytest.fixture
def shop(make_customer: MakeCustomer) -> None:
    """Twenty jacket people who spent much and left long ago, twenty boots people who spent little lately."""
    for number in range(20):
        jackets = make_customer(
            f"j{number}", first_name="Ada", last_name=f"J{number}",
            score={"interest": "Jackets", "churn_probability": 0.9, "expected_value": Decimal(60 + number)},
        )  # fmt: skip
        order(jackets, 500, 300)
        order(jackets, 400, 200)
        if number < 15:
            order(jackets, 399, -50, is_return=True)
        boots = make_customer(f"b{number}", score={"interest": "Boots", "churn_probability": 0.4})
        order(boots, 10, 20, discount=5)


def test_a_card_compares_its_people_with_the_audience(campaign: Campaign, shop: None) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    archetype = Archetype.objects.get(interest="Jackets")
    card = build_card(archetype)
    numbers = {number.key: (round(number.value, 4), round(number.average, 4)) for number in card.numbers}
    assert numbers["churn_probability"] == (0.9, 0.65)
    assert numbers["orders"] == (2, 1.5)
    assert numbers["recency_days"] == (400, 205)
    assert numbers["gap_days"] == (100, 100)  # who ordered once has no gap
    assert numbers["spent"] == ((500 * 20 - 50 * 15) / 20, (9250 + 400) / 40)
    assert (card.size, card.share, card.interest, card.value_band) == (20, 0.5, "Jackets", "")
    assert card.categories == (("Jackets", 1.0, 0.5),)
    assert {number.told for number in card.numbers} >= {"400 days", "90%", "2"}


def test_value_bands_are_of_all_buyers_of_the_shop(campaign: Campaign, shop: None, make_customer: MakeCustomer) -> None:
    for number in range(10):
        order(make_customer(f"rich{number}", language="fr"), 5, 5000)
    freeze_audience(campaign, now=NOW, actor=None)
    assert campaign.value_bounds == {"low_up_to": "450.00", "high_from": "500.00", "currency": "EUR"}
    assert set(AudienceCell.objects.values_list("interest", "value_band")) == {
        ("Boots", "low"), ("Jackets", "low"), ("Jackets", "middle")
    }  # fmt: skip


def test_every_sentence_is_true_of_four_people_in_five(campaign: Campaign, shop: None) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    truths = {truth.key: (truth.sentence, truth.share, truth.audience_share)
              for truth in build_card(Archetype.objects.get(interest="Jackets")).truths}  # fmt: skip
    assert truths["silent_365"] == ("No order for more than a year", 1.0, 0.5)
    assert truths["interest"] == ("Like Jackets most", 1.0, 0.5)
    assert {"silent_180", "has_returned", "never_returned"}.isdisjoint(truths)
    assert truths["orders_2"][1] == truths["never_discounted"][1] == 1.0
    boots = build_card(Archetype.objects.get(interest="Boots")).truths
    assert {"orders_once", "mostly_discounted", "recent_30"} <= {truth.key for truth in boots}
    assert all(truth.share >= 0.8 for truth in boots)


def test_the_three_people_are_near_the_middle_get_the_message_and_stay_the_same(campaign: Campaign, shop: None) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    archetype = Archetype.objects.get(interest="Jackets")
    arms = dict(AudienceMember.objects.filter(archetype=archetype).values_list("customer_id", "arm"))
    assert [arms[person] for person in archetype.samples] == ["treatment"] * 3
    values = [float(sample.expected_value or 0) for sample in build_card(archetype).samples]
    assert values == sorted(values, key=lambda value: abs(value - 69.5))
    freeze_audience(campaign, now=NOW, actor=None)
    assert Archetype.objects.get(interest="Jackets").samples == archetype.samples


def test_a_model_is_told_of_no_person_and_no_figure(campaign: Campaign, shop: None) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    card = build_card(Archetype.objects.get(interest="Jackets"))
    told = json.dumps(card_for_prompt(card), ensure_ascii=False)
    assert not any(character.isdigit() for character in told)
    assert not any(sample.name in told for sample in card.samples)
    assert "No order for more than a year" in told
    assert "Orders so far: above the average of this audience" in told


def test_of_a_handful_a_model_is_told_nothing_but_the_sides(campaign: Campaign, make_customer: MakeCustomer) -> None:
    for number in range(4):
        order(make_customer(f"c{number}", score={"interest": "Jackets"}), 400, 20)
    freeze_audience(campaign, now=NOW, actor=None)
    told = card_for_prompt(build_card(Archetype.objects.get()))
    assert (told["what_they_like"], told["beside_the_audience"], told["true_of_most"]) == ("Jackets", [], [])


def test_a_card_speaks_the_language_it_is_asked_in(campaign: Campaign, shop: None) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    with override("zh-hans"):
        card = build_card(Archetype.objects.get(interest="Jackets"))
    assert "一年多没有下单" in {truth.sentence for truth in card.truths}
    assert card.language != "English"


def test_thirty_cards_cost_as_many_queries_as_three(
    campaign: Campaign, make_customer: MakeCustomer, marketer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(300):
        make_customer(f"c{number}", score={"interest": f"i{number // 10}"})
    for most in (3, 30):
        Campaign.objects.update(max_archetypes=most)
        freeze_audience(campaign, now=NOW, actor=None)
        campaign.refresh_from_db()
        with django_assert_num_queries(4):  # the last one for the currency: of a shop without orders it is not kept
            assert len(build_cards(campaign)) == most

"""A text that was true when it was approved, and what happened since."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.content.editing import write_variant
from campaigns.content.standing_facts import stale_fact_sql
from campaigns.models import Archetype, Campaign, Message, Offer, Variant
from customers.models import Product
from tests.campaigns import arrange

pytestmark = pytest.mark.django_db


def today() -> dt.date:
    """The shop's day by the database's clock, which is the one that counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (clock_timestamp() AT TIME ZONE %s)::date", [settings.SHOP_TIME_ZONE])
        day: dt.date = cursor.fetchone()[0]
        return day


@pytest.fixture
def tent(db: None) -> Product:
    return Product.objects.create(
        sku="T1", name="Fjell 2 Tent", category="Tents", price=Decimal("249.00"), currency="GBP", stock=7
    )


@pytest.fixture
def campaign(marketer: User, tent: Product) -> Campaign:
    """One message; ten per cent off, and a text that may name the tent."""
    made = arrange.make_campaign(marketer, arrange.make_customers(1))
    Offer.objects.filter(campaign=made).update(valid_until=today() + dt.timedelta(days=3), currency="GBP")
    Archetype.objects.filter(campaign=made).update(interest="Tents")
    write(made, "Come and have a look at what is new.")
    Message.objects.create(campaign=made, customer=made.members.get().customer, variant=variant_of(made))
    return made


def variant_of(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)


def write(campaign: Campaign, opening: str) -> None:
    """Without the products that code shows beside the words: they would speak of the tent whatever the words say."""
    write_variant(variant_of(campaign), {"opening": opening}, user=None, now=arrange.NOW, shows_products=False)


def ask(campaign: Campaign) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {stale_fact_sql('m', 'p')} FROM campaigns_message m JOIN campaigns_campaign p ON p.id = m.campaign_id"
            " WHERE p.id = %(id)s",
            {"id": campaign.pk},
        )
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(("days_left", "reason"), [(1, ""), (0, ""), (-1, "offer_over"), (None, "")])
def test_an_offer_stands_until_its_last_day_is_over(campaign: Campaign, days_left: int | None, reason: str) -> None:
    last_day = None if days_left is None else today() + dt.timedelta(days=days_left)
    Offer.objects.update(valid_from=None, valid_until=last_day)
    assert ask(campaign) == reason


def test_the_days_are_those_of_the_shop(campaign: Campaign, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    east, west = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # a day and an hour apart: never on the same day
    Offer.objects.update(valid_from=None, valid_until=now.astimezone(ZoneInfo(west)).date())
    answers = {}
    for zone in (east, west):
        settings.SHOP_TIME_ZONE = zone
        answers[zone] = ask(campaign)
    assert answers == {east: "offer_over", west: ""}


def test_a_campaign_without_an_offer_has_none_that_could_be_over(campaign: Campaign) -> None:
    Offer.objects.update(kind="none", valid_from=None, valid_until=today() - dt.timedelta(days=9))
    assert ask(campaign) == ""


@pytest.mark.parametrize(
    ("opening", "change", "reason"),
    [
        ("The Fjell 2 Tent waits for you.", {}, ""),
        ("The Fjell 2 Tent waits for you.", {"stock": 0}, "product_changed"),
        ("THE FJELL 2 TENT waits for you.", {"stock": 0}, "product_changed"),
        ("The Fjell 2 Tent waits for you.", {"stock": None}, ""),
        ("The Fjell 2 Tent waits for you.", {"sku": "T9"}, "product_changed"),
        ("The Fjell 2 Tent waits for you.", {"price": Decimal("259.00")}, ""),
        ("The Fjell 2 Tent is £249.00.", {"price": Decimal("249.00")}, ""),
        ("The Fjell 2 Tent is £249.00.", {"price": Decimal("259.00")}, "product_changed"),
        ("The Fjell 2 Tent is £249.", {"price": None}, "product_changed"),
        ("The Fjell 2 Tent is £249.", {"currency": "EUR"}, "product_changed"),
        ("The Fjell 2 Tent is now £224.10.", {"price": Decimal("239.00")}, "product_changed"),
        ("There are new tents.", {"stock": 0, "price": Decimal("9.00")}, ""),
    ],
)
def test_a_named_product_is_there_and_costs_what_is_said(
    campaign: Campaign, tent: Product, opening: str, change: dict[str, Any], reason: str
) -> None:
    write(campaign, opening)
    Product.objects.filter(pk=tent.pk).update(**change)
    assert ask(campaign) == reason


def test_a_price_with_thousands_is_read_whole(campaign: Campaign, tent: Product) -> None:
    Product.objects.filter(pk=tent.pk).update(price=Decimal("1249.50"))
    write(campaign, "The Fjell 2 Tent is £1,249.50.")
    Product.objects.filter(pk=tent.pk).update(price=Decimal("1300.00"))
    assert ask(campaign) == "product_changed"


@pytest.mark.parametrize("facts", [{}, {"products": None}, {"products": "none"}, {"products": []}])
def test_facts_of_an_older_shape_stop_nothing(campaign: Campaign, facts: dict[str, Any]) -> None:
    Variant.objects.update(facts=facts)
    assert ask(campaign) == ""


def test_it_stands_beside_the_other_reasons_in_one_statement(campaign: Campaign) -> None:
    """As the mark asks it: the first reason that holds, of the facts and then of the person."""
    Offer.objects.update(valid_from=None, valid_until=today() - dt.timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(nullif({stale_fact_sql('m', 'p')}, ''), {exclusion_case_sql('c')}) FROM campaigns_message m"
            " JOIN campaigns_campaign p ON p.id = m.campaign_id JOIN customers_customer c ON c.id = m.customer_id",
            exclusion_params(campaign, now=arrange.NOW),
        )
        assert cursor.fetchall() == [("offer_over",)]

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
from campaigns.content import editing
from campaigns.content.editing import recheck_campaign, write_variant
from campaigns.content.facts import build_facts
from campaigns.content.standing_facts import stale_fact_sql
from campaigns.models import Archetype, Campaign, Message, Offer, ShopPolicies, Variant
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


def agree_on(campaign: Campaign, **terms: Any) -> None:
    """Other terms of the offer, with the texts checked against them, as an edit does it."""
    Offer.objects.filter(campaign=campaign).update(**terms)
    recheck_campaign(campaign, now=arrange.NOW)


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
    agree_on(campaign, valid_from=None, valid_until=last_day)
    assert ask(campaign) == reason


def test_the_days_are_those_of_the_shop(campaign: Campaign, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    east, west = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # a day and an hour apart: never on the same day
    agree_on(campaign, valid_from=None, valid_until=now.astimezone(ZoneInfo(west)).date())
    answers = {}
    for zone in (east, west):
        settings.SHOP_TIME_ZONE = zone
        answers[zone] = ask(campaign)
    assert answers == {east: "offer_over", west: ""}


def test_a_campaign_without_an_offer_has_none_that_could_be_over(campaign: Campaign) -> None:
    agree_on(campaign, kind="none", valid_from=None, valid_until=today() - dt.timedelta(days=9))
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


@pytest.mark.parametrize(
    "stands_on",
    [{}, {"products": None}, {"products": "none"}, {"products": []}, {"policies": 3, "points": {}}, {"until": None}],
)
def test_what_an_older_text_stands_on_stops_nothing(campaign: Campaign, stands_on: dict[str, Any]) -> None:
    Variant.objects.update(stands_on=stands_on)
    assert ask(campaign) == ""


@pytest.mark.parametrize(
    ("opening", "stock", "reason"),
    [
        ("Only 7 of the Fjell 2 Tent are left.", 7, ""),
        ("Only 7 of the Fjell 2 Tent are left.", 6, "stock_changed"),
        ("Only 7 of the Fjell 2 Tent are left.", 8, "stock_changed"),
        ("Only 7 of the Fjell 2 Tent are left.", None, "stock_changed"),
        ("Only 7 of the Fjell 2 Tent are left.", 0, "product_changed"),
        ("Fewer than 9 of the Fjell 2 Tent are left.", 2, ""),
        ("Fewer than 9 of the Fjell 2 Tent are left.", 9, "stock_changed"),
        ("The Fjell 2 Tent is almost sold out.", 10, ""),
        ("The Fjell 2 Tent is almost sold out.", 11, "stock_changed"),
        ("The Fjell 2 Tent is back in stock.", 900, ""),
        ("The Fjell 2 Tent waits for you.", 900, ""),
    ],
)
def test_what_is_said_of_the_stock_is_so(
    campaign: Campaign, tent: Product, opening: str, stock: int | None, reason: str
) -> None:
    write(campaign, opening)
    assert not variant_of(campaign).is_blocked
    Product.objects.filter(pk=tent.pk).update(stock=stock)
    assert ask(campaign) == reason


@pytest.mark.parametrize("channel", ["email", "sms", "push"])
def test_a_subject_and_the_texts_of_other_channels_are_read_as_well(
    campaign: Campaign, tent: Product, channel: str
) -> None:
    Archetype.objects.update(channel=channel)
    fields = {"opening": "Only 7 of the Fjell 2 Tent are left.", "subject": "The Fjell 2 Tent"}
    write_variant(variant_of(campaign), fields, user=None, now=arrange.NOW, shows_products=False)
    Product.objects.filter(pk=tent.pk).update(stock=6)
    assert ask(campaign) == "stock_changed"


@pytest.mark.parametrize(
    "change",
    [
        {"value": Decimal("9.00")}, {"kind": "amount"}, {"kind": "none"}, {"code": "OTHER"}, {"min_basket": Decimal(50)},
        {"valid_until": dt.date(2099, 1, 1)}, {"valid_until": None}, {"valid_from": dt.date(2020, 1, 1)},
    ],
    ids=str,
)  # fmt: skip
def test_terms_that_were_changed_behind_the_approval_stop_the_message(
    campaign: Campaign, change: dict[str, Any]
) -> None:
    """No page, API or command does that: an edit voids the approval, and what is being sent cannot be edited."""
    Offer.objects.update(value=Decimal("10.0"))
    assert ask(campaign) == ""
    Offer.objects.update(**change)
    assert ask(campaign) == "offer_changed"


def test_the_currency_of_an_amount_counts_and_the_shops_own_needs_no_name(campaign: Campaign) -> None:
    agree_on(campaign, kind="amount", value=5, currency="")
    assert ask(campaign) == ""
    Offer.objects.update(currency="JPY")
    assert ask(campaign) == "offer_changed"


def test_an_offer_that_is_gone_altogether_stops_the_message(campaign: Campaign) -> None:
    Offer.objects.all().delete()
    assert ask(campaign) == "offer_changed"


POLICY = "Returns are free within 45 days."
OTHER = "Every parcel has a tree planted."


def save_policies(by: User, texts: Any) -> None:
    number = ShopPolicies.objects.count() + 1
    ShopPolicies.objects.create(number=number, texts=texts, saved_by=by, saved_at=arrange.NOW)


@pytest.fixture
def promise(marketer: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's policies in the facts, as they are read from the newest revision."""
    save_policies(marketer, {"en": [POLICY, OTHER], "zh": ["四十五天内可退货。"]})

    def with_policies(archetype: Archetype, *, now: dt.datetime, step: int) -> dict[str, Any]:
        facts = build_facts(archetype, now=now, step=step)
        kept = ShopPolicies.objects.latest("number").texts["en"]
        return facts | {"policies": list(dict.fromkeys([*facts["policies"], *kept]))}

    monkeypatch.setattr(editing, "build_facts", with_policies)


@pytest.mark.parametrize(
    "opening",
    ["Free returns for 45 days.", POLICY, f"PS: {POLICY.upper()}", "45 days to return what does not fit."],
)
@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"en": [OTHER, f"  {POLICY} "]}, ""),
        ({"en": [POLICY, "One more thing."], "zh": []}, ""),
        ({"en": [POLICY.replace("45", "30"), OTHER]}, "policy_changed"),
        ({"en": [OTHER], "zh": ["四十五天内可退货。"]}, "policy_changed"),
        ({}, "policy_changed"),
        ([], "policy_changed"),
        ({"en": "none"}, "policy_changed"),
    ],
)
@pytest.mark.usefixtures("promise")
def test_a_promise_stands_while_the_newest_policies_make_it(
    campaign: Campaign, marketer: User, opening: str, texts: Any, reason: str
) -> None:
    write(campaign, opening)
    assert not variant_of(campaign).is_blocked
    assert ask(campaign) == ""
    save_policies(marketer, texts)
    assert ask(campaign) == reason


@pytest.mark.usefixtures("promise")
def test_a_text_that_claims_no_policy_does_not_care(campaign: Campaign, marketer: User) -> None:
    write(campaign, "The wind is back.")
    save_policies(marketer, {"en": []})
    assert ask(campaign) == ""


@pytest.mark.usefixtures("promise")
def test_free_shipping_goes_with_the_offer_and_not_with_the_policies(campaign: Campaign, marketer: User) -> None:
    agree_on(campaign, kind="free_shipping", value=None)
    write(campaign, "Free shipping on your next order.")
    assert "free shipping" in variant_of(campaign).facts["policies"]
    save_policies(marketer, {"en": []})
    assert ask(campaign) == ""
    Offer.objects.update(kind="none")
    assert ask(campaign) == "offer_changed"


@pytest.mark.parametrize(
    ("opening", "left", "reason"),
    [
        ("All of 120 colours are here.", "The wash is open again.\n120 colours in the new range.", ""),
        ("All of 120 colours are here.", "The wash is open again.", "point_changed"),
        ("The wash is open again.", "120 colours in the new range.", "point_changed"),
        ("The wash is open again.", "The wash is open again.  ", ""),
        ("The wind is back.", "", ""),
    ],
)
def test_a_talking_point_that_was_taken_back_is_said_no_more(
    campaign: Campaign, opening: str, left: str, reason: str
) -> None:
    Campaign.objects.update(talking_points="120 colours in the new range.\nThe wash is open again.")
    write(campaign, opening)
    Campaign.objects.update(talking_points=left)
    assert ask(campaign) == reason


def test_what_is_said_of_days_is_held_to_the_day_of_the_send(campaign: Campaign) -> None:
    """Approved for yesterday, and the send slipped over midnight."""
    yesterday = today() - dt.timedelta(days=1)
    agree_on(campaign, valid_from=None, valid_until=today())
    Campaign.objects.update(
        scheduled_for=dt.datetime.combine(yesterday, dt.time(12), ZoneInfo(settings.SHOP_TIME_ZONE))
    )
    for opening, reason in (
        ("The offer ends tomorrow.", "date_passed"),
        ("Only 1 day left for 10 % off.", ""),  # counted with the first day, or without it
        ("Come soon, this is your last chance.", ""),
        ("10 % off, starting today.", "date_passed"),
        ("The wind is back.", ""),
    ):
        agree_on(campaign, valid_from=yesterday if "starting" in opening else None)
        write(campaign, opening)
        assert not variant_of(campaign).is_blocked, variant_of(campaign).findings
        assert ask(campaign) == reason, opening


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

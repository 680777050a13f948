"""A product changes after its price was written, approved or scheduled: the text says so, and nobody is sent an untrue price."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from campaigns.approval import workflow
from campaigns.approval.catalogue import Watched, watch_catalogue
from campaigns.content.editing import recheck_campaign, write_variant
from campaigns.content.told import WITH_VALUES, tell_finding
from campaigns.delivery.scheduler import start_campaign, start_due_campaigns
from campaigns.models import Archetype, Campaign, CampaignStatus, Message, Notification, Offer, Variant
from customers.api.authentication import issue_api_key
from customers.models import Product, ProductVersion
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db
SAYS_PRICE = "The Fjell 2 Tent is £249.00."
TENT = {"sku": "T1", "name": "Fjell 2 Tent", "category": "Tents", "currency": "GBP", "url": "https://fernweh.test/t1"}


@pytest.fixture
def tent(db: None) -> Product:
    return Product.objects.create(**TENT, price=Decimal("249.00"), stock=7)


@pytest.fixture
def campaign(cast: Cast, tent: Product) -> Campaign:
    made = arrange.make_campaign(cast.marketer, arrange.make_customers(2), send_at=NOW + dt.timedelta(hours=1))
    Offer.objects.filter(campaign=made).update(kind=Offer.Kind.NONE, code="", value=None)
    Archetype.objects.filter(campaign=made).update(interest="Tents")
    write(made, SAYS_PRICE)
    return made


def text_of(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)


def write(campaign: Campaign, opening: str, *, shows_products: bool = False) -> None:
    write_variant(text_of(campaign), {"opening": opening}, user=None, now=NOW, shows_products=shows_products)


def change(tent: Product, **values: Any) -> None:
    """As the API does it: by the one way in, which counts versions."""
    user, _created = User.objects.get_or_create(username="shop", defaults={"is_superuser": True})
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_api_key(user, 'shop')[1]}")
    assert client.put(f"/api/v1/products/{tent.sku}/", {"name": tent.name, **values}).status_code == 200


def codes(campaign: Campaign) -> list[tuple[str, str]]:
    return [(row["code"], row["verdict"]) for row in text_of(campaign).findings]


def test_a_draft_keeps_the_versions_of_its_facts(campaign: Campaign, tent: Product) -> None:
    [ware] = text_of(campaign).facts["products"]
    assert ware == {**TENT, "price": "249", "stock": 7, "version": 1}
    [claim] = [claim for claim in text_of(campaign).claims if claim["kind"] == "money"]
    assert (claim["key"], claim["version"]) == ("T1", "1")
    change(tent, price="259.00")
    assert list(ProductVersion.objects.order_by("number").values_list("number", "price")) == [
        (1, Decimal("249.00")), (2, Decimal("259.00")),
    ]  # fmt: skip


def test_a_price_that_changes_before_the_send_returns_the_campaign_and_nobody_is_written_to(
    campaign: Campaign, cast: Cast, tent: Product, client: Client
) -> None:
    arrange.schedule(campaign, cast)
    change(tent, price="259.00", currency="GBP")
    assert start_due_campaigns(NOW + dt.timedelta(hours=1)).voided == 1
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    assert not Message.objects.exists()
    assert not campaign.approvals.filter(voided_at=None).exists()
    sentence = "Fjell 2 Tent costs 259 GBP now (version 2 of the catalogue). It cost 249 GBP when this was written (version 1)."
    assert campaign.status_reason == sentence
    assert Notification.objects.filter(campaign=campaign).exists()
    [finding] = text_of(campaign).findings
    assert (finding["code"], finding["verdict"], finding["field"]) == ("catalogue-old-price", "block", "opening")
    assert finding["message"] == sentence and "249" in finding["excerpt"]
    client.force_login(cast.marketer)
    for path in (
        f"/variants/{text_of(campaign).pk}/",
        f"/campaigns/{campaign.pk}/messages/",
        f"/campaigns/{campaign.pk}/",
    ):
        assert "costs 259 GBP now" in client.get(path, follow=True).content.decode(), path
    with pytest.raises(workflow.NotReady):
        arrange.submit(campaign, cast)
    write(campaign, "The Fjell 2 Tent is £259.00.")
    arrange.schedule(campaign, cast)
    assert start_campaign(campaign, now=NOW + dt.timedelta(hours=1)) == (CampaignStatus.SENDING, 2)


@pytest.mark.parametrize("until", ["submit", "approve", "schedule"])
def test_the_sweep_returns_it_from_wherever_it_waits(campaign: Campaign, cast: Cast, tent: Product, until: str) -> None:
    getattr(arrange, until)(campaign, cast)
    assert watch_catalogue(NOW) == Watched()
    change(tent, price="259.00")
    assert watch_catalogue(NOW) == Watched(campaigns=1, texts=1, returned=1)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    again = watch_catalogue(NOW)
    assert (again.texts, again.returned) == (0, 0)


def test_nobody_approves_or_schedules_a_price_that_is_not_true(campaign: Campaign, cast: Cast, tent: Product) -> None:
    arrange.submit(campaign, cast)
    change(tent, price="259.00")
    with pytest.raises(workflow.NotReady, match="costs 259 GBP now"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    change(tent, price="249.00")
    workflow.approve_campaign(cast.approver, campaign, now=NOW)
    change(tent, price="259.00")
    with pytest.raises(workflow.NotReady, match="costs 259 GBP now"):
        workflow.schedule_campaign(cast.marketer, campaign, now=NOW)


@pytest.mark.parametrize(
    ("opening", "values", "found"),
    [
        (SAYS_PRICE, {"price": None}, [("catalogue-price", "block")]),
        (SAYS_PRICE, {"currency": "EUR"}, [("catalogue-price", "block")]),
        (SAYS_PRICE, {"stock": 0}, [("catalogue-sold-out", "warn")]),
        (SAYS_PRICE, {"stock": 3, "category": "Sale"}, []),
        ("Look at the Fjell 2 Tent.", {"price": Decimal("259.00")}, []),
        ("Only 7 of the Fjell 2 Tent are left.", {"stock": 6}, [("catalogue-stock", "warn")]),
        ("Look at the Fjell 2 Tent.", {"sku": "T9"}, [("catalogue-gone", "block")]),
        ("There are new tents.", {"sku": "T9"}, []),
    ],
)
def test_what_each_change_is_to_a_text_that_was_approved(
    campaign: Campaign, cast: Cast, tent: Product, opening: str, values: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    write(campaign, opening)
    arrange.approve(campaign, cast)
    before = text_of(campaign).content_hash
    Product.objects.filter(pk=tent.pk).update(**values)
    watch_catalogue(NOW)
    campaign.refresh_from_db()
    blocks = any(verdict == "block" for _code, verdict in found)
    assert campaign.status == (CampaignStatus.DRAFT if blocks else CampaignStatus.APPROVED)
    if not blocks:
        assert codes(campaign) == found
        assert text_of(campaign).content_hash == before
        assert not workflow.find_stale_parts(campaign)
        Product.objects.filter(pk=tent.pk).update(sku="T1", stock=7)
        watch_catalogue(NOW)
        assert codes(campaign) == []


def test_another_address_warns_where_the_text_links_to_the_old_one(
    campaign: Campaign, cast: Cast, tent: Product, settings: Any
) -> None:
    settings.SHOP_URL = "https://fernweh.test"
    write(campaign, "Come and have a look at what is new.", shows_products=True)
    arrange.approve(campaign, cast)
    assert "https://fernweh.test/t1" in str(text_of(campaign).source)
    change(tent, url="https://fernweh.test/new")
    watch_catalogue(NOW)
    campaign.refresh_from_db()
    assert (campaign.status, codes(campaign)) == (CampaignStatus.APPROVED, [("catalogue-url", "warn")])


def test_a_price_that_code_wrote_is_put_right_by_itself_once_it_is_a_draft(
    campaign: Campaign, cast: Cast, tent: Product
) -> None:
    write(campaign, "Come and have a look at what is new.", shows_products=True)
    arrange.schedule(campaign, cast)
    change(tent, price="259.00")
    assert watch_catalogue(NOW).returned == 1
    text = text_of(campaign)
    assert text.findings == [] and "259" in str(text.source) and "249" not in str(text.source)
    arrange.schedule(campaign, cast)


def test_a_product_that_left_the_catalogue_is_not_forgotten_by_a_new_check(
    campaign: Campaign, cast: Cast, tent: Product
) -> None:
    """Its name stood in no fact any more, so nothing would have been asked of it before the send."""
    write(campaign, "Look at the Fjell 2 Tent.")
    tent.delete()
    for _again in range(2):
        recheck_campaign(campaign, now=NOW)
        assert codes(campaign) == [("catalogue-gone", "block")]
    with pytest.raises(workflow.NotReady):
        arrange.submit(campaign, cast)
    write(campaign, "Look at our tents.")
    assert codes(campaign) == []


def test_a_named_product_stays_a_fact_when_it_is_sold_out(campaign: Campaign, tent: Product) -> None:
    write(campaign, "Look at the Fjell 2 Tent.")
    Product.objects.filter(pk=tent.pk).update(stock=0)
    recheck_campaign(campaign, now=NOW)
    assert codes(campaign) == [("catalogue-sold-out", "warn")]
    assert [row["sku"] for row in text_of(campaign).stands_on["products"]] == ["T1"]


def test_a_running_campaign_is_told_of_and_not_stopped(campaign: Campaign, cast: Cast, tent: Product) -> None:
    arrange.schedule(campaign, cast)
    start_campaign(campaign, now=NOW + dt.timedelta(hours=1))
    change(tent, price="259.00")
    assert watch_catalogue(NOW) == Watched(campaigns=1, texts=1, returned=0)
    campaign.refresh_from_db()
    assert (campaign.status, codes(campaign)) == (CampaignStatus.SENDING, [("catalogue-price", "block")])


def test_a_campaign_of_other_products_costs_one_question(
    campaign: Campaign, tent: Product, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Product.objects.create(sku="T2", name="Other", category="Boats", price=Decimal("1.00"))
    with django_assert_num_queries(1):
        assert watch_catalogue(NOW) == Watched()


def test_each_sentence_can_be_told_in_another_language(campaign: Campaign, cast: Cast, tent: Product) -> None:
    arrange.approve(campaign, cast)
    change(tent, price="259.00", stock=0)
    watch_catalogue(NOW)
    for row in text_of(campaign).findings:
        assert tell_finding(row["message"]) == row["message"]
    assert sum("%(name)s" in message and "catalogue" in message for message in WITH_VALUES) == 3

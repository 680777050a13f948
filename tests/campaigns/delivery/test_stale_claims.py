"""The world changes while a campaign is being sent: what is no longer true stays here, and the pages say why."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from campaigns.models import Archetype, Campaign, Message, SkipReason, Variant
from customers.models import Product
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states, write
from .test_marking import make_bids

FACT_REASONS = (
    "offer_over",
    "offer_changed",
    "product_changed",
    "stock_changed",
    "policy_changed",
    "point_changed",
    "date_passed",
)


@pytest.fixture
def tent(db: None) -> Product:
    return Product.objects.create(
        sku="T1", name="Fjell 2 Tent", category="Tents", price=Decimal("249.00"), currency="GBP", stock=7
    )


@pytest.fixture
def scarce(cast: Cast, tent: Product, now: dt.datetime) -> Campaign:
    """Two dozen people are told that seven tents are left: to half of them in one text, to the others in one without tents."""
    campaign = arrange.make_campaign(cast.marketer, arrange.make_customers(24, now=now), send_at=now, now=now)
    Archetype.objects.update(interest="Tents")
    archetype = Archetype.objects.select_related("campaign").get()
    claim = {"opening": "Only 7 of the Fjell 2 Tent are left."}
    arrange.make_variant(archetype, cast.marketer, now=now, label="A", **claim)
    quiet = arrange.make_variant(archetype, cast.marketer, now=now, label="B")
    quiet.shows_products = False
    quiet.save()
    return arrange.start(campaign, cast, now=now)


def test_only_the_text_that_claims_it_is_held_back(scarce: Campaign, tent: Product, sweep: Sweep) -> None:
    Product.objects.update(stock=6)

    with ScriptedSmtpServer() as server:
        sweep(server)

    told = Message.objects.filter(variant__label="A")
    assert set(told.values_list("status", "skip_reason")) == {("skipped", "stock_changed")}
    assert not told.exclude(sending_at=None).exists()
    assert set(Message.objects.filter(variant__label="B").values_list("status", flat=True)) == {"accepted"}
    assert not any(b"are left" in content for content in server.taken)


def test_a_change_that_was_committed_before_the_mark_is_seen_by_it(
    scarce: Campaign, tent: Product, now: dt.datetime
) -> None:
    """The copies are made, the batch is in the worker's hand: nothing that it read earlier lets one of them through."""
    bids = make_bids(scarce, "w", now, size=24)
    claiming = [bid for bid in bids if bid.intent.message.variant_id == Variant.objects.get(label="A").pk]
    first, *others = claiming
    assert write([], [first]).marks[first.intent.message.id].may_send

    Product.objects.update(stock=6)
    marks = write([], others).marks

    assert others and {mark.skip_reason for mark in marks.values()} == {"stock_changed"}
    assert states(scarce)["sending"] == 1


@pytest.mark.parametrize("reason", FACT_REASONS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_say_why_it_was_not_sent(
    scarce: Campaign, cast: Cast, client: Client, reason: str, language: str, site_admin: User
) -> None:
    message = Message.objects.earliest("pk")
    Message.objects.filter(pk=message.pk).update(status="skipped", skip_reason=reason)
    client.force_login(site_admin)
    client.cookies["django_language"] = language
    with translation.override(language):  # the language of a request outlives it in this thread
        words = str(SkipReason(reason).label)
        pages = {
            name: client.get(reverse(f"campaigns:{name}", args=[key] if key else None)).content.decode().lower()
            for name, key in (
                ("outbox", None), ("outbox-message", message.pk), ("live", scarce.pk), ("message-decision", message.pk),
            )
        }  # fmt: skip

    assert {name for name, page in pages.items() if words.lower() not in page} == set()
    assert words.isascii() == (language == "en")

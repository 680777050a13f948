"""A campaign with one archetype, its offer and wares, and a scripted model server."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from campaigns.models import Archetype, Campaign, Offer
from customers.models import Product, Segment

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def no_model(settings: Settings) -> None:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""


@pytest.fixture
def campaign(marketer: User, settings: Settings) -> Campaign:
    segment = Segment.objects.create(name="Leaving", rule={})
    campaign = Campaign.objects.create(
        name="Autumn", segment=segment, author=marketer, holdout_seed="5eed", scheduled_for=NOW
    )
    Offer.objects.create(
        campaign=campaign, kind=Offer.Kind.PERCENT, value=10, currency="EUR", code="HIKE10", min_basket=50,
        valid_until=dt.date(2026, 12, 14), url=f"{settings.SHOP_URL}/jackets",
    )  # fmt: skip
    Product.objects.create(
        sku="J1", name="Alpine Jacket", category="Jackets", price=Decimal("129.00"), currency="EUR", stock=7
    )
    return campaign


@pytest.fixture
def archetype(campaign: Campaign) -> Archetype:
    return Archetype.objects.create(
        campaign=campaign, cell="rhythm|Jackets|en", reason="rhythm", interest="Jackets", language="en", size=40
    )


@pytest.fixture
def chinese_archetype(campaign: Campaign) -> Archetype:
    return Archetype.objects.create(
        campaign=campaign, cell="rhythm|Jackets|zh", reason="rhythm", interest="Jackets", language="zh", size=20
    )

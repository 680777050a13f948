"""What is checked in the message as it leaves: its length with a real link, and the shop's address."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from campaigns.content.editing import recompute, write_variant
from campaigns.content.rendering import UNSUBSCRIBE_LENGTH
from campaigns.delivery.unsubscribe import unsubscribe_url
from campaigns.models import Archetype, Variant

from .conftest import NOW


def test_the_dead_link_of_a_text_message_is_as_long_as_a_live_one(settings: Settings) -> None:
    live = unsubscribe_url(12_345_678, 1_234_567)
    assert abs(len(live) - len(settings.SITE_URL) - UNSUBSCRIBE_LENGTH) <= 4


@pytest.mark.django_db
def test_an_email_of_a_shop_without_a_postal_address_is_blocked(archetype: Archetype, settings: Settings) -> None:
    variant = Variant(archetype=archetype, label="A", origin=Variant.Origin.PERSON)
    write_variant(variant, {"subject": "Hello", "opening": "Good day to you."}, user=None, now=NOW)
    assert not variant.is_blocked
    settings.SHOP_POSTAL_ADDRESS = " "
    recompute(variant, now=NOW)
    assert [row["code"] for row in variant.findings if row["verdict"] == "block"] == ["no_address"]

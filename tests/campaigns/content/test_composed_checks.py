"""What is checked in the message as it leaves: the shop's address."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from campaigns.content.editing import recompute, write_variant
from campaigns.models import Archetype, Variant

from .conftest import NOW


@pytest.mark.django_db
def test_an_email_of_a_shop_without_a_postal_address_is_blocked(archetype: Archetype, settings: Settings) -> None:
    variant = Variant(archetype=archetype, label="A", origin=Variant.Origin.PERSON)
    write_variant(variant, {"subject": "Hello", "opening": "Good day to you."}, user=None, now=NOW)
    assert not variant.is_blocked
    settings.SHOP_POSTAL_ADDRESS = " "
    recompute(variant, now=NOW)
    assert [row["code"] for row in variant.findings if row["verdict"] == "block"] == ["no_address"]

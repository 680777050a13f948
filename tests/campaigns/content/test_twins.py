"""Two archetypes with one text are told so, by name, and no longer once either text changes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.content.drafting import draft_archetype, request_drafts
from campaigns.content.editing import write_variant
from campaigns.content.twins import find_twins
from campaigns.models import Archetype, Campaign, Variant

from .conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = {
    "subject": "The trails are getting wet",
    "opening": "It has been a while since you were here, and the paths are muddy again. We have new jackets.",
    "invitation": "Come and have a look when you have a moment.",
}


@pytest.fixture
def other(campaign: Campaign) -> Archetype:
    return Archetype.objects.create(
        campaign=campaign, cell="returns|Jackets|en", reason="returns", language="en", size=9
    )


def write(archetype: Archetype, **words: str) -> Variant:
    variant = Variant(archetype=archetype, label="A", origin=Variant.Origin.PERSON)
    return write_variant(variant, WORDS | words, user=None, now=NOW)


def twins_of(campaign: Campaign) -> dict[int, str]:
    archetypes = Archetype.objects.filter(campaign=campaign).prefetch_related("variants")
    return {pk: finding.message for pk, finding in find_twins(archetypes).items()}


def test_both_are_told_of_each_other_until_one_is_edited(archetype: Archetype, other: Archetype) -> None:
    one, two = write(archetype), write(other, subject="The trails are getting very wet")
    told = twins_of(archetype.campaign)
    assert set(told) == {one.pk, two.pk}
    assert "nearly the same" in told[one.pk]
    words = {"opening": "Not everything fitted last time. Tell us what it was.", "subject": "Let us find what fits"}
    write_variant(two, words, user=None, now=NOW)
    assert twins_of(archetype.campaign) == {}


def test_texts_of_one_archetype_and_of_other_channels_are_not_compared(archetype: Archetype, other: Archetype) -> None:
    Archetype.objects.filter(pk=other.pk).update(channel="webhook")
    other.refresh_from_db()
    write(archetype)
    write(other)
    second = Variant(archetype=archetype, label="B", origin=Variant.Origin.PERSON)
    write_variant(second, WORDS, user=None, now=NOW)
    assert twins_of(archetype.campaign) == {}


def test_template_texts_say_that_the_template_is_why(
    archetype: Archetype, other: Archetype, marketer: User, no_model: None
) -> None:
    Archetype.objects.filter(pk=other.pk).update(
        reason=archetype.reason, interest=archetype.interest, value_band="high"
    )
    request_drafts(archetype.campaign, user=marketer, now=NOW)
    for row in (archetype, other):
        draft_archetype(row.pk, now=NOW)
    told = twins_of(archetype.campaign)
    assert len(told) == 2
    assert all(message.startswith("The template says nearly the same to “") for message in told.values())


def test_messages_review_and_editor_show_it(
    archetype: Archetype, other: Archetype, marketer: User, client: Client
) -> None:
    one = write(archetype)
    write(other)
    client.force_login(marketer)
    for page, pk in (
        ("messages", archetype.campaign_id),
        ("review-campaign", archetype.campaign_id),
        ("variant", one.pk),
    ):
        assert "nearly the same text" in client.get(reverse(f"campaigns:{page}", args=[pk])).content.decode(), page

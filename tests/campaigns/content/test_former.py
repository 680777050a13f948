"""A draft takes the place of a text, and a person takes the former one back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import Settings

from campaigns.approval import policy
from campaigns.approval.policy import NotReady
from campaigns.approval.texts import ask_for_text, take_back_former
from campaigns.content.drafting import draft_archetype
from campaigns.content.editing import hash_words
from campaigns.models import Archetype, Campaign, TransitionConflict, Variant
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(minutes=1)


@pytest.fixture
def cast(settings: Settings) -> Cast:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""  # the template drafter writes
    return arrange.make_cast()


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.make_campaign(cast.marketer)


@pytest.fixture
def redrafted(campaign: Campaign, cast: Cast) -> Variant:
    """Written by a person, then drafted again by the template drafter."""
    ask_for_text(cast.marketer, Archetype.objects.select_related("campaign").get(), label="A", now=NOW)
    draft_archetype(Archetype.objects.get().pk, now=NOW)
    return Variant.objects.select_related("archetype__campaign").get()


def test_the_former_text_is_kept_and_comes_back_whole(redrafted: Variant, cast: Cast) -> None:
    drafted = redrafted.subject
    assert (drafted != "Your jacket misses you", redrafted.origin) == (True, "template")

    take_back_former(cast.marketer, redrafted, seen=hash_words(redrafted), now=LATER)

    text = Variant.objects.get()
    assert (text.subject, text.origin, text.edited_by, text.prompt_name) == (
        "Your jacket misses you", "person", cast.marketer, "",
    )  # fmt: skip
    assert "Your jacket misses you" in text.source["subject"] and not text.is_blocked
    assert text.former["subject"] == drafted

    take_back_former(cast.marketer, text, now=LATER)
    again = Variant.objects.get()
    assert (again.subject, again.origin, again.former["subject"]) == (drafted, "template", "Your jacket misses you")


def test_it_voids_what_was_approved_and_who_takes_it_back_does_not_approve_it(
    redrafted: Variant, campaign: Campaign, cast: Cast, make_user: MakeUser
) -> None:
    other = make_user("mika", "marketer")
    campaign.refresh_from_db()
    arrange.approve(campaign, cast)
    take_back_former(other, redrafted, now=LATER)
    campaign.refresh_from_db()
    assert campaign.status == "draft" and not campaign.approvals.filter(voided_at=None).exists()
    assert policy.has_written(other, campaign)


def test_where_there_is_none_or_somebody_was_faster_or_may_not(
    redrafted: Variant, cast: Cast, make_user: MakeUser
) -> None:
    with pytest.raises(TransitionConflict):
        take_back_former(cast.marketer, redrafted, seen="f" * 64, now=LATER)
    for role in ("analyst", ""):
        with pytest.raises(PermissionDenied):
            take_back_former(make_user(f"u{role}", role), redrafted, now=LATER)
    Variant.objects.update(former={})
    with pytest.raises(NotReady):
        take_back_former(cast.marketer, redrafted, now=LATER)


def test_on_the_page_and_over_the_api(redrafted: Variant, cast: Cast, client: Client) -> None:
    client.force_login(cast.marketer)
    page = client.get(f"/variants/{redrafted.pk}/").content.decode()
    assert "Take back the former text" in page and "misses" in page
    client.post(f"/variants/{redrafted.pk}/former/", {"seen": hash_words(redrafted)})
    assert Variant.objects.get().subject == "Your jacket misses you"
    answer = client.post(f"/api/v1/variants/{redrafted.pk}/former/")
    assert answer.status_code == 200 and answer.json()["subject"] == redrafted.subject
    Variant.objects.update(former={})
    assert "Take back the former text" not in client.get(f"/variants/{redrafted.pk}/").content.decode()
    assert client.post(f"/api/v1/variants/{redrafted.pk}/former/").status_code == 400

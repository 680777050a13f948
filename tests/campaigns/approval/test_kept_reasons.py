"""Reasons of changes of state stand in English in the rows, whoever made them, and are told in the reader's language."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import gettext, override

from campaigns.approval import workflow
from campaigns.approval.editing import edit_campaign
from campaigns.approval.validity import void_outlived_approvals
from campaigns.models import Approval, Campaign, CampaignTransition
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db

TAKEN_BACK = "Taken back before it was sent."


@pytest.fixture
def cast(marketer: User, approver: User) -> Cast:
    return Cast(marketer, approver)


@pytest.fixture
def taken_back(cast: Cast) -> Campaign:
    """A campaign that two people who read Chinese edited after its approval, approved anew, scheduled and took back."""
    campaign = arrange.make_campaign(cast.marketer)
    with override("zh-hans"):
        arrange.approve(campaign, cast)
        edit_campaign(cast.marketer, campaign, {"send_window_hours": 12}, now=NOW)
        arrange.schedule(campaign, cast)
        workflow.unschedule_campaign(cast.marketer, campaign, now=NOW)
    return campaign


def test_rows_keep_english_whoever_acts(taken_back: Campaign) -> None:
    reasons = set(CampaignTransition.objects.exclude(reason="").values_list("reason", flat=True))
    assert reasons == {TAKEN_BACK, "Edited: send window hours."}
    assert set(Approval.objects.values_list("void_reason", flat=True)) == reasons
    assert taken_back.status_reason == TAKEN_BACK


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_page_and_api_tell_them_in_the_language_that_is_asked_for(
    taken_back: Campaign, cast: Cast, client: Client, language: str
) -> None:
    with override(language):
        wanted = gettext(TAKEN_BACK)
    assert (wanted == TAKEN_BACK) == (language == "en")
    client.force_login(cast.approver)
    page = client.get(f"/campaigns/{taken_back.pk}/review/", headers={"accept-language": language}).content.decode()
    # What stands above the page, the history of the state, and the four parts that are void.
    assert page.count(wanted) == 6
    assert (TAKEN_BACK in page) == (language == "en")
    said = client.get(f"/api/v1/campaigns/{taken_back.pk}/", headers={"accept-language": language}).json()
    assert said["status_reason"] == wanted


def test_what_outlives_its_days_is_told_with_its_day(cast: Cast, client: Client) -> None:
    campaign = arrange.make_campaign(cast.marketer, send_at=NOW + dt.timedelta(days=20))
    arrange.approve(campaign, cast)
    with override("zh-hans"):
        assert void_outlived_approvals(NOW + dt.timedelta(days=15)).expired == 1
    campaign.refresh_from_db()
    assert campaign.status_reason.isascii() and "Dec 2026" in campaign.status_reason
    client.force_login(cast.marketer)
    page = client.get(f"/campaigns/{campaign.pk}/review/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "The approval was" not in page and "2026年12月" in page


def test_what_a_person_types_stays_in_their_words(cast: Cast, client: Client) -> None:
    campaign = arrange.make_campaign(cast.marketer)
    workflow.cancel_campaign(cast.marketer, campaign, reason="Offers", now=NOW)
    client.force_login(cast.approver)
    said = client.get(f"/api/v1/campaigns/{campaign.pk}/", headers={"accept-language": "zh-hans"}).json()
    assert said["status_reason"] == "Offers"

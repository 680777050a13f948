"""The admin over campaigns: names as on the pages, days as on the pages, and actions that say why they refuse."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign
from tests.campaigns.arrange import make_campaign, make_cast, submit

pytestmark = pytest.mark.django_db
ACTION = "/admin/campaigns/campaign/"


@pytest.fixture
def ada(client: Client, site_admin: User) -> Client:
    client.force_login(site_admin)
    return client


@pytest.mark.parametrize("page", ["archetype", "variant", "audiencemember"])
def test_archetypes_are_called_as_on_the_pages(ada: Client, page: str) -> None:
    make_campaign(make_cast().marketer)
    words = ada.get(f"/admin/campaigns/{page}/").content.decode()
    assert "all interests · English" in words
    assert "overdue|jackets|en" not in words


def test_days_are_written_as_on_the_pages(ada: Client) -> None:
    campaign = make_campaign(make_cast().marketer)
    assert campaign.scheduled_for is not None
    assert f"{campaign.scheduled_for:%b %Y}" in ada.get(ACTION).content.decode()


def test_one_chosen_campaign_that_is_refused_hinders_no_other(ada: Client) -> None:
    cast = make_cast()
    ready, draft = submit(make_campaign(cast.marketer), cast), make_campaign(cast.marketer, [], name="Spring")
    chosen = {"action": "approve_chosen", "_selected_action": [ready.pk, draft.pk]}
    words = ada.post(ACTION, chosen, follow=True).content.decode()
    assert "Spring: This cannot be done while the campaign is draft." in words
    assert dict(Campaign.objects.values_list("name", "status")) == {"Autumn": "approved", "Spring": "draft"}

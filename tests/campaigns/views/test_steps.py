"""The steps of a campaign: what each says of the state that the campaign is in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.campaigns.arrange import make_campaign, make_cast

pytestmark = pytest.mark.django_db


def test_live_says_that_a_draft_is_not_sending_and_leads_to_the_review(client: Client) -> None:
    cast = make_cast()
    campaign = make_campaign(cast.marketer)
    client.force_login(cast.marketer)
    page = client.get(f"/campaigns/{campaign.pk}/live/").content.decode()
    assert "Not sending yet" in page
    assert f"/campaigns/{campaign.pk}/review/" in page


def test_a_poll_of_live_asks_for_the_whole_page_once_the_state_is_another(client: Client) -> None:
    cast = make_cast()
    campaign = make_campaign(cast.marketer)
    client.force_login(cast.marketer)
    address = f"/campaigns/{campaign.pk}/live/"
    asked = {was: client.get(address, {"was": was}, headers={"HX-Request": "true"}) for was in ("draft", "scheduled")}
    assert "HX-Refresh" not in asked["draft"].headers
    assert asked["scheduled"].headers["HX-Refresh"] == "true"


def test_messages_are_done_when_every_archetype_has_a_text_that_nothing_blocks(client: Client) -> None:
    cast = make_cast()
    campaign = make_campaign(cast.marketer)
    client.force_login(cast.marketer)
    text = campaign.archetypes.get().variants.get()

    def state() -> str:
        steps = client.get(f"/campaigns/{campaign.pk}/goal/").context["steps"]
        return str(next(item["state"] for item in steps if item["name"] == "messages"))

    assert state() == "done"
    text.findings = [{"verdict": "block", "code": "x", "message": "No."}]
    text.save()
    assert state() == "trouble"
    text.delete()
    assert state() == "open"

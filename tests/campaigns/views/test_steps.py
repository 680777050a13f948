"""The steps of a campaign: what each says of the state that the campaign is in."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.forms import TimingForm
from campaigns.models import Campaign
from tests.campaigns.arrange import approve, make_campaign, make_cast, make_customers, submit

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


def test_an_approved_campaign_whose_time_has_come_is_sent_now_and_another_scheduled(client: Client) -> None:
    cast, now = make_cast(), timezone.now()
    client.force_login(cast.marketer)
    words = []
    for hours in (-1, 24):
        people, at = make_customers(2, prefix=f"h{hours}", now=now), now + dt.timedelta(hours=hours)
        campaign = approve(make_campaign(cast.marketer, people, send_at=at, now=now), cast, now=now)
        page = client.get(f"/campaigns/{campaign.pk}/review/").content.decode()
        words.append(("Send it now" in page, "Schedule it" in page))
    assert words == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("now", "proposed"),
    [("2026-01-15 09:20", "2026-01-15 11:00"), ("2026-01-15 00:05", "2026-01-15 10:00"),
     ("2026-01-15 20:30", "2026-01-16 10:00"), ("2026-01-15 23:30", "2026-01-16 10:00"),
     ("2026-07-15 17:59", "2026-07-15 19:00")],
)  # fmt: skip
def test_a_time_is_proposed_when_the_shop_is_awake(now: str, proposed: str, settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "Europe/London"
    local = dt.datetime.fromisoformat(now).replace(tzinfo=zoneinfo.ZoneInfo("Europe/London"))
    first = TimingForm.initial_for(Campaign(), local.astimezone(dt.UTC))
    assert f"{first['send_on']} {first['send_at']:%H:%M}" == proposed


def test_review_counts_what_this_person_may_decide_on(client: Client) -> None:
    cast = make_cast()
    submit(make_campaign(cast.marketer), cast)
    counts = {}
    for person in (cast.marketer, cast.approver):
        client.force_login(person)
        menu = client.get("/review/").context["menu"]
        counts[person] = next(item.count for group in menu for item in group.items if item.url == "/review/")
    assert counts == {cast.marketer: 0, cast.approver: 1}

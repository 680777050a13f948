"""A promise is taken back while a campaign that makes it is being sent; another one beside it is kept."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from campaigns.approval.voice import save_policies
from campaigns.models import Campaign, CampaignStatus, Message
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep

KEPT, TAKEN_BACK = "Free returns within 30 days", "Two-year warranty on tents"


@pytest.fixture
def promising(cast: Cast, site_admin: User, now: dt.datetime) -> Campaign:
    """People are promised one of two things, or nothing, each in a text of its own: so many that each text has somebody."""
    save_policies(site_admin, {"en": [KEPT, TAKEN_BACK]}, base=0, now=now)
    campaign = arrange.make_campaign(cast.marketer, arrange.make_customers(40, now=now), send_at=now, now=now)
    archetype = campaign.archetypes.select_related("campaign").get()
    for label, promise in (("A", f"As ever: {KEPT}."), ("B", "You have a two-year warranty on tents."), ("C", "")):
        arrange.make_variant(archetype, cast.marketer, now=now, label=label, opening=f"The wind is back. {promise}")
    return arrange.start(campaign, cast, now=now)


def test_who_would_be_promised_it_gets_nothing_and_the_others_their_message(
    promising: Campaign, site_admin: User, now: dt.datetime, sweep: Sweep
) -> None:
    """A new revision that keeps a sentence takes nothing back, although its number is another."""
    saved = save_policies(site_admin, {"en": [KEPT, "Open daily"]}, base=1, now=now)
    assert saved.checked == 0
    promising.refresh_from_db()
    assert promising.status == CampaignStatus.SENDING

    with ScriptedSmtpServer() as server:
        sweep(server)

    told = set(Message.objects.values_list("variant__label", "status", "skip_reason"))
    assert told == {("A", "accepted", ""), ("B", "skipped", "policy_changed"), ("C", "accepted", "")}

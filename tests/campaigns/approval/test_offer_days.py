"""An offer that is over before its messages go out is no offer."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.approval.policy import find_obstacles
from campaigns.models import Campaign, Offer
from customers.models import Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(marketer: User) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


def _fill(segment: Segment, **changes: str) -> dict[str, str]:
    return {"name": "Tents", "segment": str(segment.pk), "kind": "percent", "value": "10", "code": "TENT10"} | changes


@pytest.mark.parametrize(("days", "is_said"), [(-1, True), (0, False), (9, False)])
def test_an_offer_has_to_last_until_the_messages_go_out(marketer: User, days: int, is_said: bool) -> None:
    campaign = arrange.make_campaign(marketer, arrange.make_customers(2), send_at=NOW + dt.timedelta(days=3))
    assert isinstance(campaign, Campaign) and campaign.scheduled_for is not None
    last = campaign.scheduled_for.date() + dt.timedelta(days=days)
    Offer.objects.update_or_create(
        campaign=campaign, defaults={"kind": Offer.Kind.PERCENT, "value": 10, "code": "A", "valid_until": last}
    )
    assert any("The offer ends on" in told for told in find_obstacles(campaign)) == is_said


def test_a_day_that_has_passed_and_an_amount_of_no_offer_are_told_at_once(client: Client) -> None:
    segment = Segment.objects.create(name="All", rule={"match": "all", "rules": []})
    for changes, words in (
        ({"valid_until": "2020-01-05"}, "This day has passed"),
        ({"kind": "none"}, "Say what kind of offer it is"),
    ):
        answer = client.post("/campaigns/new/", _fill(segment, **changes))
        assert answer.status_code == 422 and words in answer.content.decode()
    assert not Campaign.objects.exists()
    assert client.post("/campaigns/new/", _fill(segment)).status_code == 302


def test_what_only_a_form_sends_leads_to_its_page(client: Client, marketer: User) -> None:
    campaign = arrange.make_campaign(marketer, arrange.make_customers(2))
    for address in (f"/campaigns/{campaign.pk}/audience/freeze/", f"/campaigns/{campaign.pk}/submission/"):
        answer = client.get(address, headers={"accept": "text/html,*/*"})
        assert (answer.status_code, answer["Location"]) == (302, address.rsplit("/", 2)[0] + "/")
    assert client.get(f"/campaigns/{campaign.pk}/submission/").status_code == 405, "no page was asked for"


def test_a_share_held_out_that_cannot_be_is_told_with_its_bounds(client: Client, marketer: User) -> None:
    campaign = arrange.make_campaign(marketer, arrange.make_customers(2))
    for share in ("0", "100", ""):
        answer = client.post(f"/campaigns/{campaign.pk}/audience/freeze/", {"holdout_share": share})
        assert answer.status_code == 422 and "From 1 to 50 per cent" in answer.content.decode()

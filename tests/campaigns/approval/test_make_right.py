"""The campaign for solved complaints: whom it means, and that it is a campaign like any other."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client

from campaigns.approval.make_right import RULE, start_make_right
from campaigns.models import Campaign, CampaignStatus
from customers.models import Customer, Segment
from customers.segments.preview import count_matching
from customers.segments.rules import parse_rule
from support.inbox.complaints import begin_hold, end_hold, withdraw_hold
from support.models import Ticket

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
COOLING = dt.timedelta(days=14)
pytestmark = pytest.mark.django_db


@pytest.fixture
def complaint() -> Ticket:
    kim = Customer.objects.create(external_id="K1", email="kim@shopper.test")
    ticket = Ticket.objects.create(customer=kim, opened_at=NOW, last_message_at=NOW, is_complaint=True)
    begin_hold(ticket, now=NOW)
    return ticket


def count(at: dt.datetime) -> int:
    return count_matching(parse_rule(RULE), as_of=at)


def test_it_means_people_whose_complaint_is_solved_once_the_quiet_time_is_over(complaint: Ticket) -> None:
    solved = NOW + dt.timedelta(days=1)
    assert count(solved) == 0
    end_hold(complaint, now=solved, cooling_days=14)
    minute = dt.timedelta(minutes=1)
    assert count(solved + COOLING - minute) == 0
    assert count(solved + COOLING + minute) == 1
    assert count(solved + COOLING + dt.timedelta(days=30) + minute) == 0


def test_an_open_complaint_keeps_somebody_out(complaint: Ticket) -> None:
    end_hold(complaint, now=NOW, cooling_days=1)
    other = Ticket.objects.create(
        external_id="b", customer=complaint.customer, opened_at=NOW, last_message_at=NOW, is_complaint=True
    )
    begin_hold(other, now=NOW + dt.timedelta(hours=1))
    assert count(NOW + dt.timedelta(days=2)) == 0


def test_what_was_no_complaint_needs_no_amends(complaint: Ticket) -> None:
    withdraw_hold(complaint, now=NOW + dt.timedelta(hours=1))
    assert count(NOW + dt.timedelta(days=1)) == 0


def test_it_starts_as_a_draft_that_lets_people_in(marketer: User) -> None:
    campaign = start_make_right(marketer, now=NOW)
    assert (campaign.status, campaign.kind, campaign.author) == (CampaignStatus.DRAFT, "triggered", marketer)
    assert campaign.trigger["on"] == "segment"
    assert campaign.holdout_share > 0
    assert start_make_right(marketer, now=NOW) == campaign, "pressed twice, there is one draft"
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.CANCELLED)
    again = start_make_right(marketer, now=NOW)
    assert again != campaign and again.segment_id == campaign.segment_id and Segment.objects.count() == 1


def test_an_approver_starts_none(approver: User) -> None:
    with pytest.raises(PermissionDenied):
        start_make_right(approver, now=NOW)
    assert not Segment.objects.exists()


def test_the_button_leads_to_its_first_step(marketer: User, client: Client) -> None:
    client.force_login(marketer)
    page = client.post("/campaigns/new/make-right/")
    assert page["Location"] == f"/campaigns/{Campaign.objects.get().pk}/goal/"
    assert client.get(page["Location"]).status_code == 200

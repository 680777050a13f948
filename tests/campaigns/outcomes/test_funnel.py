"""How far people have come through a sequence: nobody is counted twice, nobody is lost, in both arms."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.delivery.progression import advance_entries
from campaigns.models import Campaign, Message, MessageStatus
from campaigns.outcomes.funnel import read_funnel
from customers.models import ConsentRecord, Customer, Order
from tests.campaigns.arrange import NOW, Cast, add_step, make_campaign, make_cast, make_customers, start

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    campaign = make_campaign(cast.marketer, make_customers(10), held_out=make_customers(5, prefix="h"))
    add_step(campaign, cast.marketer, wait_hours=72, purpose="Ask again")
    add_step(campaign, cast.marketer, wait_hours=48)
    return start(campaign, cast)


def send(at: dt.datetime) -> None:
    Message.objects.filter(status=MessageStatus.QUEUED).update(
        status=MessageStatus.ACCEPTED, sending_at=at, settled_at=at
    )


def order(name: str, at: dt.datetime) -> None:
    person = Customer.objects.get(external_id=name)
    Order.objects.create(external_id=name, customer=person, ordered_at=at, currency="EUR", total=9)


def test_a_campaign_of_one_step_has_no_funnel(cast: Cast) -> None:
    assert read_funnel(start(make_campaign(cast.marketer), cast)) is None


def test_everybody_is_somewhere_and_leaves_once(campaign: Campaign) -> None:
    send(NOW)
    Message.objects.filter(customer__external_id__in=["c5", "c6"]).update(clicked_at=NOW + DAY)
    for name in ("c0", "c1", "h0"):
        order(name, NOW + DAY)
    ConsentRecord.objects.create(
        customer=Customer.objects.get(external_id="c2"), status="withdrawn", source="x", proof={}, recorded_at=NOW + DAY
    )
    advance_entries(NOW + 3 * DAY)
    send(NOW + 3 * DAY)
    order("c3", NOW + 4 * DAY)
    funnel = read_funnel(campaign)
    assert funnel is not None
    first, second, third = funnel.steps
    assert [(row.treated.reached, row.held.reached) for row in funnel.steps] == [(10, 5), (7, 4), (0, 0)]
    assert [(row.treated.waiting, row.held.waiting) for row in funnel.steps] == [(0, 0), (0, 0), (7, 4)]
    assert (first.sent, first.clicked, second.sent, third.sent) == (10, 2, 7, 0)
    assert second.reasons == [("ordered", 2, 1), ("unsubscribed", 1, 0)]
    assert funnel.next_at == NOW + 5 * DAY
    advance_entries(NOW + 5 * DAY)
    funnel = read_funnel(campaign)
    assert funnel is not None
    assert (funnel.treated_through, funnel.held_through, funnel.next_at) == (6, 4, None)
    assert funnel.steps[2].reasons == [("ordered", 1, 0)]
    for arm, people in (("treated", 10), ("held", 5)):
        left = sum(sum(getattr(row, arm).left.values()) for row in funnel.steps)
        assert left + getattr(funnel, f"{arm}_through") == people


def test_live_and_result_show_it_with_as_many_questions_for_more_people(
    client: Client, cast: Cast, campaign: Campaign
) -> None:
    client.force_login(cast.marketer)
    send(NOW)
    counts = []
    for moment in (NOW, NOW + 3 * DAY):
        advance_entries(moment)
        client.get(f"/campaigns/{campaign.pk}/live/")
        with CaptureQueriesContext(connection) as asked:
            page = client.get(f"/campaigns/{campaign.pk}/live/").content.decode()
        counts.append(len(asked))
    assert counts[0] == counts[1]
    for words in ("Step by step", "Ask again", "after 3 days", "10 on their way", "Went through all steps"):
        assert words in page

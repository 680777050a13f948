"""Just before a follow-up leaves, its exit rules are asked once more: who ordered a minute ago gets no "we miss you"."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.delivery.progression import advance_entries
from campaigns.models import Campaign, Entry, Message, MessageStatus
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, EventKind, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def due(cast: Cast, now: dt.datetime) -> Campaign:
    """Three people got the first message three days ago; the second is queued, and just about to be sent."""
    began = now - dt.timedelta(hours=73)
    campaign = arrange.make_campaign(
        cast.marketer, arrange.make_customers(3, now=began), held_out=[], send_at=began, now=began
    )
    arrange.add_step(campaign, cast.marketer, now=began, wait_hours=72)
    Campaign.objects.filter(pk=campaign.pk).update(exit_on=["ordered", "complained", "event:cart_updated"])
    arrange.start(campaign, cast, now=began)
    Message.objects.update(status=MessageStatus.ACCEPTED, sending_at=began, settled_at=began)
    assert advance_entries(now).queued == 3
    return campaign


def second(name: str) -> tuple[str, str]:
    return Message.objects.values_list("status", "skip_reason").get(step=2, customer__external_id=name)


def test_a_follow_up_leaves_in_a_window_of_its_own(due: Campaign, sweep: Sweep) -> None:
    """The first message's window closed two days ago."""
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert {second(name) for name in ("c0", "c1", "c2")} == {(MessageStatus.ACCEPTED, "")}


def test_who_did_what_ends_it_since_the_step_was_queued_gets_nothing(
    due: Campaign, sweep: Sweep, now: dt.datetime
) -> None:
    people = {person.external_id: person for person in Customer.objects.all()}
    Order.objects.create(external_id="o", customer=people["c0"], ordered_at=now, currency="EUR", total=9)
    event = NewEvent(
        customer_id=people["c1"].pk, kind=EventKind.CART_UPDATED, occurred_at=now, external_id="e", properties={}
    )
    record_events([event], source="shop")
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert second("c0") == second("c1") == (MessageStatus.SKIPPED, "left_sequence")
    assert second("c2") == (MessageStatus.ACCEPTED, "")


def test_what_was_not_chosen_and_what_was_before_they_entered_keeps_nobody(
    due: Campaign, sweep: Sweep, now: dt.datetime
) -> None:
    people = {person.external_id: person for person in Customer.objects.all()}
    early = now - dt.timedelta(hours=100)
    Order.objects.create(external_id="o", customer=people["c0"], ordered_at=early, currency="EUR", total=9)
    event = NewEvent(
        customer_id=people["c1"].pk, kind=EventKind.PRODUCT_VIEWED, occurred_at=now, external_id="e", properties={}
    )
    record_events([event], source="shop")
    with arrange.ledger_open():
        Entry.objects.filter(customer=people["c2"]).delete()  # a message without an entry is held to no exit rule
    Order.objects.create(external_id="p", customer=people["c2"], ordered_at=now, currency="EUR", total=9)
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert {second(name) for name in ("c0", "c1", "c2")} == {(MessageStatus.ACCEPTED, "")}


def test_the_first_message_is_held_to_no_exit_rule(cast: Cast, sweep: Sweep, now: dt.datetime) -> None:
    campaign = arrange.make_campaign(cast.marketer, arrange.make_customers(1, now=now), send_at=now, now=now)
    arrange.add_step(campaign, cast.marketer, now=now, wait_hours=72)
    arrange.start(campaign, cast, now=now)
    Order.objects.create(external_id="o", customer=Customer.objects.get(), ordered_at=now, currency="EUR", total=9)
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert Message.objects.values_list("status", flat=True).get() == MessageStatus.ACCEPTED


def test_a_step_that_comes_too_late_is_missed(due: Campaign, sweep: Sweep, now: dt.datetime) -> None:
    Message.objects.filter(step=2).update(send_by=now - HOUR)
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert second("c0") == (MessageStatus.SKIPPED, "window_closed")

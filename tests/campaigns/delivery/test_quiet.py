"""Just before the send: nobody is written to in their quiet hours or after their window, whatever was late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from campaigns.audience.country_rules import read_country_rules
from campaigns.delivery import outbox
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.marking import Bid
from campaigns.delivery.quiet import put_off_quiet
from campaigns.delivery.reaper import reap_stuck_messages
from campaigns.delivery.scheduler import finish_campaigns
from campaigns.models import Campaign, CountryRule, Message
from customers.models import Customer
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states, write

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def sleeper(running: Campaign, now: dt.datetime) -> Message:
    """One of the three lives where it has been quiet for an hour and will be for two more."""
    CountryRule.objects.update_or_create(
        country="NZ",
        defaults={"names": ["nowhere"], "quiet_from": (now - HOUR).time(), "quiet_until": (now + 2 * HOUR).time()},
    )
    message = Message.objects.select_related("customer").earliest("pk")
    Customer.objects.filter(pk=message.customer_id).update(country="Nowhere", time_zone="UTC")
    return message


def test_a_message_that_comes_late_waits_until_the_person_is_awake(
    running: Campaign, sleeper: Message, sweep: Sweep, now: dt.datetime
) -> None:
    with ScriptedSmtpServer() as server:
        assert sweep(server).counts == {"accepted": 2}
        assert sweep(server).counts == {} and len(server.message_ids()) == 2
    sleeper.refresh_from_db()
    assert (sleeper.status, sleeper.not_before, sleeper.claimed_by) == ("queued", now + 2 * HOUR, "")
    assert finish_campaigns(now) == 0  # there is somebody to wait for
    Message.objects.filter(pk=sleeper.pk).update(not_before=now)
    CountryRule.objects.filter(country="NZ").delete()
    with ScriptedSmtpServer() as server:
        assert sweep(server).counts == {"accepted": 1}
    assert finish_campaigns(now) == 1


def test_whose_window_closes_in_their_quiet_hours_is_missed_rather_than_woken(
    running: Campaign, sleeper: Message, sweep: Sweep, now: dt.datetime
) -> None:
    Message.objects.filter(pk=sleeper.pk).update(send_by=now + HOUR)
    with ScriptedSmtpServer() as server:
        assert sweep(server).counts == {"accepted": 2, "skipped": 1}
    sleeper.refresh_from_db()
    assert (sleeper.status, sleeper.skip_reason) == ("skipped", "quiet_hours")


def test_of_one_that_may_have_been_sent_nobody_knows(running: Campaign, sleeper: Message, now: dt.datetime) -> None:
    Message.objects.filter(pk=sleeper.pk).update(send_by=now + HOUR)
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=1)
    Message.objects.filter(pk=sleeper.pk).update(in_doubt_since=now)
    people = Customer.objects.in_bulk([sleeper.customer_id])
    going, put_off = put_off_quiet("w", claimed, people, read_country_rules(), now=now)
    assert (going, put_off) == ([], {"unknown": 1})


def test_it_may_become_quiet_between_the_copy_and_the_mark(running: Campaign, now: dt.datetime) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=3)
    batch = prepare_batch(running, claimed, now=now)
    intents = [make_copy(batch, message).intent for message in claimed]
    assert {intent.quiet_at for intent in intents} == {None}
    quiet = [(now - HOUR).isoformat(), (now + HOUR).isoformat(), None]
    bids = [Bid("w", replace(intent, quiet_at=at), batch.checks) for intent, at in zip(intents, quiet, strict=True)]
    marks = write([], bids).marks
    assert set(marks) == {claimed[1].id, claimed[2].id} and states(running) == {"sending": 2, "claimed": 1}


def test_the_copy_knows_when_it_becomes_quiet(running: Campaign, sleeper: Message, now: dt.datetime) -> None:
    CountryRule.objects.filter(country="NZ").update(quiet_from=(now + HOUR).time(), quiet_until=(now + 2 * HOUR).time())
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=1)
    intent = make_copy(prepare_batch(running, claimed, now=now), claimed[0]).intent
    assert intent.quiet_at is not None and dt.datetime.fromisoformat(intent.quiet_at) == now + HOUR


@pytest.mark.parametrize(
    ("hours_to_campaign_end", "hours_to_own_end", "status", "reason"),
    [(-1, 1, "sending", ""), (1, -1, "skipped", "window_closed"), (-1, None, "skipped", "window_closed")],
)
def test_a_messages_own_window_comes_before_the_campaigns(
    running: Campaign,
    now: dt.datetime,
    hours_to_campaign_end: int,
    hours_to_own_end: int | None,
    status: str,
    reason: str,
) -> None:
    end = now + hours_to_campaign_end * HOUR
    Campaign.objects.update(scheduled_for=end - running.send_window_hours * HOUR)
    own = None if hours_to_own_end is None else now + hours_to_own_end * HOUR
    Message.objects.update(send_by=own)
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=1)
    batch = prepare_batch(running, claimed, now=now)
    marks = write([], [Bid("w", make_copy(batch, claimed[0]).intent, batch.checks)]).marks
    assert [(mark.status, mark.skip_reason) for mark in marks.values()] == [(status, reason)]


def test_a_retry_whose_window_closes_is_missed(running: Campaign, now: dt.datetime) -> None:
    first, second, third = Message.objects.order_by("pk")
    Message.objects.update(status="retry_wait", not_before=now + HOUR)
    Message.objects.filter(pk=first.pk).update(send_by=now - HOUR)
    Message.objects.filter(pk=second.pk).update(send_by=now - HOUR, in_doubt_since=now)
    reap_stuck_messages()
    rows = Message.objects.order_by("pk").values_list("status", "skip_reason")
    assert list(rows)[::2] == [("skipped", "window_closed"), ("retry_wait", "")]
    assert rows[1] == ("unknown", "") and third.pk

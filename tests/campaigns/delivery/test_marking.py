"""The write that every message costs: outcomes and marks together, each for the worker that it belongs to, or nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.delivery import outbox
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.marking import Bid
from campaigns.delivery.outbox import Settlement
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Approval, Campaign, Message
from customers.ingest.consent import withdraw_consent
from customers.models import CustomerEvent
from tests.campaigns import arrange
from tests.smtp_server import ScriptedSmtpServer

from .conftest import states, write


def make_bids(campaign: Campaign, worker: str, now: dt.datetime, size: int = 9) -> list[Bid]:
    claimed = outbox.claim_batch(worker, campaign_id=campaign.pk, size=size)
    batch = prepare_batch(campaign, claimed, now=now)
    return [Bid(worker, make_copy(batch, message).intent, batch.checks) for message in claimed]


def test_one_write_settles_the_last_and_marks_the_next(running: Campaign, now: dt.datetime) -> None:
    first, second, third = make_bids(running, "w", now)
    marked = write([], [first])
    assert [mark.status for mark in marked.marks.values()] == ["sending"]

    done = Settlement(first.intent.message.id, "w", "accepted", "dot: 250 ok")
    written = write([done], [second, third])

    assert written.settled == {done.id: "accepted"}
    assert {mark.status for mark in written.marks.values()} == {"sending"} and len(written.marks) == 2
    assert states(running) == {"accepted": 1, "sending": 2}
    row = Message.objects.get(pk=done.id)
    assert (row.response, row.claimed_by, row.lease_until, row.attempts) == ("dot: 250 ok", "", None, 1)


def test_one_who_said_no_is_passed_over_in_the_middle_of_a_write(running: Campaign, now: dt.datetime) -> None:
    bids = make_bids(running, "w", now)
    row = Message.objects.get(pk=bids[1].intent.message.id)
    withdraw_consent(row.customer, source="page", now=now)

    written = write([], bids)

    assert (written.marks[row.pk].status, written.marks[row.pk].skip_reason) == ("skipped", "no_consent")
    assert states(running) == {"sending": 2, "skipped": 1}


def test_a_write_that_the_fence_refuses_writes_nothing(running: Campaign, now: dt.datetime) -> None:
    first, *others = make_bids(running, "w", now)
    write([], [first])
    Approval.objects.filter(part="audience").update(voided_at=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        write([Settlement(first.intent.message.id, "w", "accepted", "ok")], others)

    assert states(running) == {"sending": 1, "claimed": 2}


def test_another_workers_rows_are_left_alone(running: Campaign, now: dt.datetime) -> None:
    bids = make_bids(running, "w", now)
    strange = [Bid("other", bid.intent, bid.checks) for bid in bids]
    assert write([], strange).marks == {}

    write([], bids[:1])
    late = Settlement(bids[0].intent.message.id, "other", "accepted", "ok")
    assert write([late], []).settled == {}
    assert states(running) == {"sending": 1, "claimed": 2}


def test_the_worker_knows_better_than_the_reaper(running: Campaign, now: dt.datetime) -> None:
    (bid, *_others) = make_bids(running, "w", now)
    write([], [bid])
    Message.objects.filter(pk=bid.intent.message.id).update(status="unknown")

    done = Settlement(bid.intent.message.id, "w", "accepted", "ok")
    assert write([done], []).settled == {done.id: "accepted"}
    assert write([done], []).settled == {}


@pytest.mark.django_db(transaction=True)
def test_several_connections_share_their_writes_and_send_each_message_once() -> None:
    now = timezone.now()
    cast = arrange.make_cast()
    people = arrange.make_customers(120, now=now)
    for name, audience in (("first", people[:60]), ("second", people[30:])):
        arrange.start(arrange.make_campaign(cast.marketer, audience, name=name, send_at=now, now=now), cast, now=now)

    with ScriptedSmtpServer() as server:
        run = send_waiting_messages(
            seconds=60, connections=4, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 5))
        )

    assert run.counts == {"accepted": 150} and not run.has_more
    assert len(server.message_ids()) == len(set(server.message_ids())) == 150 and server.connections <= 4
    assert not Message.objects.exclude(status="accepted", claimed_by="", lease_until=None).exists()
    assert CustomerEvent.objects.filter(kind="email_sent").count() == 150

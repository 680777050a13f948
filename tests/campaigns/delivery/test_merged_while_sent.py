"""Two customers become one while a campaign is being sent to both: one message each, none lost, and undoing gives all back."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns.delivery import outbox, retrying
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.marking import Bid
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, Message
from customers.ingest.merged import CUSTOMER_LOCKS
from customers.merging.locking import PeopleAreBusy, retry_until_free
from customers.merging.merge import merge_customers
from customers.merging.moving import lock_rows
from customers.merging.undo import undo_merge
from customers.models import Customer, CustomerMerge
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, write

pytestmark = pytest.mark.django_db(transaction=True)
#: Far longer than anything here takes: who reaches it waits for ever.
LIMIT_S = 120
PAIRS = 5


@pytest.fixture
def people(now: dt.datetime) -> list[Customer]:
    return arrange.make_customers(2 * PAIRS + 2, now=now)


@pytest.fixture
def campaign(cast: Cast, people: list[Customer], now: dt.datetime) -> Campaign:
    return arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)


def merge(loser: Customer, survivor: Customer, now: dt.datetime) -> CustomerMerge:
    return merge_customers(loser.pk, survivor.pk, reason="staff", actor=None, now=now)


def run(pool: ThreadPoolExecutor, act: Callable[[], Any]) -> Future[Any]:
    def acting() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return pool.submit(acting)


def drain(server: ScriptedSmtpServer) -> None:
    """Until nothing waits any more. A claim whose address is gone goes back when its lease ends, which is not waited for."""
    for _round in range(200):
        Message.objects.filter(status="claimed").update(status="queued", claimed_by="", lease_until=None)
        if not Message.objects.filter(status__in=["queued", "claimed", "sending", "retry_wait"]).exists():
            return
        send_waiting_messages(
            seconds=5, connections=2, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 20))
        )
    raise AssertionError(Message.objects.values("status", "skip_reason"))


def snapshot() -> list[dict[str, Any]]:
    """What an undo has to give back; when a row was last written is no part of it."""
    rows = Customer.objects.order_by("pk").values()
    told = [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]
    for row in told:
        row["consents"] = list(
            Customer.objects.get(pk=row["id"]).consents.order_by("pk").values_list("channel", "status", "recorded_at")
        )
    return told


def test_of_two_who_are_one_before_the_send_one_gets_it(
    campaign: Campaign, people: list[Customer], sweep: Sweep, now: dt.datetime
) -> None:
    merge(people[0], people[1], now)
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert Counter(server.recipients) == Counter(person.email for person in people[1:])
    assert Message.objects.get(customer=people[0]).skip_reason == "no_address"


def test_who_had_it_by_the_id_that_was_merged_does_not_get_it_again_until_they_are_parted(
    campaign: Campaign, people: list[Customer], cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    first, second = people[:2]
    Message.objects.exclude(customer=first).update(not_before=now + dt.timedelta(minutes=30))
    with ScriptedSmtpServer() as server:
        sweep(server)
        assert server.recipients == [first.email]
        merged = merge(first, second, now)
        Message.objects.update(not_before=None)
        sweep(server)
        assert second.email not in server.recipients and len(server.recipients) == len(people) - 1
        assert Message.objects.get(customer=second).skip_reason == "had_it"
        assert retrying.count_retriable(campaign, now=now).total == 0
        undo_merge(merged.pk, actor=None, now=now)
        assert retrying.count_retriable(campaign, now=now).skipped == {"had_it": 1}
        retrying.retry_messages(cast.marketer, campaign, kind=retrying.SKIPPED, now=now)
        sweep(server)
    assert Counter(server.recipients) == Counter(person.email for person in people)


def test_a_merge_and_a_mark_for_either_of_its_people_wait_for_each_other(
    campaign: Campaign, people: list[Customer], now: dt.datetime
) -> None:
    """Else a mark could be taken that sees neither the merge nor the message that just left by the other id."""
    first, second = people[:2]
    one, other = (make_bid(campaign, person, now) for person in (first, second))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock(first, second)
            marking = run(pool, lambda: write([], [one]))
            assert waits_for_customer()
            assert not marking.done()
        assert [mark.status for mark in marking.result(LIMIT_S).marks.values()] == ["sending"]
        with transaction.atomic():
            write([], [other])
            with pytest.raises(PeopleAreBusy):
                run(pool, lambda: retry_until_free(lambda: lock(first, second), tries=1)).result(LIMIT_S)


@pytest.mark.parametrize("seed", [1, 2])
def test_merges_in_the_middle_of_a_send(
    campaign: Campaign, people: list[Customer], cast: Cast, now: dt.datetime, seed: int
) -> None:
    before, chance = snapshot(), random.Random(seed)
    pairs = [(people[2 * number], people[2 * number + 1]) for number in range(PAIRS)]
    pairs = [pair if chance.random() < 0.5 else pair[::-1] for pair in pairs]
    chance.shuffle(pairs)
    start = threading.Barrier(3)

    def send(server: ScriptedSmtpServer) -> None:
        start.wait(LIMIT_S)
        send_waiting_messages(
            seconds=10, connections=2, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 20))
        )

    def merge_all() -> list[CustomerMerge]:
        start.wait(LIMIT_S)
        return [merge(*pair, now) for pair in pairs]

    with ScriptedSmtpServer() as server, ThreadPoolExecutor(3) as pool:
        senders = [run(pool, lambda: send(server)) for _worker in range(2)]
        merging = run(pool, merge_all)
        merges = merging.result(LIMIT_S)
        for sender in senders:
            sender.result(LIMIT_S)
        drain(server)
        sent = Counter(server.recipients)
        assert set(sent.values()) == {1}, "nobody gets it twice at one address"
        assert len(set(server.message_ids())) == len(server.message_ids())
        for loser, survivor in pairs:
            assert sent[loser.email] + sent[survivor.email] >= 1, "none is lost"
            reasons = set(Message.objects.filter(customer__in=[loser, survivor]).values_list("skip_reason", flat=True))
            assert reasons <= {"", "no_address", "had_it"}
        assert all(sent[person.email] == 1 for person in people[2 * PAIRS :])
        for merged in reversed(merges):
            undo_merge(merged.pk, actor=None, now=now)
        assert snapshot() == before
        if retrying.count_retriable(campaign, now=now).total:
            retrying.retry_messages(cast.marketer, campaign, kind=retrying.SKIPPED, now=now)
            drain(server)
    assert Counter(server.recipients) == Counter(person.email for person in people), "each has it once"


def make_bid(campaign: Campaign, person: Customer, now: dt.datetime) -> Bid:
    """What a worker asks for that claimed the person's message."""
    waiting = Message.objects.filter(status="queued").exclude(customer=person)
    waiting.update(not_before=now + dt.timedelta(hours=1))
    Message.objects.filter(customer=person).update(not_before=None)
    claimed = outbox.claim_batch("w", campaign_id=campaign.pk, size=1)
    batch = prepare_batch(campaign, claimed, now=now)
    [bid] = [Bid("w", make_copy(batch, message).intent, batch.checks) for message in claimed]
    return bid


def lock(first: Customer, second: Customer) -> None:
    with connection.cursor() as cursor:
        lock_rows(cursor, first.pk, second.pk)


def waits_for_customer() -> bool:
    """Whether somebody comes to wait for the lock of a customer."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND NOT granted",
                [CUSTOMER_LOCKS],
            )
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.02)
    return False

"""A change is put in force while messages are on their way: each leaves once, with the old text or the new one."""

from __future__ import annotations

import datetime as dt
import threading
import time
from email import message_from_bytes, policy
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.approval.staging import deciding, preparing
from campaigns.content.rendering import load_source, render_message
from campaigns.delivery import outbox, reaper
from campaigns.delivery.channels import Route
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.copies import Unsendable, make_copy, prepare_batch
from campaigns.delivery.mime import hash_body
from campaigns.delivery.outbox import Settlement
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, Message, StagedChange, TransitionConflict, Variant
from campaigns.outcomes.texts import count_texts
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import At, Fault, ScriptedSmtpServer

from .conftest import Sweep, states, write
from .test_marking import make_bids

PATIENCE_S = 60


def change_text(campaign: Campaign, cast: Cast, subject: str, now: dt.datetime) -> StagedChange:
    """Another subject and another code, so that a mixture would show."""
    text = Variant.objects.get(archetype__campaign=campaign)
    change = preparing.open_change(cast.marketer, campaign, now=now)
    preparing.stage_text(cast.marketer, change, text, {"subject": subject}, now=now)
    preparing.stage_fields(cast.marketer, change, offer={"code": subject.upper().replace(" ", "")}, now=now)
    deciding.submit_change(cast.marketer, change, now=now)
    return deciding.approve_change(cast.approver, change, now=now)


def check_replay(server: ScriptedSmtpServer) -> dict[str, int]:
    """Every message that left is its row's text, filled; and its code is that of its subject. Counts by subject."""
    said: dict[str, int] = {}
    for message in Message.objects.filter(sending_at__isnull=False).select_related("variant"):
        copy = render_message(load_source(message.variant), message.slots)
        assert hash_body(copy) == message.body_hash
        (wire,) = [content for content in server.taken if message.message_id.encode() in content]
        mail = message_from_bytes(wire, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None and body.get_content().splitlines() == copy.text.splitlines()
        subject = str(mail["Subject"])
        code = "BACK10" if subject == "Your jacket misses you" else subject.upper().replace(" ", "")
        assert mail["Subject"] == copy.subject and f"code {code}" in copy.text
        said[subject] = said.get(subject, 0) + 1
    return said


def test_what_was_claimed_with_the_old_text_leaves_once_with_the_new_one(
    running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    first, *others = make_bids(running, "w", now)
    write([], [first])
    old = Variant.objects.get()

    change_text(running, cast, "New jackets", now)
    marks = write([Settlement(first.intent.message.id, "w", "accepted", "ok")], others).marks

    assert {mark.is_replaced for mark in marks.values()} == {True}
    assert states(running) == {"accepted": 1, "queued": 2}
    assert not Message.objects.filter(status="queued").exclude(claimed_by="", lease_until=None, attempts=0).exists()
    with ScriptedSmtpServer() as server:
        sweep(server)
        sweep(server)
    assert len(server.message_ids()) == len(set(server.message_ids())) == 2
    assert states(running) == {"accepted": 3}
    assert set(Message.objects.filter(variant=old).values_list("pk", flat=True)) == {first.intent.message.id}
    assert dict(Message.objects.exclude(variant=old).values_list("variant__subject", "status")) == {
        "New jackets": "accepted"
    }


def test_what_left_before_can_be_replayed_for_ever(
    running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    late = Message.objects.latest("pk")
    Message.objects.filter(pk=late.pk).update(not_before=now + dt.timedelta(hours=1))
    with ScriptedSmtpServer() as server:
        sweep(server)
        change_text(running, cast, "New jackets", now)
        Message.objects.filter(pk=late.pk).update(not_before=None)
        sweep(server)

    assert check_replay(server) == {"Your jacket misses you": 2, "New jackets": 1}
    counts = {row.variant.subject: (row.people, row.handed_over) for row in count_texts(running, as_of=now)}
    assert counts == {"Your jacket misses you": (2, 2), "New jackets": (1, 1)}, "old and new are told apart"


def test_a_try_that_certainly_sent_nothing_goes_again_with_the_new_text(
    running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    with ScriptedSmtpServer(At.RCPT, Fault.TEMPORARY, times=None) as server:
        sweep(server)
    assert states(running) == {"retry_wait": 3}
    change_text(running, cast, "New jackets", now)
    Message.objects.update(not_before=now - dt.timedelta(minutes=1))

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert check_replay(server) == {"New jackets": 3}
    assert set(Message.objects.values_list("attempts", flat=True)) == {2}


def test_one_that_may_have_left_with_the_old_text_is_not_repeated_with_the_new(
    running: Campaign, cast: Cast, now: dt.datetime
) -> None:
    """At a provider that knows the key of its first try, which would take the second for the same mail."""
    route = Route("esp", key_window_s=3600)
    doubtful, *_others = make_bids(running, "w", now)
    write([], [doubtful])
    outbox.release_claims("w")
    row = Message.objects.filter(pk=doubtful.intent.message.id)
    row.update(status="queued", in_doubt_since=now, claimed_by="", route="esp")
    change_text(running, cast, "New jackets", now)

    claimed = outbox.claim_batch("v", campaign_id=running.pk, size=9, route=route)
    batch = prepare_batch(running, claimed, now=now)
    (message,) = [one for one in claimed if one.is_in_doubt]
    with pytest.raises(Unsendable) as refused:
        make_copy(batch, message)
    outbox.skip_claimed("v", message.id, reason=refused.value.reason, response=str(refused.value))

    assert row.values_list("status", "skip_reason", "variant_id").get() == ("unknown", "", doubtful.intent.variant_id)
    assert {make_copy(batch, one).envelope.letter.subject for one in claimed if one is not message} == {"New jackets"}


def check_replay_of(server: ScriptedSmtpServer) -> set[str]:
    return {str(message_from_bytes(content, policy=policy.default)["Subject"]) for content in server.taken}


def test_a_message_queued_with_a_text_newer_than_those_in_hand(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=9)
    before = prepare_batch(running, claimed, now=now).texts
    change_text(running, cast, "New jackets", now)
    outbox.release_claims("w")
    Message.objects.update(variant=Variant.objects.get())

    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=9)
    assert not before.know(claimed)
    fresh = prepare_batch(running, claimed, now=now)
    assert fresh.texts.know(claimed) and make_copy(fresh, claimed[0]).envelope.letter.subject == "New jackets"


def test_a_dead_worker_between_two_texts(running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime) -> None:
    """It held claims for the old text and one message under way: what is not known stays so, the others get the new one."""
    first, *_others = make_bids(running, "w", now)
    write([], [first])
    change_text(running, cast, "New jackets", now)
    Message.objects.update(lease_until=now - dt.timedelta(hours=1))
    reaper.reap_stuck_messages()

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert states(running) == {"unknown": 1, "accepted": 2}
    assert check_replay_of(server) == {"New jackets"}


class TurnstileServer(ScriptedSmtpServer):
    """Takes as many messages as it was told to let through; the others wait with their final dot."""

    def __enter__(self) -> TurnstileServer:
        self.turns = threading.Semaphore(0)
        super().__enter__()
        return self

    def strikes(self, phase: At) -> Fault | None:
        if phase is At.DOT:
            assert self.turns.acquire(timeout=PATIENCE_S)
        return super().strikes(phase)

    def let_through(self, more: int, total: int) -> None:
        self.turns.release(more)
        end = time.monotonic() + PATIENCE_S
        while len(self.taken) < total:
            assert time.monotonic() < end, f"{len(self.taken)} of {total} taken"
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_two_changes_in_mid_send_over_four_connections() -> None:
    now, cast, people = timezone.now(), arrange.make_cast(), 60
    customers = arrange.make_customers(people, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, customers, send_at=now, now=now), cast, now=now)

    def send() -> None:
        try:
            send_waiting_messages(
                seconds=PATIENCE_S, connections=4,
                open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, PATIENCE_S)),
            )  # fmt: skip
        finally:
            connection.close()

    with TurnstileServer() as server:
        sender = threading.Thread(target=send)
        sender.start()
        server.let_through(15, 15)
        change_text(campaign, cast, "New jackets", now)
        server.let_through(20, 35)
        change_text(campaign, cast, "Newer jackets", now)
        server.let_through(people, people)
        sender.join(PATIENCE_S)
        assert not sender.is_alive()

    assert len(server.message_ids()) == len(set(server.message_ids())) == people
    assert states(campaign) == {"accepted": people}
    said = check_replay(server)
    assert sum(said.values()) == people and set(said) == {"Your jacket misses you", "New jackets", "Newer jackets"}
    # At each change at most four were on their way with the text of before.
    assert 15 <= said["Your jacket misses you"] <= 19 and said["Newer jackets"] >= people - 35 - 4


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_puts_it_in_force() -> None:
    now, cast = timezone.now(), arrange.make_cast()
    campaign = arrange.start(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)
    change = preparing.open_change(cast.marketer, campaign, now=now)
    preparing.stage_text(cast.marketer, change, Variant.objects.get(), {"subject": "New jackets"}, now=now)
    deciding.submit_change(cast.marketer, change, now=now)
    own = [StagedChange.objects.select_related("campaign").get(pk=change.pk) for _number in range(5)]

    results = do_at_once(*[partial(deciding.approve_change, cast.approver, mine, now=now) for mine in own])

    assert sum(isinstance(result, StagedChange) for result in results) == 1
    assert sum(isinstance(result, TransitionConflict) for result in results) == 4
    assert Variant.everything.count() == 2 and Variant.objects.get().subject == "New jackets"

"""What may be retried is queued again by a person; what may have been sent never is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from campaigns.approval.policy import NotReady
from campaigns.approval.staging import deciding, preparing
from campaigns.delivery import scheduler
from campaigns.delivery.outbox import MAX_ATTEMPTS
from campaigns.delivery.progression import advance_entries
from campaigns.delivery.retrying import count_failures, count_retriable, retry_messages
from campaigns.models import Campaign, Message, Variant
from customers.ingest.consent import record_consent, suppress_address, withdraw_consent
from customers.models import AuditEntry, ConsentRecord
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, start_on, states


@pytest.fixture
def smtp() -> Iterator[ScriptedSmtpServer]:
    with ScriptedSmtpServer() as server:
        yield server


def fail(message: Message, response: str, *, attempts: int = MAX_ATTEMPTS, now: dt.datetime) -> None:
    Message.objects.filter(pk=message.pk).update(
        status="failed", response=response, attempts=attempts, sending_at=now, settled_at=now
    )


def three(campaign: Campaign) -> list[Message]:
    return list(Message.objects.filter(campaign=campaign).order_by("pk"))


def test_a_temporary_refusal_that_used_up_its_tries_gets_one_more(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    first, second, third = three(running)
    fail(first, "rcpt: 450 try later", now=now)
    fail(second, "rcpt: 550 no such user", now=now)
    fail(third, "rcpt: 451 greylisted", attempts=2, now=now)

    assert count_retriable(running, now=now).failed == 1
    assert retry_messages(cast.marketer, running, kind="failed", now=now) == 1
    sweep(smtp)

    first.refresh_from_db()
    assert (first.status, first.attempts) == ("accepted", MAX_ATTEMPTS + 1)
    assert states(running) == {"accepted": 1, "failed": 2}
    entry = AuditEntry.objects.get(action="messages_retried")
    assert entry.details == {"kind": "failed", "messages": 1}


@pytest.mark.parametrize(("response", "number"), [("dot: 503 busy", 1), ("dot: 429 slower", 1), ("dot: 400 no", 0)])
def test_over_http_other_answers_are_for_good(running: Campaign, now: dt.datetime, response: str, number: int) -> None:
    message = three(running)[0]
    fail(message, response, now=now)
    Message.objects.filter(pk=message.pk).update(route="resend/1a2b3c4d")
    assert count_retriable(running, now=now).failed == number


def test_what_is_asked_is_about_the_messages_own_channel(cast: Cast, now: dt.datetime) -> None:
    campaign = start_on("sms", cast, now=now)  # none of its people ever agreed to e-mail
    Message.objects.update(status="skipped", skip_reason="no_consent", settled_at=now)
    first, second, _third = three(campaign)
    withdraw_consent(first.customer, source="page", channel="sms", now=now)
    record_consent(first.customer, source="checkout", now=now)
    assert count_retriable(campaign, now=now).skipped == {"no_consent": 2}
    suppress_address(second.customer.phone, reason="unsubscribed", channel="sms")
    assert count_retriable(campaign, now=now).skipped == {"no_consent": 1}


def test_what_would_be_sent_is_the_text_that_took_the_place_of_an_untrue_one(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    gone = {"why": "product", "sku": "GONE", "low": 1, "high": None, "price": None, "currency": None}
    Variant.objects.update(stands_on={"products": [gone]})
    sweep(smtp)
    assert states(running) == {"skipped": 3} and count_retriable(running, now=now).total == 0
    change = preparing.open_change(cast.marketer, running, now=now)
    words = {"opening": "The wind is back in Leith, and so are the coats."}
    preparing.stage_text(cast.marketer, change, Variant.objects.get(), words, now=now)
    deciding.submit_change(cast.marketer, change, now=now)
    deciding.approve_change(cast.approver, change, now=now)

    assert count_retriable(running, now=now).skipped == {"product_changed": 3}
    retry_messages(cast.marketer, running, kind="skipped", now=now)
    sweep(smtp)
    assert states(running) == {"accepted": 3}


def test_a_further_step_may_be_tried_again_in_its_own_window(cast: Cast, now: dt.datetime) -> None:
    campaign = arrange.make_campaign(cast.marketer, name="Two steps", send_at=now, now=now)
    arrange.add_step(campaign, cast.marketer, now=now, wait_hours=72)
    arrange.start(campaign, cast, now=now)
    Message.objects.filter(campaign=campaign).update(status="accepted", sending_at=now)
    later = now + dt.timedelta(hours=73)
    advance_entries(later)
    first, second, _third = Message.objects.filter(campaign=campaign, step=2).order_by("pk")
    fail(first, "rcpt: 450 later", now=later)
    Message.objects.filter(pk=second.pk).update(status="skipped", skip_reason="open_complaint", settled_at=later)
    fail(three(campaign)[0], "rcpt: 450 later", now=now)  # of the first step, whose window is over

    found = count_retriable(campaign, now=later)
    assert (found.failed, found.skipped) == (1, {"open_complaint": 1})
    assert retry_messages(cast.marketer, campaign, kind="failed", now=later) == 1
    assert count_retriable(campaign, now=later + dt.timedelta(hours=24)).total == 0


@pytest.mark.parametrize("state", ["unknown", "sending", "accepted", "bounced", "delivered"])
def test_what_may_have_been_sent_is_never_queued_again(
    running: Campaign, cast: Cast, now: dt.datetime, state: str
) -> None:
    Message.objects.update(status=state, attempts=MAX_ATTEMPTS, response="dot: 450 later", sending_at=now)

    for kind in ("failed", "skipped"):
        with pytest.raises(NotReady):
            retry_messages(cast.marketer, running, kind=kind, now=now)
    assert states(running) == {state: 3}


def test_nor_one_of_which_a_try_is_in_doubt(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    Message.objects.update(
        status="failed", attempts=MAX_ATTEMPTS, response="connect: 450 later", in_doubt_since=now, sending_at=now
    )
    with pytest.raises(NotReady):
        retry_messages(cast.marketer, running, kind="failed", now=now)


def test_a_reason_that_has_gone_lets_the_message_out_and_one_that_holds_does_not(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    first, second, _third = three(running)
    for message in (first, second):
        withdraw_consent(message.customer, source="page", now=now)
    sweep(smtp)
    assert states(running) == {"skipped": 2, "accepted": 1}
    with pytest.raises(NotReady):
        retry_messages(cast.marketer, running, kind="skipped", now=now)

    ConsentRecord.objects.create(
        customer=first.customer, status="given", legal_basis="consent", source="checkout", proof={"form": "checkout"},
        recorded_at=now + dt.timedelta(seconds=1),
    )  # fmt: skip
    assert count_retriable(running, now=now).skipped == {"no_consent": 1}
    retry_messages(cast.marketer, running, kind="skipped", now=now)
    sweep(smtp)

    assert states(running) == {"skipped": 1, "accepted": 2}


def test_a_campaign_that_was_through_goes_on(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    first, *_others = three(running)
    fail(first, "connect: 421 busy", now=now)
    sweep(smtp)
    assert scheduler.finish_campaigns(now) == 1

    retry_messages(cast.marketer, running, kind="failed", now=now)

    running.refresh_from_db()
    assert running.status == "sending"
    sweep(smtp)
    assert scheduler.finish_campaigns(now) == 1 and states(running) == {"accepted": 3}


def test_one_that_is_tried_again_while_it_is_about_to_end_does_not_end(
    running: Campaign, cast: Cast, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Message.objects.update(status="accepted", sending_at=now)
    fail(three(running)[0], "connect: 421 busy", now=now)

    def try_again(_campaign: int) -> None:
        retry_messages(cast.marketer, running, kind="failed", now=now)

    monkeypatch.setattr(scheduler, "record_missing_sent_events", try_again)
    assert scheduler.finish_campaigns(now) == 0
    running.refresh_from_db()
    assert running.status == "sending"


def test_nothing_is_tried_again_after_the_window_or_of_a_cancelled_campaign(
    running: Campaign, cast: Cast, now: dt.datetime
) -> None:
    fail(three(running)[0], "rcpt: 450 later", now=now)
    late = now + dt.timedelta(hours=25)
    assert count_retriable(running, now=late).total == 0
    with pytest.raises(NotReady):
        retry_messages(cast.marketer, running, kind="failed", now=late)
    Campaign.objects.update(status="cancelled")
    with pytest.raises(Exception, match="cancelled"):
        retry_messages(cast.marketer, running, kind="failed", now=now)


def test_a_second_press_finds_nothing(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    fail(three(running)[0], "rcpt: 450 later", now=now)
    retry_messages(cast.marketer, running, kind="failed", now=now)
    with pytest.raises(NotReady):
        retry_messages(cast.marketer, running, kind="failed", now=now)


def test_failures_are_told_by_their_answer_without_its_words(running: Campaign, now: dt.datetime) -> None:
    first, second, third = three(running)
    fail(first, "rcpt: 550 no such user kim", now=now)
    fail(second, "rcpt: 550 unknown mailbox", now=now)
    fail(third, "connect: the name does not resolve", now=now)
    assert count_failures(running) == [("rcpt: 550", 2), ("connect", 1)]


def test_the_page_and_the_api_offer_it_to_who_may(
    outsider: User, analyst: User, running: Campaign, cast: Cast, now: dt.datetime, client: Client, settings: Settings
) -> None:
    first, second, _third = three(running)
    fail(first, "rcpt: 450 later", now=now)
    fail(second, "rcpt: 450 later", now=now)
    live = reverse("campaigns:live", args=[running.pk])
    client.force_login(analyst)
    assert "May be tried again" not in client.get(live).text
    assert client.post(reverse("campaigns:retries", args=[running.pk]), {"kind": "failed"}).status_code == 403
    with pytest.raises(PermissionDenied):
        retry_messages(outsider, running, kind="failed", now=now)

    client.force_login(cast.marketer)
    page = client.get(live).text
    assert "May be tried again" in page and "rcpt: 450" in page
    done = client.post(reverse("campaigns:retries", args=[running.pk]), {"kind": "failed"}, follow=True)
    assert "Queued again." in done.text
    api = f"/api/v1/campaigns/{running.pk}/retries/"
    assert client.post(api, {"kind": "unknown"}, content_type="application/json").status_code == 400
    fail(first, "rcpt: 450 later", now=now)
    assert client.post(api, {"kind": "failed"}, content_type="application/json").status_code == 200
    assert states(running) == {"queued": 3}

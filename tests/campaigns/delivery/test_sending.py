"""From the outbox to the wire: who gets the message, who is passed over and why, and that what left can be replayed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from django.test import Client
from pytest_django import Settings

from campaigns.approval import workflow
from campaigns.approval.hashing import hash_messages
from campaigns.content.rendering import load_source, render_message, source_hash
from campaigns.delivery import control, outbox, reaper, scheduler, unsubscribe
from campaigns.delivery.marking import write_outcomes_and_marks
from campaigns.delivery.mime import hash_body
from campaigns.delivery.names import derive_message_id
from campaigns.delivery.progress import read_progress
from campaigns.models import Approval, Campaign, CampaignStatus, Message, Offer, Variant
from customers.ingest.consent import record_consent, suppress_address, withdraw_consent
from customers.ingest.recorder import NewEvent, record_events
from customers.models import ConsentRecord, Customer, CustomerEvent, EventKind
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states


def test_everybody_treated_gets_one_message_and_the_campaign_is_sent(
    running: Campaign, sweep: Sweep, now: dt.datetime
) -> None:
    with ScriptedSmtpServer() as server:
        run = sweep(server)
        again = sweep(server)

    assert run.counts == {"accepted": 3} and again.counts == {}
    assert sorted(server.recipients) == ["c0@shopper.test", "c1@shopper.test", "c2@shopper.test"]
    assert len(set(server.message_ids())) == 3 and server.connections == 1
    assert scheduler.finish_campaigns(now) == 1 and scheduler.finish_campaigns(now) == 0
    running.refresh_from_db()
    assert running.status == CampaignStatus.SENT and running.sending_finished_at == now


def test_what_was_sent_can_be_replayed_from_the_row(running: Campaign, sweep: Sweep) -> None:
    with ScriptedSmtpServer() as server:
        sweep(server)

    for message in Message.objects.select_related("variant"):
        rendered = render_message(load_source(message.variant), message.slots)
        assert hash_body(rendered) == message.body_hash
        wire = next(content for content in server.taken if message.message_id.encode() in content)
        text = message_from_bytes(wire, policy=policy.default).get_body(("plain",))
        assert text is not None and text.get_content().splitlines() == rendered.text.splitlines()
        assert message.attempts == 1 and message.response.startswith("dot: 250") and message.settled_at is not None


def test_sent_messages_become_events_once(running: Campaign, sweep: Sweep, now: dt.datetime) -> None:
    with ScriptedSmtpServer() as server:
        sweep(server)
    CustomerEvent.objects.filter(
        external_id=f"sent:{Message.objects.latest('pk').pk}"
    ).delete()  # as a killed worker would

    scheduler.finish_campaigns(now)

    events = CustomerEvent.objects.filter(kind=EventKind.EMAIL_SENT)
    assert events.count() == 3
    assert {event.properties["campaign"] for event in events} == {running.pk}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c, now: withdraw_consent(c, source="page", now=now), "no_consent"),
        (lambda c, now: suppress_address(c.email.upper(), reason="complained"), "suppressed"),
        (lambda c, now: Customer.objects.filter(pk=c.pk).update(email=""), "no_address"),
        (lambda c, now: Customer.objects.filter(pk=c.pk).update(email="two words@x.test"), "no_address"),
        (
            lambda c, now: record_events(
                [NewEvent(c.pk, EventKind.COMPLAINT_OPENED, now - dt.timedelta(minutes=1), "t1")], source="shop"
            ),
            "open_complaint",
        ),
        (
            lambda c, now: record_events(
                [
                    NewEvent(
                        c.pk, EventKind.COMPLAINT_OPENED, now - dt.timedelta(minutes=1), "t1", {"because": "sentiment"}
                    )
                ],
                source="support",
            ),
            "very_unhappy",
        ),
        (lambda c, now: record_consent(c, source="import", now=now, is_test=True), "test_only"),
    ],
)
def test_who_said_no_after_the_freeze_is_passed_over(
    running: Campaign, sweep: Sweep, now: dt.datetime, change: object, reason: str
) -> None:
    customer = Customer.objects.get(external_id="c1")
    change(customer, now)  # type: ignore[operator]

    with ScriptedSmtpServer() as server:
        sweep(server)

    row = Message.objects.get(customer=customer)
    assert (row.status, row.skip_reason) == ("skipped", reason)
    assert row.sending_at is None and row.slots == {}
    assert sorted(server.recipients) == ["c0@shopper.test", "c2@shopper.test"]


def test_an_offer_that_ended_meanwhile_goes_to_nobody(running: Campaign, sweep: Sweep, now: dt.datetime) -> None:
    over = now.date() - dt.timedelta(days=2)
    Offer.objects.filter(campaign=running).update(valid_from=over, valid_until=over)
    Approval.objects.filter(campaign=running, part="messages").update(part_hash=hash_messages(running))

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert states(running) == {"skipped": 3} and server.taken == []
    assert set(Message.objects.values_list("skip_reason", flat=True)) == {"offer_over"}


def test_the_cap_counts_messages_of_other_campaigns(
    cast: Cast, sweep: Sweep, now: dt.datetime, settings: object
) -> None:
    settings.FREQUENCY_CAP_MESSAGES = 1  # type: ignore[attr-defined]
    people = arrange.make_customers(2, now=now)
    for name, audience in (("first", people[:1]), ("second", people)):
        draft = arrange.make_campaign(cast.marketer, audience, name=name, send_at=now, now=now)
        arrange.start(draft, cast, now=now)

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert sorted(server.recipients) == ["c0@shopper.test", "c1@shopper.test"]
    skipped = Message.objects.get(status="skipped")
    assert (skipped.skip_reason, skipped.customer.external_id, skipped.campaign.name) == ("capped", "c0", "second")


def test_a_poison_row_parks_itself_alone(running: Campaign, sweep: Sweep) -> None:
    poisoned = Customer.objects.get(external_id="c1")
    good = Variant.objects.get(archetype__campaign=running)
    Customer.objects.filter(pk=poisoned.pk).update(email="c1@" + "x" * 70 + ".test")  # a label no IDNA codec takes

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert states(running) == {"accepted": 2, "skipped": 1}
    assert Message.objects.get(status="skipped").variant == good


def test_copies_that_cannot_be_made_pause_the_campaign_before_everybody_is_skipped(
    cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    draft = arrange.make_campaign(cast.marketer, arrange.make_customers(9, now=now), send_at=now, now=now)
    campaign = arrange.start(draft, cast, now=now)
    text = Variant.objects.get(archetype__campaign=draft)
    broken = replace(load_source(text), text="{{ first_name | nosuchfilter }}")
    Variant.objects.update(source=text.source | {"text": broken.text}, content_hash=source_hash(broken))
    Approval.objects.filter(part="messages").update(part_hash=hash_messages(campaign))

    with ScriptedSmtpServer() as server:
        sweep(server)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED and "could not be made" in campaign.status_reason
    assert states(campaign) == {"skipped": 3, "queued": 6} and server.taken == []


def test_a_text_changed_behind_the_approval_pauses_the_campaign(running: Campaign, sweep: Sweep) -> None:
    Variant.objects.filter(archetype__campaign=running).update(subject="80 % off everything")

    with ScriptedSmtpServer() as server:
        sweep(server)

    running.refresh_from_db()
    assert server.taken == [] and states(running) == {"queued": 3}
    assert running.status == CampaignStatus.PAUSED and "approved" in running.status_reason


def test_a_source_changed_behind_the_approval_pauses_the_campaign(running: Campaign, sweep: Sweep) -> None:
    variant = Variant.objects.get(archetype__campaign=running)
    Variant.objects.update(source=variant.source | {"text": "Everything is free."})

    with ScriptedSmtpServer() as server:
        sweep(server)

    running.refresh_from_db()
    assert server.taken == [] and running.status == CampaignStatus.PAUSED


def test_a_voided_approval_stops_it(running: Campaign, sweep: Sweep, now: dt.datetime) -> None:
    Approval.objects.filter(part="audience").update(voided_at=now)

    with ScriptedSmtpServer() as server:
        sweep(server)

    running.refresh_from_db()
    assert server.taken == [] and running.status == CampaignStatus.PAUSED
    assert states(running) == {"queued": 3}


def test_after_the_window_nothing_more_is_sent(cast: Cast, sweep: Sweep, now: dt.datetime) -> None:
    start = now - dt.timedelta(hours=25)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, send_at=start, now=start), cast, now=start)

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert server.taken == []
    assert set(Message.objects.values_list("status", "skip_reason")) == {("skipped", "window_closed")}
    assert scheduler.finish_campaigns(now) == 1
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENT


def test_pause_stops_and_resume_goes_on_exactly_there(
    running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime
) -> None:
    with ScriptedSmtpServer() as server:
        control.pause_campaign(cast.marketer, running, reason="Wait", now=now)
        assert sweep(server).counts == {}
        control.resume_campaign(cast.approver, running, now=now)
        sweep(server)
    assert len(server.message_ids()) == len(set(server.message_ids())) == 3


def test_a_claim_is_given_back_after_its_lease_and_sent_once(running: Campaign, sweep: Sweep) -> None:
    claimed = outbox.claim_batch("dead", campaign_id=running.pk, size=2)
    assert len(claimed) == 2 and outbox.claim_batch("other", campaign_id=running.pk, size=9)[0].id not in {
        message.id for message in claimed
    }
    outbox.release_claims("other")
    Message.objects.filter(claimed_by="dead").update(lease_until=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    assert reaper.reap_stuck_messages() == reaper.ReapedCounts(requeued=2, retried=0, unknown=0)
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert states(running) == {"accepted": 3} and len(set(server.message_ids())) == 3


def test_a_message_whose_worker_died_on_the_way_is_never_sent_again(running: Campaign, sweep: Sweep) -> None:
    (claimed,) = outbox.claim_batch("dead", campaign_id=running.pk, size=1)
    Message.objects.filter(pk=claimed.id).update(status="sending", lease_until=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    assert reaper.reap_stuck_messages().unknown == 1
    with ScriptedSmtpServer() as server:
        sweep(server)
        sweep(server)

    assert states(running) == {"accepted": 2, "unknown": 1} and len(server.taken) == 2


def test_message_ids_come_from_the_row_alone(running: Campaign) -> None:
    first = derive_message_id(1, 1, 2, domain="fernweh.test")
    assert first == derive_message_id(1, 1, 2, domain="fernweh.test")
    assert first != derive_message_id(1, 1, 3, domain="fernweh.test")
    assert re.fullmatch(r"<1\.1\.2\.[0-9a-f]{20}@fernweh\.test>", first)


def test_unsubscribing_in_mid_send_is_honoured_at_once(running: Campaign, sweep: Sweep, client: Client) -> None:
    row = Message.objects.get(customer__external_id="c2")
    client.post(f"/u/{unsubscribe.make_token(row.pk, row.customer_id)}/", {"List-Unsubscribe": "One-Click"})

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert "c2@shopper.test" not in server.recipients
    assert ConsentRecord.objects.filter(customer=row.customer).latest("pk").status == "withdrawn"


def test_cancelled_campaigns_send_nothing_more(running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=1)
    workflow.cancel_campaign(cast.approver, running, reason="Wrong shop", now=now)

    with ScriptedSmtpServer() as server:
        sweep(server)

    assert server.taken == [] and states(running) == {"skipped": 3}
    assert outbox.release_claims("w") == 0 and len(claimed) == 1


@pytest.mark.parametrize("is_doubtful", [False, True])
def test_what_was_on_its_way_when_it_was_cancelled_does_not_wait_for_ever(
    running: Campaign, cast: Cast, sweep: Sweep, now: dt.datetime, is_doubtful: bool
) -> None:
    (claimed,) = outbox.claim_batch("w", campaign_id=running.pk, size=1)
    Message.objects.filter(pk=claimed.id).update(status="sending", sending_at=now, attempts=1)
    workflow.cancel_campaign(cast.approver, running, reason="Wrong shop", now=now)
    refused = outbox.Settlement(claimed.id, "w", "retry_wait", "rcpt: 450 later", 60.0, in_doubt=is_doubtful)
    write_outcomes_and_marks([refused], [])
    assert states(running) == {"skipped": 2, "retry_wait": 1}

    reaper.reap_stuck_messages()

    assert states(running) == ({"skipped": 2, "unknown": 1} if is_doubtful else {"skipped": 3})


def test_progress_counts_every_message(running: Campaign, sweep: Sweep) -> None:
    before = read_progress(running)
    assert (before.total, before.open, before.done, before.remaining) == (3, 3, 0, None)
    with ScriptedSmtpServer() as server:
        sweep(server)
    after = read_progress(running)
    assert (after.open, after.done, after.total) == (0, 3, 3)
    assert after.per_second > 0 and after.by_status == {"accepted": 3}


def test_the_page_of_a_caught_copy_leads_to_its_unsubscribe_page_and_that_of_a_real_one_does_not(
    client: Client, running: Campaign, cast: Cast, sweep: Sweep, settings: Settings
) -> None:
    with ScriptedSmtpServer() as server:
        sweep(server)
    message = Message.objects.filter(status="accepted").first()
    assert message is not None
    page = unsubscribe.unsubscribe_url(message.pk, message.customer_id).removeprefix(settings.SITE_URL)
    client.force_login(cast.marketer)
    shown = []
    for settings.USES_MAIL_CATCHER in (True, False):
        shown.append(f'href="{page}"' in client.get(f"/outbox/{message.pk}/").content.decode())
    assert shown == [True, False]

"""A live campaign goes on until it ends: pause, resume, expiry, renewal, what waits, and what no longer may be sent."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from campaigns.approval import workflow
from campaigns.approval.hashing import part_hashes
from campaigns.approval.policy import NotReady
from campaigns.approval.renewing import renew_approval
from campaigns.audience.holdout import draws_holdout
from campaigns.delivery import control
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.delivery.scheduler import finish_campaigns
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Approval, Campaign, Entry, Message, Occurrence, Offer, TransitionConflict
from customers.models import ConsentRecord, Segment
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .live import MONDAY, make_live, make_people, make_recurring, make_triggered, start

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
DAILY = {"every": "day", "at": "09:00"}
WHO_IS_THERE = {"on": "segment", "includes_present": True}


@pytest.fixture
def daily(cast: Cast) -> Campaign:
    make_people(20, now=MONDAY)
    return start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)


def test_an_empty_outbox_does_not_finish_it(daily: Campaign) -> None:
    let_people_in(MONDAY + HOUR)
    Message.objects.update(status="accepted", sending_at=MONDAY)
    assert finish_campaigns(MONDAY + HOUR) == 0
    Campaign.objects.update(live_until=MONDAY + DAY)
    assert finish_campaigns(MONDAY + DAY) == 1
    assert let_people_in(MONDAY + DAY + HOUR).entered == 0


def test_ended_by_hand_what_waits_goes_or_is_dropped(daily: Campaign, cast: Cast) -> None:
    let_people_in(MONDAY + HOUR)
    control.end_campaign(cast.marketer, daily, now=MONDAY + 2 * HOUR)
    with pytest.raises(TransitionConflict):
        control.end_campaign(cast.marketer, daily, now=MONDAY + 2 * HOUR)
    assert let_people_in(MONDAY + DAY + HOUR).entered == 0
    assert finish_campaigns(MONDAY + DAY) == 0 and Message.objects.filter(status="queued").exists()
    Message.objects.update(status="accepted", sending_at=MONDAY)
    assert finish_campaigns(MONDAY + DAY) == 1

    other = start(make_live(cast, now=MONDAY, kind="recurring", recurrence=DAILY), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    control.end_campaign(cast.marketer, other, now=MONDAY + 2 * HOUR, drops_waiting=True)
    assert other.status == "sent"
    assert set(other.messages.values_list("status", "skip_reason")) == {("skipped", "cancelled")}


def test_who_may_not_control_sending_may_not_end_it(daily: Campaign, analyst: User) -> None:
    with pytest.raises(PermissionDenied):
        control.end_campaign(analyst, daily, now=MONDAY)


def test_a_pause_stops_entering_and_what_is_older_than_the_window_stays_out(daily: Campaign, cast: Cast) -> None:
    let_people_in(MONDAY + HOUR)
    control.pause_campaign(cast.marketer, daily, reason="", now=MONDAY + 2 * HOUR)
    assert let_people_in(MONDAY + DAY + HOUR).entered == 0
    control.resume_campaign(cast.marketer, daily, now=MONDAY + 2 * DAY + HOUR)
    assert let_people_in(MONDAY + 2 * DAY + HOUR).entered == 20
    outcomes = list(Occurrence.objects.order_by("due_at").values_list("outcome", flat=True))
    assert outcomes == ["entered", "missed", "entered"]


def test_the_pause_may_be_left_out_altogether(daily: Campaign, cast: Cast) -> None:
    control.pause_campaign(cast.marketer, daily, reason="", now=MONDAY)
    control.resume_campaign(cast.marketer, daily, now=MONDAY + DAY + HOUR, leaves_out_pause=True)
    assert let_people_in(MONDAY + DAY + HOUR).entered == 0
    assert Occurrence.objects.filter(outcome="missed").count() == 2
    assert let_people_in(MONDAY + 2 * DAY + HOUR).entered == 20


def test_who_came_during_a_long_pause_is_noted_and_not_written_to(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    campaign = start(make_triggered(cast, now=MONDAY, trigger={"on": "segment"}), cast, now=MONDAY)
    control.pause_campaign(cast.marketer, campaign, reason="", now=MONDAY)
    make_people(5, now=MONDAY, prefix="q")
    control.resume_campaign(cast.marketer, campaign, now=MONDAY + 2 * DAY)
    assert let_people_in(MONDAY + 2 * DAY).entered == 0
    make_people(2, now=MONDAY, prefix="r")
    assert let_people_in(MONDAY + 2 * DAY + HOUR).entered == 2


def test_an_approval_that_is_over_pauses_it_until_a_second_person_renews_it(daily: Campaign, cast: Cast) -> None:
    late = MONDAY + 200 * DAY
    assert control.pause_outlived(MONDAY + DAY) == 0
    assert control.pause_outlived(late) == 1 and control.pause_outlived(late) == 0
    daily.refresh_from_db()
    assert daily.status == "paused" and "renew" in daily.status_reason
    with pytest.raises(NotReady):
        control.resume_campaign(cast.marketer, daily, now=late)
    with pytest.raises(PermissionDenied):
        renew_approval(cast.marketer, daily, now=late)
    renew_approval(cast.approver, daily, now=late)
    assert Approval.objects.filter(campaign=daily, voided_at=None, approved_at=late).count() == 4
    control.resume_campaign(cast.marketer, daily, now=late)
    assert daily.status == "sending"


def test_a_later_rule_of_the_segment_is_none_of_it_and_keeps_nobody_from_renewing(daily: Campaign, cast: Cast) -> None:
    Segment.objects.update(rule={"field": "country", "op": "is", "value": "Atlantis"})
    assert let_people_in(MONDAY + HOUR).entered == 20
    renew_approval(cast.approver, daily, now=MONDAY + HOUR)


def test_what_changed_since_cannot_be_renewed(daily: Campaign, cast: Cast) -> None:
    Offer.objects.update(url="https://fernweh.test/tents")
    with pytest.raises(TransitionConflict):
        renew_approval(cast.approver, daily, now=MONDAY + HOUR)


def test_a_broken_campaign_stops_no_other_and_says_so(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    broken = start(make_triggered(cast, now=MONDAY, trigger={"on": "segment"}), cast, now=MONDAY)
    whole = start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)
    Campaign.objects.filter(pk=broken.pk).update(trigger={"on": "moon"})
    counts = let_people_in(MONDAY + HOUR)
    assert (counts.paused, counts.entered) == (1, 20) and whole.entries.count() == 20
    broken.refresh_from_db()
    assert broken.status == "paused" and "moon" in broken.status_reason


def test_cancelling_lets_everybody_go(daily: Campaign, cast: Cast) -> None:
    let_people_in(MONDAY + HOUR)
    Entry.objects.update(exited_at=None, exit_reason="", next_step=2, next_at=MONDAY + DAY)
    workflow.cancel_campaign(cast.marketer, daily, now=MONDAY + 2 * HOUR)
    assert set(Entry.objects.values_list("exit_reason", "next_at")) == {("ended", None)}


def test_new_parts_are_in_the_hashes_only_of_live_campaigns(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    once = make_live(cast, now=MONDAY)
    before = part_hashes(once)
    Campaign.objects.filter(pk=once.pk).update(trigger={"on": "segment"}, re_entry_days=3, live_until=MONDAY)
    assert part_hashes(once) == before
    Campaign.objects.filter(pk=once.pk).update(kind="triggered")
    live = part_hashes(once)
    assert {part for part in live if live[part] != before[part]} == {"audience", "timing"}
    Campaign.objects.filter(pk=once.pk).update(re_entry_days=4)
    assert part_hashes(once)["audience"] != live["audience"]


def test_the_holdout_share_holds_over_ten_thousand_entrants(cast: Cast) -> None:
    make_people(10_000, now=MONDAY)
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=DAILY, holdout_share=0.1), cast, now=MONDAY)
    counts = let_people_in(MONDAY + HOUR)
    held = set(Entry.objects.filter(arm="holdout").values_list("customer_id", flat=True))
    everybody = Entry.objects.values_list("customer_id", flat=True)
    assert counts.entered == 10_000 and counts.queued == 10_000 - len(held)
    assert held == {person for person in everybody if draws_holdout(campaign.holdout_seed, person, 0.1)}
    assert abs(len(held) - 1_000) < 4 * 30  # four standard deviations


def test_who_unsubscribes_between_entry_and_sending_gets_nothing(cast: Cast) -> None:
    now = timezone.now()
    make_people(20, now=now)
    start(make_triggered(cast, now=now, trigger=WHO_IS_THERE), cast, now=now)
    let_people_in(timezone.now())
    person = Message.objects.filter(status="queued").order_by("pk").values_list("customer_id", flat=True)[0]
    ConsentRecord.objects.create(
        customer_id=person, channel="email", status="withdrawn", legal_basis="consent", source="page", recorded_at=now
    )
    with ScriptedSmtpServer() as server:
        send_waiting_messages(
            seconds=30, connections=1, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 5))
        )
    assert Message.objects.get(customer=person).skip_reason == "no_consent"
    others = Message.objects.exclude(customer=person)
    assert others.count() > 5 and set(others.values_list("status", flat=True)) == {"accepted"}


def test_after_its_own_window_a_message_is_not_sent(cast: Cast) -> None:
    now = timezone.now()
    make_people(20, now=now)
    start(make_triggered(cast, now=now, trigger=WHO_IS_THERE), cast, now=now)
    let_people_in(timezone.now())
    Message.objects.update(send_by=timezone.now() - dt.timedelta(seconds=1))
    with ScriptedSmtpServer() as server:
        send_waiting_messages(
            seconds=30, connections=1, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 5))
        )
    assert set(Message.objects.values_list("status", "skip_reason")) == {("skipped", "window_closed")}

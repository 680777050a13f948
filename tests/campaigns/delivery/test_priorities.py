"""Two campaigns want the same person: the more important one gets them. Caps count by channel and over all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from campaigns.approval.hashing import part_hashes
from campaigns.approval.outlook import count_capped, list_overlaps
from campaigns.audience.caps import read_caps
from campaigns.delivery.pace import editing
from campaigns.delivery.pace.forecast import forecast_send
from campaigns.models import ApprovalPart, Campaign, ContactCap, Message, PaceLimit, TransitionConflict, WarmUp
from customers.models import AuditEntry, Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states


@pytest.fixture
def smtp() -> Iterator[ScriptedSmtpServer]:
    with ScriptedSmtpServer() as server:
        yield server


@pytest.fixture
def people(db: None, now: dt.datetime, settings: Settings) -> list[Customer]:
    settings.FREQUENCY_CAP_MESSAGES, settings.FREQUENCY_CAP_DAYS = 1, 7
    return arrange.make_customers(2, now=now)


def make(
    cast: Cast, people: list[Customer], name: str, priority: int, now: dt.datetime, *, in_hours: int = 0
) -> Campaign:
    campaign = arrange.make_campaign(
        cast.marketer, people, name=name, now=now, send_at=now + dt.timedelta(hours=in_hours)
    )
    Campaign.objects.filter(pk=campaign.pk).update(priority=priority)
    campaign.refresh_from_db()
    return campaign


def test_the_more_important_campaign_gets_the_person_though_it_was_queued_later(
    cast: Cast, now: dt.datetime, people: list[Customer], smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    usual = arrange.start(make(cast, people, "Usual", 5, now), cast, now=now)
    urgent = arrange.start(make(cast, people, "Urgent", 8, now), cast, now=now)
    Campaign.objects.filter(pk=urgent.pk).update(status="paused")
    Campaign.objects.filter(pk=urgent.pk).update(status="sending")

    sweep(smtp)

    assert states(urgent) == {"accepted": 2} and states(usual) == {"skipped": 2}


def test_one_that_begins_within_the_look_ahead_is_waited_for(
    cast: Cast, now: dt.datetime, people: list[Customer], smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    arrange.schedule(make(cast, people[:1], "Tomorrow", 8, now, in_hours=24), cast, now=now)
    arrange.schedule(make(cast, people[1:], "Next week", 8, now, in_hours=100), cast, now=now)
    usual = arrange.start(make(cast, people, "Usual", 5, now), cast, now=now)
    tomorrow = Campaign.objects.get(name="Tomorrow")

    sweep(smtp)

    left_out = Message.objects.get(campaign=usual, status="skipped")
    assert (left_out.customer, left_out.skip_reason) == (people[0], "capped")
    assert left_out.response == f"in favour of campaign {tomorrow.pk}"
    assert states(usual) == {"skipped": 1, "accepted": 1}


def test_by_each_persons_own_clock_it_begins_with_the_first_of_them(
    cast: Cast, now: dt.datetime, people: list[Customer], smtp: ScriptedSmtpServer, sweep: Sweep, settings: Settings
) -> None:
    settings.PRIORITY_LOOK_AHEAD_HOURS, settings.SHOP_TIME_ZONE = 24, "Europe/London"
    Customer.objects.update(time_zone="Asia/Shanghai")
    urgent = make(cast, people, "Urgent", 8, now, in_hours=28)
    Campaign.objects.filter(pk=urgent.pk).update(send_mode="local")
    urgent.refresh_from_db()
    arrange.schedule(urgent, cast, now=now)
    assert urgent.starts_at is not None and urgent.starts_at < now + dt.timedelta(hours=24)
    usual = arrange.start(make(cast, people, "Usual", 5, now), cast, now=now)

    sweep(smtp)

    assert states(usual) == {"skipped": 2}


@pytest.mark.parametrize(("priority", "state"), [(5, "sending"), (4, "sending"), (9, "paused")])
def test_nobody_gives_way_to_an_equal_a_lesser_or_a_paused_one(
    cast: Cast,
    now: dt.datetime,
    people: list[Customer],
    smtp: ScriptedSmtpServer,
    sweep: Sweep,
    priority: int,
    state: str,
) -> None:
    usual = arrange.start(make(cast, people, "Usual", 5, now), cast, now=now)
    other = arrange.start(make(cast, people, "Other", priority, now), cast, now=now)
    Campaign.objects.filter(pk=other.pk).update(status=state)

    sweep(smtp)

    assert states(usual) == {"accepted": 2}


def test_where_the_cap_leaves_room_for_both_nobody_gives_way(
    cast: Cast, now: dt.datetime, people: list[Customer], settings: Settings, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    settings.FREQUENCY_CAP_MESSAGES = 2
    usual = arrange.start(make(cast, people, "Usual", 5, now), cast, now=now)
    urgent = arrange.start(make(cast, people, "Urgent", 8, now), cast, now=now)

    sweep(smtp)

    assert states(urgent) == states(usual) == {"accepted": 2}


def test_the_overlap_counts_who_will_give_way(cast: Cast, now: dt.datetime, people: list[Customer]) -> None:
    arrange.schedule(make(cast, people[:1], "Tomorrow", 8, now, in_hours=24), cast, now=now)
    usual = make(cast, people, "Usual", 5, now)

    assert count_capped(usual) == 1
    assert [(overlap.name, overlap.priority) for overlap in list_overlaps(usual)] == [("Tomorrow", 8)]
    Campaign.objects.filter(name="Tomorrow").update(priority=5)
    assert count_capped(usual) == 0


def test_of_a_live_campaign_what_waits_and_leaves_before_counts(
    cast: Cast, now: dt.datetime, people: list[Customer]
) -> None:
    live = arrange.start(make(cast, people, "Welcome", 5, now), cast, now=now)
    Campaign.objects.filter(pk=live.pk).update(kind="triggered")
    usual = make(cast, people, "Usual", 5, now, in_hours=24)
    waiting = Message.objects.filter(campaign=live)
    waiting.update(not_before=now + dt.timedelta(hours=30))

    assert count_capped(usual) == 0, "its expected people are nobody yet, and what waits leaves later"
    waiting.filter(customer=people[0]).update(not_before=now + dt.timedelta(hours=20))
    assert count_capped(usual) == 1
    Campaign.objects.filter(pk=usual.pk).update(priority=8)
    usual.refresh_from_db()
    assert count_capped(usual) == 0, "the less important one gives way"


def test_a_channel_has_a_cap_of_its_own(
    cast: Cast, now: dt.datetime, people: list[Customer], settings: Settings, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    settings.FREQUENCY_CAP_MESSAGES = 5
    ContactCap.objects.create(channel="email", messages=1, days=3, updated_by=cast.approver, updated_at=now)
    first = arrange.start(make(cast, people, "First", 5, now), cast, now=now)
    sweep(smtp)
    Message.objects.filter(customer=people[0]).update(channel="sms")
    second = arrange.start(make(cast, people, "Second", 5, now), cast, now=now)

    sweep(smtp)

    assert states(first) == {"accepted": 2}
    assert set(Message.objects.filter(campaign=second).values_list("customer", "status")) == {
        (people[0].pk, "accepted"),
        (people[1].pk, "skipped"),
    }


def test_the_cap_of_all_channels_counts_them_together(
    cast: Cast, now: dt.datetime, people: list[Customer], smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    arrange.start(make(cast, people, "First", 5, now), cast, now=now)
    sweep(smtp)
    Message.objects.update(channel="sms")
    second = arrange.start(make(cast, people, "Second", 5, now), cast, now=now)

    sweep(smtp)

    assert states(second) == {"skipped": 2}


def test_a_service_message_neither_counts_nor_is_held_back(
    cast: Cast, now: dt.datetime, people: list[Customer], settings: Settings, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    settings.MESSAGE_TOPICS = [*settings.MESSAGE_TOPICS, "service"]
    campaigns = []
    for name, topic in (("Recall", "service"), ("Offer", "promotions"), ("Care", "service"), ("Late", "promotions")):
        campaign = make(cast, people, name, 5, now)
        Campaign.objects.filter(pk=campaign.pk).update(topic=topic)
        campaign.refresh_from_db()
        campaigns.append(arrange.start(campaign, cast, now=now))
        sweep(smtp)

    recall, offer, care, late = campaigns
    assert states(recall) == states(offer) == states(care) == {"accepted": 2}
    assert states(late) == {"skipped": 2}


def test_the_usual_priority_is_no_part_of_what_was_approved_and_another_is(
    cast: Cast, now: dt.datetime, people: list[Customer]
) -> None:
    campaign = make(cast, people, "Usual", 5, now)
    before = part_hashes(campaign)[ApprovalPart.TIMING]
    Campaign.objects.filter(pk=campaign.pk).update(priority=9)
    assert part_hashes(campaign)[ApprovalPart.TIMING] != before


# --- The page Limits ------------------------------------------------------------------------------------------------


def test_limits_are_kept_once_with_what_they_were(cast: Cast, now: dt.datetime) -> None:
    for rate in (600, 600, 300):
        editing.save_pace_limit(
            cast.approver, "domain", "Google", domains=["Gmail.com"], per_minute=rate, per_hour=None, now=now
        )
    editing.save_cap(cast.approver, "", messages=3, days=30, now=now)

    (limit,) = PaceLimit.objects.all()
    assert (limit.domains, limit.per_minute) == (["gmail.com"], 300)
    assert read_caps()[""].messages == 3
    kept = [entry.details for entry in AuditEntry.objects.filter(action="limit_changed").order_by("pk")]
    assert [(row["before"] or {}).get("per_minute") if isinstance(row["now"], dict) else row for row in kept] == [
        None, 600, {"before": None, "now": [3, 30]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "domains", "rate"),
    [("X", ["gmail.com"], 5), ("X", [], 5), ("X", ["no domain"], 5), ("", ["web.de"], 5), ("X", ["web.de"], None)],
)
def test_a_limit_that_means_nothing_is_refused(
    cast: Cast, now: dt.datetime, name: str, domains: list[str], rate: int | None
) -> None:
    editing.save_pace_limit(cast.approver, "domain", "G", domains=["gmail.com"], per_minute=1, per_hour=None, now=now)
    with pytest.raises(editing.NotReady):
        editing.save_pace_limit(cast.approver, "domain", name, domains=domains, per_minute=rate, per_hour=None, now=now)


def test_one_ramp_at_a_time(cast: Cast, now: dt.datetime) -> None:
    editing.begin_warm_up(cast.approver, first_day=100, factor=2.0, goal=1000, now=now)
    with pytest.raises(TransitionConflict):
        editing.begin_warm_up(cast.approver, first_day=100, factor=2.0, goal=1000, now=now)
    editing.end_warm_up(cast.approver, now=now)
    with pytest.raises(TransitionConflict):
        editing.end_warm_up(cast.approver, now=now)
    with pytest.raises(editing.NotReady):
        editing.begin_warm_up(cast.approver, first_day=100, factor=2.0, goal=100, now=now)
    assert WarmUp.objects.count() == 1


def test_the_page_shows_changes_and_asks_for_the_right(
    approver: User, analyst: User, client: Client, now: dt.datetime, settings: Settings
) -> None:
    settings.SHOP_TIME_ZONE = f"Etc/GMT{now.hour - 12:+d}"  # about noon, so that no day ends meanwhile
    page, rates = reverse("campaigns:limits"), reverse("campaigns:pace-limit")
    form = {"name": "Google", "per_minute": "600"}
    client.force_login(analyst)
    assert "Begin today" not in client.get(page).text
    for address in (rates, reverse("campaigns:cap"), reverse("campaigns:warm-up"), reverse("campaigns:warm-up-end")):
        assert client.post(address, {**form, "first_day": 1, "factor": 2, "goal": 9}).status_code == 403

    client.force_login(approver)
    assert "googlemail.com" in client.post(rates, form, follow=True).text
    assert "no number" in client.post(rates, {**form, "per_minute": "many"}, follow=True).text
    ramp = {"first_day": "200", "factor": "1,5", "goal": "5000"}
    shown = client.post(reverse("campaigns:warm-up"), ramp, follow=True).text
    assert "Day 1 of 8:" in shown and "0 of 200 messages have left today" in shown
    caps = client.post(reverse("campaigns:cap"), {"channel": "email", "messages": "2", "days": "30"}, follow=True)
    assert "Saved." in caps.text and ContactCap.objects.get().days == 30
    client.post(reverse("campaigns:cap"), {"channel": "email", "messages": "", "days": ""})
    assert not ContactCap.objects.exists()
    client.post(reverse("campaigns:pace-limit-removal", args=[PaceLimit.objects.get().pk]))
    assert not PaceLimit.objects.exists()


def test_the_forecast_says_how_long_it_takes_and_whom_the_window_misses(cast: Cast, now: dt.datetime) -> None:
    campaign = make(cast, arrange.make_customers(30, now=now), "Autumn", 5, now)
    assert forecast_send(campaign, now=now) is None
    limit = PaceLimit(scope="route", name="email", per_hour=1, updated_by=cast.approver, updated_at=timezone.now())
    limit.save()

    found = forecast_send(campaign, now=now)

    assert found is not None
    assert (found.messages, found.hours, found.slowest, found.missed) == (30, 30.0, "email", 6)
    limit.delete()
    Campaign.objects.filter(pk=campaign.pk).update(send_window_hours=4)
    campaign.refresh_from_db()
    for place, domain in enumerate(("gmail.test", "yahoo.test")):
        for customer in Customer.objects.order_by("pk")[10 * place : 10 * place + 10]:
            Customer.objects.filter(pk=customer.pk).update(email=f"{customer.external_id}@{domain}")
        PaceLimit.objects.create(
            scope="domain", name=domain, domains=[domain], per_hour=1, updated_by=cast.approver, updated_at=now
        )
    found = forecast_send(campaign, now=now)
    assert found is not None and (found.hours, found.missed) == (10.0, 12), "six of each provider's ten"
    PaceLimit.objects.all().delete()
    Campaign.objects.filter(pk=campaign.pk).update(send_window_hours=24)
    campaign.refresh_from_db()
    editing.begin_warm_up(cast.approver, first_day=5, factor=2.0, goal=1000, now=now)
    ramped = forecast_send(campaign, now=now)
    assert ramped is not None and (ramped.days, ramped.missed) == (3, 15)

"""What came back: once each, whatever the order, and never backwards."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from campaigns.delivery import control
from campaigns.delivery.channels import Cause
from campaigns.delivery.names import MessageKey, derive_message_id, derive_name, read_name
from campaigns.delivery.report import Report, TakenIn
from campaigns.delivery.reports import take_in_reports
from campaigns.delivery.reputation import Level, Reputation, read_reputation
from campaigns.models import Campaign, CampaignStatus, DeliveryEvent, DeliveryKind, Message
from customers.ingest.consent import hash_address
from customers.models import Customer, CustomerEvent, EventKind, Suppression
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast, ledger_open

KINDS = [
    DeliveryKind.ACCEPTED, DeliveryKind.DEFERRED, DeliveryKind.DELIVERED, DeliveryKind.SOFT_BOUNCED,
    DeliveryKind.BOUNCED, DeliveryKind.COMPLAINED, DeliveryKind.UNSUBSCRIBED,
]  # fmt: skip
EXPECTED = {
    DeliveryKind.COMPLAINED: "complained", DeliveryKind.BOUNCED: "bounced", DeliveryKind.SOFT_BOUNCED: "bounced",
    DeliveryKind.DELIVERED: "delivered",
}  # fmt: skip


@pytest.fixture
def sent(running: Campaign) -> list[Message]:
    """Three messages that the server took."""
    Message.objects.update(status="accepted")
    Message.objects.filter(campaign=running).update(sending_at=dt.datetime.now(dt.UTC))
    return list(Message.objects.order_by("pk"))


def report(message: Message, kind: DeliveryKind, now: dt.datetime, event_id: str = "", **changes: Any) -> Report:
    key = MessageKey(message.campaign_id, message.step, message.customer_id)
    values = {"provider": "resend", "event_id": event_id or f"{kind}-{message.pk}", "occurred_at": now} | changes
    return Report(key=key, kind=kind, **values)


def snapshot() -> tuple[object, ...]:
    """All that reports change, but for the numbers of rows and the times of arrival."""
    return (
        sorted(Message.objects.values_list("pk", "status")),
        sorted(DeliveryEvent.objects.values_list("provider", "provider_event_id", "kind", "occurred_at")),
        Counter(CustomerEvent.objects.values_list("customer_id", "kind", "occurred_at")),
        sorted(Suppression.objects.values_list("address_hash", flat=True)),
        sorted(Customer.objects.values_list("pk", "consents__status")),
    )


def forget() -> None:
    Message.objects.update(status="accepted")
    DeliveryEvent.objects.all().delete()
    Suppression.objects.all().delete()
    with ledger_open(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customerevent")
        cursor.execute("DELETE FROM customers_consentrecord WHERE status = 'withdrawn'")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_moves_a_message_as_far_as_it_proves(
    sent: list[Message], now: dt.datetime, kind: DeliveryKind
) -> None:
    assert take_in_reports([report(sent[0], kind, now)], now=now) == TakenIn(new=1)
    sent[0].refresh_from_db()
    assert sent[0].status == EXPECTED.get(kind, "accepted")


@pytest.mark.parametrize("before", ["unknown", "sending", "retry_wait", "queued", "claimed", "failed"])
@pytest.mark.parametrize("kind", [DeliveryKind.ACCEPTED, DeliveryKind.DELIVERED, DeliveryKind.DEFERRED])
def test_what_a_provider_says_settles_what_was_open(
    sent: list[Message], now: dt.datetime, before: str, kind: DeliveryKind
) -> None:
    """A message that the provider has is never sent again, whatever we believed."""
    Message.objects.filter(pk=sent[0].pk).update(status=before, claimed_by="w", in_doubt_since=now, settled_at=None)

    take_in_reports([report(sent[0], kind, now)], now=now)

    sent[0].refresh_from_db()
    assert sent[0].status == EXPECTED.get(kind, "accepted")
    assert sent[0].in_doubt_since is None and sent[0].claimed_by == "" and sent[0].settled_at is not None
    assert CustomerEvent.objects.filter(kind=EventKind.EMAIL_SENT, customer_id=sent[0].customer_id).count() == 1


def test_a_skipped_message_stays_skipped(sent: list[Message], now: dt.datetime) -> None:
    Message.objects.filter(pk=sent[0].pk).update(status="skipped", skip_reason="capped")
    take_in_reports([report(sent[0], DeliveryKind.DELIVERED, now)], now=now)
    sent[0].refresh_from_db()
    assert sent[0].status == "skipped"


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    unique=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 40)),
        min_size=1, max_size=12, unique_by=lambda event: event[:3],
    ),
    copies=st.integers(1, 46),
    seed=st.integers(0, 2**32),
    cut=st.integers(1, 60),
)  # fmt: skip
def test_any_multiset_in_any_order_gives_what_the_unique_set_gives(
    sent: list[Message],
    now: dt.datetime,
    settings: Settings,
    unique: list[tuple[int, DeliveryKind, int, int]],
    copies: int,
    seed: int,
    cut: int,
) -> None:
    settings.SOFT_BOUNCES = 1  # so that soft bounces have an effect that order could change
    events = [
        report(sent[who], kind, now - dt.timedelta(hours=hours), event_id=f"{kind}-{who}-{number}")
        for who, kind, number, hours in unique
    ]
    dice = random.Random(seed)
    many = [event for event in events for _copy in range(dice.randint(1, copies))]
    dice.shuffle(many)

    forget()
    take_in_reports(events, now=now)
    expected = snapshot()
    forget()
    for first in range(0, len(many), cut):
        take_in_reports(many[first : first + cut], now=now)

    assert snapshot() == expected


def test_a_lost_first_event_changes_nothing_of_the_end(sent: list[Message], now: dt.datetime) -> None:
    take_in_reports([report(sent[0], DeliveryKind.COMPLAINED, now)], now=now)
    take_in_reports([report(sent[0], DeliveryKind.DELIVERED, now - dt.timedelta(hours=1))], now=now)
    sent[0].refresh_from_db()
    assert sent[0].status == "complained"


def test_reports_of_strangers_are_counted_and_left(sent: list[Message], now: dt.datetime) -> None:
    strange = Report("resend", "x", MessageKey(999, 1, 999), DeliveryKind.BOUNCED, now)
    assert take_in_reports([strange], now=now) == TakenIn(strange=1)
    assert not Suppression.objects.exists() and not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("kind", [DeliveryKind.BOUNCED, DeliveryKind.COMPLAINED, DeliveryKind.UNSUBSCRIBED])
def test_hard_bounces_and_complaints_suppress_at_once(
    sent: list[Message], now: dt.datetime, kind: DeliveryKind
) -> None:
    take_in_reports([report(sent[0], kind, now)], now=now)
    assert list(Suppression.objects.values_list("address_hash", flat=True)) == [hash_address(sent[0].customer.email)]


def test_a_provider_s_unsubscribe_withdraws_the_consent(sent: list[Message], now: dt.datetime) -> None:
    take_in_reports([report(sent[0], DeliveryKind.UNSUBSCRIBED, now)], now=now)
    newest = sent[0].customer.consents.order_by("-recorded_at", "-pk").first()
    assert newest is not None and newest.status == "withdrawn"


def test_soft_bounces_suppress_when_they_repeat_within_the_days(
    cast: Cast, sent: list[Message], now: dt.datetime, settings: Settings
) -> None:
    settings.SOFT_BOUNCES, settings.SOFT_BOUNCE_DAYS = 3, 30
    customer = sent[0].customer
    others = []
    for number in range(3):
        other = arrange.make_campaign(cast.marketer, [customer], name=f"C{number}", send_at=now, now=now)
        arrange.start(other, cast, now=now)
        others.append(Message.objects.get(campaign=other))
    Message.objects.update(status="accepted")
    ages = {sent[0]: 45, others[0]: 20, others[1]: 10}
    for message, days in ages.items():
        at = now - dt.timedelta(days=days)
        take_in_reports([report(message, DeliveryKind.SOFT_BOUNCED, at)], now=now)
        take_in_reports([report(message, DeliveryKind.SOFT_BOUNCED, at, event_id=f"again-{message.pk}")], now=now)
    assert not Suppression.objects.exists(), "three, but not within thirty days; a message counts once"

    take_in_reports([report(others[2], DeliveryKind.SOFT_BOUNCED, now)], now=now)
    assert Suppression.objects.get().address_hash == hash_address(customer.email)


def test_a_report_that_is_not_signed_suppresses_no_other_address(sent: list[Message], now: dt.datetime) -> None:
    made_up = report(sent[0], DeliveryKind.BOUNCED, now, address="victim@shopper.test", trusts_address=False)
    take_in_reports([made_up], now=now)
    assert not Suppression.objects.exists()
    assert DeliveryEvent.objects.get().kind == DeliveryKind.SOFT_BOUNCED


def test_a_signed_report_suppresses_the_address_it_names(sent: list[Message], now: dt.datetime) -> None:
    """The customer has another address by now: the old one is dead, the new one is not."""
    take_in_reports([report(sent[0], DeliveryKind.BOUNCED, now, address="old@shopper.test")], now=now)
    assert Suppression.objects.get().address_hash == hash_address("old@shopper.test")


@pytest.mark.parametrize("days", [-400, 30])
def test_an_impossible_time_is_that_of_arrival(sent: list[Message], now: dt.datetime, days: int) -> None:
    take_in_reports([report(sent[0], DeliveryKind.BOUNCED, now + dt.timedelta(days=days))], now=now)
    assert DeliveryEvent.objects.get().occurred_at == now


def test_the_number_of_queries_does_not_grow(cast: Cast, now: dt.datetime) -> None:
    people = arrange.make_customers(60, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    Message.objects.update(status="accepted", sending_at=now)
    rows = list(Message.objects.filter(campaign=campaign))
    take_in_reports([report(rows[0], DeliveryKind.BOUNCED, now)], now=now)  # partitions are made
    counts = []
    for part in (rows[1:4], rows[4:34]):
        with CaptureQueriesContext(connection) as queries:
            kinds = [DeliveryKind.DELIVERED, DeliveryKind.SOFT_BOUNCED, DeliveryKind.COMPLAINED]
            take_in_reports([report(row, kinds[n % 3], now) for n, row in enumerate(part)], now=now)
        campaign.refresh_from_db()
        counts.append(len(queries) - 3 * (campaign.status == CampaignStatus.PAUSED))
        Campaign.objects.update(status=CampaignStatus.SENDING)
    assert counts[0] >= counts[1] - 12 and counts[1] < 50, counts


# --- The circuit breaker over rates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handed_over", "bounced", "complained", "level"),
    [
        (3, 1, 0, Level.FINE), (3, 3, 3, Level.STOP), (3, 0, 1, Level.FINE), (1000, 0, 2, Level.WARN),
        (1000, 0, 3, Level.STOP), (1001, 0, 3, Level.WARN), (10_000, 0, 9, Level.FINE), (10_000, 0, 10, Level.WARN),
        (10_000, 0, 30, Level.STOP), (200, 10, 0, Level.STOP), (201, 10, 0, Level.FINE), (100, 9, 0, Level.FINE),
        (0, 0, 0, Level.FINE),
    ],
)  # fmt: skip
def test_the_lines_and_the_least_numbers(handed_over: int, bounced: int, complained: int, level: Level) -> None:
    found = Reputation(handed_over, bounced, complained)
    assert found.level == level
    assert bool(found.sentence) == (level != Level.FINE)


def test_too_many_bounces_pause_the_campaign_and_say_so(cast: Cast, now: dt.datetime) -> None:
    people = arrange.make_customers(40, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    rows = list(Message.objects.filter(campaign=campaign))
    Message.objects.filter(pk__in=[row.pk for row in rows[:30]]).update(status="accepted", sending_at=now)

    for row in rows[:9]:
        take_in_reports([report(row, DeliveryKind.BOUNCED, now)], now=now)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENDING

    take_in_reports([report(rows[9], DeliveryKind.BOUNCED, now)], now=now)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    assert "10 of 30 messages came back (33.3%" in campaign.status_reason

    control.resume_campaign(cast.marketer, campaign, now=now)
    take_in_reports([report(rows[9], DeliveryKind.BOUNCED, now)], now=now)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENDING, "a copy says nothing new"
    assert read_reputation(campaign.pk) == Reputation(30, 10, 0)


def test_one_signed_answer_about_our_name_pauses(running: Campaign, sent: list[Message], now: dt.datetime) -> None:
    bad = report(sent[0], DeliveryKind.SOFT_BOUNCED, now, detail="550 5.7.26 DMARC", cause=Cause.REPUTATION)
    take_in_reports([bad], now=now)
    running.refresh_from_db()
    assert running.status == CampaignStatus.PAUSED and "5.7.26" in running.status_reason


def test_one_unsigned_answer_about_our_name_pauses_nothing(
    running: Campaign, sent: list[Message], now: dt.datetime
) -> None:
    """Whoever got a message could write it; three of them are more than one liar."""
    said = {"detail": "550 5.7.26 DMARC", "cause": Cause.REPUTATION, "trusts_address": False}
    for number, message in enumerate(sent):
        running.refresh_from_db()
        assert running.status == CampaignStatus.SENDING, number
        take_in_reports([report(message, DeliveryKind.SOFT_BOUNCED, now, **said)], now=now)
    running.refresh_from_db()
    assert running.status == CampaignStatus.PAUSED


# --- Names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [1, 2, 365])
def test_a_name_is_read_back_from_wherever_it_stands(entry: int) -> None:
    name, key = derive_name(12, 1, 345, entry), MessageKey(12, 1, 345, entry)
    for text in (
        f"<{name}@fernweh.test>", f"bounces+{name}@mail.test", f"BOUNCES+{name.upper()}@MAIL.TEST", name,
        f"x <bounces+{name}@mail.test>, y", derive_message_id(12, 1, 345, entry, domain="d.test"),
    ):  # fmt: skip
        assert read_name(text) == key, text


@given(place=st.integers(0, 29), letter=st.sampled_from("0123456789abcdef."))
def test_an_altered_name_names_nothing(place: int, letter: str) -> None:
    name = derive_name(12, 1, 345)
    altered = name[: place % len(name)] + letter + name[place % len(name) + 1 :]
    assert (read_name(altered) is None) == (altered != name)


def test_a_name_outlives_a_change_of_the_key(settings: Settings) -> None:
    name = derive_name(12, 1, 345)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    assert derive_name(12, 1, 345) != name and read_name(name) == MessageKey(12, 1, 345)
    settings.SECRET_KEY_FALLBACKS = []
    assert read_name(name) is None

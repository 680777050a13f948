"""Limits of the pace: exact over all workers, passing over who has had their share, and free where none is set."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from campaigns.delivery import outbox
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.pace.claiming import Place, claim_paced_batch, read_budget
from campaigns.delivery.pace.meters import HOUR_S, MINUTE_S, Meter, make_meter, read_plan
from campaigns.delivery.pace.tokens import give_back, peek, take_tokens
from campaigns.delivery.pace.warm_up import allowance_on, days_needed, list_days
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, Message, PaceBucket, PaceLimit, WarmUp
from customers.ingest.clock import shop_day
from customers.ingest.consent import withdraw_consent
from customers.models import Customer
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states


@pytest.fixture
def smtp() -> Iterator[ScriptedSmtpServer]:
    with ScriptedSmtpServer() as server:
        yield server


def limit(cast: Cast, name: str, *, scope: str = "domain", **rates: object) -> PaceLimit:
    return PaceLimit.objects.create(
        scope=scope, name=name, updated_by=cast.approver, updated_at=timezone.now(), **rates
    )


def start_to(cast: Cast, now: dt.datetime, *domains: str, name: str = "Autumn", prefix: str = "c") -> Campaign:
    """A running campaign to one person at each of the domains, in this order."""
    people = arrange.make_customers(len(domains), prefix=prefix, now=now)
    for person, domain in zip(people, domains, strict=True):
        Customer.objects.filter(pk=person.pk).update(email=f"{person.external_id}@{domain}")
    return arrange.start(arrange.make_campaign(cast.marketer, people, name=name, send_at=now, now=now), cast, now=now)


def sent_to(campaign: Campaign) -> Counter[str]:
    emails = Message.objects.filter(campaign=campaign, status="accepted").values_list("customer__email", flat=True)
    return Counter(email.partition("@")[2] for email in emails)


# --- Arithmetic -----------------------------------------------------------------------------------------------------


@given(most=st.integers(1, 5000), window=st.sampled_from([MINUTE_S, HOUR_S]), lag=st.floats(0, 0.2))
def test_no_window_ever_holds_more_than_the_limit(most: int, window: int, lag: float) -> None:
    """Somebody who takes every token at once: a full meter, and then each one as soon as it is there."""
    meter = make_meter("m", most, window)
    taken = [0.0] * meter.capacity
    refill = 1 / meter.per_s if meter.per_s else float("inf")
    taken += [refill * number for number in range(1, int(1.5 * most) + 2)]
    # The messages of the first burst leave `lag` late, all others at once: the worst that a slow worker can do.
    left = sorted([lag if at == 0 else at for at in taken])
    for first in range(len(left) - most):
        assert left[first + most] - left[first] >= window - lag


@pytest.mark.parametrize(("most", "window"), [(1, MINUTE_S), (60, MINUTE_S), (6000, MINUTE_S), (10, HOUR_S)])
def test_most_of_the_limit_is_used(most: int, window: int) -> None:
    meter = make_meter("m", most, window)
    assert meter.capacity + meter.per_s * window >= 0.95 * most


@dataclass(frozen=True)
class Plan:
    first_day: int
    factor: float
    goal: int
    started_on: dt.date


RAMP = Plan(100, 2.0, 1000, dt.date(2026, 11, 2))


def test_the_ramp_grows_each_day_until_its_goal() -> None:
    assert [allowed for _day, allowed in list_days(RAMP)] == [100, 200, 400, 800]
    assert allowance_on(RAMP, dt.date(2026, 11, 1)) == 0
    assert allowance_on(RAMP, dt.date(2026, 11, 6)) is None


@pytest.mark.parametrize(
    ("messages", "used", "days"), [(100, 0, 1), (101, 0, 2), (100, 1, 2), (300, 0, 2), (301, 0, 3), (90_000, 0, 5)]
)
def test_how_many_days_a_send_takes_on_the_ramp(messages: int, used: int, days: int) -> None:
    assert days_needed(RAMP, RAMP.started_on, messages, used=used) == days


# --- Tokens ---------------------------------------------------------------------------------------------------------


def test_a_message_needs_a_token_of_each_of_its_meters_or_takes_none(db: None) -> None:
    wide, narrow = Meter("wide", 5, 0.0), Meter("narrow", 2, 0.0)

    granted = take_tokens([(wide, narrow), (wide, narrow), (wide, narrow), (wide,)])

    assert granted == [True, True, False, True]
    assert peek([wide, narrow]) == {"wide": 2.0, "narrow": 0.0}
    give_back([(wide, narrow)])
    assert peek([wide, narrow]) == {"wide": 3.0, "narrow": 1.0}


def test_tokens_come_back_with_time_and_never_beyond_what_a_meter_holds(db: None) -> None:
    meter = Meter("m", 3, 2.0)
    assert take_tokens([(meter,)] * 4) == [True, True, True, False]
    PaceBucket.objects.update(refilled_at=timezone.now() - dt.timedelta(seconds=60))
    assert peek([meter]) == {"m": 3.0}


@pytest.mark.django_db(transaction=True)
def test_workers_that_take_at_once_never_take_more_than_there_is() -> None:
    first, second = Meter("a", 40, 0.0), Meter("b", 25, 0.0)

    def work(order: tuple[Meter, Meter]) -> int:
        return sum(len(take_tokens([order, order[:1]])) for _number in range(20))

    orders = [(first, second), (second, first)] * 2
    asked = do_at_once(*[partial(work, order) for order in orders])

    rest = peek([first, second])
    assert rest["b"] == 0.0 and rest["a"] >= 0.0
    assert asked == [40] * 4


# --- Sending --------------------------------------------------------------------------------------------------------


def test_without_a_limit_no_meter_is_asked(running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep) -> None:
    with CaptureQueriesContext(connection) as queries:
        sweep(smtp)

    asked = [query["sql"] for query in queries if "pace" in query["sql"] or "warmup" in query["sql"]]
    assert len(asked) == 2 and not any("pacebucket" in sql for sql in asked)
    assert states(running) == {"accepted": 3}


def test_a_provider_that_has_had_its_share_is_passed_over_and_the_others_go_on(
    cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    limit(cast, "Google", domains=["gmail.test", "googlemail.test"], per_hour=2)
    campaign = start_to(cast, now, "gmail.test", "GMAIL.test", "googlemail.test", "gmail.test", "web.test", "web.test")

    run = sweep(smtp)

    assert sent_to(campaign) == {"web.test": 2, "gmail.test": 1}  # an hour's limit of two lets one out at a time
    assert states(campaign) == {"accepted": 3, "queued": 3} and not run.has_more


def test_what_leaves_by_the_door_is_limited_as_a_whole(
    cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    limit(cast, "email", scope="route", per_hour=120)
    campaign = start_to(cast, now, *["web.test"] * 5)

    sweep(smtp)

    assert states(campaign) == {"accepted": 2, "queued": 3}


def test_the_limit_of_a_minute_is_waited_for_within_a_sweep(
    cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    limit(cast, "email", scope="route", per_minute=600)
    campaign = start_to(cast, now, *["web.test"] * 24)

    sweep(smtp, seconds=30)

    assert states(campaign) == {"accepted": 24}
    sent = sorted(Message.objects.values_list("sending_at", flat=True))
    assert None not in sent
    # 20 at once, and then one each tenth of a second: no second holds more than twenty and ten.
    assert (sent[-1] - sent[0]).total_seconds() >= 0.3


def test_a_message_that_is_not_sent_after_all_gives_its_token_back(
    cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    limit(cast, "email", scope="route", per_hour=120)
    campaign = start_to(cast, now, "web.test", "web.test", "web.test", "web.test")
    for message in Message.objects.order_by("pk")[:2]:
        withdraw_consent(message.customer, source="test", now=now)

    sweep(smtp)

    assert states(campaign) == {"skipped": 2, "accepted": 2}


def test_rows_behind_many_that_have_to_wait_are_found(
    cast: Cast, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.delivery.pace.claiming.WINDOW", 4)
    limit(cast, "Google", domains=["gmail.test"], per_hour=1)
    campaign = start_to(cast, now, *["gmail.test"] * 10, "web.test", "web.test")
    plan, place = read_plan(now=now), Place()
    assert plan is not None
    take_tokens([plan.meters_for("x@gmail.test")])
    budget = read_budget(plan)

    found = []
    for _look in range(6):
        found += claim_paced_batch("w", campaign_id=campaign.pk, size=50, plan=plan, budget=budget, place=place)

    assert budget.by_group == {"Google": 0} and len(found) == 2
    assert {message.customer_id for message in found} == set(
        Customer.objects.filter(email__endswith="@web.test").values_list("pk", flat=True)
    )


def test_the_more_important_campaign_takes_the_tokens_first(
    cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    limit(cast, "email", scope="route", per_hour=120)
    usual = start_to(cast, now, "web.test", "web.test", name="Usual", prefix="u")
    urgent = start_to(cast, now, "web.test", "web.test", name="Urgent", prefix="v")
    Campaign.objects.filter(pk=urgent.pk).update(priority=9)

    sweep(smtp)

    assert states(urgent) == {"accepted": 2} and states(usual) == {"queued": 2}


@pytest.mark.django_db(transaction=True)
def test_several_connections_together_keep_the_limit_to_the_message(smtp: ScriptedSmtpServer) -> None:
    now = timezone.now()
    cast = arrange.make_cast()
    limit(cast, "Google", domains=["gmail.test"], per_hour=600)  # ten at once, then one each six seconds
    campaign = start_to(cast, now, *["gmail.test", "web.test"] * 15)
    server, began = SmtpServer("127.0.0.1", smtp.port, 5), time.monotonic()

    while sent_to(campaign)["web.test"] < 15 or sent_to(campaign)["gmail.test"] < 10:
        send_waiting_messages(seconds=2, connections=3, open_channel=lambda: SmtpChannel(server))
        assert time.monotonic() < began + 120

    by_now = 10 + int((time.monotonic() - began) * 591 / 3600) + 1
    assert sent_to(campaign)["gmail.test"] <= min(by_now, 15)
    assert Message.objects.filter(status="claimed").count() == 0


# --- Warm-up --------------------------------------------------------------------------------------------------------


@pytest.fixture
def noon(settings: Settings, now: dt.datetime) -> None:
    """By the shop's clock, so that no day ends while a test runs."""
    settings.SHOP_TIME_ZONE = f"Etc/GMT{now.hour - 12:+d}"


def warm_up(cast: Cast, now: dt.datetime, *, first_day: int, days_ago: int = 0) -> WarmUp:
    return WarmUp.objects.create(
        domain="tarnside.test", first_day=first_day, factor=2.0, goal=1000,
        started_on=shop_day(now) - dt.timedelta(days=days_ago), started_by=cast.approver,
    )  # fmt: skip


def test_a_day_of_the_ramp_lets_out_its_allowance_and_the_rest_waits_for_tomorrow(
    noon: None, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    warm_up(cast, now, first_day=2)
    campaign = start_to(cast, now, *["web.test"] * 5)

    run = sweep(smtp)
    sweep(smtp)

    assert states(campaign) == {"accepted": 2, "queued": 3} and not run.has_more


def test_what_left_before_the_ramp_began_counts_for_its_first_day(
    noon: None, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    campaign = start_to(cast, now, *["web.test"] * 5)
    early = Message.objects.earliest("pk")
    Message.objects.filter(pk=early.pk).update(status="accepted", sending_at=now, settled_at=now)
    warm_up(cast, now, first_day=3)

    sweep(smtp)

    assert states(campaign) == {"accepted": 3, "queued": 2}


def test_the_next_day_has_an_allowance_of_its_own(noon: None, cast: Cast, now: dt.datetime) -> None:
    warm_up(cast, now, first_day=2)
    tomorrow = now + dt.timedelta(days=1)

    today_plan, next_plan = read_plan(now=now), read_plan(now=tomorrow)
    assert today_plan is not None and next_plan is not None
    assert [meter.capacity for meter in today_plan.of_all + next_plan.of_all] == [2, 4]
    assert today_plan.of_all[0].key != next_plan.of_all[0].key


def test_a_plain_claim_and_a_paced_one_take_the_same_rows(cast: Cast, now: dt.datetime) -> None:
    limit(cast, "Google", domains=["gmail.test"], per_hour=6000)
    campaign = start_to(cast, now, "gmail.test", "web.test", "web.test")
    plan = read_plan(now=now)
    assert plan is not None
    plain = outbox.claim_batch("a", campaign_id=campaign.pk, size=9)
    outbox.release_claims("a")

    budget = read_budget(plan)
    paced = claim_paced_batch("b", campaign_id=campaign.pk, size=9, plan=plan, budget=budget, place=Place())

    assert paced == plain and len(paced) == 3

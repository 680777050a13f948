"""What lets people in: events in the order in which they were written down, lines that are crossed, orders that do not come.

The log is read by the database's clock, so its tests live in the present.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from campaigns.audience.holdout import draws_holdout
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, Entry, Message
from customers.ingest.consent import record_consent, withdraw_consent
from customers.ingest.preferences import save_preference
from customers.ingest.recorder import NewEvent, record_events
from customers.merging.merge import merge_customers
from customers.models import Customer, ModelVersion, Order, Score, ScoreHistory
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .live import MONDAY, make_people, make_triggered, start

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
CART = {"on": "event", "event": "cart_updated", "where": {"category": "Tents"}, "max_age_hours": 24}
COUNT = iter(range(1_000_000))


def put_into_cart(*people: Customer, at: dt.datetime, category: str = "Tents") -> None:
    events = [
        NewEvent(person.pk, "cart_updated", at, f"cart{next(COUNT)}", {"category": category}) for person in people
    ]
    record_events(events, source="shop")


def entered(campaign: Campaign) -> list[int]:
    return list(Entry.objects.filter(campaign=campaign).order_by("pk").values_list("customer_id", flat=True))


@pytest.fixture
def begun() -> dt.datetime:
    """When the campaigns of the present went live: the log is told apart by the hour before and after."""
    return timezone.now() - HOUR


@pytest.fixture
def carts(cast: Cast, begun: dt.datetime) -> tuple[Campaign, list[Customer]]:
    people = make_people(20, now=begun)
    return start(make_triggered(cast, now=begun, trigger=CART), cast, now=begun), people


def test_an_event_lets_its_person_in_once(carts: tuple[Campaign, list[Customer]], begun: dt.datetime) -> None:
    campaign, people = carts
    put_into_cart(people[0], at=begun + 2 * dt.timedelta(minutes=1))
    put_into_cart(people[1], at=begun + dt.timedelta(minutes=1), category="Boots")
    assert let_people_in(timezone.now()).entered == 1
    assert let_people_in(timezone.now()).entered == 0
    assert entered(campaign) == [people[0].pk]


def test_one_that_was_seen_before_hides_none_that_came_after_it(cast: Cast, begun: dt.datetime) -> None:
    """Both stand behind the watermark, which stays behind the oldest open transaction: the next look would pass over both."""
    people = make_people(20, now=begun)
    campaign = start(make_triggered(cast, now=begun, trigger=CART, re_entry_days=0), cast, now=begun)
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=1))
    assert let_people_in(timezone.now()).entered == 1
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=2))
    assert let_people_in(timezone.now()).entered == 1
    assert let_people_in(timezone.now()).entered == 0
    assert entered(campaign) == [people[0].pk, people[0].pk]


def test_each_time_is_each_time_though_what_happened_yesterday_is_told_today(cast: Cast, begun: dt.datetime) -> None:
    people = make_people(20, now=begun - 2 * DAY)
    campaign = make_triggered(
        cast, now=begun - 2 * DAY, trigger={**CART, "max_age_hours": 72}, re_entry_days=0, send_window_hours=96
    )
    start(campaign, cast, now=begun - 2 * DAY)
    put_into_cart(people[0], at=begun)
    assert let_people_in(timezone.now()).entered == 1
    put_into_cart(people[0], at=begun - DAY)
    assert let_people_in(timezone.now()).entered == 1


def test_who_agreed_after_the_first_event_enters_by_the_second(
    carts: tuple[Campaign, list[Customer]], begun: dt.datetime
) -> None:
    campaign, people = carts
    withdraw_consent(people[0], source="page", now=begun)
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=1))
    let_people_in(timezone.now())
    record_consent(people[0], source="checkout", now=timezone.now())
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=2))
    let_people_in(timezone.now())
    first, second = Entry.objects.filter(campaign=campaign).order_by("pk")
    assert first.arm == "excluded" and second.arm != "excluded"


def test_who_entered_by_an_id_that_was_merged_since_does_not_enter_again(
    carts: tuple[Campaign, list[Customer]], begun: dt.datetime
) -> None:
    campaign, people = carts
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=1))
    let_people_in(timezone.now())
    merge_customers(people[0].pk, people[1].pk, reason="staff", actor=None, now=timezone.now())
    score = {"model": ModelVersion.objects.get(), "as_of": begun, "churn_probability": 0.4, "expected_value": 40}
    Score.objects.create(customer=people[1], main_reason="rhythm", **score)  # of the night after
    put_into_cart(people[1], at=begun + dt.timedelta(minutes=2))
    let_people_in(timezone.now())
    assert entered(campaign) == [people[0].pk]


def test_who_was_there_already_by_an_id_that_was_merged_since_does_not_enter(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    (other,) = make_people(1, now=MONDAY, prefix="q", country="Wales")
    start(make_triggered(cast, now=MONDAY, trigger={"on": "segment"}), cast, now=MONDAY)
    merge_customers(people[0].pk, other.pk, reason="staff", actor=None, now=MONDAY + HOUR)
    Customer.objects.filter(pk=other.pk).update(country="Scotland")  # as what followed them would have it
    Score.objects.create(
        customer=other, model=ModelVersion.objects.get(), as_of=MONDAY, churn_probability=0.4, expected_value=40
    )
    assert let_people_in(MONDAY + 2 * HOUR).entered == 0
    assert let_people_in(MONDAY + 3 * HOUR).entered == 0


def test_who_objects_to_a_profile_before_they_enter_is_written_to_without_one(cast: Cast, begun: dt.datetime) -> None:
    people = make_people(20, now=begun)
    campaign = make_triggered(cast, now=begun, trigger=CART, holdout_share=0.01)
    arrange.forget_quiet_hours()
    start(campaign, cast, now=begun)
    first, second, *_others = (person for person in people if not draws_holdout(campaign.holdout_seed, person.pk, 0.01))
    put_into_cart(second, at=begun + dt.timedelta(minutes=1))
    let_people_in(timezone.now())
    for person in (first, second):
        save_preference(person, {"objects_to_profiling_at": timezone.now()}, source="page", now=timezone.now())
    put_into_cart(first, at=begun + dt.timedelta(minutes=2))
    let_people_in(timezone.now())
    with ScriptedSmtpServer() as server:
        send_waiting_messages(
            seconds=20, connections=1, open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, 5))
        )
        assert server.recipients == [first.email]
    assert Message.objects.get(customer=second).skip_reason == "objected"  # entered before


def test_a_late_event_is_neither_lost_nor_doubled(carts: tuple[Campaign, list[Customer]], begun: dt.datetime) -> None:
    campaign, people = carts
    put_into_cart(people[0], at=begun + dt.timedelta(minutes=30))
    let_people_in(timezone.now())
    put_into_cart(people[1], at=begun + dt.timedelta(minutes=5))  # happened before, told after
    let_people_in(timezone.now())
    let_people_in(timezone.now())
    assert entered(campaign) == [people[0].pk, people[1].pk]


def test_old_history_that_is_imported_lets_nobody_in(
    carts: tuple[Campaign, list[Customer]], begun: dt.datetime
) -> None:
    campaign, people = carts
    put_into_cart(*people, at=begun - 40 * DAY)
    put_into_cart(*people, at=begun - dt.timedelta(minutes=1))  # of the day, but before it went live
    assert let_people_in(timezone.now()).entered == 0
    Campaign.objects.update(enters_from=begun - 60 * DAY)
    put_into_cart(*people, at=begun - 30 * DAY)
    let_people_in(timezone.now())
    assert len(entered(campaign)) == 20  # the minute before it went live counts now; what is a month old never does


def test_people_outside_the_segment_do_not_enter(carts: tuple[Campaign, list[Customer]], begun: dt.datetime) -> None:
    campaign, people = carts
    Customer.objects.filter(pk=people[0].pk).update(country="Wales")
    put_into_cart(people[0], people[1], at=begun + dt.timedelta(minutes=1))
    let_people_in(timezone.now())
    assert entered(campaign) == [people[1].pk]


@pytest.fixture
def raw(transactional_db: None) -> Iterator[psycopg.Connection]:
    params = connection.get_connection_params()
    kept = {name: params[name] for name in ("host", "port", "user", "password", "dbname") if params.get(name)}
    with psycopg.connect(**kept) as own:
        yield own


def test_an_event_whose_transaction_commits_after_a_look_is_not_lost(
    raw: psycopg.Connection, begun: dt.datetime
) -> None:
    cast = arrange.make_cast()
    people = make_people(20, now=begun)
    campaign = start(make_triggered(cast, now=begun, trigger=CART), cast, now=begun)
    put_into_cart(people[1], at=timezone.now())  # makes the partition
    raw.execute(
        "INSERT INTO customers_customerevent (source, external_id, occurred_at, customer_id, kind, properties)"
        " VALUES ('shop', 'slow', now(), %s, 'cart_updated', '{\"category\": \"Tents\"}')",
        [people[0].pk],
    )
    let_people_in(timezone.now())
    let_people_in(timezone.now() + 30 * dt.timedelta(minutes=1))
    assert entered(campaign) == [people[1].pk]
    horizon = Campaign.objects.get(pk=campaign.pk).entered_until
    raw.commit()
    let_people_in(timezone.now())
    assert entered(campaign) == [people[1].pk, people[0].pk]
    assert horizon is not None and horizon < timezone.now()


def test_many_beats_at_once_let_each_in_once(transactional_db: None, begun: dt.datetime) -> None:
    cast = arrange.make_cast()
    people = make_people(200, now=begun)
    campaign = start(make_triggered(cast, now=begun, trigger=CART), cast, now=begun)
    put_into_cart(*people, *people, at=begun + dt.timedelta(minutes=1))
    failures = do_at_once(*[lambda: let_people_in(timezone.now()).failed] * 6)
    let_people_in(timezone.now())
    assert failures == [0] * 6
    assert sorted(entered(campaign)) == [person.pk for person in people]
    assert Entry.objects.filter(campaign=campaign, number=1).count() == 200


def test_a_killed_look_leaves_nothing_behind(
    carts: tuple[Campaign, list[Customer]], begun: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, people = carts
    put_into_cart(*people, at=begun + dt.timedelta(minutes=1))
    with monkeypatch.context() as broken:
        broken.setattr("campaigns.delivery.entering.sweep._move_watermark", lambda *_args: 1 / 0)
        assert let_people_in(timezone.now()).failed == 1
    assert entered(campaign) == []
    assert let_people_in(timezone.now()).entered == 20


def score(person: Customer, probability: float, at: dt.datetime) -> None:
    model = ModelVersion.objects.get()
    values = {"churn_probability": probability, "model": model, "as_of": at, "main_reason": "rhythm"}
    Score.objects.update_or_create(customer=person, defaults=values)
    ScoreHistory.objects.create(customer=person, **values)


def test_the_line_is_crossed_from_below_and_by_nobody_who_was_above(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    riser, high, fresh, outside = people[:4]
    score(riser, 0.5, MONDAY - DAY)
    score(high, 0.9, MONDAY - DAY)
    score(outside, 0.2, MONDAY - DAY)
    campaign = start(make_triggered(cast, now=MONDAY, trigger={"on": "churn", "line": 0.6}), cast, now=MONDAY)
    assert let_people_in(MONDAY + HOUR).entered == 0

    Customer.objects.filter(pk=outside.pk).update(country="Wales")
    Score.objects.filter(customer=fresh).delete()
    let_people_in(MONDAY + 2 * HOUR)
    for person in (riser, high, fresh, outside):
        score(person, 0.7, MONDAY + 3 * HOUR)
    let_people_in(MONDAY + 4 * HOUR)
    assert entered(campaign) == [riser.pk]  # the first score of the fresh one was above at once


def test_who_crosses_again_enters_again_only_after_the_days_of_re_entry(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    score(people[0], 0.5, MONDAY - DAY)
    trigger = {"on": "churn", "line": 0.6}
    campaign = start(make_triggered(cast, now=MONDAY, trigger=trigger, re_entry_days=3), cast, now=MONDAY)
    for day, probability in enumerate((0.7, 0.5, 0.8, 0.4, 0.9)):
        score(people[0], probability, MONDAY + day * DAY + HOUR)
        let_people_in(MONDAY + day * DAY + 2 * HOUR)
    assert entered(campaign) == [people[0].pk] * 2  # on the first day and the fifth; the third was too early
    assert list(campaign.entries.order_by("pk").values_list("number", flat=True)) == [1, 2]


def order(person: Customer, at: dt.datetime) -> None:
    Order.objects.create(customer=person, external_id=f"o{next(COUNT)}", ordered_at=at, total=20, currency="GBP")


def test_an_order_that_does_not_come_lets_in_once_for_each_expected_date(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    late, punctual, long_gone = people[:3]
    for person, expected in ((late, 0), (punctual, 0), (long_gone, -30)):
        order(person, MONDAY - 60 * DAY)
        score(person, 0.4, MONDAY - 50 * DAY)
        ScoreHistory.objects.filter(customer=person).update(next_order_on=(MONDAY + expected * DAY).date())
    order(people[9], MONDAY - DAY)  # the shop sells: its clock is now
    campaign = start(make_triggered(cast, now=MONDAY, trigger={"on": "overdue", "days": 3}), cast, now=MONDAY)
    order(punctual, MONDAY + DAY)

    for day in range(8):
        order(people[9], MONDAY + day * DAY)
        # Each new score expects the order later: it is the first one that was overdue.
        ScoreHistory.objects.create(
            customer=late, model=ModelVersion.objects.get(), as_of=MONDAY + day * DAY,
            next_order_on=(MONDAY + (day + 4) * DAY).date(),
        )  # fmt: skip
        let_people_in(MONDAY + day * DAY + 2 * HOUR)
    assert entered(campaign) == [late.pk]
    entry = Entry.objects.get(campaign=campaign)
    assert entry.cause == "overdue:2026-11-23" and entry.entered_at == MONDAY + 3 * DAY + 2 * HOUR

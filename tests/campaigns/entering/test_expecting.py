"""What an approver may expect: the trigger asked of the past, and whether those who enter are those who were expected."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from campaigns.approval.outlook import list_overlaps
from campaigns.audience.entry_drift import compare_shares
from campaigns.audience.replay import count_allowed, expect_entries
from campaigns.delivery.entering.sweep import let_people_in
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, ModelVersion, Order, ScoreHistory
from tests.campaigns.arrange import Cast

from .live import MONDAY, make_live, make_people, make_recurring, make_triggered, start

DAY = dt.timedelta(days=1)


def score(person: Customer, day: int, probability: float | None, expected_on: dt.date | None = None) -> None:
    ScoreHistory.objects.create(
        customer=person, model=ModelVersion.objects.get(), as_of=MONDAY + day * DAY, churn_probability=probability,
        next_order_on=expected_on,
    )  # fmt: skip


def test_events_of_the_last_four_weeks_are_counted_as_re_entry_allows(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    events = [
        NewEvent(person.pk, "cart_updated", MONDAY - days * DAY, f"e{person.pk}-{days}", {"category": "Tents"})
        for person in people[:4]
        for days in (2, 4, 20, 40)
    ]
    record_events(events, source="shop")
    trigger = {"on": "event", "event": "cart_updated", "where": {"category": "Tents"}}
    once = expect_entries(make_triggered(cast, now=MONDAY, trigger=trigger), now=MONDAY)
    again = expect_entries(make_triggered(cast, now=MONDAY, trigger=trigger, re_entry_days=7), now=MONDAY)
    always = expect_entries(make_triggered(cast, now=MONDAY, trigger=trigger, re_entry_days=0), now=MONDAY)
    assert once is not None and again is not None and always is not None
    assert (once.entries, again.entries, always.entries) == (1, 2, 3)
    assert once.messages == pytest.approx(0.8) and once.held_out == pytest.approx(0.2)


def test_crossings_and_overdue_orders_are_read_from_the_scores_of_then(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    for person, before, after in ((people[0], 0.4, 0.7), (people[1], 0.7, 0.8), (people[2], 0.9, 0.2)):
        score(person, -40, before)
        score(person, -10, after)
    crossing = expect_entries(make_triggered(cast, now=MONDAY, trigger={"on": "churn", "line": 0.6}), now=MONDAY)
    assert crossing is not None and crossing.entries * 4 == pytest.approx(1)

    Order.objects.create(customer=people[3], external_id="o1", ordered_at=MONDAY - 60 * DAY, total=1, currency="EUR")
    Order.objects.create(customer=people[4], external_id="o2", ordered_at=MONDAY - DAY, total=1, currency="EUR")
    score(people[3], -50, 0.3, (MONDAY - 20 * DAY).date())
    overdue = expect_entries(make_triggered(cast, now=MONDAY, trigger={"on": "overdue", "days": 5}), now=MONDAY)
    assert overdue is not None and overdue.entries * overdue.days / 7 == pytest.approx(1)


def test_a_segment_is_asked_day_by_day_and_says_nothing_without_scores(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    rule = {"did": "ordered", "op": "gte", "times": 1, "within_days": 7}
    for person in people:
        Order.objects.create(
            customer=person, external_id=f"n{person.pk}", ordered_at=MONDAY - DAY, total=1, currency="EUR"
        )
    campaign = make_triggered(cast, now=MONDAY, trigger={"on": "segment"}, rule=rule)
    found = expect_entries(campaign, now=MONDAY)
    assert found is not None and found.entries == 5 and found.days == 28

    risky = {"field": "churn_probability", "op": "gte", "value": 0.3}
    campaign = make_triggered(cast, now=MONDAY, trigger={"on": "segment"}, rule=risky)
    assert expect_entries(campaign, now=MONDAY) is None
    for person in people[:2]:
        score(person, -14, 0.1)
        score(person, -3, 0.9)
    found = expect_entries(campaign, now=MONDAY)
    assert found is not None and found.entries * found.days / 7 == pytest.approx(2)


def test_a_recurring_one_expects_everybody_who_is_there_now(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    weekly = {"every": "week", "weekdays": [0], "at": "09:00"}
    each = expect_entries(make_recurring(cast, now=MONDAY, recurrence=weekly), now=MONDAY)
    once = expect_entries(make_recurring(cast, now=MONDAY, recurrence=weekly, re_entry_days=None), now=MONDAY)
    assert each is not None and once is not None
    assert (each.entries, once.entries) == (20, 5)


def test_re_entry_lets_the_first_in_and_each_far_enough_from_the_last_one() -> None:
    first = dt.date(2026, 11, 1)
    causes = [(1, first + dt.timedelta(days=day)) for day in (0, 3, 7, 8, 14)] + [(2, first)]
    assert [count_allowed(causes, days) for days in (None, 0, 7, 8)] == [2, 6, 4, 3]


def test_drift_of_entries_is_told_where_it_is_large_and_no_chance() -> None:
    frozen = {1: 500, 2: 300, 3: 200}
    same = compare_shares(frozen, {1: 102, 2: 58, 3: 40})
    other = compare_shares(frozen, {1: 20, 2: 60, 3: 120})
    few = compare_shares(frozen, {3: 10})
    assert not same.is_beyond(0.1) and other.is_beyond(0.1) and not few.is_beyond(0.1)
    assert other.share == pytest.approx(0.4) and other.p_value < 1e-10
    assert compare_shares(frozen, {}).share == 0


def test_a_running_one_overlaps_with_as_many_as_entered_it(cast: Cast) -> None:
    now = timezone.now()
    make_people(20, now=now)
    trigger = {"on": "segment", "includes_present": True}
    running = start(make_triggered(cast, now=now, trigger=trigger), cast, now=now)
    planned = make_live(cast, now=now + DAY)
    assert [(found.campaign_id, found.people) for found in list_overlaps(planned)] == []
    let_people_in(now)
    treated = running.entries.filter(arm="treatment").values("customer_id")
    both = planned.members.filter(arm="treatment", customer_id__in=treated).count()
    assert both > 5 and [(found.campaign_id, found.people) for found in list_overlaps(planned)] == [(running.pk, both)]

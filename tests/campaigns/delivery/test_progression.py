"""People on their way through a sequence: each step in its time, each message once, and out as soon as a rule says so."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from campaigns.approval.editing import edit_campaign
from campaigns.approval.workflow import cancel_campaign
from campaigns.content.steps import add_wait, wait_sql
from campaigns.delivery.control import pause_campaign, resume_campaign
from campaigns.delivery.progression import Advanced, advance_entries, open_entries
from campaigns.delivery.scheduler import finish_campaigns
from campaigns.models import Campaign, Entry, ExitReason, Message, MessageStatus, Variant
from customers.ingest.recorder import NewEvent, record_events
from customers.models import ConsentRecord, Customer, EventKind, Order, Segment
from tests.at_once import do_at_once
from tests.campaigns.arrange import (
    NOW,
    Cast,
    add_step,
    ledger_open,
    make_campaign,
    make_cast,
    make_customers,
    make_variant,
    start,
)

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def begin(
    cast: Cast, steps: list[Mapping[str, Any]], *, exit_on: list[str] | None = None, people: int = 4, held: int = 2
) -> Campaign:
    """A sequence that was just started, its first messages queued."""
    campaign = make_campaign(cast.marketer, make_customers(people), held_out=make_customers(held, prefix="h"))
    for fields in steps:
        add_step(campaign, cast.marketer, **fields)
    if exit_on is not None:
        edit_campaign(cast.marketer, campaign, {"exit_on": exit_on}, now=NOW)
    return start(campaign, cast)


def settle(campaign: Campaign, status: str = MessageStatus.ACCEPTED, *, at: dt.datetime = NOW) -> None:
    """As the sender leaves every message that still waits."""
    skip = "capped" if status == MessageStatus.SKIPPED else ""
    Message.objects.filter(campaign=campaign, status=MessageStatus.QUEUED).update(
        status=status, skip_reason=skip, sending_at=None if skip else at, settled_at=at
    )


def messages_of(step: int) -> set[str]:
    return set(Message.objects.filter(step=step).values_list("customer__external_id", flat=True))


def exits() -> Counter[str]:
    return Counter(Entry.objects.exclude(exit_reason="").values_list("exit_reason", flat=True))


def order(external_id: str, at: dt.datetime) -> None:
    customer = Customer.objects.get(external_id=external_id)
    Order.objects.create(external_id=f"o{external_id}", customer=customer, ordered_at=at, currency="EUR", total=9)


def test_both_arms_enter_at_the_start_and_wait_for_the_second_step(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    assert Counter(Entry.objects.values_list("arm", flat=True)) == {"treatment": 4, "holdout": 2}
    assert set(Entry.objects.values_list("next_step", "next_at", "entered_at")) == {(2, NOW + 3 * DAY, NOW)}
    assert open_entries(campaign, now=NOW + HOUR) == 0
    assert advance_entries(NOW + 3 * DAY - HOUR) == Advanced()


def test_a_campaign_without_follow_ups_has_no_entries(cast: Cast) -> None:
    start(make_campaign(cast.marketer), cast)
    assert not Entry.objects.exists()


def test_a_step_is_sent_once_to_the_treated_and_held_out_people_go_on_without(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}, {"wait_hours": 24}])
    settle(campaign)
    assert advance_entries(NOW + 3 * DAY).queued == 4
    assert messages_of(2) == {"c0", "c1", "c2", "c3"}
    assert set(Message.objects.filter(step=2).values_list("variant__step", "send_by")) == {(2, NOW + 4 * DAY)}
    assert set(Entry.objects.values_list("next_step", "next_at")) == {(3, NOW + 4 * DAY)}
    assert advance_entries(NOW + 3 * DAY) == Advanced()
    settle(campaign, at=NOW + 3 * DAY)
    assert advance_entries(NOW + 4 * DAY).queued == 4
    assert exits() == {ExitReason.COMPLETED: 6}


def test_the_wait_counts_from_when_the_message_before_really_left(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign, at=NOW + 10 * HOUR)
    assert advance_entries(NOW + 3 * DAY).queued == 0
    due = {(arm, at) for arm, at in Entry.objects.values_list("arm", "next_at")}
    assert due == {("treatment", NOW + 3 * DAY + 10 * HOUR), ("holdout", None)}
    assert advance_entries(NOW + 3 * DAY + 10 * HOUR).queued == 4


def test_nobody_is_overtaken_by_the_next_step_while_a_message_waits(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 5}])
    assert advance_entries(NOW + 5 * HOUR).queued == 0
    assert set(Entry.objects.filter(arm="treatment").values_list("next_at", flat=True)) == {NOW + 10 * HOUR}
    settle(campaign, at=NOW + 6 * HOUR)
    assert advance_entries(NOW + 10 * HOUR).queued == 0
    assert advance_entries(NOW + 11 * HOUR).queued == 4


@pytest.mark.parametrize(("status", "hours"), [("skipped", 72), ("failed", 72), ("unknown", 74), ("bounced", 74)])
def test_what_became_of_the_message_before_decides_from_when_the_wait_counts(
    cast: Cast, status: str, hours: int
) -> None:
    """One that was never sent counts from when it was due; one that may have arrived as one that did."""
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign, status, at=NOW + 2 * HOUR)
    assert advance_entries(NOW + (hours - 1) * HOUR).queued == 0
    assert advance_entries(NOW + hours * HOUR).queued == 4


@pytest.mark.parametrize(
    ("only_if", "gets_it"),
    [
        ("always", {"c0", "c1", "c2", "c3"}),
        ("not_opened", {"c2", "c3"}),
        ("not_clicked", {"c1", "c2", "c3"}),
        ("clicked", {"c0"}),
    ],
)
def test_a_step_goes_to_those_of_whom_its_condition_is_true(cast: Cast, only_if: str, gets_it: set[str]) -> None:
    campaign = begin(cast, [{"wait_hours": 24, "only_if": only_if}, {"wait_hours": 24}])
    settle(campaign)
    Message.objects.filter(customer__external_id__in=["c0", "c1"]).update(opened_at=NOW)
    Message.objects.filter(customer__external_id="c0").update(clicked_at=NOW)
    advance_entries(NOW + DAY)
    assert messages_of(2) == gets_it
    assert Entry.objects.filter(next_step=3).count() == 6
    settle(campaign, at=NOW + DAY)
    advance_entries(NOW + 2 * DAY)
    assert messages_of(3) == {"c0", "c1", "c2", "c3"}


def test_the_message_before_is_the_last_that_reached_the_person(cast: Cast) -> None:
    """Who opened the first got no second, and so must not get a third for not having opened the second."""
    campaign = begin(cast, [{"wait_hours": 24, "only_if": "not_opened"}, {"wait_hours": 24, "only_if": "not_opened"}])
    settle(campaign)
    Message.objects.filter(customer__external_id="c0").update(opened_at=NOW)
    advance_entries(NOW + DAY)
    settle(campaign, at=NOW + DAY)
    advance_entries(NOW + 2 * DAY)
    assert messages_of(2) == messages_of(3) == {"c1", "c2", "c3"}


def test_who_orders_leaves_in_both_arms_and_a_return_is_no_order(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign)
    for name in ("c0", "h0"):
        order(name, NOW + DAY)
    order("c1", NOW - HOUR)  # before they entered
    order("c2", NOW + DAY)
    Order.objects.filter(external_id="oc2").update(is_return=True)
    advance_entries(NOW + 3 * DAY)
    assert messages_of(2) == {"c1", "c2", "c3"}
    left = Entry.objects.filter(exit_reason=ExitReason.ORDERED)
    assert set(left.values_list("customer__external_id", "next_step")) == {("c0", 2), ("h0", 2)}
    assert exits() == {ExitReason.ORDERED: 2, ExitReason.COMPLETED: 4}


def test_without_the_rule_an_order_ends_nothing(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], exit_on=[])
    settle(campaign)
    order("c0", NOW + DAY)
    advance_entries(NOW + 3 * DAY)
    assert exits() == {ExitReason.COMPLETED: 6}


def test_who_withdraws_leaves_always(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], exit_on=[])
    settle(campaign)
    for name in ("c0", "h0"):
        ConsentRecord.objects.create(
            customer=Customer.objects.get(external_id=name), status="withdrawn", source="unsubscribe", proof={},
            recorded_at=NOW + DAY,
        )  # fmt: skip
    advance_entries(NOW + 3 * DAY)
    assert exits() == {ExitReason.UNSUBSCRIBED: 2, ExitReason.COMPLETED: 4}
    assert messages_of(2) == {"c1", "c2", "c3"}


@pytest.mark.parametrize(
    ("rule", "kind", "reason"),
    [
        ("complained", EventKind.COMPLAINT_OPENED, ExitReason.COMPLAINED),
        ("event:cart_updated", EventKind.CART_UPDATED, ExitReason.EVENT),
    ],
)
def test_an_event_ends_it_where_that_was_chosen(cast: Cast, rule: str, kind: EventKind, reason: ExitReason) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], exit_on=[rule])
    settle(campaign)
    for name, what in (("c0", kind), ("h0", kind), ("c1", EventKind.PRODUCT_VIEWED)):
        person = Customer.objects.get(external_id=name)
        event = NewEvent(customer_id=person.pk, kind=what, occurred_at=NOW + DAY, external_id=name, properties={})
        record_events([event], source="shop")
    advance_entries(NOW + 3 * DAY)
    assert exits() == {reason: 2, ExitReason.COMPLETED: 4}


def test_who_is_no_longer_in_the_segment_leaves_where_that_was_chosen(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], exit_on=["left_segment"])
    settle(campaign)
    Customer.objects.filter(external_id__in=["c0", "h0"]).update(country="Wales")
    advance_entries(NOW + 3 * DAY)
    assert exits() == {ExitReason.LEFT_SEGMENT: 2, ExitReason.COMPLETED: 4}


def test_the_segment_that_was_approved_is_meant_and_no_later_one(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], exit_on=["left_segment"])
    settle(campaign)
    Segment.objects.update(rule={"field": "country", "op": "is", "value": "Wales"})
    advance_entries(NOW + 3 * DAY)
    assert exits() == {ExitReason.COMPLETED: 6}


def test_a_person_gets_the_text_of_the_same_draw_at_each_step(cast: Cast) -> None:
    campaign = make_campaign(cast.marketer, make_customers(60))
    add_step(campaign, cast.marketer, wait_hours=24)
    for step in (1, 2):
        make_variant(campaign.archetypes.get(), cast.marketer, label="B", step=step, subject=f"Another thought, {step}")
    start(campaign, cast)
    settle(campaign)
    advance_entries(NOW + DAY)
    labels: dict[int, set[str]] = {}
    for customer, label in Message.objects.values_list("customer_id", "variant__label"):
        labels.setdefault(customer, set()).add(label)
    assert len(labels) == 60
    assert {len(found) for found in labels.values()} == {1}
    assert Counter(next(iter(found)) for found in labels.values()).keys() == {"A", "B"}


def test_what_comes_more_than_the_window_too_late_is_missed_rather_than_late(cast: Cast) -> None:
    """The message says until when it may leave; the mark holds it to that."""
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign)
    advance_entries(NOW + 10 * DAY)
    assert set(Message.objects.filter(step=2).values_list("send_by", flat=True)) == {NOW + 4 * DAY}


def test_who_enters_again_goes_through_the_steps_anew(cast: Cast) -> None:
    """What became of the messages of the first time says nothing of the second."""
    campaign = begin(cast, [{"wait_hours": 24, "only_if": "not_clicked"}], people=1, held=0)
    settle(campaign)
    Message.objects.update(clicked_at=NOW)
    advance_entries(NOW + DAY)
    assert messages_of(2) == set()
    first = Entry.objects.get()
    Entry.objects.create(
        campaign=campaign, customer=first.customer, number=2, cause="again", arm="treatment", archetype=first.archetype,
        entered_at=NOW + 9 * DAY, next_step=2, next_at=NOW + 10 * DAY,
    )  # fmt: skip
    Message.objects.create(
        campaign=campaign, customer=first.customer, entry=2, variant=Variant.objects.get(step=1), status="accepted",
        sending_at=NOW + 9 * DAY, settled_at=NOW + 9 * DAY,
    )  # fmt: skip
    assert advance_entries(NOW + 10 * DAY).queued == 1
    assert Message.objects.values_list("step", "entry").get(step=2) == (2, 2)


def test_a_live_campaign_takes_people_on_from_their_own_entry(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 24}], people=2, held=0)
    settle(campaign)
    with ledger_open():
        Entry.objects.filter(customer__external_id="c1").update(entered_at=NOW + 5 * DAY, next_at=NOW + 6 * DAY)
    order("c1", NOW + DAY)  # before they entered
    order("c0", NOW + HOUR)
    advance_entries(NOW + DAY)
    assert exits() == {ExitReason.ORDERED: 1}
    assert advance_entries(NOW + 6 * DAY).queued == 1
    assert messages_of(2) == {"c1"}


def test_a_campaign_is_sent_when_nobody_is_on_their_way_any_more(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign)
    assert finish_campaigns(NOW + HOUR) == 0
    advance_entries(NOW + 3 * DAY)
    assert finish_campaigns(NOW + 3 * DAY) == 0, "the last messages wait"
    settle(campaign, at=NOW + 3 * DAY)
    assert finish_campaigns(NOW + 3 * DAY) == 1


def test_a_paused_sequence_stands_still_and_goes_on_after_the_first_window(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign)
    pause_campaign(None, campaign, reason="wait", now=NOW + 2 * DAY)
    assert advance_entries(NOW + 3 * DAY) == Advanced()
    resume_campaign(cast.approver, campaign, now=NOW + 3 * DAY)
    assert advance_entries(NOW + 3 * DAY).queued == 4


def test_who_was_on_their_way_leaves_when_the_campaign_is_cancelled(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    cancel_campaign(cast.approver, campaign, now=NOW + HOUR)
    assert exits() == {ExitReason.ENDED: 6}
    assert advance_entries(NOW + 3 * DAY) == Advanced()


def test_small_batches_move_everybody_once(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], people=25, held=5)
    settle(campaign)
    moved = advance_entries(NOW + 3 * DAY, batch=7)
    assert (moved.looked_at, moved.queued) == (30, 25)
    assert Message.objects.filter(step=2).count() == 25


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("wait", [1, 23, 24, 72, 100, 24 * 180])
@pytest.mark.parametrize(
    "begins", [dt.datetime(2026, 10, 23, 7, tzinfo=dt.UTC), dt.datetime(2027, 3, 26, 8, tzinfo=dt.UTC)]
)
def test_python_and_postgresql_wait_alike(zone: str, wait: int, begins: dt.datetime) -> None:
    with override_settings(SHOP_TIME_ZONE=zone), connection.cursor() as cursor:
        cursor.execute(f"SELECT {wait_sql('%(at)s::timestamptz', '%(wait)s::int')}", {"at": begins, "wait": wait})
        assert cursor.fetchone()[0] == add_wait(begins, wait)


@override_settings(SHOP_TIME_ZONE="Europe/Berlin")
def test_three_days_later_it_is_the_same_hour_also_when_the_clocks_change() -> None:
    before = dt.datetime(2026, 10, 23, 7, tzinfo=dt.UTC)  # nine in the morning, summer time
    assert add_wait(before, 72) == dt.datetime(2026, 10, 26, 8, tzinfo=dt.UTC)  # nine, winter time
    assert add_wait(before, 71) == before + dt.timedelta(hours=71)


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_write_each_message_once(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}], people=40, held=10)
    settle(campaign)
    moved = do_at_once(*[lambda: advance_entries(NOW + 3 * DAY, batch=5)] * 3)
    moved.append(advance_entries(NOW + 3 * DAY))  # what one beat passed over while another held it
    assert sum(run.queued for run in moved) == Message.objects.filter(step=2).count() == 40
    assert sum(run.looked_at for run in moved) == 50
    assert exits() == {ExitReason.COMPLETED: 50}


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_dies_before_its_commit_did_nothing(cast: Cast) -> None:
    campaign = begin(cast, [{"wait_hours": 72}])
    settle(campaign)

    def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        execute(sql, params, many, context)
        if "WITH due AS" in sql:
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(die):
        advance_entries(NOW + 3 * DAY)
    assert not Message.objects.filter(step=2).exists()
    assert Entry.objects.filter(next_step=2).count() == 6
    assert advance_entries(NOW + 3 * DAY).queued == 4

"""People enter a live campaign once by one cause, in the arm of its seed, as a freeze would have judged them."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from campaigns.audience.holdout import draws_holdout
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.models import AudienceMember, Campaign, Entry, Message, Occurrence
from customers.models import ConsentRecord, Customer, SegmentChange
from customers.models.consent import forgetting
from customers.segments.sweep import sweep_segments
from tests.campaigns.arrange import Cast

from .live import MONDAY, make_people, make_recurring, make_triggered, start

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
DAILY = {"every": "day", "at": "09:00"}


def arms(campaign: Campaign) -> Counter[str]:
    return Counter(Entry.objects.filter(campaign=campaign).values_list("arm", flat=True))


def test_everybody_of_the_segment_enters_at_each_occurrence_once(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)

    first = let_people_in(MONDAY + HOUR)
    again = let_people_in(MONDAY + HOUR)
    second = let_people_in(MONDAY + DAY + HOUR)

    assert first.entered == second.entered == 30 and again.entered == 0
    assert set(Entry.objects.values_list("number", "cause")) == {
        (1, "at:2026-11-23T09:00Z"),
        (2, "at:2026-11-24T09:00Z"),
    }
    treated = arms(campaign)["treatment"]
    assert Message.objects.filter(campaign=campaign).count() == treated == first.queued + second.queued
    assert not Message.objects.exclude(status="queued").exists()
    assert set(Message.objects.filter(entry=1).values_list("send_by", flat=True)) == {MONDAY + HOUR + DAY}


def test_the_arm_is_the_frozen_one_and_stays_at_each_entry(cast: Cast) -> None:
    make_people(60, now=MONDAY)
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    let_people_in(MONDAY + DAY + HOUR)

    frozen = dict(AudienceMember.objects.filter(campaign=campaign).values_list("customer_id", "arm"))
    for customer, arm in Entry.objects.filter(campaign=campaign).values_list("customer_id", "arm"):
        assert arm == frozen[customer]
        assert (arm == "holdout") == draws_holdout(campaign.holdout_seed, customer, 0.2)
    assert not Message.objects.filter(customer__campaign_entries__arm="holdout").exists()
    assert set(Entry.objects.values_list("archetype_id", flat=True)) == set(
        campaign.archetypes.values_list("pk", flat=True)
    )


def test_a_missed_occurrence_is_caught_up_inside_its_window_and_noted_after(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)

    counts = let_people_in(MONDAY + 3 * DAY + HOUR)
    assert counts.entered == 30
    found = dict(Occurrence.objects.filter(campaign=campaign).values_list("due_at", "outcome"))
    assert found == {MONDAY + n * DAY: "missed" for n in range(3)} | {MONDAY + 3 * DAY: "entered"}

    Campaign.objects.update(send_window_hours=2)
    assert let_people_in(MONDAY + 4 * DAY + 3 * HOUR).entered == 0
    assert Occurrence.objects.get(due_at=MONDAY + 4 * DAY).outcome == "missed"


def test_who_comes_to_be_in_the_segment_enters_and_who_was_there_does_not(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    late = make_people(5, now=MONDAY, prefix="late", country="Wales")
    campaign = start(make_triggered(cast, now=MONDAY, trigger={"on": "segment"}), cast, now=MONDAY)
    assert let_people_in(MONDAY + HOUR).entered == 0

    Customer.objects.filter(pk__in=[person.pk for person in late]).update(country="Scotland")
    assert let_people_in(MONDAY + 2 * HOUR).entered == 5
    assert let_people_in(MONDAY + 3 * HOUR).entered == 0
    assert set(campaign.entries.values_list("customer_id", flat=True)) == {person.pk for person in late}


def test_the_campaign_and_its_segment_see_the_same_people_enter(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    late = make_people(5, now=MONDAY, prefix="late", country="Wales")
    campaign = start(make_triggered(cast, now=MONDAY, trigger={"on": "segment"}), cast, now=MONDAY)
    sweep_segments(MONDAY + HOUR)
    let_people_in(MONDAY + HOUR)

    Customer.objects.filter(pk__in=[person.pk for person in late]).update(country="Scotland")
    assert let_people_in(MONDAY + HOUR + MINUTE * 11).entered == 5, "recorded too long ago: the rule is asked"
    Customer.objects.filter(pk__in=[person.pk for person in late[:2]]).update(country="Wales")
    sweep_segments(MONDAY + 2 * HOUR)
    Customer.objects.filter(pk__in=[person.pk for person in late[:2]]).update(country="Scotland")
    let_people_in(MONDAY + 2 * HOUR + MINUTE)
    left = set(campaign.presences.values_list("customer_id", flat=True))
    assert left.isdisjoint(person.pk for person in late[:2]), "as the sweep of a minute ago recorded it"

    sweep_segments(MONDAY + 3 * HOUR)
    let_people_in(MONDAY + 3 * HOUR + MINUTE)
    entered = set(SegmentChange.objects.filter(has_entered=True).values_list("customer_id", flat=True))
    assert entered == set(campaign.entries.values_list("customer_id", flat=True))


def test_who_is_there_already_enters_where_that_was_asked_for(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    trigger = {"on": "segment", "includes_present": True}
    start(make_triggered(cast, now=MONDAY, trigger=trigger), cast, now=MONDAY)
    assert let_people_in(MONDAY + HOUR).entered == 30
    assert let_people_in(MONDAY + 2 * HOUR).entered == 0


def test_who_may_not_be_written_to_is_left_out_with_the_reason(cast: Cast) -> None:
    people = make_people(30, now=MONDAY)
    with forgetting():
        ConsentRecord.objects.filter(customer=people[0]).delete()
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=DAILY), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    entry = Entry.objects.get(campaign=campaign, customer=people[0])
    assert (entry.arm, entry.exclusion_reason, entry.archetype_id) == ("excluded", "no_consent", None)
    assert entry.exited_at == MONDAY + HOUR and not Message.objects.filter(customer=people[0]).exists()

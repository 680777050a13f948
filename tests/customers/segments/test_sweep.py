"""Entering and leaving a segment is recorded, for those who changed and for those whom time moved, and for nobody else."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import (
    Customer,
    Order,
    SegmentChange,
    SegmentCount,
    SegmentMember,
    SegmentSize,
    TouchedCustomer,
    note_everybody,
)
from customers.models.consent import forgetting
from customers.segments.preview import count_matching
from customers.segments.rules import parse_rule
from customers.segments.sweep import sweep_segments

from .arrange import NOW, make_event, make_order, make_person, make_segment

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
LATELY = {"match": "all", "rules": [{"did": "ordered", "op": "gte", "times": 1, "within_days": 30}]}
QUIET = {"match": "all", "rules": [{"field": "recency_days", "op": "gte", "value": 45}]}
NORWAY = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "Norway"}]}


def _changes() -> list[tuple[str, str, bool, str]]:
    found = SegmentChange.objects.order_by("pk").select_related("segment", "customer")
    return [(c.segment.name, c.customer.external_id, c.has_entered, c.cause) for c in found]


def _members(name: str) -> set[str]:
    return set(SegmentMember.objects.filter(segment__name=name).values_list("customer__external_id", flat=True))


def test_the_first_count_is_no_change() -> None:
    anna = make_person(external_id="anna", country="Norway")
    make_segment("north", NORWAY)
    done = sweep_segments(NOW)
    assert (done.recounted, done.entered) == (1, 1)
    assert _members("north") == {"anna"}
    assert SegmentMember.objects.get(customer=anna).entered_at is None
    assert _changes() == []
    assert SegmentCount.objects.get().size == 1


def test_only_those_who_changed_are_looked_at() -> None:
    people = [make_person(country="Norway") for _ in range(20)]
    make_segment("north", NORWAY)
    sweep_segments(NOW)
    Customer.objects.filter(pk=people[0].pk).update(country="China")
    make_person(external_id="new", country="Norway")
    done = sweep_segments(NOW + MINUTE)
    assert (done.recounted, done.looked_at, done.entered, done.left) == (0, 2, 1, 1)
    assert sorted(_changes()) == sorted(
        [("north", "new", True, "data"), ("north", people[0].external_id, False, "data")]
    )
    assert SegmentCount.objects.get().size == 20


def test_a_second_sweep_finds_nothing_to_do() -> None:
    make_person(country="Norway")
    make_segment("north", NORWAY)
    sweep_segments(NOW)
    with CaptureQueriesContext(connection) as asked:
        done = sweep_segments(NOW + MINUTE)
    assert (done.recounted, done.looked_at, done.entered, done.left) == (0, 0, 0, 0)
    assert not any("segmentchange" in query["sql"] and "INSERT" in query["sql"] for query in asked)
    assert SegmentChange.objects.count() == 0


def test_time_alone_makes_people_leave_and_enter() -> None:
    anna, ben = make_person(external_id="anna"), make_person(external_id="ben")
    make_order(anna, NOW - dt.timedelta(days=30) + MINUTE / 2)
    make_order(ben, NOW - dt.timedelta(days=45) + MINUTE / 2)
    make_order(make_person(external_id="cara"), NOW - dt.timedelta(days=3))
    make_segment("lately", LATELY)
    make_segment("quiet", QUIET)
    sweep_segments(NOW)
    assert (_members("lately"), _members("quiet")) == ({"anna", "cara"}, set())
    done = sweep_segments(NOW + MINUTE)
    assert done.recounted == 0
    assert done.looked_at == 2, "anna for the one border, ben for the other; nobody looks at cara"
    assert (_members("lately"), _members("quiet")) == ({"cara"}, {"ben"})
    assert _changes() == [("lately", "anna", False, "time"), ("quiet", "ben", True, "time")]


def test_an_order_brings_somebody_in_and_its_removal_takes_them_out() -> None:
    anna, ben = make_person(external_id="anna"), make_person(external_id="ben")
    make_order(ben, NOW - dt.timedelta(days=1))
    make_segment("lately", LATELY)
    sweep_segments(NOW)
    order = make_order(anna, NOW)
    sweep_segments(NOW + MINUTE)
    assert _members("lately") == {"anna", "ben"}
    Order.objects.filter(pk=order.pk).update(customer=ben)  # as a merge of two customers does
    sweep_segments(NOW + 2 * MINUTE)
    assert _members("lately") == {"ben"}
    Order.objects.filter(customer=ben).delete()
    sweep_segments(NOW + 3 * MINUTE)
    assert _members("lately") == set()


def test_another_rule_is_counted_anew_and_says_why() -> None:
    make_person(external_id="anna", country="Norway")
    make_person(external_id="bao", country="China")
    segment = make_segment("abroad", NORWAY)
    sweep_segments(NOW)
    segment.rule, segment.number = {"field": "country", "op": "is", "value": "China"}, 2
    segment.save()
    assert sweep_segments(NOW + MINUTE).recounted == 1
    assert sorted(_changes()) == [("abroad", "anna", False, "rule"), ("abroad", "bao", True, "rule")]


def test_everybody_is_asked_after_new_scores_and_once_a_day() -> None:
    make_person(country="Norway")
    make_segment("north", NORWAY)
    assert sweep_segments(NOW).recounted == 1
    assert sweep_segments(NOW + MINUTE).recounted == 0
    note_everybody()
    assert sweep_segments(NOW + 2 * MINUTE).recounted == 1
    assert sweep_segments(NOW + dt.timedelta(days=1)).recounted == 1


def test_a_rule_that_cannot_be_read_stops_no_other() -> None:
    make_person(external_id="anna", country="Norway")
    broken = make_segment("a broken one", {"field": "shoe size", "op": "is", "value": "44"})
    make_segment("north", NORWAY)
    done = sweep_segments(NOW)
    assert (done.segments, done.failed) == (1, 1)
    assert _members("north") == {"anna"}
    assert SegmentCount.objects.get(segment=broken).fault


def test_the_erased_are_in_no_segment() -> None:
    make_person(external_id="anna", country="Norway", source="erased")
    make_segment("north", NORWAY)
    sweep_segments(NOW)
    assert _members("north") == set()


def test_a_day_has_one_row_with_its_coming_and_going() -> None:
    make_person(country="Norway")
    make_segment("north", NORWAY)
    sweep_segments(NOW)
    for minutes in (1, 2):
        make_person(country="Norway")
        sweep_segments(NOW + minutes * MINUTE)
    with forgetting():
        Customer.objects.order_by("pk")[:1].get().delete()
    make_person(country="Norway")
    sweep_segments(NOW + dt.timedelta(days=1))
    rows = list(SegmentSize.objects.order_by("day").values_list("size", "entered", "left"))
    assert rows == [(3, 2, 0), (3, 1, 0)], "who is deleted leaves no trace; the count of the next day is right again"


def test_what_is_written_while_a_sweep_runs_stays_for_the_next() -> None:
    """The notes are taken as they are seen: none is deleted unseen."""
    make_segment("north", NORWAY)
    sweep_segments(NOW)
    make_person(external_id="late", country="Norway")
    assert TouchedCustomer.objects.count() == 1
    with transaction.atomic():
        sweep_segments(NOW + MINUTE)
        make_person(external_id="later", country="Norway")
    assert _members("north") == {"late"}
    sweep_segments(NOW + 2 * MINUTE)
    assert _members("north") == {"late", "later"}


def test_small_steps_come_to_the_same_as_counting_everybody() -> None:
    """Fifty hours of a drawn shop, swept every hour: recorded membership equals the rule at each of them."""
    draw = random.Random(7)
    people = [make_person(country=draw.choice(["Norway", "China"])) for _ in range(12)]
    rules = {
        "lately": {"did": "ordered", "op": "gte", "times": 2, "within_days": 1},
        "viewers": {"did": "viewed_product", "op": "lte", "times": 1, "within_days": 1},
        "quiet": {"field": "recency_days", "op": "between", "value": [1, 2]},
        "mixed": {
            "match": "any",
            "rules": [
                {"field": "country", "op": "is", "value": "China"},
                {"match": "all", "rules": [{"field": "orders_count", "op": "gte", "value": 3},
                                           {"did": "ordered", "op": "lte", "times": 0, "within_days": 1}]},
            ],
        },
    }  # fmt: skip
    segments = [make_segment(name, rule) for name, rule in rules.items()]
    now, full = NOW, 0
    for _hour in range(50):
        for person in draw.sample(people, 2):
            at = now - dt.timedelta(minutes=draw.randint(0, 30 * 60))
            draw.choice([make_order, lambda who, at: make_event(who, "product_viewed", at)])(person, at)
        full += sweep_segments(now).recounted
        for segment in segments:
            expected = count_matching(parse_rule(segment.rule), as_of=now)
            assert (segment.name, now, segment.members.count()) == (segment.name, now, expected)
            assert SegmentCount.objects.get(segment=segment).size == expected
        now += dt.timedelta(hours=1)
    assert full == 4 * 3, "once a day of the shop's calendar, and otherwise who changed"
    stays = {(c.segment_id, c.customer_id): c.has_entered for c in SegmentChange.objects.order_by("pk")}
    for key, is_in in stays.items():
        assert SegmentMember.objects.filter(segment=key[0], customer=key[1]).exists() == is_in

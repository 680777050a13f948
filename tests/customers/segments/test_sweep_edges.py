"""What a sweep could pass over: sizes after an erasure, articles that come after their views, words of a clock that is ahead."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.ingest.consent import record_consent
from customers.models import Product, Segment, SegmentCount, SegmentMember, SegmentSize
from customers.privacy.erasure import erase_customer
from customers.segments.sweep import sweep_segments

from .arrange import NOW, make_event, make_person, make_segment

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
NORWAY = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "Norway"}]}
TENTS = {
    "match": "all",
    "rules": [{"did": "viewed_product", "op": "gte", "times": 1, "window": {"ever": True}, "category": "Tents"}],
}
AGREED = {"match": "all", "rules": [{"channel": "email", "is": "consented", "value": True}]}


def list_members(segment: Segment) -> set[str]:
    return set(SegmentMember.objects.filter(segment=segment).values_list("customer__external_id", flat=True))


def test_the_size_is_that_of_those_who_are_left_when_somebody_was_erased() -> None:
    people = [make_person(country="Norway") for _number in range(3)]
    segment = make_segment("north", NORWAY)
    sweep_segments(NOW)
    erase_customer(people[0], actor=None, reason="asked", now=NOW)
    sweep_segments(NOW + MINUTE)
    assert SegmentMember.objects.filter(segment=segment).count() == 2
    assert SegmentCount.objects.get().size == 2
    assert SegmentSize.objects.get().size == 2


def test_an_article_that_comes_after_its_views_counts() -> None:
    """Views come as they happen, and the catalogue once a night."""
    person = make_person(external_id="ana")
    segment = make_segment("tents", TENTS)
    make_event(person, "product_viewed", NOW - MINUTE, sku="T1")
    sweep_segments(NOW)
    Product.objects.create(sku="T1", category="Tents")
    sweep_segments(NOW + MINUTE)
    assert list_members(segment) == {"ana"}


def test_a_new_article_that_rules_cannot_ask_for_touches_nobody() -> None:
    make_person()
    make_segment("tents", TENTS)
    sweep_segments(NOW)
    Product.objects.create(sku="T1")
    assert sweep_segments(NOW + MINUTE).recounted == 0


def test_a_consent_by_a_clock_that_is_ahead_counts_once_its_time_has_come() -> None:
    person = make_person(external_id="ana")
    segment = make_segment("agreed", AGREED)
    sweep_segments(NOW)
    record_consent(person, source="form", now=NOW + 3 * MINUTE)
    sweep_segments(NOW + MINUTE)
    assert list_members(segment) == set()
    for minutes in (2, 3, 4):
        sweep_segments(NOW + minutes * MINUTE)
    assert list_members(segment) == {"ana"}
    assert sweep_segments(NOW + 5 * MINUTE).looked_at == 0

"""What recorded membership is read for: overlaps, sizes, reach, the API."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.ingest.consent import record_consent, suppress_address
from customers.models import Channel, Customer, SuppressedDomain
from customers.segments.membership import (
    list_segments_of,
    list_users,
    measure_overlaps,
    read_sizes,
)
from customers.segments.reach import measure_reach
from customers.segments.rules import parse_rule
from customers.segments.sweep import sweep_segments

from .arrange import NOW, make_person, make_segment

pytestmark = pytest.mark.django_db
NORWAY = {"field": "country", "op": "is", "value": "Norway"}
GERMAN = {"field": "language", "op": "is", "value": "de"}


@pytest.fixture
def people() -> list[Customer]:
    """Six Norwegians, of whom two speak German, and a German."""
    found = [make_person(country="Norway", language="de" if n < 2 else "en", external_id=f"n{n}") for n in range(6)]
    return [*found, make_person(country="Germany", language="de", external_id="g")]


def test_overlaps_are_counted_from_what_was_recorded(people: list[Customer]) -> None:
    north, german = make_segment("north", NORWAY), make_segment("german", GERMAN)
    make_segment("nobody", {"field": "country", "op": "is", "value": "Atlantis"})
    sweep_segments(NOW)
    others = measure_overlaps(parse_rule(NORWAY), as_of=NOW, without=north.pk)
    assert [(o.segment, o.shared, o.size) for o in others] == [(german, 2, 3)]
    found = measure_overlaps(parse_rule(NORWAY), as_of=NOW)
    assert [(o.segment.name, o.shared) for o in found] == [("north", 6), ("german", 2)]
    assert [o.segment.name for o in measure_overlaps(parse_rule(NORWAY), as_of=NOW, without=north.pk)] == ["german"]


def test_a_person_is_told_in_which_segments_they_are_counted_or_not(people: list[Customer]) -> None:
    make_segment("north", NORWAY)
    assert [(s.name, at) for s, at in list_segments_of(people[0], as_of=NOW)] == [("north", None)]
    sweep_segments(NOW)
    moved = people[-1]
    Customer.objects.filter(pk=moved.pk).update(country="Norway")
    later = NOW + dt.timedelta(minutes=1)
    sweep_segments(later)
    assert [(s.name, at) for s, at in list_segments_of(moved, as_of=NOW)] == [("north", later)]


def test_reach_is_what_remains_after_consent_and_suppression(people: list[Customer]) -> None:
    for person in people[:4]:
        record_consent(person, source="form", now=NOW)
    suppress_address(people[0].email, reason="unsubscribed")
    Customer.objects.filter(pk=people[1].pk).update(phone="+4915112345678")
    record_consent(people[1], source="form", now=NOW, channel=Channel.SMS)
    found = {
        r.channel: (r.with_address, r.with_consent, r.reachable) for r in measure_reach(parse_rule(NORWAY), as_of=NOW)
    }
    assert found == {"email": (6, 4, 3), "sms": (1, 1, 1)}
    SuppressedDomain.objects.create(domain=people[2].email.rpartition("@")[2])
    email, _sms = measure_reach(parse_rule(NORWAY), as_of=NOW)
    assert (email.with_consent, email.reachable) == (4, 0), "all of them have their mail at a domain that is suppressed"


def test_a_segment_knows_which_others_ask_for_it() -> None:
    north = make_segment("north", NORWAY)
    other = make_segment("other", {"match": "all", "rules": [{"segment": north.pk}]})
    make_segment("third", {"match": "all", "rules": [{"segment": other.pk}]})
    assert list_users(north) == [other]


def test_the_api_tells_members_changes_and_sizes(people: list[Customer], marketer: User) -> None:
    north = make_segment("north", NORWAY)
    sweep_segments(NOW)
    Customer.objects.filter(pk=people[0].pk).update(country="Wales")
    sweep_segments(NOW + dt.timedelta(minutes=1))
    client = Client()
    client.force_login(marketer)
    members = client.get(f"/api/v1/segments/{north.pk}/members/", {"page_size": 3}).json()
    assert [row["customer"]["external_id"] for row in members["results"]] == ["n1", "n2", "n3"]
    rest = client.get(members["next"]).json()["results"]
    assert [row["customer"]["external_id"] for row in rest] == ["n4", "n5"]
    changes = client.get(f"/api/v1/segments/{north.pk}/changes/").json()["results"]
    assert [(row["customer"]["external_id"], row["has_entered"], row["cause"]) for row in changes] == [
        ("n0", False, "data")
    ]
    sizes = client.get(f"/api/v1/segments/{north.pk}/sizes/").json()["results"]
    assert sizes == [{"day": "2026-03-01", "size": 5, "entered": 0, "left": 1}]
    assert client.get("/api/v1/segments/999999/members/").status_code == 404
    assert [size.size for size in read_sizes(north)] == [5]

"""A time line is read in parts: nothing twice, nothing left out, and each part costs the same."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.insights.timeline import read_place, read_timeline
from customers.models import SegmentChange
from tests.customers.segments.arrange import NOW, make_event, make_order, make_person, make_segment

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def test_parts_join_without_a_gap_even_where_much_happened_at_once() -> None:
    person = make_person()
    segment = make_segment("north", {"field": "country", "op": "is", "value": "Norway"})
    for hours in range(4):
        at = NOW - hours * HOUR
        make_order(person, at)
        for kind in ("product_viewed", "search_performed", "ticket_opened"):
            make_event(person, kind, at)
        for has_entered in (True, False):
            SegmentChange.objects.create(
                segment=segment, customer=person, has_entered=has_entered, cause="data", happened_at=at
            )
    whole = read_timeline(person, until=NOW, size=100)
    assert len(whole) == 24
    parts, before = [], None
    for _part in range(9):
        entries = read_timeline(person, until=NOW, before=before, size=3)
        parts += entries
        before = read_place(str(entries[-1].place)) if entries else before
    assert [entry.place for entry in parts] == [entry.place for entry in whole]


@pytest.mark.parametrize("text", ["", "soon", "2026-03-01", "2026-03-01T12:00Z~9~1", "2026-03-01T12:00Z~3~x", "~2~a~b"])
def test_an_address_that_nobody_gave_begins_at_the_top(text: str) -> None:
    assert read_place(text) is None


def test_a_part_asks_as_much_of_a_long_life_as_of_a_short_one(marketer: User) -> None:
    client = Client()
    client.force_login(marketer)
    asked = []
    for length in (31, 300):
        person = make_person()
        for hours in range(length):
            make_event(person, "product_viewed", dt.datetime(2026, 2, 1, tzinfo=dt.UTC) - hours * HOUR)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/customers/{person.pk}/timeline/")
        assert page.status_code == 200 and b'hx-trigger="revealed"' in page.content
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_who_may_not_see_segments_is_not_told_of_them(support_agent: User, marketer: User) -> None:
    person = make_person()
    segment = make_segment("secret plan", {"field": "country", "op": "is", "value": "Norway"})
    SegmentChange.objects.create(
        segment=segment, customer=person, has_entered=True, cause="data", happened_at=NOW - HOUR
    )
    for user, sees in ((support_agent, False), (marketer, True)):
        client = Client()
        client.force_login(user)
        assert (b"secret plan" in client.get(f"/customers/{person.pk}/timeline/").content) is sees

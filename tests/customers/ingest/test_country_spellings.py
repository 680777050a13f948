"""A shop whose systems write one country in two ways has one group of its customers, and one line in the filter."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from customers.ingest.country_spellings import choose_spellings, country_sql, find_spellings, list_one_spelling_each
from customers.scoring.groups import value_sql
from tests.customers.segments.arrange import make_person


def test_the_longest_spelling_stands_for_all() -> None:
    known = ["", "UK", "United Kingdom", "gb", "DE", "Middle-earth", "middle-earth"]
    assert choose_spellings(known) == {"UK": "United Kingdom", "gb": "United Kingdom"}


@pytest.mark.django_db
def test_groups_of_people_are_one_per_country() -> None:
    for country in ("UK", "United Kingdom", "Norway", "O'Higgins", ""):
        make_person(country=country)
    with connection.cursor() as cursor:
        for sql in (country_sql(), value_sql("country")):
            cursor.execute(f"SELECT coalesce({sql}, ''), count(*) FROM customers_customer c GROUP BY 1 ORDER BY 1")
            assert cursor.fetchall() == [("", 1), ("Norway", 1), ("O'Higgins", 1), ("United Kingdom", 2)]


@pytest.mark.django_db
def test_the_filter_finds_every_spelling(marketer: User) -> None:
    client = Client()
    client.force_login(marketer)
    people = [make_person(country=country) for country in ("UK", "United Kingdom", "Norway")]
    assert find_spellings("UK") == ["UK", "United Kingdom"]
    assert list_one_spelling_each() == [("Norway", "Norway"), ("United Kingdom", "United Kingdom")]
    for asked in ("UK", "United Kingdom"):
        page = client.get("/customers/", {"country": asked})
        assert {person.pk for person in page.context["page"].customers} == {person.pk for person in people[:2]}
        assert [chip["value"] for chip in page.context["chips"]] == ["United Kingdom"]

"""The list of customers: filters in the address, pages by key, columns, export, and what is done to many at once."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.ingest.known_values import list_countries
from customers.insights import browsing
from customers.insights.browsing import browse, count_about, count_customers, read_place
from customers.models import AuditEntry, Customer, CustomerTag, ModelVersion, Score, Segment, Suppression
from customers.segments.sweep import sweep_segments
from tests.customers.segments.arrange import NOW, make_person, make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(marketer: User) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


def _make_people(number: int, *, scored: int) -> list[Customer]:
    model, _made = ModelVersion.objects.get_or_create(
        version=1, kind="churn",
        defaults={"estimator": "x", "horizon_days": 90, "trained_at": NOW, "data_from": NOW, "data_until": NOW,
                  "artifact": b""},
    )  # fmt: skip
    people = [make_person(country="Norway" if n % 2 else "China", last_name=f"N{n % 7}") for n in range(number)]
    for n, person in enumerate(people[:scored]):
        churn = (n % 5) / 10 if n % 4 else None  # many are equal, some have none
        Score.objects.create(
            customer=person, model=model, as_of=NOW, churn_probability=churn, expected_value=n % 3, recency_days=n
        )
    return people


@pytest.mark.parametrize("sort", ["-risk", "risk", "value", "-last_order", "name", "-name"])
def test_pages_by_key_show_everybody_once_there_and_back(sort: str) -> None:
    people = _make_people(23, scored=17)
    found = Customer.objects.known().select_related("score")
    whole = [c.pk for c in browse(found, sort=sort, place=None, size=100).customers]
    assert sorted(whole) == sorted(person.pk for person in people)
    pages = [browse(found, sort=sort, place=None, size=5)]
    while pages[-1].later:
        pages.append(browse(found, sort=sort, place=read_place(pages[-1].later, sort=sort), size=5))
    assert [c.pk for page in pages for c in page.customers] == whole
    assert pages[0].earlier == "" and len(pages) == 5
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        back = browse(found, sort=sort, place=read_place(back.earlier, sort=sort, is_backward=True), size=5)
        assert [c.pk for c in back.customers] == [c.pk for c in expected.customers]
    assert back.earlier == ""


def test_the_list_asks_the_same_for_3_people_and_for_60(client: Client) -> None:
    asked = []
    for number in (3, 57):
        _make_people(number, scored=0)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/customers/?country=Norway&sort=name").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_many_are_told_as_an_estimate_and_few_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    _make_people(30, scored=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    assert count_about(Customer.objects.all()) == browsing.Count(30, True)
    monkeypatch.setattr(browsing, "COUNTED", 1)
    assert count_about(Customer.objects.all()) == browsing.Count(30, False)
    assert count_customers() == browsing.Count(30, False)
    assert list_countries() == ["China", "Norway"]


def test_any_rule_filters_and_shows_itself_as_a_chip(client: Client) -> None:
    people = _make_people(6, scored=0)
    rule = json.dumps({"match": "all", "rules": [{"field": "country", "op": "is", "value": "Norway"}]})
    page = client.get("/customers/", {"rule": rule})
    assert [c.pk for c in page.context["page"].customers] == [p.pk for p in reversed(people) if p.country == "Norway"][
        ::-1
    ]
    assert "country is Norway" in page.content.decode()
    broken = client.get("/customers/", {"rule": '{"field": "shoe size"}'})
    assert broken.status_code == 422 and "shoe size" in broken.content.decode()
    assert client.get("/api/v1/customers/", {"rule": "{"}).status_code == 400
    assert len(client.get("/api/v1/customers/", {"rule": rule}).json()["results"]) == 3


def test_a_saved_segment_filters_by_what_was_recorded(client: Client) -> None:
    _make_people(6, scored=0)
    segment = make_segment("north", {"field": "country", "op": "is", "value": "Norway"})
    before = client.get("/customers/", {"segment": segment.pk})
    from django.utils import timezone

    sweep_segments(timezone.now())
    after = client.get("/customers/", {"segment": segment.pk})
    chosen: Any = [[c.pk for c in page.context["page"].customers] for page in (before, after)]
    assert chosen[0] == chosen[1] and len(chosen[0]) == 3


@pytest.mark.parametrize(
    "query",
    ["after=1~nan&sort=value", "after=x", "after=1~abc", "before=", "sort=shoes", "after=1%00", "q=%00", "page=7"],
)
def test_odd_addresses_show_a_page(client: Client, query: str) -> None:
    _make_people(3, scored=2)
    assert client.get(f"/customers/?{query}").status_code in (200, 422)


def test_columns_are_kept_for_each_of_the_staff(client: Client, second_marketer: User) -> None:
    make_person(phone="+447700900123")
    assert "+447700900123" not in client.get("/customers/").content.decode()
    done = client.post("/customers/columns/", {"column": ["phone", "joined", "nonsense"], "query": "q=p&after=1"})
    assert done["Location"] == "/customers/?q=p"
    assert "+447700900123" in client.get("/customers/").content.decode()
    other = Client()
    other.force_login(second_marketer)
    assert "+447700900123" not in other.get("/customers/").content.decode()


def test_the_file_holds_all_who_match_and_no_live_formula(client: Client, support_agent: User) -> None:
    make_person(external_id="=cmd()", first_name="+1", country="Norway")
    make_person(external_id="other", country="China")
    answer = client.get("/customers/export/?country=Norway")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["external_id"], row["first_name"]) for row in rows] == [("'=cmd()", "'+1")]
    assert AuditEntry.objects.filter(action="exported", object_kind="customers").count() == 1
    other = Client()
    other.force_login(support_agent)
    assert other.get("/customers/export/").status_code == 403


def test_all_who_match_get_a_tag_that_segments_can_ask_for(client: Client) -> None:
    people = _make_people(6, scored=0)
    asked = client.post("/customers/bulk/", {"do": "tag", "all": "1", "query": "country=Norway"})
    assert "3 people are chosen" in asked.content.decode()
    form = {"do": "tag", "all": "1", "query": "country=Norway", "confirm": "1"}
    assert client.post("/customers/bulk/", {**form, "word": " "}).status_code == 422
    done = client.post("/customers/bulk/", {**form, "word": "autumn"})
    assert done["Location"] == "/customers/?tag=autumn"
    client.post("/customers/bulk/", {**form, "word": "autumn"})
    assert CustomerTag.objects.count() == 3
    tagged = client.get("/customers/", {"rule": '{"field": "tag", "op": "is", "value": "autumn"}'})
    assert {c.pk for c in tagged.context["page"].customers} == {p.pk for p in people if p.country == "Norway"}
    others = client.get("/customers/", {"rule": '{"field": "tag", "op": "is_not", "value": "autumn"}'})
    assert {c.pk for c in others.context["page"].customers} == {p.pk for p in people if p.country == "China"}


def test_a_tag_is_taken_away_again(client: Client) -> None:
    people = _make_people(4, scored=0)
    everybody = {"all": "1", "query": "", "confirm": "1", "word": "autumn"}
    client.post("/customers/bulk/", {**everybody, "do": "tag"})
    client.post("/customers/bulk/", {**everybody, "do": "tag", "word": "other"})
    asked = client.post("/customers/bulk/", {"do": "untag", "all": "1", "query": "tag=autumn"}).content.decode()
    assert 'value="autumn"' in asked and '<option value="other">' in asked, "the tag of the list is offered first"
    chosen = {"do": "untag", "chosen": [people[0].pk, people[1].pk], "confirm": "1", "word": "autumn"}
    for _twice in range(2):
        client.post("/customers/bulk/", chosen)
    kept = CustomerTag.objects.filter(tag="autumn").values_list("customer_id", flat=True)
    assert set(kept) == {people[2].pk, people[3].pk} and CustomerTag.objects.filter(tag="other").count() == 4
    told = AuditEntry.objects.filter(action="customers_untagged").order_by("pk")
    assert [entry.details["people"] for entry in told] == [2, 0]


def test_a_campaign_begins_from_those_who_were_ticked(client: Client) -> None:
    people = _make_people(4, scored=0)
    chosen = {"do": "campaign", "chosen": [people[0].pk, people[3].pk], "confirm": "1", "word": "Two of them"}
    done = client.post("/customers/bulk/", chosen)
    segment = Segment.objects.get(name="Two of them")
    assert done["Location"].endswith(f"/campaigns/new/?segment={segment.pk}")
    found = client.get("/customers/", {"segment": segment.pk}).context["page"].customers
    assert {c.pk for c in found} == {people[0].pk, people[3].pk}
    again = client.post("/customers/bulk/", chosen)
    assert again.status_code == 422 and "exists" in again.content.decode()


def test_suppressing_many_takes_their_number_and_the_right(client: Client, analyst: User) -> None:
    people = _make_people(3, scored=0)
    Customer.objects.filter(pk=people[0].pk).update(phone="+4712345678", attributes={"push_token": "t-1"})
    form = {"do": "suppress", "chosen": [p.pk for p in people[:2]], "confirm": "1"}
    assert client.post("/customers/bulk/", {**form, "word": "3"}).status_code == 422
    assert Suppression.objects.count() == 0
    assert client.post("/customers/bulk/", {**form, "word": "2"}).status_code == 302
    assert Suppression.objects.filter(reason="staff", channel="email").count() == 2
    for channel in ("email", "sms", "push", "webhook"):
        tree = {"channel": channel, "is": "suppressed", "value": True}
        found = client.get("/customers/", {"rule": json.dumps(tree)}).context["page"].customers
        expected = {p.pk for p in (people[:1] if channel in ("sms", "push") else people[:2])}
        assert {c.pk for c in found} == expected, channel
    other = Client()
    other.force_login(analyst)
    assert other.post("/customers/bulk/", {**form, "word": "2"}).status_code == 403


def test_nobody_chosen_is_said(client: Client) -> None:
    answer = client.post("/customers/bulk/", {"do": "tag", "query": "country=Norway"}, follow=True)
    assert "Nobody was chosen" in answer.content.decode()


def test_countries_and_languages_are_named_in_the_readers_language(client: Client) -> None:
    person = make_person(country="Norway", language="en")
    client.cookies["django_language"] = "zh-hans"
    page = client.get("/customers/?country=Norway&language=en").content.decode()
    assert '<option value="Norway" selected>挪威</option>' in page
    assert "<small>挪威" in page
    assert page.count("挪威") == 3 and "英语" in page  # the choice, its chip and the customer
    assert "挪威" in client.get(f"/customers/{person.pk}/").content.decode()
    client.cookies["django_language"] = "en"
    assert "<small>Norway" in client.get("/customers/").content.decode()

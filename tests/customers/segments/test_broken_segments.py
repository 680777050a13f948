"""A stored rule that cannot be used any more is shown with its fault: no page and no call of the API answers 500."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from customers.models import Customer, Segment
from tests.campaigns.arrange import make_campaign

pytestmark = pytest.mark.django_db
BROKEN: list[Any] = [
    {"match": "all", "rules": [{"field": "shoe_size", "op": "gte", "value": 40}]},
    {"segment": 4711},
    {},
    {"version": 99, "match": "all", "rules": []},
    {"match": "all", "rules": [{"did": "ordered", "times": 1}]},
]


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.mark.parametrize("rule", BROKEN)
def test_pages_show_a_broken_segment_with_its_fault(client: Client, marketer: User, rule: Any) -> None:
    segment = Segment.objects.create(name="Of old", rule=rule)
    Segment.objects.create(name="Sound", rule={"field": "country", "op": "is", "value": "Norway"})
    person = Customer.objects.create(external_id="1", country="Norway")
    client.force_login(marketer)
    for address in (
        "/segments/",
        f"/segments/{segment.pk}/",
        f"/customers/{person.pk}/",
        f"/customers/?segment={segment.pk}",
    ):
        assert client.get(address).status_code == 200, address
    assert "Sound" in client.get("/segments/").content.decode()
    row = next(row for row in client.get("/segments/").context["rows"] if row["segment"] == segment)
    assert (row["told"].size, len(row["told"].faults)) == (None, 1)


@pytest.mark.parametrize("rule", BROKEN)
def test_the_audience_page_says_why_and_freezing_is_refused_in_words(client: Client, marketer: User, rule: Any) -> None:
    campaign = make_campaign(marketer)
    Segment.objects.filter(pk=campaign.segment_id).update(rule=rule)
    client.force_login(marketer)
    page = client.get(f"/campaigns/{campaign.pk}/audience/")
    assert page.status_code == 200
    assert page.context["rule_faults"]
    assert client.get(f"/segments/{campaign.segment_id}/size/").content.strip() == b""
    frozen = client.post(f"/api/v1/campaigns/{campaign.pk}/audience/freeze/")
    assert frozen.status_code in (400, 409, 422), frozen.content
    assert Campaign.objects.get(pk=campaign.pk).status == campaign.status


def test_the_api_names_the_place_of_a_fault(client: Client, marketer: User) -> None:
    segment = Segment.objects.create(name="Of old", rule=BROKEN[0])
    client.force_login(marketer)
    answer = client.get(f"/api/v1/segments/{segment.pk}/count/")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "rules[0].field"
    assert client.get("/api/v1/segments/").status_code == 200
    assert client.get("/api/v1/customers/", {"segment": segment.pk}).json()["results"] == []


def test_a_circle_is_refused_by_the_api_at_its_row(client: Client, marketer: User) -> None:
    client.force_login(marketer)
    german = {"field": "country", "op": "is", "value": "Germany"}
    first = client.post("/api/v1/segments/", {"name": "A", "rule": german}, "application/json").json()["id"]
    second = client.post("/api/v1/segments/", {"name": "B", "rule": {"segment": first}}, "application/json").json()[
        "id"
    ]
    rule = {"match": "all", "rules": [german, {"segment": second}]}
    refused = client.patch(f"/api/v1/segments/{first}/", {"rule": rule}, "application/json")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "rule.rules[1].segment"
    assert "A → B → A" in refused.json()["errors"][0]["message"]


def _nest(depth: int) -> str:
    return '{"match":"all","rules":[' * depth + '{"field":"country","op":"is","value":"x"}' + "]}" * depth


@pytest.mark.parametrize(
    "rule",
    [
        '{"match":"any","rules":[' + ",".join(['{"field":"country","op":"is","value":"x"}'] * 10_000) + "]}",
        '{"match":"any","rules":[' + ",".join(['{"match":"any","rules":[{"bucket":[0,1]}]}'] * 5_000) + "]}",
        _nest(30),
        _nest(5_000),
        _nest(50_000),
        '{"field":"country","op":"is","value":"\\ud800"}',
        '{"field":"country","op":"is","value":"a\\u0000b"}',
        '{"field":"expected_value","op":"gte","value":1e400}',
        '{"field":"expected_value","op":"gte","value":' + "9" * 5_000 + "}",
        '{"did":"ordered","op":"gte","times":99999999999999999999,"within_days":9}',
        '{"segment":99999999999999999999}',
        '{"field":{"$ne":1},"op":[],"value":{}}',
        '{"bucket":[0,1e308]}',
        '{"version":1e99,"match":"all","rules":[]}',
        "[]",
        "null",
        '"DROP TABLE customers_customer"',
    ],
)
def test_bad_input_is_refused_at_once_and_in_words(client: Client, marketer: User, rule: str) -> None:
    client.force_login(marketer)
    for address in ("/api/v1/segments/count/", "/api/v1/segments/"):
        answer = client.post(address, f'{{"name":"x","rule":{rule}}}', "application/json")
        assert answer.status_code in (400, 413), (answer.status_code, rule[:80])
    assert not Segment.objects.exists()

"""Customers, products and orders by the API: written by key, as often as one likes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.models import Customer, Order, OrderLine, Product, Segment
from customers.models.consent import forgetting

from .conftest import client_of

pytestmark = pytest.mark.django_db
ANA = {"external_id": "ana", "email": "ana@x.test", "time_zone": "Europe/Paris", "attributes": {"vip": True}}
TENT = {"sku": "T1", "name": "Tent", "price": "99.50", "currency": "EUR"}


def order(key: str = "o1", **fields: Any) -> dict[str, Any]:
    return {
        "external_id": key,
        "customer": "ana",
        "ordered_at": "2026-01-05T10:00:00+01:00",
        "currency": "eur",
        "lines": [{"sku": "T1", "quantity": 2, "unit_price": "99.50"}, {"quantity": 1, "unit_price": "5"}],
        **fields,
    }


@pytest.fixture
def shop(api: APIClient) -> APIClient:
    api.post("/api/v1/customers/", ANA)
    api.post("/api/v1/products/", TENT)
    return api


def post_json(client: APIClient, address: str, body: Any) -> Any:
    """By the standard library, which writes a lone surrogate as its escape."""
    return client.post(address, json.dumps(body), content_type="application/json")


def paths(response: Any) -> set[str]:
    assert response.status_code == 400, response.content
    return {error["path"] for error in response.json()["errors"]}


def test_a_customer_is_created_once_and_changed_by_put(api: APIClient) -> None:
    first = api.post("/api/v1/customers/", ANA)
    assert first.status_code == 201, first.content
    assert first.json()["source"] == "shop"
    again = api.post("/api/v1/customers/", ANA)
    assert (again.status_code, again.json()) == (200, first.json())
    changed = api.put("/api/v1/customers/shop/ana/", {"country": "France"})
    assert (changed.status_code, changed.json()["country"], changed.json()["email"]) == (200, "France", "ana@x.test")
    made = api.put("/api/v1/customers/crm/a/b c/", {"language": "zh"})
    assert (made.status_code, made.json()["external_id"]) == (201, "a/b c")
    assert api.get("/api/v1/customers/crm/a/b c/").json()["language"] == "zh"
    assert Customer.objects.count() == 2


def test_the_list_is_filtered_and_paged_by_key(api: APIClient) -> None:
    api.post("/api/v1/customers/bulk/", [{"external_id": str(n), "country": "DE" if n % 2 else "FR"} for n in range(7)])
    page = api.get("/api/v1/customers/", {"page_size": 4}).json()
    assert [row["external_id"] for row in page["results"]] == ["0", "1", "2", "3"]
    rest = api.get(page["next"]).json()
    assert ([row["external_id"] for row in rest["results"]], rest["next"]) == (["4", "5", "6"], None)
    assert len(api.get("/api/v1/customers/", {"country": "DE"}).json()["results"]) == 3
    assert len(api.get("/api/v1/customers/", {"q": "6"}).json()["results"]) == 1
    rule = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "FR"}]}
    segment = Segment.objects.create(name="French", rule=rule)
    assert len(api.get("/api/v1/customers/", {"segment": segment.pk}).json()["results"]) == 4


def test_bulk_writes_all_or_nothing_and_counts(api: APIClient) -> None:
    rows = [{"external_id": "a", "country": "DE"}, {"external_id": "b", "language": "zh"}]
    assert api.post("/api/v1/customers/bulk/", rows).json() == {"created": 2, "updated": 0, "unchanged": 0}
    assert api.post("/api/v1/customers/bulk/", rows).json() == {"created": 0, "updated": 0, "unchanged": 2}
    assert Customer.objects.get(external_id="b").country == ""
    bad = api.post("/api/v1/customers/bulk/", [{"external_id": "c"}, {"external_id": "d", "time_zone": "UTC+8"}])
    assert paths(bad) == {"[1].time_zone"}
    assert not Customer.objects.filter(external_id="c").exists()
    assert paths(api.post("/api/v1/customers/bulk/", [{"external_id": "c"}] * 2)) == {"[1].external_id"}
    api.post("/api/v1/customers/bulk/", [])
    assert paths(api.post("/api/v1/customers/bulk/", [])) == {""}
    assert paths(api.post("/api/v1/customers/bulk/", {"external_id": "c"})) == {""}


def test_products_are_versioned(api: APIClient) -> None:
    assert api.post("/api/v1/products/", TENT).json()["version"] == 1
    assert api.put("/api/v1/products/T1/", {"price": "89.50", "names": {"zh": "帐篷"}}).json()["version"] == 2
    assert api.put("/api/v1/products/T1/", {"price": "89.50"}).json()["version"] == 2
    assert Product.objects.get().name_in("zh") == "帐篷"
    assert paths(api.put("/api/v1/products/T1/", {"price": "-1"})) == {"price"}
    assert paths(api.put("/api/v1/products/T1/", {"url": "ftp://shop.example/t1"})) == {"url"}


def test_an_order_is_given_whole(shop: APIClient) -> None:
    made = shop.post("/api/v1/orders/", order(discount="4.00"))
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["total"], body["currency"], body["is_return"], body["customer"]) == ("200.00", "EUR", False, "ana")
    assert body["ordered_at"] == "2026-01-05T09:00:00Z"
    assert [(line["position"], line["sku"]) for line in body["lines"]] == [(1, "T1"), (2, None)]
    assert shop.post("/api/v1/orders/", order(discount="4.00")).json() == body
    less = shop.put("/api/v1/orders/shop/o1/", order(lines=[{"sku": "T1", "quantity": -1, "unit_price": "99.50"}]))
    assert (less.status_code, less.json()["total"], less.json()["is_return"]) == (200, "-99.50", True)
    assert OrderLine.objects.count() == 1


def test_orders_in_bulk_are_all_or_nothing(shop: APIClient) -> None:
    assert shop.post("/api/v1/orders/bulk/", [order("1"), order("2")]).json()["created"] == 2
    assert shop.post("/api/v1/orders/bulk/", [order("1"), order("2")]).json()["unchanged"] == 2
    bad = shop.post(
        "/api/v1/orders/bulk/",
        [order("3"), order("4", customer="bob"), order("5", lines=[{"sku": "X", "quantity": 1, "unit_price": "1"}])],
    )
    assert paths(bad) == {"[1].customer", "[2].lines[0].sku"}
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"ordered_at": "2026-01-05T10:00:00"}, "ordered_at"),
        ({"ordered_at": "2026-01-05"}, "ordered_at"),
        ({"ordered_at": "0001-01-01T00:00:00+14:00"}, "ordered_at"),
        ({"ordered_at": "9999-12-31T23:59:59-14:00"}, "ordered_at"),
        ({"ordered_at": "2096-01-05T10:00:00Z"}, "ordered_at"),
        ({"currency": "BTC"}, "currency"),
        ({"customer": "nobody"}, "customer"),
        ({"customer": "a\0b"}, "customer"),
        ({"customer": "\ud800"}, "customer"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 121}, "external_id"),
        ({"source": "My Shop"}, "source"),
        ({"discount": "1e400"}, "discount"),
        ({"discount": "-1"}, "discount"),
        ({"lines": []}, "lines"),
        ({"lines": [{"quantity": 0, "unit_price": "1"}]}, "lines[0].quantity"),
        ({"lines": [{"quantity": 2**70, "unit_price": "1"}]}, "lines[0].quantity"),
        ({"lines": [{"quantity": 1, "unit_price": "-1"}]}, "lines[0].unit_price"),
        ({"lines": [{"quantity": 1, "unit_price": "NaN"}]}, "lines[0].unit_price"),
        ({"lines": [{"quantity": 10**9, "unit_price": "9999999999"}]}, "lines"),
        ({"lines": [{"quantity": 1, "unit_price": "1", "sku": "ghost"}]}, "lines[0].sku"),
        ({"lines": {"quantity": 1}}, "lines"),
    ],
)
def test_a_wrong_order_names_its_field(shop: APIClient, fields: dict[str, Any], path: str) -> None:
    assert paths(post_json(shop, "/api/v1/orders/", order(**fields))) == {path}
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"attributes": {"a": "\0"}}, "attributes"),
        ({"attributes": {"a": "\ud800"}}, "attributes"),
        ({"attributes": [1]}, "attributes"),
        ({"attributes": {"a": "x" * 30_000}}, "attributes"),
        ({"email": "no address"}, "email"),
        ({"first_name": "x" * 121}, "first_name"),
        ({"joined_at": "2026-01-05T10:00:00"}, "joined_at"),
    ],
)
def test_a_wrong_customer_names_its_field(api: APIClient, fields: dict[str, Any], path: str) -> None:
    assert paths(post_json(api, "/api/v1/customers/", {"external_id": "a", **fields})) == {path}


@pytest.mark.parametrize(
    "body",
    [b"{", b"[" * 100_000, b"\xff\xfe", b'{"external_id": ' + b"9" * 5000 + b"}", b"null", b"7", b'"x"', b"NaN", b""],
)
@pytest.mark.parametrize(
    "resource", ["customers", "products", "orders", "orders/bulk", "events", "segments", "segments/count"]
)
def test_a_broken_body_is_400_in_words(api: APIClient, resource: str, body: bytes) -> None:
    response = api.post(f"/api/v1/{resource}/", body, content_type="application/json")
    assert response.status_code == 400, response.content
    assert response.json()["detail"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/customers/?cursor=cD1hYmM=", 404),
        ("/api/v1/customers/?cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", 404),
        ("/api/v1/customers/?cursor=%00", 200),
        ("/api/v1/customers/?page_size=99999999999999999999999", 200),
        ("/api/v1/customers/?q=%00", 400),
        ("/api/v1/customers/?segment=99999999999999999999999", 400),
        ("/api/v1/customers/?risk=huge", 400),
        ("/api/v1/customers/shop/%00/", 404),
        ("/api/v1/products/%00/", 404),
        ("/api/v1/orders/?customer=1e400", 400),
        ("/api/v1/orders/?customer=99999999999999999999999", 400),
        ("/api/v1/orders/?source=%00", 400),
        ("/api/v1/orders/?ordered_after=9999-99-99", 400),
        ("/api/v1/orders/?ordered_after=2026-01-01T00:00:00", 400),
        ("/api/v1/orders/?ordered_after=2026-01-01T00:00:00-16:32", 200),
        ("/api/v1/orders/?ordered_after=0451-10-26T06:37:11Z", 400),
        ("/api/v1/events/?customer=1&occurred_before=2701-01-01T00:00:00Z", 400),
        ("/api/v1/events/", 400),
        ("/api/v1/events/?customer=1&cursor=cD1hYmM=", 404),
        ("/api/v1/segments/99999999999999999999999/", 404),
    ],
)
def test_odd_addresses_are_answered(api: APIClient, address: str, status: int) -> None:
    assert api.get(address).status_code == status


def test_rights_are_asked(marketing: APIClient, outsider: User, db: None) -> None:
    assert APIClient().get("/api/v1/customers/").status_code == 401
    assert client_of(outsider).get("/api/v1/customers/").status_code == 403
    assert marketing.get("/api/v1/customers/").status_code == 200
    for resource in ("customers", "customers/bulk", "products", "orders", "orders/bulk", "events"):
        assert marketing.post(f"/api/v1/{resource}/", {}).status_code == 403, resource


def seed(api: APIClient, count: int) -> None:
    people = [{"external_id": f"p{n}"} for n in range(count)]
    assert api.post("/api/v1/customers/bulk/", [{**ANA, "external_id": "ana"}, *people]).status_code == 200
    assert api.post("/api/v1/products/bulk/", [TENT, *({"sku": f"S{n}"} for n in range(count))]).status_code == 200
    orders = [
        order(f"{n}", customer=f"p{n}", lines=[{"sku": f"S{n}", "quantity": 1, "unit_price": "1"}])
        for n in range(count)
    ]
    assert api.post("/api/v1/orders/bulk/", orders).status_code == 200
    events = [
        {"external_id": f"e{n}", "customer": "ana", "kind": "product_viewed", "occurred_at": "2026-01-05T10:00:00Z"}
        for n in range(count)
    ]
    assert api.post("/api/v1/events/", {"events": events}).status_code == 200
    Segment.objects.bulk_create([Segment(name=f"s{n}", rule={}) for n in range(count)])


@pytest.mark.parametrize("resource", ["customers", "products", "orders", "events", "segments"])
def test_a_list_asks_the_same_for_3_rows_and_for_30(api: APIClient, resource: str) -> None:
    queries = []
    for count in (3, 30):
        for model in (OrderLine, Order, Product, Segment):
            model.objects.all().delete()
        with forgetting():
            Customer.objects.all().delete()
        seed(api, count)
        address = f"/api/v1/{resource}/?page_size=100"
        if resource == "events":
            address += f"&customer={Customer.objects.get(external_id='ana').pk}"
        with CaptureQueriesContext(connection) as captured:
            rows = api.get(address).json()["results"]
        assert len(rows) >= count
        queries.append(len(captured))
    assert queries[0] == queries[1]
    assert queries[0] <= 8


def test_money_is_exact(shop: APIClient) -> None:
    lines = [{"quantity": 3, "unit_price": "0.3333"}, {"quantity": 1, "unit_price": "0.0001"}]
    assert shop.post("/api/v1/orders/", order(lines=lines)).json()["total"] == "1.00"
    assert OrderLine.objects.get(position=1).unit_price == Decimal("0.3333")


def test_a_telephone_number_is_kept_in_one_form_and_nonsense_is_refused(api: APIClient) -> None:
    made = api.post("/api/v1/customers/", ANA | {"phone": "06 12 34 56 78", "country": "France"})
    assert (made.status_code, made.json()["phone"]) == (201, "+33612345678")
    refused = api.post("/api/v1/customers/", ANA | {"phone": "call me"})
    assert refused.status_code == 400 and "country code" in str(refused.json())
    assert Customer.objects.get().phone == "+33612345678"
    assert api.post("/api/v1/customers/", ANA | {"phone": ""}).json()["phone"] == ""

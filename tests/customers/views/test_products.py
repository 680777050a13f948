"""The catalogue on the pages, its versions, and pages whose cost does not grow with what there is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.ingest.products import upsert_products
from customers.ingest.recorder import record_events
from customers.models import Customer, Product, ProductVersion

pytestmark = pytest.mark.django_db


def put(price: str, *, count: int = 1, stock: int = 3) -> None:
    frame = {"sku": [f"T{n}" for n in range(count)], "name": [f"Tent {n}" for n in range(count)]}
    upsert_products(
        pl.DataFrame(frame).with_columns(
            price=pl.lit(Decimal(price)), currency=pl.lit("GBP"), stock=pl.lit(stock), category=pl.lit("Tents")
        )
    )


def test_every_way_of_writing_leaves_a_version(client: Client, marketer: User) -> None:
    put("199.90")
    put("199.90")
    put("189.90", stock=2)
    product = Product.objects.get()
    Product.objects.filter(pk=product.pk).update(name="Tent Zero", version=product.version + 1)
    told = ProductVersion.objects.order_by("number").values_list("number", "name", "price", "stock")
    assert list(told) == [
        (1, "Tent 0", Decimal("199.90"), 3), (2, "Tent 0", Decimal("189.90"), 2), (3, "Tent Zero", Decimal("189.90"), 2),
    ]  # fmt: skip
    client.force_login(marketer)
    page = client.get(f"/content/products/{product.pk}/").content.decode()
    assert (
        "<b>Tent Zero</b>" in page and "<b>£189.90</b>" in page and "£199.90" in page and "<b>£199.90</b>" not in page
    )
    product.delete()
    assert not ProductVersion.objects.exists()


def test_the_list_finds_and_costs_the_same_for_thirty_as_for_three(client: Client, marketer: User) -> None:
    client.force_login(marketer)
    counts = []
    for count in (3, 30):
        put("5.00", count=count)
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/content/products/")
        counts.append(len(queries))
        assert page.content.decode().count("</tr>") == count + 1
    assert counts[0] == counts[1]
    assert "Tent 17" in client.get("/content/products/", {"q": "t17"}).content.decode()
    assert "Nothing found" in client.get("/content/products/", {"q": "\0nothing"}).content.decode()
    assert "Nothing found" in client.get("/content/products/", {"category": "Mugs"}).content.decode()


def test_the_page_of_a_customer_asks_as_much_for_ten_thousand_events_as_for_ten(client: Client, marketer: User) -> None:
    client.force_login(marketer)
    customer = Customer.objects.create(external_id="c", email="c@shop.example", phone="+447700900123")
    now, asked = timezone.now(), []
    for first, last in ((0, 10), (10, 10_000)):
        frame = pl.DataFrame({"external_id": [f"e{n}" for n in range(first, last)]}).with_columns(
            kind=pl.lit("product_viewed"), customer_id=pl.lit(customer.pk), properties=pl.lit('{"sku": "T0"}'),
            occurred_at=pl.Series([now - dt.timedelta(minutes=n) for n in range(first, last)], dtype=pl.Datetime("us", "UTC")),
        )  # fmt: skip
        record_events(frame, source="shop")
        client.get(f"/customers/{customer.pk}/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/customers/{customer.pk}/").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]

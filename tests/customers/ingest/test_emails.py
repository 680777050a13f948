"""Addresses in one form, whichever way they come in; zones that are none."""

from __future__ import annotations

import polars as pl
import pytest

from customers.ingest.customers import upsert_customers
from customers.ingest.emails import normalise_email, normalise_emails
from customers.models import Customer

TOLD = [
    (" Ana@SHOP.Example ", "Ana@shop.example"), ("bo@BÜCHER.example.", "bo@xn--bcher-kva.example"), ("", ""), ("no", "no"),
    ("@x", "@x"), ("a@b@C.example", "a@b@c.example"), ("张@例子.中国", "张@xn--fsqu00a.xn--fiqs8s"),
    ("x@ .example", "x@ .example"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TOLD)
def test_one_by_one_and_in_columns_alike(text: str, expected: str) -> None:
    assert normalise_email(text) == expected
    assert normalise_emails(pl.DataFrame({"email": [text, None]}))["email"].to_list() == [expected, None]


@pytest.mark.django_db
def test_what_every_way_in_goes_through(settings: object) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]
    frame = pl.DataFrame(
        {
            "external_id": ["a", "b", "c"],
            "email": ["Ana@SHOP.Example", None, "x"],
            "time_zone": ["UTC+8", "Asia/Tokyo", None],
        }
    )
    upsert_customers(frame)
    told = Customer.objects.order_by("external_id").values_list("email", "time_zone")
    assert list(told) == [("Ana@shop.example", "Europe/Berlin"), ("", "Asia/Tokyo"), ("x", "Europe/Berlin")]

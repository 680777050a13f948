"""Telephone numbers: one form for each, whoever wrote it, and nothing that is none."""

from __future__ import annotations

import polars as pl
import pytest
from pytest_django import Settings

from customers.ingest.customers import upsert_customers
from customers.ingest.phones import BadPhone, normalise_phone
from customers.models import Customer


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+44 7700 900123", "", "+447700900123"),
        ("07700 900123", "Scotland", "+447700900123"),
        ("07700 900123", "", "+447700900123"),  # the shop's own country
        ("(0)7700-900 123", "GB", "+447700900123"),
        ("0044 7700 900123", "United Kingdom", "+447700900123"),
        ("138 1234 5678", "中国", "+8613812345678"),
        ("＋４４７７００９００１２３", "", "+447700900123"),
        ("0171 2345678", "Germany", "+491712345678"),
        ("", "GB", ""),
        ("  ", "GB", ""),
    ],
)
def test_a_number_has_one_form(text: str, country: str, expected: str, settings: Settings) -> None:
    settings.SHOP_COUNTRY = "GB"
    assert normalise_phone(text, country) == expected
    assert normalise_phone(expected, "US") == expected


@pytest.mark.parametrize("text", ["12", "no number", "+999 1234567890", "+44 7700 900123 ext. 5", "1" * 61])
def test_what_is_no_number_is_refused(text: str, settings: Settings) -> None:
    settings.SHOP_COUNTRY = "GB"
    with pytest.raises(BadPhone):
        normalise_phone(text)


@pytest.mark.django_db
def test_one_bad_number_in_a_file_holds_nobody_up() -> None:
    frame = pl.DataFrame(
        {"external_id": ["a", "b", "c"], "country": ["Scotland"] * 3, "phone": ["07700 900123", "call me", None]}
    )
    upsert_customers(frame)
    assert dict(Customer.objects.values_list("external_id", "phone")) == {"a": "+447700900123", "b": "", "c": ""}

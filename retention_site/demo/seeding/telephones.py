"""Telephone numbers and consents to text messages for the demo shop: nobody's numbers, the same ones every time."""

from __future__ import annotations

import zlib

import polars as pl

#: Of a hundred customers so many left a number, and of those who agreed to mail so many agreed to text messages too.
WITH_NUMBER, AGREED = 60, 35


def add_telephones(customers: pl.DataFrame) -> pl.DataFrame:
    """The frame of customers with a column phone, "" for some; numbers are of Ofcom's range for plays and films."""
    phones = [_make_number(str(key)) for key in customers["external_id"]]
    return customers.with_columns(pl.Series("phone", phones, dtype=pl.String))


def add_text_consents(consents: pl.DataFrame) -> pl.DataFrame:
    """The frame of consents, and the same again for text messages of those who agreed to them where they agreed to mail."""
    agreed = pl.Series([_draw(str(key), "text") < AGREED for key in consents["customer_external_id"]], dtype=pl.Boolean)
    numbers = pl.Series([bool(_make_number(str(key))) for key in consents["customer_external_id"]], dtype=pl.Boolean)
    texted = consents.filter(agreed & numbers).with_columns(channel=pl.lit("sms"))
    return pl.concat([consents, texted], how="vertical_relaxed")


def _make_number(key: str) -> str:
    return f"+447700900{_draw(key, 'number', 1000):03d}" if _draw(key, "has") < WITH_NUMBER else ""


def _draw(key: str, what: str, out_of: int = 100) -> int:
    """The same on every machine."""
    return zlib.crc32(f"{what}:{key}".encode()) % out_of

"""Checks the rows of a file of records, whole columns at a time: what is good goes on, what is not gets its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl
from django.conf import settings

from customers.ingest.cleaning import (
    MAX_MONEY,
    Checks,
    Cleaned,
    Reading,
    check_letters,
    read_currency,
    read_key,
    read_times,
    split_rows,
)
from customers.ingest.customers import find_bad_zones
from customers.ingest.emails import SHAPE, normalise_emails
from customers.ingest.numbers import NUMBER, to_decimal
from customers.ingest.phones import BadPhone, normalise_phone
from customers.ingest.recorder import storable_json
from customers.models import Channel, EventKind

MAX_STOCK: Final = 2**31 - 1
#: Words of shops for a consent that was given, and for one that was withdrawn.
GIVEN_WORDS: Final = (
    "given",
    "yes",
    "y",
    "true",
    "1",
    "subscribed",
    "opted_in",
    "opt-in",
    "granted",
    "confirmed",
    "是",
    "已订阅",
    "同意",
)
WITHDRAWN_WORDS: Final = (
    "withdrawn", "no", "n", "false", "0", "unsubscribed", "opted_out", "opt-out", "denied", "revoked", "否", "已退订", "拒绝",
)  # fmt: skip
#: The columns of cleaned rows by kind, as they are staged; each begins with the line.
STAGED: Final[Mapping[str, Mapping[str, str]]] = {
    "customers": {
        "line": "bigint", "customer": "varchar(120)", "email": "varchar(254)", "phone": "varchar(16)",
        "first_name": "varchar(120)", "last_name": "varchar(120)", "language": "varchar(12)", "time_zone": "varchar(64)",
        "country": "varchar(80)", "at": "timestamptz", "bad_zone": "boolean",
    },
    "products": {
        "line": "bigint", "product": "varchar(80)", "name": "varchar(250)", "category": "varchar(120)", "brand": "varchar(120)",
        "price": "numeric(14,2)", "currency": "varchar(3)", "stock": "integer", "url": "varchar(500)",
    },
    "events": {
        "line": "bigint", "customer": "varchar(120)", "kind": "varchar(40)", "at": "timestamptz", "event": "varchar(160)",
        "properties": "jsonb",
    },
    "consents": {
        "line": "bigint", "customer": "varchar(120)", "status": "varchar(12)", "at": "timestamptz", "channel": "varchar(20)",
        "source": "varchar(80)", "wording": "varchar(2000)",
    },
}  # fmt: skip


def clean_records(kind: str, frame: pl.DataFrame, reading: Reading) -> Cleaned:
    """Check the rows of a batch (columns `line`, `c0`, `c1`, …). No row is lost: each is good or left out."""
    checks = Checks()
    check_letters(frame, reading, checks)
    columns = _CLEANERS[kind](frame, reading, checks)
    for name, text in columns.items():
        if text.dtype == pl.String:
            checks.add("bad_character", text.str.contains("\0", literal=True))
            if (longest := _longest(STAGED[kind].get(name, ""))) and name in {
                "customer",
                "product",
                "email",
                "url",
                "event",
            }:
                checks.add("too_long", text.str.len_chars() > longest)
    clean = pl.DataFrame({"line": frame["line"], **columns}).with_columns(
        pl.col(name).str.slice(0, longest)
        for name, sql_type in STAGED[kind].items()
        if (longest := _longest(sql_type)) and name in columns
    )
    return split_rows(frame, clean, checks.reasons(frame.height))


def _longest(sql_type: str) -> int:
    return int(sql_type[8:-1]) if sql_type.startswith("varchar(") else 0


def _clean_customers(frame: pl.DataFrame, reading: Reading, checks: Checks) -> dict[str, pl.Series]:
    text = {
        name: read_key(frame, reading, name)
        for name in ("customer", "email", "phone", "first_name", "last_name", "language", "time_zone", "country")
    }
    checks.add("missing_customer", text["customer"].is_null())
    text["email"] = normalise_emails(pl.DataFrame({"email": text["email"]}))["email"]
    checks.add("bad_email", text["email"].is_not_null() & ~text["email"].str.contains(SHAPE))
    phones = [_read_phone(number, country) for number, country in zip(text["phone"], text["country"], strict=True)]
    checks.add("bad_phone", pl.Series([phone == "" for phone in phones], dtype=pl.Boolean))
    text["phone"] = pl.Series([phone or None for phone in phones], dtype=pl.String)
    is_bad = find_bad_zones(text["time_zone"])
    text["time_zone"] = text["time_zone"].set(is_bad, settings.SHOP_TIME_ZONE)
    return {**text, "at": _read_optional_times(frame, reading, checks), "bad_zone": is_bad}


def _clean_products(frame: pl.DataFrame, reading: Reading, checks: Checks) -> dict[str, pl.Series]:
    text = {name: read_key(frame, reading, name) for name in ("product", "name", "category", "brand", "url")}
    checks.add("missing_product", text["product"].is_null())
    price, price_is_blank = _read_number(frame, reading, "price")
    checks.add("bad_price", (price.is_null() & ~price_is_blank) | (price.abs() >= MAX_MONEY))
    checks.add("negative_price", price < 0)
    stock, stock_is_blank = _read_number(frame, reading, "stock")
    whole = stock.cast(pl.Int64, strict=False)
    checks.add(
        "bad_stock", (whole.is_null() & ~stock_is_blank) | (whole.cast(NUMBER) != stock) | (whole.abs() > MAX_STOCK)
    )
    currency = read_currency(frame, reading, checks)
    checks.add("bad_url", text["url"].is_not_null() & ~text["url"].str.contains(r"^https?://[^\s]+$"))
    currency = currency.set(price.is_null(), None)
    return {**text, "price": price, "currency": currency, "stock": whole.clip(-MAX_STOCK, MAX_STOCK)}


def _clean_events(frame: pl.DataFrame, reading: Reading, checks: Checks) -> dict[str, pl.Series]:
    text = {name: read_key(frame, reading, name) for name in ("customer", "kind", "event", "product", "properties")}
    checks.add("missing_customer", text["customer"].is_null())
    kind = text["kind"].str.to_lowercase().str.replace_all(r"[\s-]+", "_")
    checks.add("bad_kind", kind.is_null() | ~kind.is_in(EventKind.values))
    at = read_times(frame, reading, checks)
    told = _read_all_properties(text["properties"], text["product"])
    checks.add("bad_properties", told.is_null())
    event = text["event"]
    if event.null_count():
        # Without an id of its own a row is known by its content, so that the same file twice changes nothing.
        content = pl.DataFrame({"a": text["customer"], "b": kind, "c": at, "d": told})
        event = event.fill_null("row:" + content.hash_rows(seed=1).cast(pl.String))
    return {
        "customer": text["customer"], "kind": kind, "at": at, "event": event, "properties": told.fill_null("{}"),
    }  # fmt: skip


def _clean_consents(frame: pl.DataFrame, reading: Reading, checks: Checks) -> dict[str, pl.Series]:
    text = {name: read_key(frame, reading, name) for name in ("customer", "status", "channel", "source", "wording")}
    checks.add("missing_customer", text["customer"].is_null())
    word = text["status"].str.to_lowercase()
    status = pl.select(
        pl.when(word.is_in(GIVEN_WORDS))
        .then(pl.lit("given"))
        .when(word.is_in(WITHDRAWN_WORDS))
        .then(pl.lit("withdrawn"))
    ).to_series()
    checks.add("bad_status", status.is_null())
    channel = text["channel"].str.to_lowercase().str.replace_all("-", "", literal=True).fill_null(Channel.EMAIL.value)
    checks.add("bad_channel", ~channel.is_in(Channel.values))
    at = read_times(frame, reading, checks)
    return {
        "customer": text["customer"], "status": status, "at": at, "channel": channel,
        "source": text["source"].fill_null("file"), "wording": text["wording"],
    }  # fmt: skip


def _read_optional_times(frame: pl.DataFrame, reading: Reading, checks: Checks) -> pl.Series:
    """Of a moment that need not be there: a blank one is fine, one that cannot be read is not."""
    if "at" not in reading.places:
        return pl.Series([None] * frame.height, dtype=pl.Datetime("us", "UTC"))
    ours = Checks()
    at = read_times(frame, reading, ours)
    is_blank = read_key(frame, reading, "at").is_null()
    for reason, mask in ours.masks:
        checks.add(reason, mask & ~is_blank)
    return at


def _read_number(frame: pl.DataFrame, reading: Reading, key: str) -> tuple[pl.Series, pl.Series]:
    """The exact number, and where there is none at all."""
    if key not in reading.places:
        empty = pl.Series([None] * frame.height, dtype=NUMBER)
        return empty, empty.is_null()
    values = frame[f"c{reading.places[key]}"]
    return to_decimal(values, decimal_mark=reading.decimal_mark), read_key(frame, reading, key).is_null()


def _read_phone(number: str | None, country: str | None) -> str | None:
    """E.164; None where there is none, "" where it is none."""
    if number is None:
        return None
    try:
        return normalise_phone(number, country or "")
    except BadPhone:
        return ""


def _read_all_properties(given: pl.Series, sku: pl.Series) -> pl.Series:
    """The JSON objects as they are kept, null where there can be none. What stands in many rows is read once."""
    rows = pl.DataFrame({"given": given, "sku": sku})
    known = rows.unique()
    told = [_read_properties(*row) for row in known.iter_rows()]
    read = known.with_columns(pl.Series("told", told, dtype=pl.String))
    return rows.join(read, on=["given", "sku"], how="left", nulls_equal=True, maintain_order="left")["told"]


def _read_properties(given: str | None, sku: str | None) -> str | None:
    """The JSON object of an event, with the article of its own column; None where it cannot be kept."""
    try:
        value = json.loads(given) if given else {}
        if not isinstance(value, dict):
            return None
        return storable_json(value | ({"sku": sku} if sku and "sku" not in value else {}))
    except (ValueError, RecursionError):
        return None


_CLEANERS: Final[Mapping[str, Callable[[pl.DataFrame, Reading, Checks], dict[str, pl.Series]]]] = {
    "customers": _clean_customers,
    "products": _clean_products,
    "events": _clean_events,
    "consents": _clean_consents,
}

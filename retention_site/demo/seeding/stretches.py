"""Hands what the simulator made to the same functions that a shop's own data come in by."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import polars as pl
from django.db import connection

from customers.ingest.consent import record_consents
from customers.ingest.customers import upsert_customers
from customers.ingest.orders import upsert_orders
from customers.ingest.products import upsert_products
from customers.ingest.recorder import record_events
from customers.models import ConsentRecord
from retention_site.demo.simulator import Shop

from .telephones import add_telephones, add_text_consents

#: Where customers, orders and events of the demo shop come from, as far as the database is told.
SOURCE = "shop"

Say = Callable[[str], None]

LIFE_TABLES = (
    "customers_customer", "customers_order", "customers_orderline", "customers_consentrecord", "customers_customerevent",
)  # fmt: skip
CAMPAIGN_TABLES = ("customers_score", "customers_order", "campaigns_audiencemember", "campaigns_message")


def import_stretch(shop: Shop, say: Say) -> None:
    """Write one stretch of the demo shop's life; the two frames with the truth stay out. Safe to run twice."""
    upsert_products(_products(shop.products))
    say(f"importing {shop.customers.height:,} customers and {shop.orders.height:,} orders")
    upsert_customers(_customers(shop.customers), source=SOURCE)
    record_consents(_consents(shop.consents), source=SOURCE)
    upsert_orders(_orders(shop.orders), _lines(shop.order_lines), source=SOURCE)
    say(f"importing {shop.events.height:,} events")
    record_events(shop.events.rename({"customer_external_id": "customer"}), source=SOURCE)


def note_growth(tables: Sequence[str]) -> None:
    """The planner must know of rows that were written in this very transaction; autovacuum cannot see them yet.

    A quarter of the usual sample is enough until autovacuum comes by: the events are two years of partitions.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL default_statistics_target = 25")
        for table in tables:
            cursor.execute(f"ANALYZE {table}")


def _products(frame: pl.DataFrame) -> pl.DataFrame:
    names = [
        json.dumps({"en": en, "zh-hans": zh}, ensure_ascii=False) for en, zh in frame.select("name", "name_zh").rows()
    ]
    return frame.drop("name_zh", "category_zh").with_columns(names=pl.Series(names, dtype=pl.String))


def _customers(frame: pl.DataFrame) -> pl.DataFrame:
    attributes = pl.struct("city").struct.json_encode().alias("attributes")
    return (
        add_telephones(frame).with_columns(attributes).drop("city", "marketing_consent", "consent_at", "withdrawn_at")
    )


def _consents(frame: pl.DataFrame) -> pl.DataFrame:
    frame = add_text_consents(frame)
    return frame.rename({"customer_external_id": "customer", "source": "consent_source"}).with_columns(
        legal_basis=pl.lit(ConsentRecord.LegalBasis.CONSENT.value)
    )


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({"customer_external_id": "customer"}).drop("return_of")


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({"order_external_id": "order"})

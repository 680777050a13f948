"""Reads what interests are worked out from: the catalogue, prices paid, lines, and what was looked at."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from customers.features.reader import Partition, and_only, read_rows
from customers.ingest.preferences import may_profile_sql

from .affinity import EVENT_ACTS, EVENT_WINDOW_DAYS

LONGEST_QUERY: Final = 200

_TIME = pl.Datetime("us", "UTC")
_NAMES = (
    "CASE WHEN jsonb_typeof(p.names) = 'object'"
    " THEN (SELECT coalesce(string_agg(n.value, chr(10)), '') FROM jsonb_each_text(p.names) n) ELSE '' END"
)
_WARES = (
    "LEFT JOIN LATERAL (SELECT e.properties->>'sku' AS sku WHERE e.properties->>'sku' IS NOT NULL UNION ALL"
    " SELECT i.value->>'sku' FROM jsonb_array_elements(CASE WHEN jsonb_typeof(e.properties->'items') = 'array'"
    " THEN e.properties->'items' ELSE '[]'::jsonb END) i) ware ON true"
    " LEFT JOIN customers_product p ON p.sku = ware.sku AND NOT p.is_charge"
)
QUERY_SQL: Final = (
    f"left(lower(btrim(regexp_replace(coalesce(e.properties->>'query', ''), '\\s+', ' ', 'g'))), {LONGEST_QUERY})"
)


def read_catalogue() -> pl.DataFrame:
    """product_id, sku, name, names (in every language, a list of texts), category, brand."""
    found = read_rows(
        (
            ("product_id", "p.id", pl.Int64),
            ("sku", "p.sku", pl.String),
            ("name", "p.name", pl.String),
            ("names", _NAMES, pl.String),
            ("category", "p.category", pl.String),
            ("brand", "p.brand", pl.String),
        ),
        "FROM customers_product p WHERE NOT p.is_charge",
    )
    return found.with_columns(pl.col("names").str.split("\n"))


def read_prices(*, before: dt.datetime) -> pl.DataFrame:
    """The mean price paid for each product before a moment, by everybody: product_id, currency, price."""
    columns = (
        ("product_id", "l.product_id", pl.Int64),
        ("currency", "o.currency", pl.String),
        ("price", "avg(l.unit_price)::float8", pl.Float64),
    )
    source = (
        "FROM customers_orderline l JOIN customers_order o ON o.id = l.order_id WHERE l.quantity > 0"
        f" AND l.product_id IS NOT NULL AND o.ordered_at < {_literal(before)} GROUP BY l.product_id, o.currency"
    )
    return read_rows(columns, source)


def read_priced_lines(*, before: dt.datetime, partition: Partition | None) -> pl.DataFrame:
    """Lines as `affinity` describes them."""
    columns = (
        ("customer_id", "o.customer_id", pl.Int64),
        ("ordered_at", "o.ordered_at", _TIME),
        ("product_id", "l.product_id", pl.Int64),
        ("quantity", "l.quantity::float8", pl.Float64),
        ("is_charge", "coalesce(p.is_charge, false)", pl.Boolean),
        ("unit_price", "l.unit_price::float8", pl.Float64),
        ("currency", "o.currency", pl.String),
    )
    source = (
        "FROM customers_orderline l JOIN customers_order o ON o.id = l.order_id"
        f" LEFT JOIN customers_product p ON p.id = l.product_id WHERE o.ordered_at < {_literal(before)}"
        f" AND {may_profile_sql('o.customer_id')}"
    )
    return read_rows(columns, source + and_only(partition, "o.customer_id"))


def read_acts(*, before: dt.datetime, partition: Partition | None) -> pl.DataFrame:
    """Views, searches and carts of the window before a moment, as `affinity` describes events; a cart with several
    wares is several rows."""
    columns = (
        ("customer_id", "e.customer_id", pl.Int64),
        ("kind", "e.kind", pl.String),
        ("occurred_at", "e.occurred_at", _TIME),
        ("product_id", "p.id", pl.Int64),
        ("category", "left(coalesce(e.properties->>'category', ''), 120)", pl.String),
        ("query", QUERY_SQL, pl.String),
    )
    kinds = ", ".join(f"'{kind}'" for kind in EVENT_ACTS)
    since = before - dt.timedelta(days=EVENT_WINDOW_DAYS)
    source = (
        f"FROM customers_customerevent e {_WARES} WHERE e.kind IN ({kinds})"
        f" AND e.occurred_at >= {_literal(since)} AND e.occurred_at < {_literal(before)}"
        f" AND {may_profile_sql('e.customer_id')}"
    )
    return read_rows(columns, source + and_only(partition, "e.customer_id"))


def _literal(moment: dt.datetime) -> str:
    return f"'{moment.isoformat()}'::timestamptz"

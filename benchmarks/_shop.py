"""The demo simulator's shop in the database, by COPY straight into the tables: a million customers in minutes.

The rows are those that an import would have written; what an import checks is left out, because the simulator is ours.
Simulating and writing go on at once. No benchmark by itself, hence the name.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl

SOURCE = "shop"
YEARS = 2
EVENTS = "customers_customerevent"
FILLED_BARE = ("customers_order", "customers_orderline", EVENTS)
TABLES = ("customers_customer", "customers_product", *FILLED_BARE)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass
class FilledShop:
    """How many rows there are of each kind."""

    customers: int = 0
    orders: int = 0
    lines: int = 0
    events: int = 0


def fill_shop(customers: int, *, seed: int, today: dt.datetime) -> FilledShop:
    """Write two years of the demo shop up to `today` into empty tables: about 21 events and 8 orders a customer."""
    from django.db import connection

    from customers.models import ensure_event_partitions
    from customers.scoring.ahead import run_ahead
    from retention_site.demo.simulator import LEAN, iter_shop

    ensure_event_partitions((today - dt.timedelta(days=365 * YEARS)).date(), today.date())
    filled = FilledShop()
    parts = iter_shop(customers=customers, seed=seed, today=today, years=YEARS, settings=LEAN)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no check of foreign keys: the ids are ours
        with without_indexes(cursor):
            for part in run_ahead(parts):
                if not filled.customers:
                    write_products(part.products)
                _write_part(cursor, part, filled)
        for table, count in (("customers_customer", filled.customers), ("customers_order", filled.orders)):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, count])
        cursor.execute("RESET session_replication_role")
    return filled


def settle(*tables: str) -> None:
    """Statistics of `tables`, and nothing left to be written out, so that nobody pays for what another left."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET default_statistics_target = 20")  # every table is read from one end to the other
        for table in tables:
            cursor.execute(f"ANALYZE {table}")
        cursor.execute("CHECKPOINT")


def copy_rows(cursor: Any, table: str, frame: pl.DataFrame) -> None:
    """COPY a frame into the columns of the same names."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        for part in frame.iter_slices(50_000):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False, datetime_format=TIME_FORMAT)
            copy.write(buffer.getbuffer())


def copy_people(cursor: Any, part: Any) -> None:
    """The customers of a part of the simulator's shop."""
    people = part.customers.select(
        _number_customer("external_id").alias("id"),
        pl.lit(SOURCE).alias("source"),
        *("external_id", "email", "first_name", "last_name", "language", "time_zone", "country", "joined_at"),
        attributes=pl.lit("{}"),
    )
    copy_rows(cursor, "customers_customer", people)


def copy_orders(cursor: Any, part: Any, *, orders_before: int) -> int:
    """The orders of a part without their lines; how many. `orders_before` were written already."""
    first = orders_before + 1
    ids = pl.int_range(first, first + pl.len()).alias("id")
    _write_orders(cursor, part.orders.with_columns(ids, customer_id=_number_customer("customer_external_id")))
    return int(part.orders.height)


def write_products(products: pl.DataFrame) -> None:
    """The catalogue of the simulator's shop."""
    from customers.ingest.products import upsert_products

    upsert_products(products.drop("name_zh", "category_zh"))


def pick_columns(
    orders: pl.DataFrame, lines: pl.DataFrame, products: pl.DataFrame, *, orders_before: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders with id and customer_id, lines with order_id and product_id: ids are counted, not asked for."""
    first = orders_before + 1
    numbered = orders.with_columns(
        pl.int_range(first, first + pl.len()).alias("id"), customer_id=_number_customer("customer_external_id")
    )
    known = numbered.select(order_id="id", order_external_id="external_id")
    owned = lines.join(known, on="order_external_id", how="left", maintain_order="left")
    return numbered, owned.join(products, on="sku", how="left", maintain_order="left")


@contextmanager
def without_indexes(cursor: Any) -> Iterator[None]:
    """Indexes are made once at the end, which is several times faster; primary keys of single tables stay."""
    making: dict[bool, list[str]] = {True: [], False: []}
    for table in FILLED_BARE:
        for drop, make in _list_indexes(cursor, table):
            cursor.execute(drop)
            making[table == EVENTS].append(make)
    yield
    with ThreadPoolExecutor(2) as both:
        list(both.map(_make_indexes, making.values()))


def _list_indexes(cursor: Any, table: str) -> list[tuple[str, str]]:
    """How to drop and how to make again the indexes of a table."""
    cursor.execute(
        "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = ANY(%s)",
        [table, ["u", "p"] if table == EVENTS else ["u"]],
    )
    found = [
        (f"ALTER TABLE {table} DROP CONSTRAINT {name}", f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for name, definition in cursor.fetchall()
    ]
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisunique",
        [table],
    )
    return found + [(f"DROP INDEX {name}", made.replace(" ON ONLY ", " ON ")) for name, made in cursor.fetchall()]


def _make_indexes(definitions: list[str]) -> None:
    from django.db import connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute("SET max_parallel_maintenance_workers = 0")  # both cores have work already
            for definition in definitions:
                cursor.execute(definition)
    finally:
        connection.close()


def _write_part(cursor: Any, part: Any, filled: FilledShop) -> None:
    orders, lines = pick_columns(part.orders, part.order_lines, _read_products(cursor), orders_before=filled.orders)
    events = part.events.select(
        pl.lit(SOURCE).alias("source"),
        *("external_id", "occurred_at", "kind", "properties"),
        customer_id=_number_customer("customer_external_id"),
    )
    copy_people(cursor, part)
    _write_orders(cursor, orders)
    copy_rows(
        cursor, "customers_orderline", lines.select("order_id", "position", "product_id", "quantity", "unit_price")
    )
    copy_rows(cursor, EVENTS, events)
    filled.customers += part.customers.height
    filled.orders += orders.height
    filled.lines += lines.height
    filled.events += events.height


def _write_orders(cursor: Any, orders: pl.DataFrame) -> None:
    bought = ("id", "external_id", "customer_id", "ordered_at", "currency", "total", "discount", "is_return")
    frame = orders.select(pl.lit(SOURCE).alias("source"), *bought, pl.col("discount_code").fill_null(""))
    copy_rows(cursor, "customers_order", frame)


def _number_customer(column: str) -> pl.Expr:
    """The id of a customer of the simulator, c-0000000 being the first."""
    return pl.col(column).str.strip_prefix("c-").cast(pl.Int64) + 1


def _read_products(cursor: Any) -> pl.DataFrame:
    cursor.execute("SELECT sku, id FROM customers_product")
    return pl.DataFrame(cursor.fetchall(), schema={"sku": pl.String, "product_id": pl.Int64}, orient="row")

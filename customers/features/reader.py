"""Reads orders, lines and events out of PostgreSQL as Arrow.

Through ADBC on a connection of its own: the fastest way (platform notes: 10 million events in 9 s). Inside a transaction,
whose rows another connection cannot see, through COPY on Django's own connection; both give the same frames.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import adbc_driver_postgresql
import polars as pl
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement
from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from customers.ingest.preferences import may_profile_sql
from customers.models import EventKind

from .builder import EVENT_WINDOW_DAYS, ShopData

_TIME = pl.Datetime("us", "UTC")
EVENT_KIND = pl.Enum(EventKind.values)


@dataclass(frozen=True)
class Partition:
    """One of `count` disjoint parts of the customers, by a hash of the customer id; together they are all."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(f"partition {self.index} of {self.count} does not exist")

    def condition(self, column: str) -> str:
        """SQL that is true for this part's customers."""
        return f"(hashint8({column}) & 2147483647) % {int(self.count)} = {int(self.index)}"


@dataclass(frozen=True)
class OneCustomer:
    """A single customer, where a page asks about one."""

    customer_id: int

    def condition(self, column: str) -> str:
        """SQL that is true for this customer."""
        return f"{column} = {int(self.customer_id)}"


@dataclass(frozen=True)
class SomeCustomers:
    """Customers by their ids, where an audience or a page asks about them."""

    customer_ids: tuple[int, ...]

    def condition(self, column: str) -> str:
        """SQL that is true for these customers."""
        return f"{column} = ANY ('{{{','.join(str(int(each)) for each in self.customer_ids)}}}'::bigint[])"


#: Whose rows are read; None for everybody's.
Whose = Partition | OneCustomer | SomeCustomers | None

#: (name, SQL, type)
Columns = tuple[tuple[str, str, type[pl.DataType] | pl.DataType], ...]


@dataclass(frozen=True)
class Query:
    """Columns, and the rest of a SELECT."""

    columns: Columns
    source: str


def split_customers(customers: int, *, most: int) -> list[Partition | None]:
    """As many parts as it takes for `most` customers in each at the most; one, everybody (None), where they all fit."""
    parts = math.ceil(customers / most)
    return [Partition(i, parts) for i in range(parts)] if parts > 1 else [None]


def read_shop(
    *,
    before: dt.datetime,
    events_since: dt.datetime | None = None,
    partition: Whose = None,
    currency: str | None = None,
) -> ShopData:
    """Orders, lines and events of the shop before `before`, of one partition, one customer or everybody.

    `events_since` leaves out older events; for features as of one date, 180 days before it are enough
    (`events_needed_since`). `currency` is the one whose money counts: that of most orders unless a model says another.
    Frames as `builder` describes them, sorted by nothing.
    """
    if isinstance(partition, OneCustomer):  # four new connections would take longer than one person's rows
        with transaction.atomic():
            return _read_shop(before, events_since, partition, currency)
    return _read_shop(before, events_since, partition, currency)


def _read_shop(
    before: dt.datetime, events_since: dt.datetime | None, partition: Whose, currency: str | None
) -> ShopData:
    currency = _read_currency() if currency is None else currency
    lines, events = _read(_query_lines(before, partition)), _read(query_events(before, events_since, partition))
    return ShopData(
        orders=_read(query_orders(before, partition, currency)),
        lines=join_products(lines, read_products()),
        events=name_kinds(events),
        currency=currency,
    )


def join_products(lines: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Lines with category and is_charge of their product beside them; "" and False where it is not known."""
    known = products.select("product_id", "category", "is_charge")
    return lines.join(known, on="product_id", how="left").with_columns(
        pl.col("category").fill_null(""), pl.col("is_charge").fill_null(False)
    )


def number_categories(products: pl.DataFrame) -> pl.DataFrame:
    """The catalogue with its categories as numbers behind their names, as `name_kinds` does with kinds."""
    names = pl.Series([""]).append(products["category"].drop_nulls()).unique().sort()
    return products.with_columns(pl.col("category").cast(pl.Enum(names)))


def name_kinds(events: pl.DataFrame) -> pl.DataFrame:
    """Events whose kinds are numbers behind their names, not strings."""
    return events.with_columns(pl.col("kind").cast(EVENT_KIND))


def events_needed_since(as_of: dt.datetime) -> dt.datetime:
    """The moment before which no event can change a feature as of `as_of`."""
    return as_of - dt.timedelta(days=EVENT_WINDOW_DAYS + 1)


def read_products() -> pl.DataFrame:
    """The catalogue: product_id, name, category, is_charge."""
    columns = (
        ("product_id", "p.id", pl.Int64),
        ("name", "p.name", pl.String),
        ("category", "p.category", pl.String),
        ("is_charge", "p.is_charge", pl.Boolean),
    )
    return _read(Query(columns, "FROM customers_product p"))


def read_customer_ids(partition: Partition | None = None) -> pl.DataFrame:
    """Everybody the shop knows, with or without orders: customer_id."""
    only = f" WHERE {partition.condition('c.id')}" if partition else ""
    return _read(Query((("customer_id", "c.id", pl.Int64),), f"FROM customers_customer c{only}"))


def read_rows(columns: Columns, source: str) -> pl.DataFrame:
    """Any other columns of ours; `source` is the rest of a SELECT. Neither may hold what a person typed."""
    return _read(Query(columns, source))


def query_orders(before: dt.datetime, partition: Whose, currency: str = "") -> Query:
    """Orders as `builder` describes them. What was paid in another currency than `currency`, where one is given, is null."""
    total = f"CASE WHEN o.currency = {_quote(currency)} THEN o.total::float8 END" if currency else "o.total::float8"
    columns = (
        ("customer_id", "o.customer_id", pl.Int64),
        ("order_id", "o.id", pl.Int64),
        ("ordered_at", "o.ordered_at", _TIME),
        ("total", total, pl.Float64),
        ("discount", "o.discount::float8", pl.Float64),
        ("is_return", "o.is_return", pl.Boolean),
    )
    source = f"FROM customers_order o WHERE o.ordered_at < {_moment(before)}"
    return Query(columns, source + and_only(partition, "o.customer_id") + _and_not_objecting("o.customer_id"))


def _query_lines(before: dt.datetime, partition: Whose) -> Query:
    columns = (
        ("customer_id", "o.customer_id", pl.Int64),
        ("ordered_at", "o.ordered_at", _TIME),
        ("product_id", "l.product_id", pl.Int64),
        ("quantity", "l.quantity::float8", pl.Float64),
    )
    joined = "FROM customers_orderline l JOIN customers_order o ON o.id = l.order_id"
    source = f"{joined} WHERE o.ordered_at < {_moment(before)}"
    return Query(columns, source + and_only(partition, "o.customer_id") + _and_not_objecting("o.customer_id"))


def query_events(before: dt.datetime, since: dt.datetime | None, partition: Whose) -> Query:
    """Events as `builder` describes them, their kinds as strings."""
    columns = (
        ("customer_id", "e.customer_id", pl.Int64),
        ("kind", "e.kind", pl.String),
        ("occurred_at", "e.occurred_at", _TIME),
    )
    window = f"e.occurred_at < {_moment(before)}" + (f" AND e.occurred_at >= {_moment(since)}" if since else "")
    source = f"FROM customers_customerevent e WHERE {window}"
    return Query(columns, source + and_only(partition, "e.customer_id") + _and_not_objecting("e.customer_id"))


def query_bare_lines() -> Query:
    """Every line by its order alone: order_id, product_id, quantity."""
    columns = (
        ("order_id", "l.order_id", pl.Int64),
        ("product_id", "l.product_id", pl.Int64),
        ("quantity", "l.quantity::float8", pl.Float64),
    )
    return Query(columns, "FROM customers_orderline l")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _moment(moment: dt.datetime) -> str:
    return f"'{moment.isoformat()}'::timestamptz"


def read_objectors() -> pl.DataFrame:
    """Those who object to being profiled: customer_id. Nothing that they did is in any of the frames above."""
    return _read(Query((("customer_id", "p.customer_id", pl.Int64),), "FROM customers_preference p WHERE"
                       " p.objects_to_profiling_at IS NOT NULL"))  # fmt: skip


def _and_not_objecting(column: str) -> str:
    return f" AND {may_profile_sql(column)}"


def and_only(partition: Whose, column: str) -> str:
    """SQL to go on a WHERE with, that leaves the rows of these customers."""
    return f" AND {partition.condition(column)}" if partition else ""


def _read(query: Query) -> pl.DataFrame:
    connection.ensure_connection()
    return _read_by_copy(query) if connection.in_atomic_block else _read_by_adbc(query)


def read_batches(query: Query) -> Iterator[pl.DataFrame]:
    """The same rows batch by batch, on a connection of its own: never more than some megabytes at once."""
    with _open_stream(query) as stream:
        for batch in stream:
            yield _type_columns(pl.from_arrow(batch), query)


def _read_by_adbc(query: Query) -> pl.DataFrame:
    with _open_stream(query) as stream:
        return _type_columns(pl.from_arrow(stream.read_all()), query)


@contextmanager
def _open_stream(query: Query) -> Iterator[pa.RecordBatchReader]:
    database = _know_database(_conninfo(), os.getpid())
    with AdbcConnection(database) as session, AdbcStatement(session) as statement:
        statement.set_sql_query(_select(query))
        stream, _rows = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as batches:
            yield batches


@lru_cache(maxsize=4)
def _know_database(address: str, process: int) -> AdbcDatabase:
    """What ADBC has to know of a database, and holds no connection to: the types of PostgreSQL, of which each table of ours
    is one. To read them takes ten times as long as to connect; ours are those that PostgreSQL comes with, and stay."""
    known: AdbcDatabase = adbc_driver_postgresql.connect(address)
    return known


def _select(query: Query) -> str:
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql, _ in query.columns)} {query.source}"


def _type_columns(frame: pl.DataFrame | pl.Series, query: Query) -> pl.DataFrame:
    assert isinstance(frame, pl.DataFrame)
    return frame.select(pl.col(name).cast(kind) for name, _, kind in query.columns)


def _read_by_copy(query: Query) -> pl.DataFrame:
    """The same through COPY; times travel as microseconds, truth values as 0 and 1."""
    selected = ", ".join(f"{_for_copy(sql, kind)} AS {name}" for name, sql, kind in query.columns)
    buffer = io.BytesIO()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {selected} {query.source}) TO STDOUT (FORMAT csv, HEADER)") as copy,
    ):
        for chunk in copy:
            buffer.write(chunk)
    buffer.seek(0)
    travels = {name: pl.Int64 if kind in (_TIME, pl.Boolean) else kind for name, _, kind in query.columns}
    frame = pl.read_csv(buffer, schema=travels, empty_string_is_null=False)
    return frame.select(pl.col(name).cast(kind) for name, _, kind in query.columns)


def _for_copy(sql: str, kind: type[pl.DataType] | pl.DataType) -> str:
    if kind == _TIME:
        return f"(extract(epoch FROM {sql}) * 1000000)::bigint"
    return f"({sql})::int" if kind == pl.Boolean else sql


def _conninfo() -> str:
    """The address of Django's database for libpq, which ADBC speaks to."""
    settings = connection.settings_dict
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    parts = {libpq: settings[name] for name, libpq in names.items() if settings.get(name)}
    options = {key: value for key, value in settings.get("OPTIONS", {}).items() if isinstance(value, str)}
    return make_conninfo(**parts, **options)


def _read_currency() -> str:
    """The currency of most orders; "" where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency FROM customers_order GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1"
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""

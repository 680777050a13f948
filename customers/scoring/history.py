"""A file of orders as frames for a back-test, read and checked as an import reads it, with no database in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from customers.features.builder import ShopData
from customers.ingest.cleaning import Reading, clean_rows
from customers.ingest.dates import find_date_order
from customers.ingest.numbers import find_decimal_mark
from customers.ingest.reading import Batch, open_table, read_batches
from customers.ingest.schema import ImportOptions, find_columns

_USED = ["order", "customer", "at", "product", "name", "quantity", "amount", "currency", "row_hash"]


@dataclass(frozen=True)
class History:
    """The orders of a file, and how many lines were left out for which reason."""

    shop: ShopData
    lines_read: int
    left_out: dict[str, int]


def read_history(path: Path, options: ImportOptions, *, now: dt.datetime) -> History:
    """Read a CSV or Parquet file whose columns `options.columns` names (customer, at, and price or amount at least).

    Lines of one order number are one order, or of one customer and moment where there are no numbers. An order whose
    lines are all negative is a return. Money in another currency than that of most lines is not known. Raises
    FileProblem in words.
    """
    options.check()
    table = open_table(path, encoding=options.encoding)
    places = find_columns(table.header, options.columns)
    wanted = sorted(set(places.values()))
    reading: Reading | None = None
    good: list[pl.DataFrame] = []
    left_out: dict[str, int] = {}
    lines_read = 0
    for batch in read_batches(table, only=wanted):
        reading = reading or _understand(batch, places, options, now)
        cleaned = clean_rows(batch.frame, replace(reading, is_damaged=batch.is_damaged))
        good.append(cleaned.good.select(_USED))
        lines_read += batch.frame.height + len(batch.broken)
        _count(left_out, "broken_line", len(batch.broken))
        for reason, count in cleaned.left_out["reason"].value_counts().iter_rows():
            _count(left_out, reason, count)
    rows = pl.concat(good) if good else pl.DataFrame(schema=dict.fromkeys(_USED, pl.String))
    if "order" in places and "product" in places:
        once = rows.unique("row_hash", keep="first", maintain_order=True)
        _count(left_out, "duplicate_line", rows.height - once.height)
        rows = once
    return History(_make_frames(rows, options), lines_read, left_out)


def _understand(batch: Batch, places: Mapping[str, int], options: ImportOptions, now: dt.datetime) -> Reading:
    """How dates and numbers are written, from the first batch."""
    first = batch.frame
    money = first[f"c{places['price' if 'price' in places else 'amount']}"]
    return Reading(
        places=places,
        currency=options.currency,
        time_zone=options.time_zone,
        now=now,
        date_order=options.date_order or find_date_order(first[f"c{places['at']}"])[0],
        decimal_mark=find_decimal_mark(money),
    )


def _count(counts: dict[str, int], reason: str, more: int) -> None:
    if more:
        counts[reason] = counts.get(reason, 0) + more


def _make_frames(rows: pl.DataFrame, options: ImportOptions) -> ShopData:
    currency = _find_currency(rows) or options.currency
    lines = rows.select(
        customer_id=pl.col("customer").rank("dense").cast(pl.Int64),
        order_id=pl.col("order").rank("dense").cast(pl.Int64),
        ordered_at=pl.col("at").cast(pl.Datetime("us", "UTC")),
        product_id=pl.col("product"),
        category=pl.lit(""),
        quantity=pl.col("quantity").cast(pl.Float64),
        amount=pl.when(pl.col("currency") == currency).then(pl.col("amount").cast(pl.Float64)),
        # An article number without any digit (POST, DISCOUNT, Manual) is a charge rather than a ware.
        is_charge=(pl.col("product").str.contains(r"\d").not_() & (pl.col("product") != pl.col("name"))).fill_null(
            False
        ),
    )
    orders = lines.group_by("customer_id", "order_id", maintain_order=True).agg(
        ordered_at=pl.col("ordered_at").min(),
        total=pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum()),
        discount=pl.lit(0.0),
        is_return=(pl.col("quantity") < 0).all(),
    )
    knows_baskets = bool({"quantity", "product", "name"} & set(options.columns))
    return ShopData(orders, lines if knows_baskets else None, None, currency)


def _find_currency(rows: pl.DataFrame) -> str:
    """The currency of most lines; "" where there is no line."""
    counted = rows["currency"].value_counts().sort(["count", "currency"], descending=[True, False])
    return str(counted["currency"][0]) if counted.height else ""

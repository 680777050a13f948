"""The first rows of a file: as they stand in it, and as they would be taken over. Nothing is written."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import zoneinfo
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from .cleaning import REASONS, Reading, clean_rows
from .damage import show_marks
from .dates import find_date_order
from .numbers import find_decimal_mark
from .reading import Table, open_table, read_batches
from .records.cleaning import clean_records
from .schema import ORDERS, FileProblem, ImportOptions, fields_of, find_columns

#: Rows that are looked at, and rows that are shown.
SAMPLE_ROWS = 2_000
SHOWN_ROWS = 5


@dataclass(frozen=True)
class Sample:
    """The first rows of a table. The frame's columns are `line` and `c0`, `c1`, … in the order of the header.

    `is_damaged`: some values may hold `damage.MARK`.
    """

    table: Table
    frame: pl.DataFrame
    is_damaged: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        return self.table.header

    @property
    def rows(self) -> list[list[str]]:
        """The rows to show, as text; what is empty or nested is empty text."""
        return [[_say(row.get(f"c{place}")) for place in range(len(self.header))] for row in self._head()]

    def find_example(self, place: int) -> str:
        """The first value of a column that is not empty, or empty text."""
        name = f"c{place}"
        if name not in self.frame.columns:
            return ""
        return next((text for value in self.frame[name].head(50) if (text := _say(value))), "")

    def _head(self) -> list[dict[str, object]]:
        return self.frame.head(SHOWN_ROWS).to_dicts()


class _Explained:
    """A row that says why it would be left out, for people."""

    reason: str

    @property
    def why(self) -> str:
        return str(REASONS.get(self.reason, self.reason))


@dataclass(frozen=True)
class ReadRow(_Explained):
    """One row as it would be taken over; `reason` says why it would be left out, then the values are empty.

    `ordered_at` is in the time zone of the file, prices are in `currency`.
    """

    line: int
    reason: str = ""
    customer: str = ""
    order: str = ""
    ordered_at: dt.datetime | None = None
    product: str = ""
    name: str = ""
    quantity: int = 0
    unit_price: Decimal = Decimal(0)
    currency: str = ""
    country: str = ""


@dataclass(frozen=True)
class ReadRecord(_Explained):
    """One row of a file of other things, its values as text in the order of `Outlook.fields`."""

    line: int
    reason: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """What the first rows would become: those to show, and how many of all that were looked at would be left out. `fields`
    names what the rows of a file of other things than orders show."""

    rows: tuple[ReadRow | ReadRecord, ...]
    looked_at: int
    left_out: Counter[str]
    fields: tuple[str, ...] = ()


def read_sample(path: Path, *, encoding: str = "") -> Sample:
    """The first rows of a CSV or Parquet file; raises FileProblem where it is no table."""
    table = open_table(path, encoding=encoding)
    batches = read_batches(table)
    try:
        first = next(batches, None)
    finally:
        batches.close()  # type: ignore[attr-defined]  # a generator: lets go of the file
    if first is None:
        raise FileProblem(_("The file has columns, but no rows."))
    return Sample(table, first.frame.head(SAMPLE_ROWS), first.is_damaged)


def read_outlook(sample: Sample, options: ImportOptions, *, now: dt.datetime) -> Outlook:
    """Read the sample with these choices. Raises FileProblem where a choice cannot be right.

    The import looks at the whole file for the order of day and month and the decimal mark, this only at the sample.
    """
    options.check()
    places = find_columns(sample.header, options.columns)
    reading = dataclasses.replace(_settle(sample.frame, places, options, now), is_damaged=sample.is_damaged)
    is_orders, zone = options.kind == ORDERS, zoneinfo.ZoneInfo(options.time_zone)
    cleaned = clean_rows(sample.frame, reading) if is_orders else clean_records(options.kind, sample.frame, reading)
    if is_orders:
        told = pl.col("currency").fill_null(pl.col("currency").drop_nulls().first().over("order"))
        cleaned = dataclasses.replace(cleaned, good=cleaned.good.with_columns(told.fill_null(options.currency)))
    named = () if is_orders else fields_of(options.kind)
    fields = tuple(name for name in named if name in options.columns and name in cleaned.good.columns)
    reasons = dict(zip(cleaned.left_out["line"], cleaned.left_out["reason"], strict=True))
    good = {row["line"]: row for row in cleaned.good.head(SHOWN_ROWS).to_dicts()}

    def show(line: int) -> ReadRow | ReadRecord:
        if line in reasons:
            return ReadRow(line, reason=reasons[line]) if is_orders else ReadRecord(line, reason=reasons[line])
        return _to_row(good[line], zone) if is_orders else _to_record(good[line], fields, zone)

    rows = tuple(show(line) for line in sample.frame["line"].head(SHOWN_ROWS).to_list())
    return Outlook(rows, sample.frame.height, Counter(reasons.values()), fields)


def _settle(frame: pl.DataFrame, places: Mapping[str, int], options: ImportOptions, now: dt.datetime) -> Reading:
    date_order = options.date_order
    if not date_order and "at" in places:
        date_order = find_date_order(frame[f"c{places['at']}"])[0]
    money = [frame[f"c{places[key]}"] for key in ("price", "amount") if key in places]
    mark = "," if any(find_decimal_mark(values) == "," for values in money) else "."
    return Reading(places, options.currency, options.time_zone, now, date_order, mark)


def _to_row(row: Mapping[str, Any], zone: zoneinfo.ZoneInfo) -> ReadRow:
    return ReadRow(
        row["line"],
        customer=row["customer"],
        order=row["order"],
        ordered_at=row["at"].astimezone(zone),
        product=row["product"] or "",
        name=row["name"] or "",
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        currency=row["currency"],
        country=row["country"] or "",
    )


def _to_record(row: Mapping[str, Any], fields: Sequence[str], zone: zoneinfo.ZoneInfo) -> ReadRecord:
    values = (row[name] for name in fields)
    told = (value.astimezone(zone) if isinstance(value, dt.datetime) else value for value in values)
    return ReadRecord(row["line"], values=tuple(_say(value) for value in told))


def _say(value: object) -> str:
    """A value as one line of text that fits in a cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = f"{value:%Y-%m-%d %H:%M}" if isinstance(value, dt.datetime) else str(value)
    return show_marks(" ".join(text.split()))[:80]

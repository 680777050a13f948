"""Parquet of any type comes in or is left out line by line, and what unfolds to gigabytes never does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from customers.ingest import parquet
from customers.ingest.cleaning import Cleaned, Reading, clean_rows
from customers.ingest.column_guess import guess_columns
from customers.ingest.preview import read_sample
from customers.ingest.reading import open_table, read_batches
from customers.ingest.records.cleaning import clean_records
from customers.ingest.schema import FileProblem, find_columns

from .conftest import NOW

AT = dt.datetime(2026, 1, 2, 10)  # noqa: DTZ001 - as a file without zones has it
UTC_AT = AT.replace(tzinfo=dt.UTC)
ORDER = {"customer": ["1", "2"], "order": ["a", "b"], "at": [AT, AT], "price": [1.5, 2.0], "quantity": [1, 2]}
EVENT = {"customer_id": [1, 2], "event": ["search_performed"] * 2, "timestamp": [AT, AT]}


def read(folder: Path, columns: dict[str, Any], kind: str = "orders") -> Cleaned:
    path = folder / "file.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    table = open_table(path)
    assert read_sample(path).rows, "it can be shown"
    reading = Reading(find_columns(table.header, guess_columns(table.header, kind)), "EUR", "Europe/Paris", NOW)
    (batch,) = read_batches(table)
    reading = dataclasses.replace(reading, is_damaged=batch.is_damaged)
    return clean_rows(batch.frame, reading) if kind == "orders" else clean_records(kind, batch.frame, reading)


@pytest.mark.parametrize(
    ("column", "values", "good"),
    [
        ("customer", pa.array([2**64 - 1, None], pa.uint64()), ["18446744073709551615"]),
        ("customer", pa.array([17850.0, float("nan")]), ["17850"]),
        ("customer", pa.array([Decimal("123"), None], pa.decimal128(20, 0)), ["123"]),
        ("customer", pa.array([b"ab", b"\xff\xfe"], pa.binary()), ["ab"]),
        ("customer", pa.array([uuid.UUID(int=7).bytes, None], pa.binary(16)), [uuid.UUID(int=7).hex]),
        ("customer", pa.array(["x", None]).dictionary_encode(), ["x"]),
        ("customer", pa.array([dt.timedelta(1), None]), []),
        ("customer", pa.nulls(2), []),
        ("customer", pa.array([[1], None]), ["[1]"]),
        ("at", pa.array([AT, None], pa.timestamp("ns")), [UTC_AT - dt.timedelta(hours=1)]),
        ("at", pa.array([AT, None], pa.timestamp("s", tz="America/New_York")), [UTC_AT]),
        ("at", pa.array([AT, None], pa.timestamp("ms", tz="+02:00")), [UTC_AT]),
        ("at", pa.array([AT, None], pa.timestamp("us", tz="Mars/Base")), [UTC_AT]),
        ("at", pa.array([2**62, -(2**62)], pa.timestamp("us")), []),
        ("at", pa.array([2**31 - 1, -(2**31)], pa.date32()), []),
        ("at", pa.array([dt.date(2026, 1, 2), None], pa.date64()), [UTC_AT.replace(hour=0) - dt.timedelta(hours=1)]),
        ("at", pa.array([1767348000, 2**63 - 1]), [UTC_AT]),
        ("at", pa.array([1767348000.0, None]), [UTC_AT]),
        ("at", pa.array([True, False]), []),
        ("at", pa.array([dt.time(1), None]), []),
        ("unit_price", pa.array([0.1, float("inf")]), [Decimal("0.1")]),
        ("unit_price", pa.array([1e300, -1e300]), []),
        ("unit_price", pa.array([2**63 - 1, 3]), [Decimal(3)]),
        ("unit_price", pa.array([Decimal("1.25"), Decimal("3e30")], pa.decimal256(50, 2)), [Decimal("1.25")]),
        ("unit_price", pa.array([Decimal("9" * 38), Decimal(2)], pa.decimal128(38, 0)), [Decimal(2)]),
        ("unit_price", pa.array([True, False]), []),
        ("quantity", pa.array([1.0, 1.5]), [1]),
        ("quantity", pa.array([2**40, 2**63 - 1]), []),
    ],
)
def test_a_column_of_any_type_is_read_or_left_out(
    tmp_path: Path, column: str, values: pa.Array, good: list[Any]
) -> None:
    name = "price" if column == "unit_price" else column
    cleaned = read(tmp_path, ORDER | {name: values})
    assert cleaned.good[column].to_list() == good
    assert cleaned.good.height + cleaned.left_out.height == 2


def test_properties_may_be_text_bytes_a_struct_or_a_map(tmp_path: Path) -> None:
    for values in (
        ['{"a":"x"}', None],
        [b'{"a":"x"}', None],
        [{"a": "x"}, None],
        pa.array([[("a", "x")], None], pa.map_(pa.string(), pa.string())),
    ):
        cleaned = read(tmp_path, EVENT | {"properties": values}, "events")
        assert cleaned.good["properties"].to_list() == ['{"a":"x"}', "{}"]


def test_whole_numbers_with_gaps_are_no_floats_to_us(tmp_path: Path) -> None:
    people = {"customer_id": [1, 2], "phone": pa.array([447700900123.0, None]), "country": ["GB", "GB"]}
    assert read(tmp_path, people, "customers").good["phone"].to_list() == ["+447700900123", None]


def test_a_long_text_that_stands_once_in_the_file_is_unfolded_some_rows_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_BYTES", 1 << 20)
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array(["x" * 100_000]))
    inside = pa.ListArray.from_arrays(pa.array(range(5_001), pa.int32()), long)
    for column in (long, inside):
        path = tmp_path / "bomb.parquet"
        pyarrow.parquet.write_table(pa.table({"customer": ["1"] * 5_000, "note": column}), path)
        assert path.stat().st_size < 100_000, "500 MB in a file of some kilobytes"
        heights = []
        for frame, _share, _damaged in parquet.read_frames(path, None):
            heights.append(frame.height)
            if len(heights) == 20:
                break
        assert max(heights) <= 10
        lines = [line for batch in read_batches(open_table(path), only=[0]) for line in batch.frame["line"]]
        assert lines == list(range(1, 5_001)), "a column that is not asked for is not unfolded"


def test_a_row_or_a_column_beyond_all_tables_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.parquet"
    pyarrow.parquet.write_table(pa.table({"customer": ["1"], "note": ["x" * 3_000], "list": [[1] * 50]}), path)
    with monkeypatch.context() as patched:
        patched.setattr(parquet, "MOST_BYTES", 1_000)
        with pytest.raises(FileProblem, match="One row"):
            list(read_batches(open_table(path)))
    for limit in ("MOST_COLUMN_BYTES", "MOST_NESTED_VALUES"):
        with monkeypatch.context() as patched:
            patched.setattr(parquet, limit, 40)
            with pytest.raises(FileProblem, match="far more than a table holds"):
                open_table(path)


def test_columns_of_one_name_do_not_shift_the_others(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    names = ["note", "note", "customer", "price"]
    pyarrow.parquet.write_table(
        pa.Table.from_arrays([pa.array([value]) for value in ("x", "y", "1", "2.5")], names), path
    )
    (batch,) = read_batches(open_table(path), only=[3])
    assert batch.frame["c3"].to_list() == ["2.5"]
    (batch,) = read_batches(open_table(path))
    assert batch.frame.select(pl.exclude("line")).row(0) == ("x", "y", "1", "2.5")

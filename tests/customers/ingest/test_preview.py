"""The first rows of a file, before anything is imported: as they stand in it, and as they would be taken over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from customers.ingest.preview import SHOWN_ROWS, read_outlook, read_sample
from customers.ingest.schema import FileProblem

from .conftest import GOOD, HEADER, NOW, MakeFile, choose


def test_the_first_rows_stand_there_as_in_the_file(make_file: MakeFile) -> None:
    sample = read_sample(make_file(*[GOOD] * 9, ",,,,,,,"))
    assert sample.header == tuple(HEADER.split(","))
    assert sample.rows == [GOOD.split(",")] * SHOWN_ROWS
    assert sample.find_example(sample.header.index("Description")) == "WHITE HOLDER"


def test_rows_are_read_with_the_choices_made(make_file: MakeFile) -> None:
    american = GOOD.replace("2010-12-01 08:26:00", "12/31/2010 23:30")
    row = read_outlook(read_sample(make_file(american)), choose(), now=NOW).rows[0]
    assert (row.customer, row.order, row.product, row.name) == ("17850", "536365", "85123A", "WHITE HOLDER")
    assert (row.quantity, row.unit_price, row.currency, row.country) == (6, Decimal("2.55"), "GBP", "United Kingdom")
    assert row.ordered_at is not None
    assert row.ordered_at.replace(tzinfo=None) == dt.datetime(2010, 12, 31, 23, 30)  # noqa: DTZ001  # as in the file


def test_day_and_month_change_places_when_asked(make_file: MakeFile) -> None:
    sample = read_sample(make_file(GOOD.replace("2010-12-01 08:26:00", "03/04/2010")))
    months = [
        row.ordered_at.month
        for order in ("day_first", "month_first")
        for row in read_outlook(sample, choose(date_order=order), now=NOW).rows
        if row.ordered_at
    ]
    assert months == [4, 3]


def test_lines_that_would_be_left_out_are_counted_and_say_why(make_file: MakeFile) -> None:
    sample = read_sample(make_file(GOOD, GOOD.replace("17850", ""), GOOD.replace("2.55", "much"), *[GOOD] * 4))
    outlook = read_outlook(sample, choose(), now=NOW)
    assert outlook.left_out == {"missing_customer": 1, "bad_price": 1}
    assert (outlook.looked_at, len(outlook.rows)) == (7, SHOWN_ROWS)
    assert [row.reason for row in outlook.rows] == ["", "missing_customer", "bad_price", "", ""]


def test_wrong_choices_are_said_and_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pl.DataFrame(
        {"who": [1.0, None], "at": [dt.datetime(2020, 1, 1, 8, 0)] * 2, "price": [2.5, 1.0], "tags": [["a"], []]}  # noqa: DTZ001
    ).write_parquet(path)
    sample = read_sample(path)
    assert sample.rows[0] == ["1.0", "2020-01-01 08:00", "2.5", '["a"]']
    outlook = read_outlook(sample, choose(columns={"customer": "who", "at": "at", "price": "price"}), now=NOW)
    assert [(row.customer, row.reason) for row in outlook.rows] == [("1", ""), ("", "missing_customer")]
    with pytest.raises(FileProblem, match="no column"):
        read_outlook(sample, choose(), now=NOW)


def test_a_file_in_another_encoding_is_read_when_it_is_named(make_file: MakeFile) -> None:
    path = make_file("1,2020-01-01,5", header="member,日期,price", encoding="big5")
    assert read_sample(path).header[1] != "日期"
    assert read_sample(path, encoding="big5").header == ("member", "日期", "price")
    with pytest.raises(FileProblem, match="utf-8"):
        read_sample(path, encoding="utf-8")

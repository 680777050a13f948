"""Files of every sort are read, or refused in words."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from customers.ingest.reading import open_table, read_batches
from customers.ingest.schema import FileProblem, parse_columns

TEXT = "customer,at,price\n1,2020-01-01,3\nÖsten,2020-01-02,4\n"


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8"),
        (TEXT.replace("\n", "\r").encode(), "utf-8"),
        (TEXT.replace(",", ";").encode(), "utf-8"),
        (TEXT.replace(",", "\t").encode(), "utf-8"),
    ],
)
def test_encodings_and_delimiters_are_found(tmp_path: Path, content: bytes, encoding: str) -> None:
    table = open_table(write(tmp_path, content))
    assert (table.content.encoding, table.header) == (encoding, ("customer", "at", "price"))
    (batch,) = read_batches(table)
    assert batch.frame.rows() == [("1", "2020-01-01", "3", 2), ("Östen", "2020-01-02", "4", 3)]


CHINESE = "客户,日期,价格\n张伟,2020-01-01,3\nTarnside 户外,2020-01-02,4\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_chinese_file_is_not_taken_for_a_western_one(tmp_path: Path, encoding: str) -> None:
    table = open_table(write(tmp_path, CHINESE.encode(encoding)))
    assert (table.content.encoding, table.header) == (encoding, ("客户", "日期", "价格"))


@pytest.mark.parametrize("word", ["Österreich", "Zoë", "“Café” – naïve", "Søren Ærø"])
def test_a_western_file_is_not_taken_for_a_chinese_one(tmp_path: Path, word: str) -> None:
    content = f"customer,at,price\n{word},2020-01-01,3\n".encode("cp1252")
    assert open_table(write(tmp_path, content)).content.encoding == "cp1252"


@pytest.mark.parametrize("rows_before", [0, 3])
def test_an_open_quotation_mark_loses_no_row_in_silence(tmp_path: Path, rows_before: int) -> None:
    rows = "".join(f"K{number},2020-01-01,3\n" for number in range(rows_before))
    path = write(tmp_path, f'customer,at,price\n{rows}"K9,2020-01-01,3\nK10,2020-01-01,3\n'.encode())
    batches = list(read_batches(open_table(path)))
    assert sum(batch.frame.height for batch in batches) == rows_before
    ((line, text),) = [broken for batch in batches for broken in batch.broken]
    assert (line, text[:3]) == (rows_before + 2, '"K9')


def test_a_quotation_mark_that_swallows_a_file_is_said_in_words(tmp_path: Path) -> None:
    rows = "K,2020-01-01,3\n" * 300_000
    table = open_table(write(tmp_path, f'customer,at,price\n"K0,2020-01-01,3\n{rows}'.encode()))
    with pytest.raises(FileProblem, match="One row is longer than 2 MB; most likely a quotation mark"):
        list(read_batches(table))


def test_an_encoding_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "客户,日期\n张,2020-01-01\n".encode("gb18030"))
    assert open_table(path, encoding="gb18030").header == ("客户", "日期")
    with pytest.raises(FileProblem, match="not written in utf-8"):
        open_table(path, encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "xlsx"),
        (b"%PDF-1.7", "pdf"),
        (b"PAR1broken", "Parquet file is damaged"),
        (b"\x00\x01\x02\x00\x00\x07" * 100, "not a text file"),
        (b"just words\n", "No columns"),
        (b"a,b\n\x81\x8d\x8f\n", "neither UTF-8"),
        (b"\n\n", "No columns"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        open_table(write(tmp_path, content))


def test_a_quote_that_is_never_closed_is_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path, b'a,b,c\n1,2,3\n"4,5,6\n' + b"7,8,9\n" * 10)
    rows = [row for batch in read_batches(open_table(path)) for row in batch.frame.rows()]
    assert rows[0] == ("1", "2", "3", 2)


def test_columns_are_read_from_the_command_line() -> None:
    assert parse_columns("at=Date,, time, customer=Who=x") == {"at": "Date, time", "customer": "Who=x"}
    for wrong in ("at", "=x", "at=a,at=b", "at="):
        with pytest.raises(FileProblem):
            parse_columns(wrong)


@pytest.mark.parametrize("above", ["sep=;\n", "sep=;\r\n", "\n\n", "\r\n\r\nSEP=;\r\n\r\n", "\ufeffsep=;\n"])
def test_blank_lines_and_excels_sep_may_stand_above_the_header(tmp_path: Path, above: str) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(f"{above}a;b;c\n1;2;3\nfew\n4;5;6\n".encode())
    table = open_table(path)
    (batch,) = read_batches(table)
    assert (table.delimiter, table.header) == (";", ("a", "b", "c"))
    before = above.count("\n")
    assert batch.frame["line"].to_list() == [before + 2, before + 4]
    assert batch.broken == ((before + 3, "few"),)


@pytest.mark.parametrize("rows", ["", "\n", "\n\n  \n", "\n,,\n"])
def test_a_header_alone_is_told(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "header.csv"
    path.write_bytes(f"a,b,c{rows}".encode())
    with pytest.raises(FileProblem, match="but no rows"):
        open_table(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_quotation_mark_that_is_never_closed_swallows_nothing_in_silence(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "open.csv"
    path.write_bytes('a,b,c\n1,2,ü\n1,2,"never\n4,5,6\n7,8,9\n'.encode(encoding))
    with pytest.raises(FileProblem, match="never closed"):
        list(read_batches(open_table(path)))
    path.write_bytes('a,b,c\n1,2,"two\nlines"\n'.encode(encoding))
    assert next(iter(read_batches(open_table(path)))).frame["c2"].to_list() == ["two\nlines"]

"""A byte that is no letter costs its line, whatever the file is of; all other lines go in, and the report names the lost one."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from customers.ingest import damage, reading
from customers.ingest.column_guess import guess_columns
from customers.ingest.files import import_orders_file
from customers.ingest.import_report import ImportReport
from customers.ingest.preview import read_outlook, read_sample
from customers.ingest.reading import open_table, read_batches
from customers.ingest.resuming.fates import read_fates
from customers.ingest.schema import FileProblem, ImportOptions
from customers.models import Customer, ImportRejection, ImportRun

from .conftest import NOW

#: A file of each kind: its columns, and three rows, of which the second is to be broken where ~ stands.
FILES = {
    "orders": ("order,customer,date,price,name", ["1,a,2026-01-02,3,Zoë", "2,b~,2026-01-02,3,x", "3,c,2026-01-02,4,x"]),
    "customers": ("customer_id,email,first_name", ["k1,k1@shop.test,Zoë", "k2,k2@shop.test,B~rn", "k3,k3@shop.test,C"]),
    "products": ("sku,title,price", ["T1,Zoë,1", "T2,T~nt,2", "T3,x,3"]),
    "events": (
        "customer_id,event,timestamp,event_id",
        ["a,page_viewed,2026-01-02,ë", "b,page_viewed,2026-01-02,y~", "a,page_viewed,2026-01-03,z"],
    ),
    "consents": ("customer_id,status,date,wording", ["a,yes,2026-01-02,Zoë", "b,yes,2026-01-02,J~a", "c,yes,2026-01-02,x"]),
}  # fmt: skip

SHOP_IN_CHINESE = "a,b\n" + "".join(f"{number},张伟户外\n" for number in range(1, 31)) + "31,x~\n"


def spoil(kind: str, encoding: str = "utf-8", broken: bytes = b"\xff") -> bytes:
    header, rows = FILES[kind]
    pieces = ("\n".join([header, *rows]) + "\n").split("~")
    return broken.join(piece.encode(encoding) for piece in pieces)


def take_in(path: Path, kind: str, **options: Any) -> ImportReport:
    columns = guess_columns(open_table(path, encoding=options.get("encoding", "")).header, kind)
    chosen = ImportOptions(columns, currency="EUR", time_zone="UTC", kind=kind, **options)
    return import_orders_file(path, chosen, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FILES)
def test_one_broken_byte_costs_one_line(tmp_path: Path, kind: str) -> None:
    for name in "abc":
        Customer.objects.create(external_id=name)
    path = tmp_path / "file.csv"
    path.write_bytes(spoil(kind))
    report = take_in(path, kind)
    assert (report.created, dict(report.left_out), report.lines_read) == (2, {"bad_letters": 1}, 3)
    rejected = ImportRejection.objects.get()
    assert (rejected.line_number, rejected.reason) == (3, "bad_letters")
    assert damage.SHOWN in rejected.content and damage.MARK not in rejected.content
    assert any("UTF-8" in note for note in report.notes) and any("damaged" in note for note in report.notes)
    run = ImportRun.objects.get(pk=report.run_id)
    assert [outcome for _line, outcome, *_rest in read_fates(run)] == ["created", "left_out", "created"]
    again = take_in(path, kind)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


@pytest.mark.django_db
def test_a_column_that_is_not_read_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes("customer_id,first_name,internal note\na,Zoë,x~\nb,Ben,y\n".encode().replace(b"~", b"\xc3"))
    report = take_in(path, "customers")
    assert (report.created, report.left_out) == (2, {})
    assert Customer.objects.get(external_id="a").first_name == "Zoë"


@pytest.mark.django_db
def test_a_line_of_too_many_columns_is_shown_without_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes("customer_id,first_name\na,Zoë\nb,B~n,more\n".encode().replace(b"~", b"\xff"))
    assert take_in(path, "customers").left_out == {"broken_line": 1}
    assert ImportRejection.objects.get().content == "b,B\ufffdn,more"


def test_lines_keep_their_numbers_and_memory_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters, line ends and broken bytes lie across the edges of the pieces in which the file is read."""
    monkeypatch.setattr(damage, "CHUNK", 7)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 256)
    rows = [f"{number},Zoë{number}" for number in range(500)]
    rows[123], rows[400], rows[401] = "123,~", "400,一~", "401,a,b~"
    path = tmp_path / "file.csv"
    path.write_bytes(("id,name\n" + "\n".join(rows) + "\n").encode().replace(b"~", b"\xe4\xb8"))
    batches = list(read_batches(open_table(path)))
    assert len(batches) > 20 and all(batch.is_damaged for batch in batches)
    told = {line: (number, name) for batch in batches for number, name, line in batch.frame.rows()}
    wanted = {
        place + 2: tuple(row.replace("~", damage.MARK).split(",")) for place, row in enumerate(rows) if place != 401
    }
    assert told == wanted
    assert [line for batch in batches for line, _text in batch.broken] == [403]


@pytest.mark.parametrize(
    ("content", "encoding", "is_damaged"),
    [
        ("a,b\n1,Zoë\n2,x~\n".encode().replace(b"~", b"\xff"), "utf-8", True),
        ("a,b\n1,Zoë\n2,Müller\n3,Øre\n".encode() + b"4,caf\xe9\n", "utf-8", True),  # one line of another program
        (codecs.BOM_UTF8 + b"a,b\n1,\x81\n2,x\n", "utf-8-sig", True),
        (b"a,b\n1,x\n2,\x81\n3,y\n", "utf-8", True),  # in Windows-1252 that is no letter either
        (b"a,b\n1,caf\xe9\n2,x\n", "cp1252", False),
        (SHOP_IN_CHINESE.encode("gb18030").replace(b"~", b"\xff"), "gb18030", True),
        ("a,b\n1,Zoë and others\n2,x~\n".encode("utf-16").replace("~".encode("utf-16-le"), b"\x00\xd8"), "utf-16", True),
        ("a,b\n1,Zoë\n".encode("utf-32"), "utf-32", False),
        (codecs.BOM_UTF32_BE + "a,b\n1,Zoë\n".encode("utf-32-be"), "utf-32", False),
        ("a,b\n1,Zoë\n2,张伟\n".encode("utf-32-le"), "utf-32-le", False),
        ("a,b\n1,Zoë\n2,张伟\n".encode("utf-32-be"), "utf-32-be", False),
    ],
)  # fmt: skip
def test_a_damaged_file_is_what_most_of_it_is(tmp_path: Path, content: bytes, encoding: str, is_damaged: bool) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    table = open_table(path)
    assert (table.content.encoding, table.content.is_damaged, table.header) == (encoding, is_damaged, ("a", "b"))
    rows = [row for batch in read_batches(table) for row in batch.frame.rows()]
    assert rows and [row[0] for row in rows] == [str(number + 1) for number in range(len(rows))]
    assert any(damage.MARK in str(row[1]) for row in rows) is is_damaged


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("a,b\n1,Zoë\n2,é\n3,ü\n".encode("cp1252"), "utf-8"),  # named wrongly
        ("a,b\n1,Zoë\n".encode("utf-32"), "utf-16"),
        ("a,b\n1,Zoë\n".encode("utf-16-le"), "utf-16"),  # named so it begins with a mark
        (b"a,b\n\x81\x8d\x8f\n", ""),
    ],
)
def test_what_is_another_encoding_is_refused_and_not_called_damaged(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(FileProblem, match=r"not written in|neither UTF-8"):
        open_table(path, encoding=encoding)


def test_a_quotation_mark_that_is_closed_at_the_end_is_seen_in_any_width(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-32", "utf-16-be"):
        path = tmp_path / f"{encoding}.csv"
        mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
        path.write_bytes(mark + 'a,b\n1,"two\nlines"\n'.encode(encoding))
        assert [row for batch in read_batches(open_table(path)) for row in batch.frame.rows()] == [
            ("1", "two\nlines", 2)
        ]


def test_the_first_rows_show_what_would_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(spoil("customers"))
    sample = read_sample(path)
    assert sample.rows[1][2] == "B\ufffdrn"
    columns = guess_columns(sample.header, "customers")
    options = ImportOptions(columns, currency="EUR", time_zone="UTC", kind="customers")
    outlook = read_outlook(sample, options, now=NOW)
    assert outlook.left_out == {"bad_letters": 1} and outlook.rows[1].reason == "bad_letters"


@pytest.mark.django_db
def test_parquet_whose_texts_are_no_text_costs_those_lines(tmp_path: Path) -> None:
    """Who writes Parquet need not look whether a text is one, and old programs write texts as bytes."""
    names = [b"Zo\xc3\xab", b"B\xffrn", b"Cy", None]
    inside = pa.array([b"x", b"y", b"\xfe", b"z"], pa.binary()).view(pa.string())
    path = tmp_path / "file.parquet"
    people = {
        "customer_id": ["a", "b", "c", "d"],
        "first_name": pa.array(names, pa.binary()).view(pa.string()),
        "last_name": pa.array([b"A", b"B", b"C", b"\xff"], pa.binary()),
        "country": pa.StructArray.from_arrays([inside], ["word"]),
    }
    pyarrow.parquet.write_table(pa.table(people), path)
    report = take_in(path, "customers")
    assert (report.created, report.left_out) == (1, {"bad_letters": 3})
    assert Customer.objects.get().first_name == "Zoë"
    told = {row.line_number: row.content for row in ImportRejection.objects.all()}
    assert sorted(told) == [2, 3, 4] and all(damage.SHOWN in content for content in told.values())

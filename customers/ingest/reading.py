"""Reads a CSV or Parquet file in batches, so that memory does not grow with the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from django.utils.translation import gettext as _

from .encodings import Content, inspect_content
from .schema import FileProblem

#: Arrow reads up to 32 blocks ahead, so a block is small: 64 MB at most are waiting.
BLOCK_BYTES = 2 << 20
PARQUET_ROWS = 40_000
DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 1_000


@dataclass(frozen=True)
class Table:
    """A file that can be read as a table. `delimiter` is empty for Parquet."""

    path: Path
    content: Content
    delimiter: str
    header: tuple[str, ...]

    @property
    def is_text(self) -> bool:
        return bool(self.delimiter)

    @property
    def first_line(self) -> int:
        """The number of the first row: a CSV file counts its header as line 1, Parquet has none."""
        return 2 if self.is_text else 1


@dataclass(frozen=True)
class Batch:
    """Rows of a table. The frame's columns are `line` and `c0`, `c1`, … in the order of the header.

    `share_read` estimates how much of the file is read by now, 0 to 1.
    """

    frame: pl.DataFrame
    broken: tuple[tuple[int, str], ...]
    share_read: float


def open_table(path: Path, *, encoding: str = "") -> Table:
    """Find out what the file is; raises FileProblem in words where it is no table."""
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    content = inspect_content(path, encoding=encoding, is_text=not is_parquet)
    if is_parquet:
        return Table(path, content, "", _read_parquet_header(path))
    delimiter, header = _read_csv_header(path, content.encoding)
    return Table(path, content, delimiter, header)


def estimate_lines(table: Table) -> int:
    """How many rows the file has: of Parquet exactly, of CSV judged by its first lines."""
    if not table.is_text:
        with pyarrow.parquet.ParquetFile(table.path) as parquet:
            return int(parquet.metadata.num_rows)
    with table.path.open("rb") as file:
        start = file.read(256 * 1024)
    return round(table.content.size * max(1, start.count(b"\n")) / max(1, len(start)))


def read_batches(table: Table, *, only: Sequence[int] | None = None) -> Iterator[Batch]:
    """The rows of the table, some ten thousand at a time; `only` names the places of the columns wanted.

    Rows with too many or too few columns come as `broken`, with their line and text; blank lines are passed over.
    CSV values are text, an empty one is null; those of Parquet keep their type.
    """
    try:
        yield from _read_csv(table, only) if table.is_text else _read_parquet(table, only)
    except (pa.ArrowException, OSError) as error:
        if "straddling" in str(error):  # Arrow's word for a row that is longer than a block
            raise FileProblem(
                _("One row is longer than %(size)d MB; most likely a quotation mark was opened and never closed.")
                % {"size": BLOCK_BYTES >> 20}
            ) from error
        raise FileProblem(
            _("The file could not be read to its end: %(reason)s") % {"reason": _first_line(error)}
        ) from error


def _read_parquet_header(path: Path) -> tuple[str, ...]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = tuple(str(name) for name in file.schema_arrow.names)
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise FileProblem(_("The Parquet file is damaged: %(reason)s") % {"reason": _first_line(error)}) from error
    if not rows:
        raise FileProblem(_("The file has columns, but no rows."))
    return names


def _read_csv_header(path: Path, encoding: str) -> tuple[str, tuple[str, ...]]:
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(256 * 1024).lstrip("\ufeff")
    first = start.lstrip("\r\n").split("\n", 1)[0].split("\r", 1)[0]
    delimiter = max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    try:
        header = next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise FileProblem(_("The first line of the file is no list of column names.")) from error
    if len(header) < 2:
        raise FileProblem(
            _("No columns were found in the first line “%(line)s”. The file has to be CSV or Parquet.")
            % {"line": first[:80]}
        )
    if len(header) > MAX_COLUMNS:
        raise FileProblem(_("The file has more than %(count)d columns.") % {"count": MAX_COLUMNS})
    return delimiter, tuple(header)


def _read_csv(table: Table, only: Sequence[int] | None) -> Iterator[Batch]:
    names = [f"c{place}" for place in range(len(table.header))]
    wanted = names if only is None else [names[place] for place in only]
    skipped: list[tuple[int, str]] = []

    def note_broken(row: Any) -> str:
        skipped.append((row.number, row.text))
        return "skip"

    numbers = _LineNumbers(first=table.first_line)
    with pyarrow.csv.open_csv(
        table.path,
        read_options=pyarrow.csv.ReadOptions(
            column_names=names,
            skip_rows_after_names=1,
            use_threads=False,
            block_size=BLOCK_BYTES,
            encoding=_arrow_encoding(table.content.encoding),
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=table.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=note_broken,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            include_columns=wanted,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        ),
    ) as reader:
        taken = 0
        for count, part in enumerate(reader, 1):
            frame = pl.DataFrame(pl.from_arrow(part))
            lines = numbers.next(frame.height, [line for line, _text in skipped])
            broken, taken = tuple(skipped[taken:]), len(skipped)
            frame = frame.with_columns(lines).filter(~pl.all_horizontal(pl.col(wanted).is_null()))
            yield Batch(frame, broken, min(1.0, count * BLOCK_BYTES / table.content.size))
        if skipped[taken:]:  # broken rows alone make no batch
            empty = dict.fromkeys(wanted, pl.String()) | {"line": pl.Int64()}
            yield Batch(pl.DataFrame(schema=empty), tuple(skipped[taken:]), 1.0)


class _LineNumbers:
    """Counts the lines of the rows that were not skipped."""

    def __init__(self, *, first: int) -> None:
        self.following = first

    def next(self, count: int, skipped: list[int]) -> pl.Series:
        """The lines of the next `count` rows, given all lines that were skipped so far."""
        before = [line for line in skipped if line >= self.following]
        lines = pl.int_range(self.following, self.following + count + len(before), eager=True).alias("line")
        if before:
            lines = lines.filter(~lines.is_in(before)).head(count)
        self.following = int(lines[-1]) + 1 if count else self.following
        return lines


def _read_parquet(table: Table, only: Sequence[int] | None) -> Iterator[Batch]:
    following = table.first_line
    with pyarrow.parquet.ParquetFile(table.path, memory_map=True) as file:
        fields = file.schema_arrow
        flat = [place for place in range(len(fields)) if not pa.types.is_nested(fields.field(place).type)]
        places = [place for place in flat if only is None or place in only]
        for part in file.iter_batches(PARQUET_ROWS, columns=[table.header[place] for place in places]):
            frame = pl.DataFrame(pl.from_arrow(part.rename_columns([f"c{place}" for place in places])))
            lines = pl.int_range(following, following + frame.height, eager=True).alias("line")
            following += frame.height
            yield Batch(frame.with_columns(lines), (), min(1.0, following / file.metadata.num_rows))


def _arrow_encoding(name: str) -> str:
    return "utf8" if name in {"utf-8", "utf-8-sig"} else name  # Arrow itself passes over the mark of UTF-8


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

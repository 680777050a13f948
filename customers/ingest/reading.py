"""Reads a CSV or Parquet file in batches, so that memory does not grow with the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv
from django.utils.translation import gettext as _

from . import parquet
from .damage import ERRORS, open_marked, show_marks
from .encodings import Content, inspect_content
from .schema import FileProblem

#: Arrow reads up to 32 blocks ahead, so a block is small: 64 MB at most are waiting.
BLOCK_BYTES = 2 << 20
DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 1_000
HEAD_LENGTH = 256 * 1024
_LINE_END = re.compile(r"\r\n|\n|\r")
_ABOVE_HEADER = re.compile(r"[\r\n]*(?:sep=(?P<sign>[,;|\t])(?:\r\n|\n|\r)[\r\n]*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A file that can be read as a table. `delimiter` is empty for Parquet; `before` counts the lines above the header."""

    path: Path
    content: Content
    delimiter: str
    header: tuple[str, ...]
    before: int = 0

    @property
    def is_text(self) -> bool:
        return bool(self.delimiter)

    @property
    def first_line(self) -> int:
        """The number of the first row: in a CSV file the lines up to the header count, Parquet has none."""
        return 2 + self.before if self.is_text else 1


@dataclass(frozen=True)
class Batch:
    """Rows of a table. The frame's columns are `line` and `c0`, `c1`, … in the order of the header.

    `share_read` estimates how much of the file is read by now, 0 to 1. `is_damaged`: some values may hold `damage.MARK`.
    """

    frame: pl.DataFrame
    broken: tuple[tuple[int, str], ...]
    share_read: float
    is_damaged: bool = False


def open_table(path: Path, *, encoding: str = "") -> Table:
    """Find out what the file is; raises FileProblem in words where it is no table."""
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    content = inspect_content(path, encoding=encoding, is_text=not is_parquet)
    if is_parquet:
        return Table(path, content, "", _read_parquet_header(path))
    return Table(path, content, *_read_csv_header(path, content))


def estimate_lines(table: Table) -> int:
    """How many rows the file has: of Parquet exactly, of CSV judged by its first lines."""
    if not table.is_text:
        return parquet.count_rows(table.path)
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
        return parquet.read_header(path)
    except (pa.ArrowException, OSError) as error:
        raise FileProblem(_("The Parquet file is damaged: %(reason)s") % {"reason": _first_line(error)}) from error


def _read_csv_header(path: Path, content: Content) -> tuple[str, tuple[str, ...], int]:
    """The delimiter, the names of the columns, and how many lines stand above them: blank ones, and Excel's `sep=;`."""
    with path.open(encoding=content.encoding, errors=ERRORS, newline="") as file:
        start = show_marks(file.read(HEAD_LENGTH).lstrip("\ufeff"))
    above = _ABOVE_HEADER.match(start)
    assert above is not None
    start, before = start[above.end() :], len(_LINE_END.findall(above[0]))
    first = _LINE_END.split(start, 1)[0]
    delimiter = above["sign"] or max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    try:
        rows = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
        header = next(rows, [])
        has_rows = len(start) + above.end() >= HEAD_LENGTH or any("".join(row).strip() for row in rows)
    except csv.Error as error:
        raise FileProblem(_("The first line of the file is no list of column names.")) from error
    if len(header) < 2:
        raise FileProblem(
            _("No columns were found in the first line “%(line)s”. The file has to be CSV or Parquet.")
            % {"line": first[:80]}
        )
    if len(header) > MAX_COLUMNS:
        raise FileProblem(_("The file has more than %(count)d columns.") % {"count": MAX_COLUMNS})
    if not has_rows:
        raise FileProblem(_("The file has columns, but no rows."))
    return delimiter, tuple(header), before


def _read_csv(table: Table, only: Sequence[int] | None) -> Iterator[Batch]:
    names = [f"c{place}" for place in range(len(table.header))]
    wanted = names if only is None else [names[place] for place in only]
    skipped: list[tuple[int, str]] = []

    def note_broken(row: Any) -> str:
        skipped.append((row.number, row.text))
        return "skip"

    numbers, is_damaged = _LineNumbers(first=table.first_line), table.content.is_damaged
    with _open_source(table) as source, _open_csv(source, table, names, wanted, note_broken) as reader:
        taken, last, last_line = 0, "", 0
        for count, part in enumerate(reader, 1):
            frame = pl.DataFrame(pl.from_arrow(part))
            if frame.height and only is None:
                last = str(frame[names[-1]][-1] or "")
            lines = numbers.next(frame.height, [line for line, _text in skipped])
            last_line = int(lines[-1]) if frame.height else last_line
            broken, taken = tuple(skipped[taken:]), len(skipped)
            frame = frame.with_columns(lines).filter(~pl.all_horizontal(pl.col(wanted).is_null()))
            yield Batch(frame, broken, min(1.0, count * BLOCK_BYTES / table.content.size), is_damaged)
        if skipped[taken:]:  # broken rows alone make no batch
            empty = dict.fromkeys(wanted, pl.String()) | {"line": pl.Int64()}
            yield Batch(pl.DataFrame(schema=empty), tuple(skipped[taken:]), 1.0)
        if _LINE_END.search(last) and not (skipped and skipped[-1][0] > last_line):  # a footer stands below it
            _check_closed(table)


def _open_csv(
    source: Any, table: Table, names: list[str], wanted: list[str], note_broken: Callable[[Any], str]
) -> pyarrow.csv.CSVStreamingReader:
    is_utf8 = table.content.is_damaged or table.content.encoding in {"utf-8", "utf-8-sig"}  # Arrow passes over its mark
    return pyarrow.csv.open_csv(
        source,
        read_options=pyarrow.csv.ReadOptions(
            column_names=names,
            skip_rows=table.before,
            skip_rows_after_names=1,
            use_threads=False,
            block_size=BLOCK_BYTES,
            encoding="utf8" if is_utf8 else table.content.encoding,
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
    )


def _open_source(table: Table) -> AbstractContextManager[Any]:
    """The file itself; one that is damaged with a mark for what is no letter."""
    return open_marked(table.path, table.content.encoding) if table.content.is_damaged else nullcontext(table.path)


def _check_closed(table: Table) -> None:
    """Raise where a quotation mark was never closed, so that all lines below it became one value."""
    with table.path.open("rb") as file:
        file.seek(max(0, table.content.size - 64))
        end = file.read().replace(b"\0", b"").rstrip(b"\r\n \t")  # of UTF-16 and UTF-32 every other byte
    if not end.endswith(b'"'):
        raise FileProblem(
            _("A quotation mark was opened and never closed, so that the lines below it became one value.")
        )


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
    for frame, share, is_damaged in parquet.read_frames(table.path, only):
        lines = pl.int_range(following, following + frame.height, eager=True).alias("line")
        following += frame.height
        yield Batch(frame.with_columns(lines), (), share, is_damaged)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

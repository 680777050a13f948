"""Imports one file of orders: read, check, stage, and apply in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from django.db import DatabaseError, DataError, transaction
from django.utils.translation import gettext as _

from customers.models import ImportRun

from .apply import (
    LEFT_OUT_COLUMNS,
    Applied,
    apply_lines,
    count_left_out,
    keep_rejections,
    leave_out_conflicts,
    leave_out_erased,
    refresh_statistics,
)
from .cleaning import CLEAN_COLUMNS, CONTENT_LENGTH, REASONS, Reading, clean_rows
from .copying import Cursor, UpsertCounts, copy_frame, staging
from .currency import forget_shop_currency
from .dates import find_date_order
from .numbers import find_decimal_mark
from .progress import end_trial, fail_run, finish_run, holding, note_progress, start_run
from .reading import Batch, Table, open_table, read_batches
from .records.cleaning import STAGED, clean_records
from .records.writing import apply_records, leave_out_records
from .schema import ORDERS, FileProblem, ImportOptions, find_columns

#: Reading and checking is about this part of the work, writing the rest.
READING_SHARE = 0.5
#: An import of more new lines than this changes what the planner should believe of the tables.
ANALYZED_LINES = 10_000


@dataclass(frozen=True)
class ImportReport:
    """What an import did. created + updated + unchanged (lines of orders) and the lines left out are the lines read.

    `orders` and `customers` are those that the accepted lines name; `tables` counts rows by table.
    """

    run_id: int
    lines_read: int
    orders: int
    customers: int
    created: int
    updated: int
    unchanged: int
    left_out: Mapping[str, int]
    tables: Mapping[str, UpsertCounts]
    lines_removed: int = 0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form of ImportRun.report and of `import_orders --json`."""
        tables = {
            name: {"created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged}
            for name, counts in self.tables.items()
        }
        plain = {name: getattr(self, name) for name in ("lines_read", "orders", "customers", "created", "updated")}
        return {
            **plain,
            "unchanged": self.unchanged,
            "left_out": dict(self.left_out),
            "lines_removed": self.lines_removed,
            "tables": tables,
            "notes": list(self.notes),
            "run": self.run_id,
        }


class _OnlyCounted(Exception):
    """What was written is to be rolled back: it was done to be counted."""


def import_orders_file(
    path: Path, options: ImportOptions, *, now: dt.datetime, run: ImportRun | None = None
) -> ImportReport:
    """Import the orders, or what `options.kind` says, of a CSV or Parquet file: nothing of it or all that is good.

    A run that `is_trial` does all of it and takes it back: its report says exactly what an import would do.

    Raises FileProblem with a sentence for staff where the file or an option is wrong, and RunIsTaken where another
    worker is at it. Without `run`, the run of the same file and options is taken again, or one is made. Running it
    again changes nothing.
    """
    try:
        options.check()
        table = open_table(path, encoding=options.encoding)
        find_columns(table.header, options.columns)
    except FileProblem as problem:
        if run is not None:
            fail_run(run, str(problem))
        raise
    is_given = run is not None
    run = run or _take_run(table, options)
    with holding(run):
        start_run(run, now, again=not is_given)
        try:
            return _import(table, options, run, now)
        except FileProblem as problem:
            if run.status == ImportRun.Status.RUNNING:
                fail_run(run, str(problem))
            raise
        except DataError as error:
            fail_run(run, _("The database cannot keep a value of this file: %(reason)s") % {"reason": error})
            raise FileProblem(run.error) from error
        except Exception:
            with suppress(DatabaseError):  # without a database the run stays open and is taken up again
                fail_run(run, _("The import stopped on an error of ours. The log names it."))
            raise


def _take_run(table: Table, options: ImportOptions) -> ImportRun:
    """The run of the same file and options, or a new one that no sweep will touch."""
    same = ImportRun.objects.filter(file_hash=table.content.sha256, options=options.to_json(), stored_path="")
    return same.order_by("-created_at").first() or ImportRun.objects.create(
        file_name=table.path.name[-250:],
        file_hash=table.content.sha256,
        options=options.to_json(),
        status=ImportRun.Status.RUNNING,
    )


def _import(table: Table, options: ImportOptions, run: ImportRun, now: dt.datetime) -> ImportReport:
    reading, notes = _settle_reading(table, options, now)
    is_orders = options.kind == ORDERS
    columns = CLEAN_COLUMNS if is_orders else STAGED[options.kind]
    with staging(columns) as (cursor, lines), staging(LEFT_OUT_COLUMNS) as (_same, left_out):
        lines_read = 0
        for batch in read_batches(table):
            lines_read += _stage_batch(cursor, batch, reading, lines, left_out, options.kind)
            note_progress(run, _("reading and checking"), batch.share_read * READING_SHARE)
        if not lines_read:
            raise FileProblem(_("The file has columns, but no rows."))
        note_progress(run, _("counting") if run.is_trial else _("writing"), READING_SHARE)
        if is_orders:
            leave_out_conflicts(cursor, lines, left_out)
            leave_out_erased(cursor, lines, left_out, options.source)
        else:
            leave_out_records(cursor, lines, left_out, options)
        reasons = count_left_out(left_out)
        if sum(reasons.values()) == lines_read:
            _refuse_all(cursor, run, left_out, lines_read, reasons)
        with suppress(_OnlyCounted), transaction.atomic():
            applied = (apply_lines if is_orders else apply_records)(cursor, lines, options, now=now)
            report = _report(run, lines_read, applied, reasons, [*notes, *applied.notes])
            if run.is_trial:
                raise _OnlyCounted
            keep_rejections(cursor, left_out, run.pk)
            finish_run(run, report.to_json())
        if run.is_trial:
            with transaction.atomic():
                keep_rejections(cursor, left_out, run.pk)
                end_trial(run, report.to_json())
        elif report.created > ANALYZED_LINES:
            refresh_statistics(cursor)
    forget_shop_currency()
    return report


def _settle_reading(table: Table, options: ImportOptions, now: dt.datetime) -> tuple[Reading, list[str]]:
    """Find out what only the values tell: the order of day and month, and the decimal mark."""
    places = find_columns(table.header, options.columns)
    notes = []
    if table.is_text:
        notes.append(_("Read as %(encoding)s.") % {"encoding": table.content.encoding.upper()})
    date_order, mark = options.date_order, "."
    moments = [places["at"]] if "at" in places else []
    money = [places[key] for key in ("price", "amount") if key in places]
    is_open = False
    for count, batch in enumerate(read_batches(table, only=sorted({*moments, *money}) or [0])):
        if not count and any(find_decimal_mark(batch.frame[f"c{place}"]) == "," for place in money):
            mark = ","
        if date_order or not moments:
            break
        date_order, is_open = find_date_order(batch.frame[f"c{places['at']}"])
        if date_order or not is_open:
            break
    if is_open and not date_order:
        notes.append(_("Dates such as 03/04/2011 were read month first; --date-order day_first changes that."))
    if mark == ",":
        notes.append(_("The comma was read as the decimal mark."))
    return Reading(places, options.currency, options.time_zone, now, date_order, mark), notes


def _stage_batch(cursor: Cursor, batch: Batch, reading: Reading, lines: str, left_out: str, kind: str) -> int:
    """Stage the rows of a batch as good or left out; returns how many there were."""
    cleaned = clean_rows(batch.frame, reading) if kind == ORDERS else clean_records(kind, batch.frame, reading)
    copy_frame(cursor, lines, cleaned.good)
    copy_frame(cursor, left_out, cleaned.left_out)
    if batch.broken:
        texts = [text.replace("\0", "")[:CONTENT_LENGTH] for _line, text in batch.broken]
        numbers = [line for line, _text in batch.broken]
        frame = pl.DataFrame({"line": numbers, "reason": ["broken_line"] * len(numbers), "content": texts})
        copy_frame(cursor, left_out, frame)
    return batch.frame.height + len(batch.broken)


def _refuse_all(cursor: Cursor, run: ImportRun, left_out: str, lines_read: int, reasons: Mapping[str, int]) -> None:
    """No line is good: keep why, and fail the run."""
    named = ", ".join(f"{REASONS[reason]} ({count})" for reason, count in reasons.items())
    problem = _("None of the %(count)d lines could be imported: %(reasons)s.") % {"count": lines_read, "reasons": named}
    with transaction.atomic():
        keep_rejections(cursor, left_out, run.pk)
        fail_run(run, problem, {"lines_read": lines_read, "left_out": dict(reasons)})
    raise FileProblem(problem)


def _report(
    run: ImportRun, lines_read: int, applied: Applied, reasons: Mapping[str, int], notes: list[str]
) -> ImportReport:
    lines = applied.counted
    return ImportReport(
        run_id=run.pk,
        lines_read=lines_read,
        orders=applied.orders,
        customers=applied.customers,
        created=lines.created,
        updated=lines.updated,
        unchanged=lines.unchanged,
        left_out=reasons,
        tables=applied.tables,
        lines_removed=applied.lines_removed,
        notes=tuple(notes),
    )

"""The first half of an import: rows are read, checked, and staged batch by batch, each with the mark that says so."""

from __future__ import annotations

import dataclasses

import polars as pl
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.ingest.apply import leave_out_conflicts, leave_out_erased
from customers.ingest.cleaning import CONTENT_LENGTH, Reading, clean_rows
from customers.ingest.copying import Cursor, copy_frame
from customers.ingest.damage import show_marks
from customers.ingest.reading import Batch, Table, read_batches
from customers.ingest.records.cleaning import clean_records
from customers.ingest.records.writing import leave_out_records
from customers.ingest.schema import ORDERS, FileProblem, ImportOptions
from customers.models import ImportRun

from .cutting import cut_by_time
from .marks import Mark
from .stages import Stage

#: Reading and checking is about this part of the work, writing the rest.
READING_SHARE = 0.5


def stage_rows(
    table: Table, reading: Reading, options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark
) -> Mark:
    """Stage what the mark does not have yet. What it has is passed over: read again, but neither checked nor copied.

    Raises FileProblem where the file has no row.
    """
    broken_before = 0
    for batch in read_batches(table):
        fresh = _pass_over(batch, mark, broken_before)
        broken_before += len(batch.broken)
        if not fresh.frame.height and not fresh.broken:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            rows = _stage_batch(cursor, fresh, reading, stage, options.kind)
            mark = dataclasses.replace(
                mark,
                line=max(mark.line, _last_line(fresh.frame)),
                broken=max(mark.broken, broken_before),
                lines_read=mark.lines_read + rows,
                tries=0,
            )
            mark.save(run, step=_("reading and checking"), progress=batch.share_read * READING_SHARE)
    if not mark.lines_read:
        raise FileProblem(_("The file has columns, but no rows."))
    return mark


@transaction.atomic
def settle_conflicts(options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark) -> Mark:
    """Leave out what only the whole file tells to be wrong: doubles, lines of two people in one order, and the like."""
    with connection.cursor() as cursor:
        if options.kind == ORDERS:
            leave_out_conflicts(cursor, stage.lines, stage.left_out, currency=options.currency)
            leave_out_erased(cursor, stage.lines, stage.left_out, options.source)
        else:
            leave_out_records(cursor, stage.lines, stage.left_out, options)
        if options.kind == "events":
            cuts = cut_by_time(cursor, stage.lines)
            mark = dataclasses.replace(mark, cuts=cuts, parts=max(0, len(cuts) - 1))
    return dataclasses.replace(mark, is_settled=True, tries=0).save(run)


def _pass_over(batch: Batch, mark: Mark, broken_before: int) -> Batch:
    """The batch without the rows that are staged. Broken rows are counted, because the reader finds them ahead of the others."""
    frame = batch.frame.filter(pl.col("line") > mark.line) if mark.line else batch.frame
    return dataclasses.replace(batch, frame=frame, broken=batch.broken[max(0, mark.broken - broken_before) :])


def _last_line(frame: pl.DataFrame) -> int:
    return int(frame["line"][-1]) if frame.height else 0


def _stage_batch(cursor: Cursor, batch: Batch, reading: Reading, stage: Stage, kind: str) -> int:
    """Stage the rows of a batch as good or left out; returns how many there were."""
    reading = dataclasses.replace(reading, is_damaged=batch.is_damaged)
    cleaned = clean_rows(batch.frame, reading) if kind == ORDERS else clean_records(kind, batch.frame, reading)
    copy_frame(cursor, stage.lines, cleaned.good)
    copy_frame(cursor, stage.left_out, cleaned.left_out)
    if batch.broken:
        texts = [show_marks(text.replace("\0", ""))[:CONTENT_LENGTH] for _line, text in batch.broken]
        numbers = [line for line, _text in batch.broken]
        frame = pl.DataFrame({"line": numbers, "reason": ["broken_line"] * len(numbers), "content": texts})
        copy_frame(cursor, stage.left_out, frame)
    return batch.frame.height + len(batch.broken)

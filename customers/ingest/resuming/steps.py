"""An import from its mark to its end: read, settle, then write part by part, each part in one transaction with its mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.ingest.apply import (
    Applied,
    apply_lines,
    apply_products,
    count_left_out,
    keep_rejections,
    leave_out_erased,
    refresh_statistics,
    wait_for_turn,
)
from customers.ingest.cleaning import CLEAN_COLUMNS, REASONS
from customers.ingest.copying import Cursor, UpsertCounts
from customers.ingest.currency import forget_shop_currency
from customers.ingest.import_report import ImportReport
from customers.ingest.progress import check_running, end_trial, fail_run, finish_run, note_progress
from customers.ingest.reading import Table, estimate_lines
from customers.ingest.records.cleaning import STAGED
from customers.ingest.records.writing import (
    OF_KNOWN,
    apply_records,
    count_people,
    leave_out_repeated,
    leave_out_unknown,
    note_bad_zones,
)
from customers.ingest.schema import ORDERS, FileProblem, ImportOptions
from customers.ingest.settling import settle_reading
from customers.models import ImportRun

from .cutting import STAGE_KEYS, taking_part
from .fates import gather_fates, keep_fates
from .marks import Mark, fingerprint
from .stages import Stage, count_parts
from .staging_rows import READING_SHARE, settle_conflicts, stage_rows

log = structlog.get_logger(__name__)

#: An import of more new lines than this changes what the planner should believe of the tables.
ANALYZED_LINES = 10_000


class _OnlyCounted(Exception):
    """What was written is to be rolled back: it was done to be counted."""


def go_on(table: Table, options: ImportOptions, run: ImportRun, *, now: dt.datetime) -> ImportReport:
    """Do what is left of a run that this worker holds. Each step commits with its mark, so that whoever comes after a worker
    that died does the step again in which it died, and no other.

    A trial writes in one transaction and takes it back. Raises FileProblem where no line is good.
    """
    stage, mark = _take_up(table, options, run, now)
    reading, notes = settle_reading(table, options, mark.now)
    if not mark.is_settled:
        mark = stage_rows(table, reading, options, run, stage, mark)
        note_progress(run, _("looking for doubles and conflicts"), READING_SHARE)
        mark = settle_conflicts(options, run, stage, mark)
    if not mark.written:
        _refuse_where_none_is_good(run, stage, mark)
    report = (_count_only if run.is_trial else _write_and_finish)(options, run, stage, mark, notes)
    forget_shop_currency()
    return report


def _take_up(table: Table, options: ImportOptions, run: ImportRun, now: dt.datetime) -> tuple[Stage, Mark]:
    """The stage and mark of the run: as the last worker left them, or new ones."""
    columns = CLEAN_COLUMNS if options.kind == ORDERS else STAGED[options.kind]
    of, stage, kept = fingerprint(table.content.sha256, options, columns), Stage(run.pk), Mark.read(run.mark)
    with transaction.atomic():
        if kept is not None and kept.of == of and stage.exists():
            log.info("import_taken_up", run_id=run.pk, lines_read=kept.lines_read, steps_written=kept.written)
            return stage, kept.take_up().save(run)
        mark = Mark(of, now, parts=count_parts(estimate_lines(table)))
        stage.make(columns, key=STAGE_KEYS.get(options.kind, "customer"), parts=mark.parts)
        return stage, mark.save(run)


def _refuse_where_none_is_good(run: ImportRun, stage: Stage, mark: Mark) -> None:
    """Where no line is good, keep why, and fail the run."""
    reasons = count_left_out(stage.left_out)
    if sum(reasons.values()) != mark.lines_read:
        return
    named = ", ".join(f"{REASONS[reason]} ({count})" for reason, count in reasons.items())
    problem = _("None of the %(count)d lines could be imported: %(reasons)s.") % {
        "count": mark.lines_read,
        "reasons": named,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        keep_rejections(cursor, stage.left_out, run.pk)
        keep_fates(run, [])
        fail_run(run, problem, {"lines_read": mark.lines_read, "left_out": dict(reasons)})
    raise FileProblem(problem)


def _write_and_finish(
    options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark, notes: Sequence[str]
) -> ImportReport:
    mark = _write(options, run, stage, mark)
    with transaction.atomic(), connection.cursor() as cursor:
        report, blocks = _sum_up(options, run, stage, mark, notes)
        keep_rejections(cursor, stage.left_out, run.pk)
        keep_fates(run, blocks)
        finish_run(run, report.to_json())
        stage.drop()
        if report.created > ANALYZED_LINES:
            refresh_statistics(cursor)
    return report


def _count_only(options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark, notes: Sequence[str]) -> ImportReport:
    """Write everything in one transaction, sum it up, and take it back."""
    note_progress(run, _("counting"), READING_SHARE)
    with suppress(_OnlyCounted), transaction.atomic():
        done = _write(options, run, stage, mark)
        report, blocks = _sum_up(options, run, stage, done, notes)
        raise _OnlyCounted
    with transaction.atomic(), connection.cursor() as cursor:
        keep_rejections(cursor, stage.left_out, run.pk)
        keep_fates(run, blocks)
        end_trial(run, report.to_json())
        stage.drop()
    return report


def _write(options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark) -> Mark:
    """The steps that the mark does not have: for orders first the articles of the whole file, then the parts."""
    ahead = 1 if options.kind == ORDERS else 0
    for number in range(mark.written, ahead + mark.parts):
        with transaction.atomic():
            mark = _write_part(options, stage, mark, number - ahead)
            share = READING_SHARE + (1 - READING_SHARE) * mark.written / (ahead + mark.parts)
            if (
                run.is_trial
            ):  # one transaction for all: a change of the row would make whoever cancels it wait for the end
                check_running(run)
            else:
                mark.save(run, step=_("writing"), progress=share)
    return mark


def _write_part(options: ImportOptions, stage: Stage, mark: Mark, number: int) -> Mark:
    """Write one part in the caller's transaction; -1 stands for the articles of all."""
    with connection.cursor() as cursor:
        if number < 0:
            return mark.add({"products": apply_products(cursor, stage.lines, options)}, UpsertCounts())
        wait_for_turn(cursor)  # before it is looked who is gone: the wait may be long
        with taking_part(cursor, stage, mark.cuts, number) as part:
            applied = _apply_part(cursor, part, options, stage, mark)
    lines = applied.counted
    return mark.add(
        applied.tables,
        lines,
        lines_written=lines.created + lines.updated + lines.unchanged,
        customers=applied.customers,
        orders=applied.orders,
        lines_removed=applied.lines_removed,
    )


def _apply_part(cursor: Cursor, part: str, options: ImportOptions, stage: Stage, mark: Mark) -> Applied:
    if options.kind != "products":  # who was erased since the file was read
        leave_out_erased(cursor, part, stage.left_out, options.source)
    if options.kind in OF_KNOWN:
        leave_out_unknown(cursor, part, stage.left_out, options)
    if options.kind == ORDERS:
        return apply_lines(cursor, part, options, fates=stage.fates, now=mark.now)
    if options.kind == "events":
        leave_out_repeated(cursor, part, stage.left_out, options)
    return apply_records(cursor, part, options, fates=stage.fates)


def _sum_up(
    options: ImportOptions, run: ImportRun, stage: Stage, mark: Mark, notes: Sequence[str]
) -> tuple[ImportReport, list[tuple[int, str]]]:
    """The report of all steps, and what became of each line."""
    with connection.cursor() as cursor:
        more = note_bad_zones(cursor, stage.lines) if options.kind == "customers" else []
        people = count_people(cursor, stage.lines, stage.left_out) if options.kind == "events" else mark.customers
        blocks = gather_fates(cursor, stage.fates)
    created, updated, unchanged = mark.counted
    left_out: Mapping[str, int] = count_left_out(stage.left_out)
    return ImportReport(
        run_id=run.pk,
        lines_read=mark.lines_read,
        orders=mark.orders,
        customers=people,
        created=created,
        updated=updated,
        unchanged=unchanged,
        left_out=left_out,
        tables={name: UpsertCounts(*counts) for name, counts in mark.tables.items()},
        lines_removed=mark.lines_removed,
        notes=(*notes, *more),
    ), blocks

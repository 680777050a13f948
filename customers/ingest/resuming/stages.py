"""The tables in which an import keeps what it has read until all of it is written: they outlive the worker and the database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import ProgrammingError, connection, transaction
from psycopg.errors import UndefinedTable

from customers.ingest.apply import LEFT_OUT_COLUMNS
from customers.ingest.progress import RunIsTaken, holding, is_over
from customers.models import ImportRun

log = structlog.get_logger(__name__)

#: Lines that are written in one transaction, about: the more, the fewer round trips; the fewer, the less is done again.
PART_LINES: Final = 50_000
#: Each part is a table of its own, and a transaction that drops them all holds a lock on each.
MOST_PARTS: Final = 48
_PREFIX: Final = "customers_importstage_"
#: Autovacuum would read and write all of a table that is gone in some minutes; what its plans need is analysed by us.
_UNTENDED: Final = "WITH (autovacuum_enabled = false)"


@dataclass(frozen=True)
class Stage:
    """The tables of one run. `lines` is divided by whom (or what) a line is about, so that a part holds all of a person; of
    events by their month (`cutting`)."""

    run_id: int

    @property
    def lines(self) -> str:
        return f"{_PREFIX}{self.run_id}_lines"

    @property
    def left_out(self) -> str:
        return f"{_PREFIX}{self.run_id}_left_out"

    @property
    def fates(self) -> str:
        """(line, fate) of the lines that are written; `fates` explains the letters."""
        return f"{_PREFIX}{self.run_id}_fates"

    def part(self, number: int) -> str:
        """The table of the part `number`, from 0."""
        return f"{self.lines}_{number}"

    def make(self, columns: Mapping[str, str], *, key: str, parts: int) -> None:
        """Make the tables anew and empty. `key` is what lines are divided by: a column, or an expression in brackets."""
        self.drop()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {self.lines} ({_define(columns)}) PARTITION BY HASH ({key})")
            for number in range(parts):
                cursor.execute(
                    f"CREATE TABLE {self.part(number)} PARTITION OF {self.lines}"
                    f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {number}) {_UNTENDED}"
                )
            cursor.execute(f"CREATE TABLE {self.left_out} ({_define(LEFT_OUT_COLUMNS)}) {_UNTENDED}")
            cursor.execute(f'CREATE TABLE {self.fates} (line bigint, fate "char") {_UNTENDED}')

    def drop(self) -> None:
        """Drop the tables, those that there are."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self.lines}, {self.left_out}, {self.fates}")

    def exists(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self.lines])
            return bool(cursor.fetchone()[0])


def count_parts(lines: int) -> int:
    """Into how many parts a file of about so many lines is divided."""
    return max(1, min(MOST_PARTS, round(lines / PART_LINES)))


def drop_old_stages(now: dt.datetime) -> int:
    """Drop the stages that nobody goes on with: of runs that are gone, finished, only counted, or that stopped more than a day
    ago. Returns how many. Safe to run twice."""
    dropped = 0
    for run_id in sorted(_find_stages()):
        run = ImportRun.objects.filter(pk=run_id).first()
        if run is None:
            Stage(run_id).drop()
            dropped += 1
        elif _is_over(run, now):
            dropped += _drop_over(run, now)
    return dropped


def forget_in_stages(values: Collection[str]) -> int:
    """Empty the staged texts of lines left out that name one of `values` (a person who is erased); returns how many.

    Their good lines are left out when their part is written.
    """
    emptied = 0
    with connection.cursor() as cursor:
        for run_id in sorted(_find_stages()):
            table = Stage(run_id).left_out
            try:
                with transaction.atomic():
                    cursor.execute(
                        f"UPDATE {table} SET content = '' WHERE content <> '' AND EXISTS ("
                        "SELECT 1 FROM unnest(%s::text[]) named WHERE position(lower(named) IN lower(content)) > 0)",
                        [list(values)],
                    )
                    emptied += cursor.rowcount
            except ProgrammingError as error:
                # Finished meanwhile: what it left out is among the rejections, which are looked through next.
                if not isinstance(error.__cause__, UndefinedTable):
                    raise
    return emptied


def _is_over(run: ImportRun, now: dt.datetime) -> bool:
    return run.status == ImportRun.Status.CHOOSING or is_over(run, now)


def _drop_over(run: ImportRun, now: dt.datetime) -> int:
    try:
        with holding(run), transaction.atomic():
            run.refresh_from_db()
            if not _is_over(run, now):  # given again in this moment
                return 0
            Stage(run.pk).drop()
            kept = {"lines_written": run.lines_written} if run.lines_written else {}  # what the page says stays true
            ImportRun.objects.filter(pk=run.pk).update(mark=kept)
    except RunIsTaken:
        return 0
    log.info("import_stage_dropped", run_id=run.pk)
    return 1


def _find_stages() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname LIKE %s",
            [_PREFIX.replace("_", r"\_") + "%left\\_out"],
        )
        found = (re.fullmatch(rf"{_PREFIX}(\d+)_left_out", name) for (name,) in cursor.fetchall())
        return {int(match[1]) for match in found if match}


def _define(columns: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}" {sql_type}' for name, sql_type in columns.items())

"""COPY of Polars frames into staging tables, and one set-based upsert from there into a table of ours."""

from __future__ import annotations

import dataclasses
import enum
import io
import itertools
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db import DatabaseError, InterfaceError, connection

#: What a cursor of Django is here: it passes `copy` on to psycopg.
Cursor = Any
COPY_ROWS = 50_000
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
_stage_numbers = itertools.count(1)


class OnUpdate(enum.Enum):
    """What becomes of a value that is there already."""

    REPLACE = "the new value counts"
    KEEP = "only a new row gets it"
    FILL = "the new value counts where the old one is blank"
    PREFER = "the new value counts unless it is blank"
    LEAST = "the smaller value counts"


@dataclass(frozen=True)
class Column:
    """A column of a table of ours. `default` is the SQL for a missing value; None where NULL is one."""

    name: str
    sql_type: str
    default: str | None = None
    on_update: OnUpdate = OnUpdate.REPLACE


@dataclass(frozen=True)
class Target:
    """A table that takes upserts: its unique key, its columns, and what else is set when a row changes."""

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    touch: Mapping[str, str] = field(default_factory=dict)

    def types(self, names: Collection[str]) -> dict[str, str]:
        """SQL types of the columns `names`, in the order of the table."""
        return {column.name: column.sql_type for column in self.columns if column.name in names}


@dataclass(frozen=True)
class UpsertCounts:
    """How many rows a write made, changed and found already so."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        return UpsertCounts(
            self.created + other.created, self.updated + other.updated, self.unchanged + other.unchanged
        )


def with_rules(target: Target, **on_update: OnUpdate) -> Target:
    """`target` with other rules of what becomes of a present value, for the columns named."""
    columns = (
        dataclasses.replace(column, on_update=on_update.get(column.name, column.on_update)) for column in target.columns
    )
    return dataclasses.replace(target, columns=tuple(columns))


@contextmanager
def staging(columns: Mapping[str, str], *, until_commit: bool = False) -> Iterator[tuple[Cursor, str]]:
    """A cursor and the name of an empty temporary table with `columns` (name to SQL type), gone afterwards.

    `until_commit` leaves it to the end of the transaction, which saves a round trip; then there has to be one.
    """
    name = f"stage_{next(_stage_numbers)}"
    defined = ", ".join(f'"{column}" {sql_type}' for column, sql_type in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({defined}){' ON COMMIT DROP' if until_commit else ''}")
        try:
            yield cursor, name
        except BaseException:
            with suppress(DatabaseError, InterfaceError):  # in a failed transaction the rollback takes it
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
            raise
        if not until_commit:
            cursor.execute(f"DROP TABLE {name}")


def copy_frame(cursor: Cursor, table: str, frame: pl.DataFrame) -> None:
    """COPY all rows of `frame` into the columns of `table` that bear the same names. Times must be UTC."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        for part in frame.iter_slices(COPY_ROWS):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False, datetime_format=TIME_FORMAT)
            copy.write(buffer.getbuffer())


def merge_stage(
    cursor: Cursor, stage: str, target: Target, given: Collection[str], *, only: str = "true", written: str = ""
) -> UpsertCounts:
    """Upsert the rows of `stage` into `target`; a row in which nothing changes is not written at all.

    `given` names the columns that the stage has; new rows get the defaults of the others. `only` is SQL that picks rows
    of the stage. The key must be unique in the stage. Safe to run twice, and beside another writer: rows are locked in
    the order of the key. `written` names a table of the key and `created` that takes the rows which were made or changed.
    """
    cursor.execute(f"ANALYZE {stage}")
    count_anew_if_thought_empty(cursor, target.table)
    rows = f"(SELECT * FROM {stage} WHERE {only})"
    cursor.execute(_merge_sql(rows, target, [column for column in target.columns if column.name in given], written))
    created, written, staged = cursor.fetchone()
    return UpsertCounts(created, written - created, staged - written)


def count_anew_if_thought_empty(cursor: Cursor, *tables: str) -> None:
    """ANALYZE those of `tables` whose statistics are of a moment at which they had pages but no rows: all taken back, or deleted.

    The planner takes such a table for empty however many rows came since, and joins it row by row: minutes instead of seconds.
    """
    cursor.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE oid = ANY (%s::text[]::regclass[])"
        " AND relkind = 'r' AND relpages > 0 AND reltuples = 0",
        [list(tables)],
    )
    if misjudged := [name for (name,) in cursor.fetchall()]:
        cursor.execute(f"ANALYZE {', '.join(misjudged)}")


def _merge_sql(stage: str, target: Target, given: list[Column], noted: str) -> str:
    written = [column for column in target.columns if column in given or column.default is not None]
    names = ", ".join(f'"{column.name}"' for column in written)
    staged = ", ".join(_staged_value(column, column in given) for column in written)
    key = ", ".join(f'"{name}"' for name in target.key)
    joined = " AND ".join(f'present."{name}" = staged."{name}"' for name in target.key)
    order = ", ".join(f'staged."{name}"' for name in target.key)
    changing = [c for c in given if c.name not in target.key and c.on_update is not OnUpdate.KEEP]
    source = (
        f"SELECT {staged} FROM {stage} staged LEFT JOIN {target.table} present ON {joined}"
        f' WHERE present."{target.key[0]}" IS NULL OR {_is_changed(changing, "present", "staged")} ORDER BY {order}'
    )
    if changing:
        sets = [f'"{column.name}" = {_new_value(column, "target", "EXCLUDED")}' for column in changing]
        sets += [f'"{name}" = {value}' for name, value in target.touch.items()]
        action = f"UPDATE SET {', '.join(sets)} WHERE {_is_changed(changing, 'target', 'EXCLUDED')}"
    else:
        action = "NOTHING"
    told = "".join(f', target."{name}"' for name in target.key) if noted else ""
    note = f", noted AS (INSERT INTO {noted} ({key}, created) SELECT {key}, created FROM written)" if noted else ""
    return (
        f"WITH written AS (INSERT INTO {target.table} AS target ({names}) {source}"
        f" ON CONFLICT ({key}) DO {action} RETURNING (xmax = 0) AS created{told}){note}"
        f" SELECT count(*) FILTER (WHERE created), count(*), (SELECT count(*) FROM {stage} picked) FROM written"
    )


def _staged_value(column: Column, is_given: bool) -> str:
    if not is_given:
        return str(column.default)
    return (
        f'staged."{column.name}"' if column.default is None else f'coalesce(staged."{column.name}", {column.default})'
    )


def _new_value(column: Column, old: str, new: str) -> str:
    present, fresh = f'{old}."{column.name}"', f'{new}."{column.name}"'
    if column.default is not None and new == "staged":
        fresh = f"coalesce({fresh}, {column.default})"
    if column.on_update is OnUpdate.FILL:
        return f"CASE WHEN coalesce({present}::text, '') = '' THEN {fresh} ELSE {present} END"
    if column.on_update is OnUpdate.PREFER:
        return f"CASE WHEN coalesce({fresh}::text, '') = '' THEN {present} ELSE {fresh} END"
    return f"LEAST({present}, {fresh})" if column.on_update is OnUpdate.LEAST else fresh


def _is_changed(columns: list[Column], old: str, new: str) -> str:
    if not columns:
        return "false"
    fresh = ", ".join(_new_value(column, old, new) for column in columns)
    present = ", ".join(f'{old}."{column.name}"' for column in columns)
    return f"ROW({fresh}) IS DISTINCT FROM ROW({present})"

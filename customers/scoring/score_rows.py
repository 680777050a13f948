"""Scores as rows: the current one of each customer, and the history of all."""

from __future__ import annotations

from contextlib import suppress

import polars as pl
from django.db import connection, transaction
from psycopg.errors import UniqueViolation

from customers.ingest.copying import Column, Target, copy_frame, merge_stage, staging
from customers.models import OutgoingKind, ScoreStatus
from customers.outgoing.announcing import announce_rows

_COLUMNS = (
    Column("customer_id", "bigint"),
    Column("model_id", "bigint"),
    Column("as_of", "timestamptz"),
    Column("status", "varchar(12)"),
    Column("churn_probability", "float8"),
    Column("expected_orders", "float8"),
    Column("expected_value", "numeric(14,2)"),
    Column("next_order_on", "date"),
    Column("next_order_from", "date"),
    Column("next_order_until", "date"),
    Column("recency_days", "float8"),
    Column("interest", "varchar(120)", "''"),
    Column("main_reason", "varchar(60)", "''"),
    Column("reasons", "jsonb", "'[]'"),
)
_CURRENT = Target("customers_score", ("customer_id",), _COLUMNS)
#: Worth telling others: another status, or a risk that is five points or more away from what it was.
_CHANGED = """
SELECT s.customer_id, jsonb_build_object('customer', s.customer_id)
FROM {stage} s JOIN customers_score old ON old.customer_id = s.customer_id
WHERE old.status <> s.status OR abs(coalesce(s.churn_probability, 0) - coalesce(old.churn_probability, 0)) >= 0.05
"""
_HISTORY = Target("customers_scorehistory", ("customer_id", "model_id", "as_of"), _COLUMNS)


def write_scores(frame: pl.DataFrame) -> int:
    """Current scores and history of these customers in one transaction; returns how many rows changed. Safe to run twice.

    Where a table has no row of theirs yet, theirs are copied straight into it; otherwise they go through a stage and are
    compared with what is there.
    """
    rows = frame.select(column.name for column in _COLUMNS)
    with suppress(UniqueViolation):
        return _write_rows(rows, may_copy=True)
    return _write_rows(rows, may_copy=False)  # somebody else wrote some of them after we had looked


@transaction.atomic
def _write_rows(rows: pl.DataFrame, *, may_copy: bool) -> int:
    past = rows.filter(~pl.col("status").is_in([ScoreStatus.NO_HISTORY.value, ScoreStatus.OBJECTED.value]))
    return sum(
        _copy_rows(target, own) if may_copy and not _is_any_present(target, own) else _merge_rows(target, own)
        for target, own in ((_CURRENT, rows), (_HISTORY, past))
        if own.height
    )


def _is_any_present(target: Target, rows: pl.DataFrame) -> bool:
    """Whether `target` has a row of one of these customers; in the history, one of the same model and moment."""
    alike = [name for name in target.key if name != "customer_id"]
    same = "".join(f' AND present."{name}" = %s' for name in alike)
    customers = rows["customer_id"].cast(pl.String).str.join(",").item()
    with connection.cursor() as cursor:
        cursor.execute(  # one look into the index for each: LIMIT keeps the planner from reading the whole table
            "SELECT EXISTS (SELECT FROM unnest(%s::bigint[]) AS mine (id), LATERAL"
            f" (SELECT FROM {target.table} present WHERE present.customer_id = mine.id{same} LIMIT 1) AS found)",
            [f"{{{customers}}}", *(rows[name][0] for name in alike)],
        )
        return bool(cursor.fetchone()[0])


def _copy_rows(target: Target, rows: pl.DataFrame) -> int:
    with connection.cursor() as cursor:
        copy_frame(cursor, target.table, rows)
    return rows.height


def _merge_rows(target: Target, rows: pl.DataFrame) -> int:
    with staging(target.types(rows.columns)) as (cursor, stage):
        copy_frame(cursor, stage, rows)
        if target is _CURRENT:
            announce_rows(OutgoingKind.SCORE_CHANGED, _CHANGED.format(stage=stage))
        merged = merge_stage(cursor, stage, target, rows.columns)
    return merged.created + merged.updated

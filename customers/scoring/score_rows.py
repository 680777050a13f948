"""Scores as rows: the current one of each customer, and the history of all."""

from __future__ import annotations

import polars as pl
from django.db import transaction

from customers.ingest.copying import Column, Target, copy_frame, merge_stage, staging
from customers.models import ScoreStatus

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
_HISTORY = Target("customers_scorehistory", ("customer_id", "model_id", "as_of"), _COLUMNS)


@transaction.atomic
def write_scores(frame: pl.DataFrame) -> int:
    """Current scores and history out of one stage; returns how many rows changed. Safe to run twice."""
    names = [column.name for column in _COLUMNS]
    with staging(_CURRENT.types(names)) as (cursor, stage):
        copy_frame(cursor, stage, frame.select(names))
        current = merge_stage(cursor, stage, _CURRENT, names)
        past = merge_stage(cursor, stage, _HISTORY, names, only=f"status <> '{ScoreStatus.NO_HISTORY.value}'")
    return current.created + current.updated + past.created + past.updated

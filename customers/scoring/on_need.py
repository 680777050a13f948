"""Reasons for those who have none yet, worked out when they are needed: for a frozen audience, or for a page.

Every night writes the reasons of the likeliest leavers only. Here the model of a score builds the features of the score's
own day again, and a reason is told only where it gives the same probability again: data that came or went since
would explain another score than the one that is shown.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from django.db import transaction
from polars.exceptions import ColumnNotFoundError

from customers.features.builder import build_features
from customers.features.reader import SomeCustomers, events_needed_since, read_shop
from customers.ingest.copying import copy_frame, staging
from customers.models import ModelVersion, Score, ScoreStatus

from .artifact import TrainedModel
from .change import TOLERANCE
from .explain import explain_customers

MOST_AT_ONCE = 25_000

_STAGED = {
    "customer_id": "bigint",
    "model_id": "bigint",
    "as_of": "timestamptz",
    "main_reason": "varchar(60)",
    "reasons": "jsonb",
}


def explain_scores(customer_ids: Iterable[int]) -> int:
    """Write the reasons of these customers' current scores that have none, into the score and its row of the history.

    Returns how many got some. Safe to run again. One transaction; some ten thousand customers a second.
    """
    written = 0
    with transaction.atomic():
        for some in _in_batches(customer_ids):
            waiting = Score.objects.filter(customer__in=some, status=ScoreStatus.SCORED, reasons=[])
            groups: dict[tuple[int, dt.datetime], list[int]] = {}
            for customer_id, model_id, as_of in waiting.values_list("customer_id", "model_id", "as_of"):
                groups.setdefault((model_id, as_of), []).append(customer_id)
            for (model_id, as_of), members in groups.items():
                written += _write_reasons(_explain(model_id, as_of, members))
    return written


def find_reasons(score: Score) -> list[dict[str, Any]] | None:
    """The reasons of one score: the stored ones, or worked out now and not stored. [] where nothing stands out, None where
    the score does not come out again, so that reasons would be those of another."""
    if score.reasons or score.status != ScoreStatus.SCORED:
        return list(score.reasons)
    told = _explain(score.model_id, score.as_of, [score.customer_id])
    return list(json.loads(told["reasons"][0])) if told.height else None


def _in_batches(customer_ids: Iterable[int]) -> Iterable[tuple[int, ...]]:
    waiting = iter(customer_ids)
    while some := tuple(itertools.islice(waiting, MOST_AT_ONCE)):
        yield some


def _explain(model_id: int, as_of: dt.datetime, customer_ids: Sequence[int]) -> pl.DataFrame:
    """customer_id, model_id, as_of, main_reason, reasons (JSON text) of those whose score comes out again."""
    nothing = pl.DataFrame(schema={"customer_id": pl.Int64, "reasons": pl.String})
    try:
        model = TrainedModel.from_bytes(bytes(ModelVersion.objects.get(pk=model_id).artifact))
        with transaction.atomic():
            shop = read_shop(
                before=as_of,
                events_since=events_needed_since(as_of),
                partition=SomeCustomers(tuple(customer_ids)),
                currency=model.currency,
            )
        features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of, popularity=model.popularity)
        features = model.describe(model.join_tokens(features, shop, as_of=as_of))
        if features.is_empty():
            return nothing
        again = features.select("customer_id", again=pl.Series(model.predict_churn(features)))
    except (ValueError, ColumnNotFoundError):  # an artifact of another format, or of features that are no more
        return nothing
    stored = Score.objects.filter(customer__in=customer_ids).values_list("customer_id", "churn_probability")
    said = pl.DataFrame(list(stored), schema={"customer_id": pl.Int64, "said": pl.Float64}, orient="row")
    same = again.join(said, on="customer_id").filter((pl.col("again") - pl.col("said")).abs() <= TOLERANCE)
    chosen = features.join(same.select("customer_id"), on="customer_id", how="semi")
    if chosen.is_empty():
        return nothing
    day = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    return explain_customers(model, chosen).with_columns(model_id=pl.lit(model_id), as_of=day).select(list(_STAGED))


def _write_reasons(told: pl.DataFrame) -> int:
    """Into the rows of Score and ScoreHistory that still are of that model and day and still have no reasons."""
    if told.is_empty():
        return 0
    written = 0
    with staging(_STAGED) as (cursor, stage):
        copy_frame(cursor, stage, told)
        for table in ("customers_scorehistory", "customers_score"):
            cursor.execute(
                f"UPDATE {table} AS kept SET reasons = staged.reasons, main_reason = staged.main_reason"
                f" FROM {stage} staged WHERE kept.customer_id = staged.customer_id AND kept.model_id = staged.model_id"
                " AND kept.as_of = staged.as_of AND kept.reasons = '[]' AND staged.reasons <> '[]'"
            )
            written = cursor.rowcount
    return written

"""Places every customer in the ranking that a kind of campaign taught, and says what is known of people ranked like them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import structlog
from django.db import connection, transaction

from campaigns.models import UpliftStudy
from customers.features.builder import build_features
from customers.features.parts import read_parts
from customers.features.reader import (
    Partition,
    and_only,
    events_needed_since,
    read_customer_ids,
    read_rows,
    read_shop,
    split_customers,
)
from customers.ingest.clock import choose_as_of
from customers.ingest.copying import Column, Target, copy_frame, merge_stage, staging
from customers.models import Customer, Reaction, note_everybody
from customers.scoring.lanes import hold_blas

from .bands import place_scores
from .gathering import COLUMNS, KNOWN_THEN, NO_POPULARITY, to_matrix
from .learning import Ranker

log = structlog.get_logger(__name__)

MOST_IN_MEMORY = 25_000

_COLUMNS = (
    Column("customer_id", "bigint"),
    Column("kind", "varchar(8)"),
    Column("group", "varchar(16)"),
    Column("band", "smallint"),
    Column("score", "float8"),
    *(Column(name, "float8") for name in
      ("effect", "effect_low", "effect_high", "rate", "rate_low", "rate_high")),
    Column("study", "integer"),
    Column("as_of", "timestamptz"),
)  # fmt: skip
_REACTIONS = Target("customers_reaction", ("customer_id", "kind"), _COLUMNS)


def place_all(*, now: dt.datetime) -> int:
    """Place everybody for every kind that was learned, where today's places are not there yet; returns how many rows changed."""
    as_of = choose_as_of(now)
    return sum(
        place_customers(study, as_of=as_of)
        for study in UpliftStudy.objects.filter(status=UpliftStudy.Status.IN_USE)
        if not _is_done(study, as_of)
    )


def place_customers(study: UpliftStudy, *, as_of: dt.datetime) -> int:
    """Everybody who has a score, by what is known of them as of then; part by part, so that memory is bounded.

    Rows of people who have none any more go. Safe to run again.
    """
    assert study.artifact is not None
    ranker = Ranker.from_bytes(bytes(study.artifact))
    if tuple(ranker.names) != COLUMNS:  # learned by other features; the next look learns anew
        log.warning("ranker_of_other_features", kind=study.kind, version=study.version)
        return 0
    parts = split_customers(Customer.objects.count(), most=MOST_IN_MEMORY)
    changed = 0
    connection.ensure_connection()
    if len(parts) == 1 or connection.in_atomic_block:
        for part in parts:
            shop = read_shop(before=as_of, events_since=events_needed_since(as_of), partition=part)
            changed += _place_part(study, ranker, shop, read_customer_ids(part), _read_scores(part), as_of=as_of)
    else:
        scores = _read_scores(None)
        for each in read_parts(before=as_of, events_since=events_needed_since(as_of), parts=max(len(parts), 2)):
            changed += _place_part(study, ranker, each.shop, each.customers, scores, as_of=as_of)
    gone, _by_table = Reaction.objects.filter(kind=study.kind).exclude(study=study.version, as_of=as_of).delete()
    if changed or gone:
        note_everybody()  # segments may ask for it
    log.info("customers_placed", kind=study.kind, version=study.version, rows=changed, gone=gone)
    return changed


def _is_done(study: UpliftStudy, as_of: dt.datetime) -> bool:
    """Whether all rows are of this version and moment. Parts are written in order, so a crash leaves others behind; one in the
    very first placing is made good by the next night."""
    rows = Reaction.objects.filter(kind=study.kind)
    return rows.exists() and not rows.exclude(study=study.version, as_of=as_of).exists()


def _read_scores(part: Partition | None) -> pl.DataFrame:
    columns = (
        ("customer_id", "s.customer_id", pl.Int64),
        ("churn_probability", "s.churn_probability", pl.Float64),
        ("expected_value", "s.expected_value::float8", pl.Float64),
    )
    source = f"FROM customers_score s WHERE s.churn_probability IS NOT NULL{and_only(part, 's.customer_id')}"
    return read_rows(columns, source)


def _place_part(
    study: UpliftStudy, ranker: Ranker, shop: Any, customers: pl.DataFrame, scores: pl.DataFrame, *, as_of: dt.datetime
) -> int:
    features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of, popularity=NO_POPULARITY)
    known = customers.join(scores, on="customer_id").join(
        features.select("customer_id", *(name for name in COLUMNS if name not in KNOWN_THEN)), on="customer_id"
    )
    if known.is_empty():
        return 0
    with hold_blas():
        score = ranker.score(to_matrix(known))
    rows = tell_places(known["customer_id"], score, study, ranker).with_columns(
        as_of=pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    )
    return _write(rows)


def tell_places(
    customer_ids: pl.Series, score: np.ndarray[Any, np.dtype[np.float64]], study: UpliftStudy, ranker: Ranker
) -> pl.DataFrame:
    """A row of Reaction for each score, without its moment."""
    bands = study.figures["bands"]
    place = place_scores(score, np.array([*ranker.cuts, -np.inf]))
    told = pl.DataFrame({
        "band": list(range(len(bands))),
        "group": [band["group"] for band in bands],
        **{
            f"{name}{end}": [float(band[name][bound]) for band in bands]
            for name in ("effect", "rate")
            for end, bound in (("", "value"), ("_low", "low"), ("_high", "high"))
        },
    })  # fmt: skip
    rows = pl.DataFrame({"customer_id": customer_ids, "score": score, "band": place}).join(told, on="band")
    return rows.with_columns(
        band=(pl.col("band") + 1).cast(pl.Int64), kind=pl.lit(study.kind), study=pl.lit(study.version)
    )


@transaction.atomic
def _write(rows: pl.DataFrame) -> int:
    names = [column.name for column in _COLUMNS]
    with staging(_REACTIONS.types(names)) as (cursor, stage):
        copy_frame(cursor, stage, rows.select(names))
        counts = merge_stage(cursor, stage, _REACTIONS, names)
    return counts.created + counts.updated

"""Trains a model version from the database and writes everybody's scores."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Generator

import numpy as np
import polars as pl
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max

from customers.features.builder import build_features
from customers.features.interests import build_interests
from customers.features.parts import ShopPart, read_parts
from customers.features.reader import (
    Partition,
    events_needed_since,
    read_customer_ids,
    read_objectors,
    read_products,
    read_shop,
    split_customers,
)
from customers.ingest.clock import midnight_of, read_shop_clock
from customers.models import Customer, ModelVersion, Order, ScoreStatus

from .ahead import run_ahead
from .artifact import TrainedModel
from .explain import explain_customers
from .logits import Array
from .score_rows import write_scores
from .sequence import is_torch_installed
from .snapshots import require_customers
from .steps import Steps
from .training import TrainingResult, fingerprint_data, train_model

KIND = "churn"
TOO_NEW_DAYS = 7
MOST_CUSTOMERS_TRAINED_ON = 100_000
MOST_CUSTOMERS_IN_MEMORY = 25_000
#: Of a shop that does not fit: before the first part is there nothing is written, after the last nothing else is done.
FEWEST_PARTS = 8
MOST_EXPLAINED = 50_000

_DAY_US = 86_400_000_000

logger = structlog.get_logger(__name__)


def train_model_version(*, now: dt.datetime, horizon_days: int | None = None, seed: int = 0) -> ModelVersion:
    """Train on the complete days before `now`, up to the last one with an order, store the version and make it the one in use.

    `horizon_days` None is what the setting CHURN_HORIZON_DAYS says, and without one what the shop's own gaps propose.
    Raises NotEnoughHistory with a sentence for staff. Trained twice on the same data, it returns the version that is
    already in use. Very large shops are learned from by a part of their customers.
    """
    horizon_days = horizon_days or settings.CHURN_HORIZON_DAYS or None
    until = _find_end_of_data(read_shop_clock(now))
    customers = Order.objects.filter(ordered_at__lt=until).aggregate(n=Count("customer_id", distinct=True))["n"]
    if not customers:  # no complete day yet: what is missing is said of all that there is
        require_customers(read_shop(before=until + dt.timedelta(days=1)).orders)
    shop = read_shop(before=until, partition=split_customers(customers, most=MOST_CUSTOMERS_TRAINED_ON)[0])
    sequence = tries_sequence()
    fingerprint = fingerprint_data(shop, until=until, horizon_days=horizon_days, seed=seed, sequence=sequence)
    present = ModelVersion.objects.in_use().first()
    if present is not None and present.card.get("fingerprint") == fingerprint:
        return present
    incumbent = present.estimator if present is not None else None
    result = train_model(
        shop, until=until, horizon_days=horizon_days, incumbent=incumbent, seed=seed, sequence=sequence
    )
    model = _store_version(result, fingerprint=fingerprint, now=now)
    logger.info("model_trained", version=model.version, estimator=model.estimator, beats_rule=model.beats_rule)
    return model


def tries_sequence() -> bool:
    """Whether training also tries the self-attention model: the setting asks for it, and PyTorch is installed."""
    return settings.SEQUENCE_MODEL and is_torch_installed()


def score_customers(
    model: ModelVersion, *, as_of: dt.datetime, partition: Partition | None = None, explained: int = MOST_EXPLAINED
) -> int:
    """Write Score and ScoreHistory for every customer (or those of one partition); returns how many rows changed.

    The same model, as_of and data write the same rows, so a second run changes nothing. Customers without an order
    before `as_of`, or with a first one in the last week, get a status and no figures. Reasons are written for the
    `explained` likeliest leavers. One transaction; all these customers are in memory at once.
    """
    changed = write_scores(predict_scores(model, as_of=as_of, partition=partition, explained=explained))
    logger.info("customers_scored", model_version=model.version, as_of=as_of.isoformat(), rows=changed)
    return changed


def score_everybody(
    model: ModelVersion, *, as_of: dt.datetime, partition: Partition | None = None, steps: Steps | None = None
) -> int:
    """`score_customers` for all, or for one worker's partition of them, however many; returns how many rows changed.

    A large shop is read once and scored part by part, the next part while the last one is written: memory is that of a
    part. Each part is a transaction of its own; a run that broke off is made good by the next. Where this transaction
    may hold rows that nobody else sees yet, one part is done after the other on its own connection.
    """
    steps = steps or Steps()
    parts = _count_parts(partition)
    explained = math.ceil(MOST_EXPLAINED / parts / (partition.count if partition else 1))
    connection.ensure_connection()
    if connection.in_atomic_block or parts == 1:
        mine = [partition] if partition else [Partition(i, parts) for i in range(parts)]
        return sum(score_customers(model, as_of=as_of, partition=part, explained=explained) for part in mine)
    changed = 0
    frames = _predict_parts(model, as_of, partition, parts, explained, steps)
    for frame in run_ahead(frames):
        with steps.measure("write"):
            changed += write_scores(frame)
    took = {f"{name}_s": round(seconds, 2) for name, seconds in steps.seconds.items()}
    logger.info("everybody_scored", model_version=model.version, as_of=as_of.isoformat(), rows=changed, **took)
    return changed


def predict_scores(
    model: ModelVersion, *, as_of: dt.datetime, partition: Partition | None = None, explained: int = MOST_EXPLAINED
) -> pl.DataFrame:
    """The rows of Score as a frame, one per customer, nothing written."""
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    shop = read_shop(
        before=as_of, events_since=events_needed_since(as_of), partition=partition, currency=trained.currency
    )
    part = ShopPart(read_customer_ids(partition), shop)
    frame = _tell_part(trained, part, read_products(), as_of=as_of, explained=explained, steps=Steps())
    return frame.with_columns(pl.lit(model.pk).alias("model_id"))


def fits_in_memory() -> bool:
    """Whether everybody is scored as one part."""
    return _count_parts(None) == 1


def _find_end_of_data(clock: dt.datetime) -> dt.datetime:
    """The midnight after the last complete day with an order: a pause since then must not read as everybody's leaving."""
    today = midnight_of(clock)
    last: dt.datetime | None = Order.objects.filter(ordered_at__lt=today).aggregate(last=Max("ordered_at"))["last"]
    return midnight_of(last) + dt.timedelta(days=1) if last else today


def _count_parts(partition: Partition | None) -> int:
    """In how many parts everybody, or a worker's share of them, is scored."""
    customers = math.ceil(Customer.objects.count() / (partition.count if partition else 1))
    parts = math.ceil(customers / MOST_CUSTOMERS_IN_MEMORY)
    return max(parts, FEWEST_PARTS) if parts > 1 else 1


def _predict_parts(
    model: ModelVersion, as_of: dt.datetime, partition: Partition | None, parts: int, explained: int, steps: Steps
) -> Generator[pl.DataFrame, None, None]:
    """The rows of Score of each part, in a few megabytes each."""
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    with steps.measure("read"):
        products = read_products()
        shops = read_parts(
            before=as_of,
            events_since=events_needed_since(as_of),
            parts=parts,
            currency=trained.currency,
            partition=partition,
        )
        part = next(shops, None)
    while part is not None:
        frame = _tell_part(trained, part, products, as_of=as_of, explained=explained, steps=steps)
        yield frame.with_columns(pl.lit(model.pk).alias("model_id"))
        with steps.measure("read"):
            part = next(shops, None)


def _tell_part(
    trained: TrainedModel,
    part: ShopPart,
    products: pl.DataFrame,
    *,
    as_of: dt.datetime,
    explained: int,
    steps: Steps,
) -> pl.DataFrame:
    """What the model says of some customers: the columns of Score without the model's id."""
    shop = part.shop
    with steps.measure("features"):
        features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of, popularity=trained.popularity)
        features = trained.describe(trained.join_tokens(features, shop, as_of=as_of))
        interests = build_interests(shop.lines, products, as_of=as_of) if shop.lines is not None else None
    with steps.measure("predict"):
        churn = trained.predict_churn(features) if features.height else np.empty(0)
        told = tell_figures(trained, features, churn, as_of=as_of)
    with steps.measure("explain"):
        reasons = _explain_likeliest(trained, features, told, churn, explained)
    told = told.join(interests, on="customer_id", how="left") if interests is not None else told
    told = told.join(reasons, on="customer_id", how="left")
    return (
        part.customers.join(told, on="customer_id", how="left")
        .with_columns(
            pl.lit(as_of).cast(pl.Datetime("us", "UTC")).alias("as_of"),
            pl.when(pl.col("customer_id").is_in(read_objectors()["customer_id"].implode()))
            .then(pl.lit(ScoreStatus.OBJECTED.value))
            .otherwise(pl.col("status").fill_null(ScoreStatus.NO_HISTORY.value))
            .alias("status"),
            pl.col("interest", "main_reason").fill_null(""),
            pl.col("reasons").fill_null("[]"),
        )
        .sort("customer_id")
    )


def _store_version(result: TrainingResult, *, fingerprint: str, now: dt.datetime) -> ModelVersion:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('customers_modelversion'))")
        versions = ModelVersion.objects.filter(kind=KIND)
        highest = versions.aggregate(highest=Max("version"))["highest"] or 0
        versions.filter(status=ModelVersion.Status.CHAMPION).update(status=ModelVersion.Status.RETIRED)
        return ModelVersion.objects.create(
            kind=KIND,
            version=highest + 1,
            estimator=result.estimator,
            status=ModelVersion.Status.CHAMPION,
            horizon_days=result.horizon_days,
            trained_at=now,
            data_from=result.data_from,
            data_until=result.data_until,
            beats_rule=result.beats_rule,
            metrics=result.metrics,
            card={**result.card, "fingerprint": fingerprint},
            artifact=result.model.to_bytes(),
        )


def tell_figures(trained: TrainedModel, features: pl.DataFrame, churn: Array, *, as_of: dt.datetime) -> pl.DataFrame:
    """The figures of a score, one row per row of `features`; `churn` is what `predict_churn` says of them."""
    figures = features.select("customer_id", "recency_days", "tenure_days")
    if not features.height:
        return figures.drop("tenure_days").with_columns(_nothing_known())
    expected = trained.predict_orders(features, churn)
    days = pl.DataFrame(expected.next_days, schema=["next_order_from", "next_order_on", "next_order_until"])
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    moments = [at + pl.duration(microseconds=pl.col(name).fill_nan(None) * _DAY_US) for name in days.columns]
    dates = days.select(moment.dt.date().alias(name) for name, moment in zip(days.columns, moments, strict=True))
    known = figures.hstack(dates).with_columns(
        churn_probability=pl.Series(np.round(churn, 6)),
        expected_orders=pl.Series(np.round(expected.orders, 4)),
        expected_value=pl.Series(np.round(expected.value, 2)),
    )
    too_new = pl.col("tenure_days") < TOO_NEW_DAYS
    blank = [pl.when(~too_new).then(pl.col(name)).alias(name) for name in _FIGURES]
    status = pl.when(too_new).then(pl.lit(ScoreStatus.TOO_NEW.value)).otherwise(pl.lit(ScoreStatus.SCORED.value))
    return known.with_columns(*blank, status=status).drop("tenure_days")


def _explain_likeliest(
    trained: TrainedModel, features: pl.DataFrame, told: pl.DataFrame, churn: Array, explained: int
) -> pl.DataFrame:
    """Reasons for the `explained` scored customers with the highest probability of leaving."""
    likeliest = told.filter(pl.col("churn_probability").is_not_null()).top_k(explained, by="churn_probability")
    if likeliest.is_empty():
        return pl.DataFrame(schema={"customer_id": pl.Int64, "reasons": pl.String, "main_reason": pl.String})
    is_chosen = features["customer_id"].is_in(likeliest["customer_id"].implode())
    return explain_customers(trained, features.filter(is_chosen), churn[is_chosen.to_numpy()])


def _nothing_known() -> list[pl.Expr]:
    dates = {"next_order_from", "next_order_on", "next_order_until"}
    kinds = {name: pl.Date if name in dates else pl.Float64 for name in _FIGURES}
    return [pl.lit(None, dtype=pl.String).alias("status"), *(pl.lit(None, dtype=k).alias(n) for n, k in kinds.items())]


_FIGURES = (
    "churn_probability",
    "expected_orders",
    "expected_value",
    "next_order_on",
    "next_order_from",
    "next_order_until",
)

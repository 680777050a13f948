"""Watches the model in use: a drift report a day, kept by model and day, and what of it needs attention."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import structlog
from django.db.models import Max
from polars.exceptions import ColumnNotFoundError

from customers.features.builder import build_features
from customers.features.catalogue import FEATURE_KEYS, SEASON_KEYS
from customers.features.reader import events_needed_since, read_rows, read_shop, split_customers
from customers.ingest.clock import read_shop_clock
from customers.models import Customer, DriftReport, ModelVersion, Order, Score, ScoreHistory

from .artifact import TrainedModel
from .drift import PastScores, judge_past_scores, measure_shift
from .runner import KIND, TOO_NEW_DAYS

MOST_CUSTOMERS_COMPARED = 100_000
#: Past scores are judged on the newest day whose horizon has passed, if scores were made within so many days before.
PAST_WITHIN_DAYS = 120
#: A live shop may well have no order for so long; after a longer silence its data have stopped coming.
ORDERS_SELDOM_PAUSE = dt.timedelta(days=2)

logger = structlog.get_logger(__name__)


def watch_model(now: dt.datetime) -> DriftReport | None:
    """The drift report of the model in use for the day of its newest scores, made where there is none yet.

    None where no model is in use or it has scored nobody. Safe to run twice: a report is never made again.
    """
    model = ModelVersion.objects.in_use().first()
    as_of = Score.objects.filter(model=model).aggregate(newest=Max("as_of"))["newest"] if model else None
    if model is None or as_of is None:
        return None
    present = DriftReport.objects.filter(model=model, as_of=as_of).first()
    if present is not None:
        return present
    try:
        compared = compare_with_training(model, as_of=as_of)
    except (ValueError, ColumnNotFoundError):  # an artifact of another format: the next training replaces it
        logger.info("drift_not_measured", model_version=model.version, reason="artifact_format")
        return None
    figures = compared | {"past": judge_past(model, read_shop_clock(now))}
    report, is_new = DriftReport.objects.get_or_create(
        model=model, as_of=as_of, defaults={"figures": figures, "alarms": find_alarms(figures)}
    )
    if is_new:
        logger.info("drift_measured", model_version=model.version, score_psi=figures["score"]["psi"])
    return report


def read_newest_report() -> DriftReport | None:
    """The newest report of the model in use."""
    return DriftReport.objects.filter(model__in=ModelVersion.objects.in_use()).order_by("-as_of").first()


def find_alarms(figures: dict[str, Any]) -> list[str]:
    """`score_moved`: scores lie elsewhere than in training. `past_off`: past scores did not come true.

    A single feature that moved is shown and is no alarm: the model may not care, and in sixty one always moves.
    """
    alarms = ["score_moved"] if figures["score"]["verdict"] == "moved" else []
    past = figures.get("past")
    return [*alarms, "past_off"] if past and past["verdict"] == "off" else alarms


def compare_with_training(model: ModelVersion, *, as_of: dt.datetime) -> dict[str, Any]:
    """Features and score on the newest day that the model learned from, against `as_of`; JSON.

    Both days are built by the one feature builder from the same customers (a fixed part of them in a very large shop);
    the season is left out, since it moves by itself.
    """
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    then_at = dt.datetime.fromisoformat(model.card["train_dates"][0]).replace(tzinfo=dt.UTC)
    sample = split_customers(Customer.objects.count(), most=MOST_CUSTOMERS_COMPARED)[0]
    shop = read_shop(
        before=as_of, events_since=events_needed_since(then_at), partition=sample, currency=trained.currency
    )
    then, now = (
        build_features(shop.orders, shop.lines, shop.events, as_of=day, popularity=trained.popularity).filter(
            pl.col("tenure_days") >= TOO_NEW_DAYS
        )
        for day in (then_at, as_of)
    )
    used = set(model.card.get("features", FEATURE_KEYS)) - set(SEASON_KEYS)
    features = [
        {"feature": key} | measure_shift(_values(then, key), _values(now, key)).to_json()
        for key in FEATURE_KEYS
        if key in used
    ]
    scores = [
        trained.predict_churn(trained.join_tokens(frame, shop, as_of=day)) if frame.height else np.empty(0)
        for frame, day in ((then, then_at), (now, as_of))
    ]
    return {
        "then": then_at.date().isoformat(),
        "now": as_of.date().isoformat(),
        "customers_then": then.height,
        "customers_now": now.height,
        "score": measure_shift(*scores).to_json(),
        "features": sorted(features, key=lambda row: -float(row["psi"])),
    }


def judge_past(model: ModelVersion, clock: dt.datetime) -> dict[str, Any] | None:
    """The newest scores of this horizon whose horizon has passed in the data at `clock`, against what then happened; JSON.

    They may be of an earlier version: what is judged is what people acted upon. None where there are none yet. The data end
    with the last order: while a shop delivers none, nobody can be seen to stay.
    """
    last = Order.objects.filter(ordered_at__lte=clock).aggregate(last=Max("ordered_at"))["last"]
    if last is None:
        return None
    until = last + ORDERS_SELDOM_PAUSE - dt.timedelta(days=model.horizon_days)
    until = min(until, clock - dt.timedelta(days=model.horizon_days))
    newest = (
        ScoreHistory.objects.filter(
            as_of__lte=until,
            as_of__gt=until - dt.timedelta(days=PAST_WITHIN_DAYS),
            model__kind=KIND,
            model__horizon_days=model.horizon_days,
        )
        .order_by("-as_of", "-model_id")
        .values("as_of", "model_id", "model__version")
        .first()
    )
    if newest is None:
        return None
    judged = _judge_day(newest["model_id"], newest["as_of"], model.horizon_days)
    if judged is None:
        return None
    return judged.to_json() | {"as_of": newest["as_of"].date().isoformat(), "version": newest["model__version"]}


def first_judged_on(model: ModelVersion) -> dt.date | None:
    """The day from which the model's first scores can be judged."""
    first = ScoreHistory.objects.filter(model=model).order_by("as_of").values_list("as_of", flat=True).first()
    return (first + dt.timedelta(days=model.horizon_days)).date() if first else None


def _judge_day(model_id: int, as_of: dt.datetime, horizon_days: int) -> PastScores | None:
    start, end = (f"'{day.isoformat()}'::timestamptz" for day in (as_of, as_of + dt.timedelta(days=horizon_days)))
    stayed = (
        "EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = h.customer_id AND NOT o.is_return"
        f" AND o.ordered_at >= {start} AND o.ordered_at < {end})"
    )
    rows = read_rows(
        (("p", "h.churn_probability", pl.Float64), ("stayed", stayed, pl.Boolean)),
        f"FROM customers_scorehistory h WHERE h.model_id = {int(model_id)} AND h.as_of = {start}"
        " AND h.churn_probability IS NOT NULL",
    )
    return judge_past_scores(rows["p"].to_numpy(), 1.0 - rows["stayed"].cast(pl.Float64).to_numpy())


def _values(frame: pl.DataFrame, key: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(frame[key].cast(pl.Float64).to_numpy(), dtype=np.float64)

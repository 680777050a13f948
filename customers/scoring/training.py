"""Trains the model of one shop: back-tests by date, choice of the champion, refit on all that is known."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from django.utils.translation import gettext_noop

from customers import features
from customers.features.builder import ShopData, measure_popularity
from customers.features.catalogue import FEATURE_KEYS

from .appointment import appoint_estimator
from .artifact import TrainedModel
from .backtest import RULE, Backtest, fit_candidates, run_backtest
from .evaluation import bin_calibration, bin_scores, normalised_gini
from .expectations import OrderModel, knows_money
from .explain import mean_drivers
from .labels import propose_horizon
from .sequence import SequenceModel, add_tokens
from .snapshots import (
    DayBook,
    NotEnoughHistory,
    Snapshots,
    choose_columns,
    describe_customers,
    plan_dates,
    require_customers,
)

METHOD_VERSION = 3
BACKTEST_DATES = 3
#: As far apart as snapshots are, so that back-tests share theirs.
BACKTEST_STEP_DAYS = 28
FLAGGED_SHARE = 0.1


@dataclass(frozen=True)
class TrainingResult:
    """A trained model with what a page and a data scientist want to know of it. `metrics` and `card` are JSON."""

    estimator: str
    beats_rule: bool
    horizon_days: int
    data_from: dt.datetime
    data_until: dt.datetime
    metrics: dict[str, Any]
    card: dict[str, Any]
    model: TrainedModel


def train_model(
    shop: ShopData,
    *,
    until: dt.datetime,
    horizon_days: int | None = None,
    incumbent: str | None = None,
    seed: int = 0,
    replicates: int = 200,
    sequence: bool = False,
) -> TrainingResult:
    """Train on what was known at `until` (a midnight: every day before it is complete).

    The newest back-test leaves `horizon_days` before `until`; earlier ones are four weeks apart. What is then in use says
    `appoint_estimator`: the challenger that the training rows chose, the `incumbent` (the name of the estimator in use so
    far), or the plain rule. It is fitted again on snapshots up to the newest whose outcome is known. Same data and seed,
    same result. `sequence` tries the self-attention model, too, where PyTorch is installed, and keeps it beside the one
    in use. Raises NotEnoughHistory.
    """
    shop = _shop_before(shop, until)
    require_customers(shop.orders)
    horizon = horizon_days or propose_horizon(shop.orders)
    book = DayBook(shop, horizon_days=horizon)
    test = functools.partial(run_backtest, shop, horizon_days=horizon, seed=seed, replicates=replicates, book=book)
    newest = test(cutoff=until - dt.timedelta(days=horizon), sequence=sequence)
    appointed = appoint_estimator(newest, incumbent)
    estimator = appointed.estimator
    shown = newest.champion if estimator == RULE else estimator
    book.step_days = newest.train.step_days
    backtests = [newest, *_run_earlier_backtests(test, newest.cutoff, shown)]
    first_at = _first_at(shop)
    dates = plan_dates(first_at, until, horizon_days=horizon, customers=newest.test.height)
    with_tokens = SequenceModel.name in newest.fitted
    snapshots = book.take_snapshots(dates, with_tokens=with_tokens)
    model = _fit_model(shop, snapshots, estimator, until=until, horizon_days=horizon, seed=seed)
    metrics = {**_describe_backtests(backtests, estimator, shown), "drivers": mean_drivers(model, newest.test)}
    metrics["orders"] = _judge_orders(newest, _fit_order_model(newest, estimator, seed=seed), estimator)
    metrics["appointment"] = appointed.to_json()
    card = _write_card(shop, snapshots, newest, estimator, until=until, seed=seed)
    return TrainingResult(estimator, estimator != RULE, horizon, first_at, until, metrics, card, model)


def fingerprint_data(
    shop: ShopData, *, until: dt.datetime, horizon_days: int | None, seed: int, sequence: bool = False
) -> str:
    """A short hash of what a training would see; equal for two trainings that would give the same model."""
    known = _shop_before(shop, until)
    parts = [str((METHOD_VERSION, until.isoformat(), horizon_days, seed, FEATURE_KEYS))]
    if sequence:
        parts.append(SequenceModel.name)
    for frame in (known.orders, known.lines, known.events):
        if frame is not None:
            parts.append(f"{frame.height}:{frame.hash_rows(seed=7).sum()}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def fingerprint_code() -> str:
    """A short hash of the code that builds features and trains, the same on every machine: the registry's code version."""
    rooms = Path(__file__).parent, Path(features.__file__).parent
    files = sorted(path for room in rooms for path in room.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _shop_before(shop: ShopData, until: dt.datetime) -> ShopData:
    at = pl.lit(until).cast(pl.Datetime("us", "UTC"))
    return ShopData(
        shop.orders.filter(pl.col("ordered_at") < at),
        shop.lines.filter(pl.col("ordered_at") < at) if shop.lines is not None else None,
        shop.events.filter(pl.col("occurred_at") < at) if shop.events is not None else None,
        shop.currency,
    )


def _first_at(shop: ShopData) -> dt.datetime:
    first_at = shop.orders["ordered_at"].min()
    assert isinstance(first_at, dt.datetime)
    return first_at


def _run_earlier_backtests(test: Callable[..., Backtest], newest: dt.datetime, shown: str) -> list[Backtest]:
    """What `shown` would have said on days before the newest back-test, as far as the history allows. The sequence model,
    which takes the longest, is tried where it is that one."""
    found: list[Backtest] = []
    for i in range(1, BACKTEST_DATES):
        cutoff = newest - dt.timedelta(days=BACKTEST_STEP_DAYS * i)
        try:
            found.append(test(cutoff=cutoff, champion=shown))
        except NotEnoughHistory:
            break
    return found


def _fit_model(
    shop: ShopData, snapshots: Snapshots, estimator: str, *, until: dt.datetime, horizon_days: int, seed: int
) -> TrainedModel:
    columns = choose_columns(snapshots)
    only = {estimator, SequenceModel.name}
    fitted = fit_candidates(snapshots.rows, snapshots.churned, columns, seed=seed, only=only)
    churn, sequence = fitted[estimator], fitted.get(SequenceModel.name)
    assert sequence is None or isinstance(sequence, SequenceModel)
    orders = OrderModel(columns, horizon_days=horizon_days, random_state=seed)
    orders.fit(snapshots.rows, churn.predict_proba(snapshots.rows)[:, 1])
    now, processes = describe_customers(shop, as_of=until, horizon_days=horizon_days)
    # Of the customers as they are now, whom a reason is read beside: those of the snapshots are a horizon younger.
    known = [key for key in FEATURE_KEYS if now[key].drop_nulls().len()]
    averages, medians = (
        {key: round(float(row[key]), 4) for key in known}
        for row in (
            now.select(pl.col(known).mean()).row(0, named=True),
            now.select(pl.col(known).median()).row(0, named=True),
        )
    )
    told = add_tokens(now, shop.orders, shop.events, as_of=until) if estimator == SequenceModel.name else now
    orders.hold_level(now, churn.predict_proba(told)[:, 1])
    popularity = measure_popularity(shop.lines, as_of=until) if shop.lines is not None else None
    return TrainedModel(churn, orders, averages, horizon_days, shop.currency, processes, popularity, sequence, medians)


def _fit_order_model(backtest: Backtest, estimator: str, *, seed: int) -> OrderModel:
    """The order model as it would have been at the cutoff beside that estimator, to be judged by what came after."""
    rows = backtest.train.rows
    p = backtest.fitted[estimator].predict_proba(rows)[:, 1]
    model = OrderModel(backtest.columns, horizon_days=backtest.horizon_days, random_state=seed).fit(rows, p)
    return model.hold_level(backtest.test, backtest.predictions[estimator])


def _judge_orders(backtest: Backtest, model: OrderModel, estimator: str) -> dict[str, Any]:
    """Totals expected against totals seen on the test window (money: of those whose money is seen), and how often the next
    order fell into its interval."""
    test = backtest.test
    expected = model.predict(test, backtest.predictions[estimator])
    actual_days = test["next_in_days"].cast(pl.Float64).to_numpy()
    judged = np.isfinite(actual_days) & np.isfinite(expected.next_days[:, 0])
    paid = knows_money(test)
    value_seen, value_meant = test["value"].to_numpy()[paid], expected.value[paid]
    inside = (actual_days >= expected.next_days[:, 0]) & (actual_days <= expected.next_days[:, 2])
    return {
        "orders_expected": round(float(expected.orders.sum()), 1),
        "orders_actual": float(test["orders"].sum()),
        "value_expected": round(float(value_meant.sum()), 2),
        "value_actual": round(float(value_seen.sum()), 2),
        "orders_gini": round(normalised_gini(test["orders"].to_numpy(), expected.orders), 4),
        "value_gini": round(normalised_gini(value_seen, value_meant), 4),
        "next_order_covered": round(float(inside[judged].mean()), 4) if judged.any() else None,
        "next_order_coverage_meant": 0.8,
    }


def _describe_backtests(backtests: list[Backtest], estimator: str, shown: str) -> dict[str, Any]:
    """What the Predictions page draws: the newest back-test in full, the earlier ones by their main figures.

    `estimator` is in use; `shown` is it, or where that is the plain rule the challenger that did not beat the rule."""
    newest = backtests[0]
    p = newest.predictions[estimator]
    return {
        **newest.to_json(),
        "estimator": estimator,
        "beats_rule": estimator != RULE,
        "grade": newest.grade_estimator(shown),
        "histogram": bin_scores(newest.churned, p),
        "calibration": bin_calibration(newest.churned, p),
        "backtests": [
            _describe_date(each, shown if shown in each.predictions else each.champion) for each in backtests
        ],
    }


def _describe_date(backtest: Backtest, estimator: str) -> dict[str, Any]:
    """Whom we would have flagged on that day, and what became of them, beside the plain rule."""
    left = backtest.churned
    count = max(1, round(FLAGGED_SHARE * len(left)))
    by_model = np.argsort(-backtest.predictions[estimator], kind="stable")[:count]
    recency = backtest.test["recency_days"].to_numpy()
    by_rule = np.argsort(-recency, kind="stable")[:count]
    quiet = recency >= backtest.threshold_days
    figures = {name: evaluation.to_json() for name, evaluation in backtest.evaluations.items()}
    return {
        "as_of": backtest.cutoff.date().isoformat(),
        "customers": len(left),
        "churn_rate": round(float(left.mean()), 5),
        "left": int(left.sum()),
        "estimator": estimator,
        "auc": figures[estimator]["auc"],
        "auc_interval": figures[estimator]["intervals"]["auc"],
        "rule_auc": figures[RULE]["auc"],
        "rule_auc_interval": figures[RULE]["intervals"]["auc"],
        "flagged": count,
        "flagged_left": int(left[by_model].sum()),
        "rule_flagged_left": int(left[by_rule].sum()),
        "rule_days": backtest.threshold_days,
        "quiet": int(quiet.sum()),
        "quiet_left": int(left[quiet].sum()),
        "grade": backtest.grade_estimator(estimator),
    }


def _write_card(
    shop: ShopData, snapshots: Snapshots, newest: Backtest, estimator: str, *, until: dt.datetime, seed: int
) -> dict[str, Any]:
    """The model card: what it was made from, how it was judged, and what it cannot do."""
    limits = [
        gettext_noop("It ranks and estimates; it does not say why somebody left, only what goes with leaving."),
        gettext_noop("Customers without an order, or with a first order in the last week, are not scored."),
        gettext_noop("It has learned from this shop's past: a new season, price or competitor is not in it."),
    ]
    if shop.orders["total"].has_nulls():
        limits.append(
            gettext_noop("Orders in another currency than most are counted, but what was paid for them is not.")
        )
    if (until - _first_at(shop)).days < 2 * 365:
        limits.append(gettext_noop("With less than two years of orders, seasons cannot be told from trends."))
    if estimator == RULE:
        limits.append(gettext_noop("No model beat the plain rule beyond doubt, so the plain rule is in use."))
    return {
        "purpose": gettext_noop("Probability that a customer places no order within the horizon"),
        "estimator": estimator,
        "horizon_days": newest.horizon_days,
        "data_from": _first_at(shop).isoformat(),
        "data_until": until.isoformat(),
        "orders": shop.orders.height,
        "events": shop.events.height if shop.events is not None else 0,
        "train_dates": [date.date().isoformat() for date in snapshots.dates],
        "train_rows": snapshots.rows.height,
        "features": [name for name in choose_columns(snapshots) if name in FEATURE_KEYS],
        "estimates": [name for name in choose_columns(snapshots) if name not in FEATURE_KEYS],
        "test_cutoff": newest.cutoff.date().isoformat(),
        "test_customers": newest.test.height,
        "baseline": f"no order in {newest.threshold_days:.0f} days",
        "metrics": newest.evaluations[estimator].to_json(),
        "seed": seed,
        "method_version": METHOD_VERSION,
        "code_version": fingerprint_code(),
        "limits": limits,
        "warnings": newest.warnings,
    }

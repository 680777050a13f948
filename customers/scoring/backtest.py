"""Every estimator judged on a window of time that none of them has seen."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from django.utils.translation import gettext as _

from customers.features.builder import ShopData

from .estimators import (
    ESTIMATORS,
    Array,
    BgNbdScore,
    Blend,
    BoostedTrees,
    ChurnEstimator,
    ParetoNbdScore,
    PlainRule,
    RfmLogistic,
    RichLogistic,
    SequenceModel,
)
from .evaluation import Estimate, Evaluation, judge_predictions, tell_gain
from .lanes import run_in_lanes
from .process_columns import NO_ORDER_COLUMNS
from .sequence import TOKENS, is_torch_installed
from .snapshots import (
    DayBook,
    NotEnoughHistory,
    Snapshots,
    choose_columns,
    plan_dates,
    require_both_outcomes,
    require_customers,
)

RULE = PlainRule.name
TREES_ALONE_FROM_CUSTOMERS = 1_000

_SELECTION_FOLDS = 3
_SELECTION_ROWS = 12_000


@dataclass(frozen=True)
class Backtest:
    """What a model trained with the knowledge of `cutoff` would have said, against what then happened.

    `test` has one row per customer with an order before the cutoff (features and labels), `predictions` a probability
    of leaving for each of its rows by estimator. `champion` was chosen on the training rows alone; `gains` are its AUC less
    that of each other, paired.
    """

    cutoff: dt.datetime
    horizon_days: int
    train: Snapshots
    columns: list[str]
    test: pl.DataFrame
    fitted: dict[str, ChurnEstimator]
    predictions: dict[str, Array]
    evaluations: dict[str, Evaluation]
    champion: str
    gains: dict[str, Estimate] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def churned(self) -> Array:
        return self.test["churned"].to_numpy().astype(np.float64)

    @property
    def beats_rule(self) -> bool:
        return self.champion != RULE and self.evaluations[self.champion].beats_baseline

    @property
    def grade(self) -> str:
        """The champion's, as `grade_estimator` says it."""
        return self.grade_estimator(self.champion)

    def grade_estimator(self, name: str) -> str:
        """`beats_rule`, `no_better` or `worse`: its AUC against the plain rule's, beyond the interval."""
        gain = self.evaluations[name].auc_gain
        if name != RULE and gain.low > 0:
            return "beats_rule"
        return "worse" if gain.high < 0 else "no_better"

    @property
    def threshold_days(self) -> float:
        """N of "no order in N days", chosen on the training rows."""
        rule = self.fitted[RULE]
        assert isinstance(rule, PlainRule)
        return rule.threshold_days_

    def to_json(self) -> dict[str, Any]:
        return {
            "cutoff": self.cutoff.date().isoformat(),
            "horizon_days": self.horizon_days,
            "customers": self.test.height,
            "churn_rate": round(float(self.churned.mean()), 5),
            "rule_days": self.threshold_days,
            "train_dates": [date.date().isoformat() for date in self.train.dates],
            "train_rows": self.train.rows.height,
            "features": len(self.columns),
            "estimators": {name: evaluation.to_json() for name, evaluation in self.evaluations.items()},
            "champion": self.champion,
            "gains": {
                name: {"auc": round(gain.value, 5), "interval": gain.interval, "verdict": tell_gain(gain)}
                for name, gain in self.gains.items()
            },
            "grade": self.grade,
            "warnings": self.warnings,
        }


def run_backtest(
    shop: ShopData,
    *,
    cutoff: dt.datetime,
    horizon_days: int,
    seed: int = 0,
    replicates: int = 200,
    champion: str | None = None,
    sequence: bool = False,
    book: DayBook | None = None,
) -> Backtest:
    """Train on snapshots whose label windows end at or before `cutoff`, judge on the `horizon_days` after it.

    `champion` names the estimator to look at where it is chosen already and stands in this shop at that date: then only
    it and the plain rule are fitted. The same seed and data give the same figures. `sequence` tries the self-attention
    model, too, where PyTorch is installed. `book` may know days of this shop from another back-test.
    Raises NotEnoughHistory.
    """
    warnings = _check_window(shop, cutoff=cutoff, horizon_days=horizon_days)
    first_at = shop.orders["ordered_at"].min()
    assert isinstance(first_at, dt.datetime)
    with_tokens = (sequence or champion == SequenceModel.name) and is_torch_installed()
    book = book or DayBook(shop, horizon_days=horizon_days)
    test = book.label_features(cutoff, with_tokens=with_tokens)
    require_both_outcomes(test)
    dates = plan_dates(first_at, cutoff, horizon_days=horizon_days, customers=test.height, step_days=book.step_days)
    train = book.take_snapshots(dates, with_tokens=with_tokens)
    columns = choose_columns(train)
    only = {RULE, champion} if champion is not None else None
    fitted = fit_candidates(train.rows, train.churned, columns, seed=seed, only=only)
    if champion not in fitted:  # none is named, or it does not stand here
        if only is not None:
            fitted = fit_candidates(train.rows, train.churned, columns, seed=seed)
        champion = choose_champion(train, columns, seed=seed)
    predictions = {name: estimator.predict_proba(test)[:, 1] for name, estimator in fitted.items()}
    churned = test["churned"].to_numpy().astype(np.float64)
    evaluations, gains = judge_predictions(
        churned, predictions, baseline=RULE, chosen=champion, seed=seed, replicates=replicates
    )
    judged = fitted, predictions, evaluations
    return Backtest(cutoff, horizon_days, train, columns, test, *judged, champion, gains, warnings)


def fit_candidates(
    rows: pl.DataFrame, churned: Array, columns: list[str], *, seed: int, only: Collection[str] | None = None
) -> dict[str, ChurnEstimator]:
    """All estimators fitted on the same rows, by name, or those of `only` that stand. The blend shares its members' fits;
    rows that carry tokens are also learned from as sequences."""
    rich, trees = RichLogistic(columns), BoostedTrees(columns, random_state=seed)
    processes = [kind() for kind in (BgNbdScore, ParetoNbdScore) if not rows[NO_ORDER_COLUMNS[kind.name]].has_nulls()]
    members: list[ChurnEstimator] = [trees, PlainRule(), RfmLogistic(), *processes, rich]
    if TOKENS in rows.columns:  # first, for it takes longest; the trees come next
        members.insert(0, SequenceModel(random_state=seed))
    if only is not None:
        blended = {rich.name, trees.name} if Blend.name in only else set()
        members = [member for member in members if member.name in blended.union(only)]
    run_in_lanes([functools.partial(member.fit, rows, churned) for member in members])
    candidates = {member.name: member for member in (*members, Blend([rich, trees]))}
    wanted = candidates.keys() if only is None else candidates.keys() & set(only)
    return {kind.name: candidates[kind.name] for kind in ESTIMATORS if kind.name in wanted}


def choose_champion(train: Snapshots, columns: list[str], *, seed: int) -> str:
    """The estimator with the least log loss over three folds of customers, the plain rule included.

    Only training rows are used, and a customer's rows stay in one fold. Within half a percent the blend is taken: folds
    of customers do not show how an estimator bears the next season, and a mean of two bears it better than either. In
    a shop of fewer than 1,000 customers, trees alone and the self-attention model do not stand for election.
    """
    rows, churned = train.rows, train.churned
    fold = (rows["customer_id"].hash(seed=seed) % _SELECTION_FOLDS).to_numpy()
    if rows.height > _SELECTION_ROWS:
        kept = np.random.default_rng(seed).choice(rows.height, _SELECTION_ROWS, replace=False)
        rows, churned, fold = rows[kept], churned[kept], fold[kept]
    losses: dict[str, float] = {}
    for k in range(_SELECTION_FOLDS):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        for name, estimator in fit_candidates(rows[inside], churned[inside], columns, seed=seed).items():
            p = estimator.predict_proba(rows[outside])[:, 1]
            left = churned[outside]
            losses[name] = losses.get(name, 0.0) - float(np.sum(left * np.log(p) + (1 - left) * np.log(1 - p)))
    if train.rows["customer_id"].n_unique() < TREES_ALONE_FROM_CUSTOMERS:
        del losses[BoostedTrees.name]
        losses.pop(SequenceModel.name, None)
    best = min(losses, key=lambda name: losses[name])
    return Blend.name if losses[Blend.name] <= losses[best] * 1.005 else best


def _check_window(shop: ShopData, *, cutoff: dt.datetime, horizon_days: int) -> list[str]:
    """Refuse a cutoff whose horizon the data do not reach; warn where they fall a little short of it."""
    require_customers(shop.orders)
    last_at = shop.orders["ordered_at"].max()
    assert isinstance(last_at, dt.datetime)
    missing_days = ((cutoff + dt.timedelta(days=horizon_days)) - last_at).days
    if missing_days > max(2, horizon_days // 10):
        raise NotEnoughHistory(
            _(
                "The last order is of %(last)s, %(missing)d days before the horizon of %(horizon)d days after %(cutoff)s"
                " ends. Choose an earlier cutoff or a shorter horizon."
            )
            % {"last": last_at.date(), "missing": missing_days, "horizon": horizon_days, "cutoff": cutoff.date()}
        )
    if missing_days > 2:
        told = _("The data end %(missing)d days before the horizon: some who ordered later count as gone.")
        return [told % {"missing": missing_days}]
    return []

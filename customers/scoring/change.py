"""Why a customer's score changed: the difference of two days, split exactly among what changed.

Both days' features are built again and scored by the present model. On the log-odds the contributions add up, so their
differences do; each is turned into points of probability by the mean slope between the two days (the logarithmic mean,
as in Ang's LMDI decomposition, 2004), and the points add up to the change. What is left to the stored score of the
earlier day is what a newer version of the model makes of the same person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from polars.exceptions import ColumnNotFoundError

from customers.features.builder import ShopData, build_features
from customers.features.catalogue import THEMES, get_feature
from customers.features.reader import OneCustomer, events_needed_since, read_shop
from customers.models import ModelVersion, Score, ScoreHistory

from .artifact import TrainedModel

SMALLEST_AGE = dt.timedelta(days=6)
SMALLEST_POINTS = 0.005
REASONS_KEPT = 3
#: A score that is computed again may differ from the stored one by as much: the last digit of rounding, and trees.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Difference:
    """What a theme made of the change, as a share of probability, with the number that changed most within it."""

    theme: str
    points: float
    feature: str
    then: float | None
    now: float | None


@dataclass(frozen=True)
class Change:
    """From `before` to `after`; `by_model` is what a newer version makes of the same person, None for one version.

    `is_exact` is false where a stored score could not be computed again, because data of that past came or went since:
    then there are no reasons.
    """

    before_on: dt.date
    before: float
    after: float
    reasons: list[Difference]
    by_model: float | None
    currency: str
    is_exact: bool = True

    @property
    def points(self) -> float:
        return self.after - self.before


def find_earlier(score: Score) -> ScoreHistory | None:
    """The newest score of the same customer that is about a week older or more."""
    earlier = ScoreHistory.objects.filter(
        customer=score.customer_id, churn_probability__isnull=False, as_of__lte=score.as_of - SMALLEST_AGE
    )
    return earlier.order_by("-as_of", "-model_id").first()


def explain_change(score: Score) -> Change | None:
    """Why the score is not what it was a week or more before; None where there is nothing to compare."""
    earlier = find_earlier(score)
    if earlier is None or earlier.churn_probability is None or score.churn_probability is None:
        return None
    versions = ModelVersion.objects.in_bulk({score.model_id, earlier.model_id})
    shop = read_shop(
        before=score.as_of, events_since=events_needed_since(earlier.as_of), partition=OneCustomer(score.customer_id)
    )
    unknown = Change(
        earlier.as_of.date(), earlier.churn_probability, score.churn_probability, [], None, shop.currency, False
    )
    try:
        models = {pk: TrainedModel.from_bytes(bytes(version.artifact)) for pk, version in versions.items()}
        now, old = models[score.model_id], models[earlier.model_id]
        frames = [_describe(now, shop, day) for day in (earlier.as_of, score.as_of)]
        old_frame = frames[0] if old is now else _describe(old, shop, earlier.as_of)
        if any(frame.height != 1 for frame in (*frames, old_frame)):
            return unknown
        again, said = float(now.predict_churn(frames[1])[0]), float(old.predict_churn(old_frame)[0])
    except (ValueError, ColumnNotFoundError):  # an artifact of another format, or of features that are no more
        return unknown
    if abs(again - score.churn_probability) > TOLERANCE or abs(said - earlier.churn_probability) > TOLERANCE:
        return unknown
    start = float(now.predict_churn(frames[0])[0])
    return Change(
        earlier.as_of.date(),
        earlier.churn_probability,
        score.churn_probability,
        split_change(now, frames[0], frames[1]),
        start - said if score.model_id != earlier.model_id else None,
        shop.currency,
    )


def split_change(model: TrainedModel, then: pl.DataFrame, now: pl.DataFrame) -> list[Difference]:
    """The themes that moved one customer's probability by half a point or more, the strongest first.

    Frames of one row each. Without that limit the points of all themes add up to the change.
    """
    return [row for row in split_everything(model, then, now) if abs(row.points) >= SMALLEST_POINTS][:REASONS_KEPT]


def split_everything(model: TrainedModel, then: pl.DataFrame, now: pl.DataFrame) -> list[Difference]:
    """As `split_change`, all themes, however little they moved."""
    p0, p1 = (float(model.predict_churn(frame)[0]) for frame in (then, now))
    before, after = model.contributions(then), model.contributions(now)
    moved = {name: float(after[name][0] - before[name][0]) for name in after}
    slope = _mean_slope(p0, p1)
    rows = []
    for theme in THEMES:
        parts = {name: part for name, part in moved.items() if get_feature(name).theme == theme}
        if parts:
            rows.append(_tell_theme(theme, parts, slope, then, now))
    return sorted(rows, key=lambda row: -abs(row.points))


def _describe(model: TrainedModel, shop: ShopData, as_of: dt.datetime) -> pl.DataFrame:
    features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of, popularity=model.popularity)
    return model.describe(model.join_tokens(features, shop, as_of=as_of))


def _mean_slope(p0: float, p1: float) -> float:
    """Probability per log-odds between the two: the secant, or the tangent where they are one."""
    logits = [float(np.log(p / (1 - p))) for p in np.clip([p0, p1], 1e-9, 1 - 1e-9)]
    distance = logits[1] - logits[0]
    return (p1 - p0) / distance if abs(distance) > 1e-9 else p0 * (1 - p0)


def _tell_theme(
    theme: str, parts: Mapping[str, float], slope: float, then: pl.DataFrame, now: pl.DataFrame
) -> Difference:
    """The theme with the feature whose value changed and which moved the score most in the theme's own direction."""
    total = sum(parts.values())
    values = {name: (_value(then, name), _value(now, name)) for name in parts}
    changed = [name for name, (a, b) in values.items() if a != b]
    told = [name for name in changed if get_feature(name).told] or changed or list(parts)
    feature = max(told, key=lambda name: parts[name] * (1 if total >= 0 else -1))
    return Difference(theme, total * slope, feature, *values[feature])


def _value(frame: pl.DataFrame, name: str) -> float | None:
    value = frame[name][0]
    return None if value is None else round(float(value), 3)

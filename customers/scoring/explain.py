"""Reasons beside a score: exact contributions, told in words with the number and the average.

A reason is JSON: {feature, theme, value, average, median, typical, points, currency?}; the median stands there only where
the value lies between it and the average, which a few large customers pull away from everybody else: there "more than
most" would read as "less than the average". `points` are percentage points of
probability: how much lower (or, negative, higher) the probability of leaving would be without the contributions of
that theme. One sentence per theme, so that "long ago" is not said in three ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from customers.features.catalogue import FEATURES, THEMES, Unit, get_feature
from customers.ingest.currency import SIGNS

from .artifact import TrainedModel
from .estimators import Array, to_logit

REASONS_KEPT = 3
SMALLEST_POINTS = 0.5
#: A theme has to push that far before somebody is said to leave because of it.
MAIN_REASON_POINTS = 2.0


def explain_customers(model: TrainedModel, features: pl.DataFrame, churn: Array | None = None) -> pl.DataFrame:
    """The strongest three themes of every row: customer_id, reasons (JSON text), main_reason (theme key or "").

    `main_reason` is the theme that pushes most towards leaving; empty where none pushes by two points. `churn` is what
    `predict_churn` says of these rows, where the caller knows it already. Set-based: tens of thousands of rows a second.
    """
    features = model.describe(features)
    contributions = model.contributions(features)
    logit = to_logit(model.predict_churn(features) if churn is None else churn)
    themes = [key for key in THEMES if any(get_feature(name).theme == key for name in contributions)]
    points = np.column_stack([_theme_points(contributions, key, logit) for key in themes])
    told = [_strongest_features(contributions, key) for key in themes]
    order = np.argsort(-np.abs(points), axis=1, kind="stable")
    values = features.select(feature.key for feature in FEATURES).to_numpy()
    kept = range(min(REASONS_KEPT, len(themes)))
    ranks = [_tell_rank(model, values, themes, points, told, order[:, rank]) for rank in kept]
    worst = np.argmax(points, axis=1)
    pushes = pl.Series(points.max(axis=1) >= MAIN_REASON_POINTS)
    main = pl.Series(themes).gather(worst).set(~pushes, "")
    told_json = pl.concat_str([pl.lit("["), pl.concat_str(ranks, separator=",", ignore_nulls=True), pl.lit("]")])
    return features.select("customer_id", reasons=told_json, main_reason=main)


def mean_drivers(model: TrainedModel, features: pl.DataFrame) -> list[dict[str, Any]]:
    """What moves predictions most in this shop: mean |points| per feature, strongest first, and which way.

    `direction` is +1 where customers with a larger value are likelier to leave, -1 where they are likelier to stay,
    by the predictions themselves: the sign of one term among many that say the same would mislead.
    """
    features = model.describe(features)
    logit = to_logit(model.predict_churn(features))
    rows = []
    for name, part in model.contributions(features).items():
        moved = _to_points(logit, part)
        known = features[name].cast(pl.Float64).to_numpy()
        present = np.isfinite(known)
        slope = np.corrcoef(_ranks(known[present]), _ranks(logit[present]))[0, 1] if present.sum() > 2 else 0.0
        rows.append(
            {
                "feature": name,
                "theme": get_feature(name).theme,
                "points": round(float(np.abs(moved).mean()), 3),
                "direction": int(np.sign(slope)),
            }
        )
    return sorted(rows, key=lambda row: -float(row["points"]))


def describe_reason(reason: Mapping[str, Any]) -> str:
    """One entry of `Score.reasons` as a sentence in the active language, such as
    "64 days since the last order; usually orders every 41 days"."""
    feature = get_feature(str(reason["feature"]))
    currency = str(reason.get("currency", ""))
    value, average, typical = reason.get("value"), reason.get("average"), reason.get("typical")
    if value is None:
        return str(feature.sentence_without or feature.label)
    words = {"value": describe_value(feature.unit, value, currency)}
    if average is not None:
        words["average"] = describe_value(feature.unit, average, currency)
    if typical is not None:
        words["typical"] = describe_value(feature.unit, typical, currency)
    sentence = feature.sentence_alone if feature.compared_with and typical is None else feature.sentence
    if not sentence:
        return f"{feature.label}: {words['value']}"
    told = str(sentence) % {"average": "–", "typical": "–", **words}
    median = reason.get("median")
    if median is None or "%(average)s" not in str(sentence):
        return told
    numbers = {"sentence": told, "median": describe_value(feature.unit, median, currency)}
    if median < value:
        return _("%(sentence)s (half of all customers: up to %(median)s)") % numbers
    return _("%(sentence)s (half of all customers: %(median)s or more)") % numbers


def lies_between(value: Array, average: Array, median: Array) -> npt.NDArray[np.bool_]:
    """Whether each value is on one side of the average and on the other of the median."""
    return np.asarray((value - average) * (value - median) < 0)


def describe_value(unit: Unit, value: float, currency: str = "") -> str:
    """A number with its unit in the active language: "41 days", "12%", "£1,072", "72 SEK"."""
    if unit == "share":
        return f"{round(100 * value) + 0:,}%"
    whole = unit in ("days", "money") and abs(value) >= 1
    shown = round(value, 0 if whole or float(value).is_integer() else 1) + 0.0  # -0.0 is nought, too
    text = f"{shown:,.{0 if float(shown).is_integer() else 1}f}"
    if unit == "money":
        text = f"{abs(shown):,.{0 if shown.is_integer() else 1}f}"
        minus, sign = "\u2212" if shown < 0 else "", SIGNS.get(currency)
        return f"{minus}{sign}{text}" if sign else f"{minus}{text} {currency}".strip()
    count = 1 if shown == 1 else 2
    phrase = _PHRASES.get(unit)
    return phrase(count) % {"n": text} if phrase else text


_PHRASES: dict[str, Callable[[int], str]] = {
    "days": lambda n: ngettext("%(n)s day", "%(n)s days", n),
    "orders": lambda n: ngettext("%(n)s order", "%(n)s orders", n),
    "items": lambda n: ngettext("%(n)s item", "%(n)s items", n),
    "products": lambda n: ngettext("%(n)s product", "%(n)s products", n),
    "times": lambda n: ngettext("%(n)s time", "%(n)s times", n),
    "ratio": lambda n: npgettext("so many times as much", "%(n)s time", "%(n)s times", n),
    "e-mails": lambda n: ngettext("%(n)s e-mail", "%(n)s e-mails", n),
    "cases": lambda n: ngettext("%(n)s case", "%(n)s cases", n),
}


def _ranks(values: Array) -> Array:
    return np.asarray(pl.Series(values).rank().to_numpy(), dtype=np.float64)


def _theme_points(contributions: Mapping[str, Array], theme: str, logit: Array) -> Array:
    parts = [part for name, part in contributions.items() if get_feature(name).theme == theme]
    return _to_points(logit, np.sum(parts, axis=0))


def _to_points(logit: Array, part: Array) -> Array:
    """Percentage points of probability that `part` of the log-odds makes up."""
    return np.asarray(100 * (1 / (1 + np.exp(-logit)) - 1 / (1 + np.exp(-(logit - part)))), dtype=np.float64)


def _strongest_features(contributions: Mapping[str, Array], theme: str) -> Any:
    """For each row the position in FEATURES of the told feature that moves most in the theme's own direction."""
    present = [i for i, feature in enumerate(FEATURES) if feature.theme == theme and feature.key in contributions]
    positions = [i for i in present if FEATURES[i].told] or present
    total = np.sum([contributions[FEATURES[i].key] for i in present], axis=0)
    parts = np.column_stack([contributions[FEATURES[i].key] for i in positions])
    towards = np.where(total[:, None] >= 0, parts, -parts)
    return np.array(positions)[np.argmax(towards, axis=1)]


def _tell_rank(
    model: TrainedModel, values: Array, themes: list[str], points: Array, told: list[Any], rank: Any
) -> pl.Series:
    """The reason of one rank for every row as JSON text, null where it moves next to nothing; `values` as FEATURES."""
    rows = np.arange(len(values))
    chosen = np.column_stack(told)[rows, rank]
    keys = [feature.key for feature in FEATURES]
    typical_of = np.array([keys.index(f.compared_with) if f.compared_with else -1 for f in FEATURES])[chosen]
    average, median = (
        np.array([known.get(key, np.nan) for key in keys])[chosen] for known in (model.averages, model.medians)
    )
    value = values[rows, chosen]
    typical = np.where(typical_of >= 0, values[rows, typical_of], np.nan)
    moved = points[rows, rank]
    frame = pl.DataFrame(
        {
            "feature": pl.Series(keys).gather(chosen),
            "theme": pl.Series(themes).gather(rank),
            "value": np.round(value, 3),
            "average": np.round(average, 3),
            "median": np.where(lies_between(value, average, median), np.round(median, 3), np.nan),
            "typical": np.round(typical, 3),
            "points": np.round(moved, 1),
        }
    ).with_columns(pl.col("value", "average", "median", "typical").fill_nan(None))
    if model.currency:
        frame = frame.with_columns(currency=pl.lit(model.currency))
    told_json = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return told_json.set(pl.Series(np.abs(moved) < SMALLEST_POINTS), None)

"""Persuadable, sure thing, lost cause, do not disturb: what may be said of people who are ranked alike. No Django here.

What a message would do to one person is never seen: they are written to or not. Seen is what it did, on average, to people
ranked like them. So people are put into bands by their score, and a band is called something only where its interval allows
it, those of all bands holding at once (Bonferroni); else nothing is known of its people, and that is said.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from campaigns.audience.any_look import share_confidence
from campaigns.outcomes.lift import CONFIDENCE
from customers.scoring.evaluation import Estimate

from .pool import Array, Flags, Places, Pool, add_by_customer
from .threshold import LEAST_DIFFERENCE

GroupName = Literal["persuadable", "sure_thing", "lost_cause", "do_not_disturb", "not_known"]

MOST_BANDS = 10
#: So many people of each arm in a band.
LEAST_IN_BAND = 100
#: An effect that is smaller either way is called none: the difference that the data has to be large enough to show.
NO_EFFECT = LEAST_DIFFERENCE
#: Most of a band order without a message, or most do not.
MOST = 0.5


@dataclass(frozen=True)
class Band:
    """People ranked alike. `from_share` to `to_share` of all, the first ranked first; `cut` is the score from which on
    somebody is in it (the last band has none below it). `effect` is what the message did to the share who ordered, `rate` the
    share who ordered without it; both 0 to 1, with intervals that hold for all bands at once."""

    from_share: float
    to_share: float
    cut: float
    people: int
    effect: Estimate
    rate: Estimate
    group: GroupName

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def name_group(effect: Estimate, rate: Estimate) -> GroupName:
    """What the intervals allow to say."""
    if effect.low > 0:
        return "persuadable"
    if effect.high < 0:
        return "do_not_disturb"
    if effect.low > -NO_EFFECT and effect.high < NO_EFFECT:
        if rate.low > MOST:
            return "sure_thing"
        if rate.high < MOST:
            return "lost_cause"
    return "not_known"


def make_bands(pool: Pool, score: Array, gains: Array, rates: Array, cuts_of: Array) -> list[Band]:
    """`score` is of people whom the model had not seen; `cuts_of` what the model that is kept says of the same people, in
    whose scores those who are yet to come are placed."""
    arms = np.bincount(pool.treated.astype(np.int64), minlength=2)
    count = max(1, min(MOST_BANDS, int(arms.min()) // LEAST_IN_BAND))
    place = _rank_into(score, count)
    confidence = share_confidence(CONFIDENCE, count)
    bands = []
    for number in range(count):
        mine = place == number
        effect = bound_mean(pool, gains, mine, confidence)
        rate = _keep_share(bound_mean(pool, rates, mine, confidence))
        cut = float(np.quantile(cuts_of, 1 - (number + 1) / count)) if number < count - 1 else -math.inf
        bands.append(
            Band(number / count, (number + 1) / count, cut, int(mine.sum()), effect, rate, name_group(effect, rate))
        )
    return bands


def bound_mean(pool: Pool, values: Array, mine: Flags, confidence: float) -> Estimate:
    """The weighted mean of some people's values, with its interval over customers."""
    weight = pool.weight * mine
    whole = weight.sum()
    mean = float((weight * values).sum() / whole)
    away = add_by_customer(pool, weight * (values - mean))
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(float((away**2).sum())) / float(whole)
    return Estimate(mean, mean - half, mean + half)


def compare_halves(pool: Pool, score: Array, gains: Array) -> Estimate:
    """Whether the ranking tells people apart at all: the effect among the half ranked first less that among the other one, with
    an interval over customers. It is what `threshold` plans for."""
    is_first = _rank_into(score, 2) == 0
    first, other = (pool.weight * mine / (pool.weight * mine).sum() for mine in (is_first, ~is_first))
    means = float((first * gains).sum()), float((other * gains).sum())
    away = first * (gains - means[0]) - other * (gains - means[1])
    half = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * math.sqrt(float((add_by_customer(pool, away) ** 2).sum()))
    difference = means[0] - means[1]
    return Estimate(difference, difference - half, difference + half)


def place_scores(score: Array, cuts: Array) -> Places:
    """In which band a score lies; `cuts` of the bands in their order, the last without one."""
    return np.searchsorted(-cuts[:-1], -score, side="left").astype(np.int64)


def _keep_share(found: Estimate) -> Estimate:
    """Doubly robust shares, and their limits, may lie outside 0 to 1; the truth does not."""
    value, low, high = (min(max(each, 0.0), 1.0) for each in (found.value, found.low, found.high))
    return Estimate(value, low, high)


def _rank_into(score: Array, count: int) -> Places:
    order = np.argsort(-score, kind="stable")
    place = np.empty(len(score), dtype=np.int64)
    place[order] = np.arange(len(score)) * count // len(score)
    return place

"""Which learner ranks people best by what a message does to them, with intervals over customers. No Django here.

Qini and uplift among the first 30 % from doubly robust gains: with several campaigns that held out different shares the plain
counts of both arms would mix the campaigns up. The interval is a bootstrap over customers (each counts Poisson(1) times, with
all their rows), the same samples for all learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from campaigns.audience.any_look import share_confidence
from campaigns.outcomes.lift import CONFIDENCE
from customers.scoring.evaluation import Estimate

from .pool import Array, Pool

TOP_SHARE = 0.3
REPLICATES = 200
#: The model that ranks by P(outcome | written to), and knows nothing of those who were held out.
PLAIN = "response"
_STEPS = 100
_CELLS = 4_000_000


@dataclass(frozen=True)
class Judgement:
    """Of one learner. `qini` is the area between the gain so far and the straight line, `top` the mean gain among the first
    30 %, both in shares of people who order; `against_plain` is its Qini less that of the plain response model, with an
    interval that holds for all learners at once."""

    qini: Estimate
    top: Estimate
    against_plain: Estimate


def judge_learners(
    pool: Pool, gains: Array, scores: Mapping[str, Array], *, seed: int, replicates: int = REPLICATES
) -> dict[str, Judgement]:
    """`scores` (n) by learner, PLAIN among them, of people whom the learners had not seen."""
    random = np.random.default_rng(seed)
    place = pool.customer_place
    breaker = random.random(pool.n)
    orders = {name: np.lexsort((breaker, -score)) for name, score in scores.items()}
    points = {name: _measure(gains[order], pool.weight[order][None]) for name, order in orders.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in scores}
    chunk = max(1, min(replicates, _CELLS // max(pool.n, 1)))
    for first in range(0, replicates, chunk):
        times = random.poisson(1.0, (min(chunk, replicates - first), place.max() + 1))
        weights = times[:, place] * pool.weight
        for name, order in orders.items():
            drawn[name].append(_measure(gains[order], weights[:, order]))
    found = {name: np.vstack(parts) for name, parts in drawn.items()}
    others = max(len(scores) - 1, 1)
    return {
        name: Judgement(
            _bound(points[name][0, 0], found[name][:, 0]),
            _bound(points[name][0, 1], found[name][:, 1]),
            _bound(points[name][0, 0] - points[PLAIN][0, 0], found[name][:, 0] - found[PLAIN][:, 0], others),
        )
        for name in scores
    }


def choose_learner(judged: Mapping[str, Judgement]) -> str:
    """The plain model, unless one ranks better beyond doubt; of several such the one with the largest Qini."""
    better = [name for name, each in judged.items() if name != PLAIN and each.against_plain.low > 0]
    return max(better, key=lambda name: judged[name].qini.value, default=PLAIN)


def _measure(gains: Array, weights: Array) -> Array:
    """(r, 2): Qini and the mean gain among the first, for each row of weights; people in the order of their scores."""
    starts = (np.arange(_STEPS) * len(gains)) // _STEPS
    people = np.cumsum(np.add.reduceat(weights, starts, axis=1), axis=1)
    gained = np.cumsum(np.add.reduceat(weights * gains, starts, axis=1), axis=1)
    whole = np.maximum(people[:, -1:], 1e-9)
    curve = np.hstack([np.zeros((len(weights), 1)), gained / whole])
    at = np.hstack([np.zeros((len(weights), 1)), people / whole])
    area = ((curve[:, 1:] + curve[:, :-1]) / 2 * np.diff(at, axis=1)).sum(axis=1)
    top = round(TOP_SHARE * _STEPS) - 1
    return np.column_stack([area - curve[:, -1] / 2, gained[:, top] / np.maximum(people[:, top], 1e-9)])


def _bound(point: float, values: Array, questions: int = 1) -> Estimate:
    tail = 50 * (1 - share_confidence(CONFIDENCE, questions))
    low, high = np.percentile(values, [tail, 100 - tail])
    return Estimate(float(point), float(low), float(high))

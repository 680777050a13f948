"""How well a score finds those who are moved: Qini and uplift among the best 30 %, with intervals. No Django here.

Qini (Radcliffe, "Using control groups to target on predicted lift", 2007): people are sorted by score; after a share s of
them, q(s) = [Y1(s) - Y0(s) n1(s) / n0(s)] / n1 is the outcome gained so far per treated person, the control arm blown up to
the treated one's size. The coefficient is the area between q and the straight line that a random order gives. It is in units
of the outcome: 0 is no better than chance. `uplift@30%` is the plain difference of means among the 30 % with the highest
scores. Intervals are percentiles over resampled people (Poisson bootstrap: each person counts Poisson(1) times), the same
resamples for all scores, so that their differences are paired. Models are not fitted anew for each: it is the doubt about
these scores, not about what other scores would have come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from customers.scoring.evaluation import Estimate, bound_resamples

Array = npt.NDArray[np.float64]

TOP_SHARE = 0.3
REPLICATES = 200
#: Steps of the curve. Enough for an area to four digits, few enough to resample quickly.
_STEPS = 200
_CELLS = 8_000_000


@dataclass(frozen=True)
class Ranking:
    """Of one score. `against_response` is the Qini less that of the plain response model."""

    qini: Estimate
    uplift_at_30: Estimate
    against_response: Estimate


def judge_rankings(
    scores: Mapping[str, Array],
    y: Array,
    treated: npt.NDArray[np.bool_],
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> dict[str, Ranking]:
    """All scores on the same people (n), `response` among them. Both arms need people."""
    random = np.random.default_rng(seed)
    breaker = random.random(len(y))
    orders = {name: np.lexsort((breaker, -score)) for name, score in scores.items()}
    points = {name: _measure(order, y, treated, np.ones((1, len(y)))) for name, order in orders.items()}
    drawn: dict[str, list[tuple[Array, Array]]] = {name: [] for name in scores}
    chunk = max(1, min(replicates, _CELLS // max(len(y), 1)))
    for first in range(0, replicates, chunk):
        weights = random.poisson(1.0, (min(chunk, replicates - first), len(y))).astype(np.float32)
        for name, order in orders.items():
            drawn[name].append(_measure(order, y, treated, weights))
    qinis = {name: np.concatenate([part[0] for part in parts]) for name, parts in drawn.items()}
    tops = {name: np.concatenate([part[1] for part in parts]) for name, parts in drawn.items()}
    return {
        name: Ranking(
            bound_resamples(points[name][0][0], qinis[name]),
            bound_resamples(points[name][1][0], tops[name]),
            bound_resamples(points[name][0][0] - points["response"][0][0], qinis[name] - qinis["response"]),
        )
        for name in scores
    }


def _measure(
    order: npt.NDArray[np.int64], y: Array, treated: npt.NDArray[np.bool_], weights: npt.NDArray[np.floating]
) -> tuple[Array, Array]:
    """Qini and uplift among the best for each row of weights (r, n)."""
    steps = min(_STEPS, len(y))
    starts = (np.arange(steps) * len(y)) // steps
    is_treated, outcome = treated[order], y[order]
    sorted_weights = weights[:, order]
    sums = [
        np.cumsum(np.add.reduceat(sorted_weights * part, starts, axis=1, dtype=np.float64), axis=1)
        for part in (is_treated, ~is_treated, is_treated * outcome, ~is_treated * outcome)
    ]
    n1, n0, y1, y0 = sums
    ratio = np.divide(n1, n0, out=np.zeros_like(n1), where=n0 > 0)
    curve = (y1 - y0 * ratio) / np.maximum(n1[:, -1:], 1)
    path = np.hstack([np.zeros((len(curve), 1)), curve])
    area = (path[:, 1:] + path[:, :-1]).sum(axis=1) / 2 / steps
    top = max(round(TOP_SHARE * steps), 1) - 1
    uplift = y1[:, top] / np.maximum(n1[:, top], 1) - y0[:, top] / np.maximum(n0[:, top], 1)
    return area - curve[:, -1] / 2, uplift

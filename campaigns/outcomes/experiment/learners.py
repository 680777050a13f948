"""Who is moved by it: models of the effect on each person, from the experiment itself. No Django here.

Beside three learners of the effect stands the plain response model, P(outcome | treated), which knows nothing of the control
arm and often ranks better: the effect is the small difference of two large quantities, and each learner pays for it in noise.

T- and X-learner: Künzel, Sekhon, Bickel and Yu (PNAS 116, 2019). Class transformation: Jaskowski and Jaroszewicz (ICML
workshop on clinical data analysis, 2012), weighted for arms of unequal size; for amounts its relative, the transformed
outcome (Athey and Imbens, PNAS 113, 2016). All with the same curves beneath.

Where experiments are pooled that held out different shares, `propensity` says with which probability each person was drawn
into the arm they are in. Each then weighs one over it, so that in all arms the experiments weigh alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .curves import Array, Sizes, fit_curve, is_yes_or_no
from .fitted import Combined, Curve

LEARNERS = ("response", "t_learner", "x_learner", "class_transformation")


@dataclass(frozen=True)
class UpliftModels:
    """Fitted on one experiment with k arms (control first).

    `outcomes` are E(outcome | arm, x), one for each arm. `scores` give for each learner one model per treated arm.
    """

    outcomes: tuple[Curve, ...]
    scores: Mapping[str, tuple[Curve, ...]]

    def predict_outcomes(self, x: Array) -> Array:
        """(n, k)."""
        return np.column_stack([curve(x) for curve in self.outcomes])

    def predict_scores(self, x: Array) -> dict[str, Array]:
        """By learner (n, k - 1): higher means more is gained by treating this person with that arm."""
        return {name: np.column_stack([curve(x) for curve in curves]) for name, curves in self.scores.items()}


def fit_models(
    x: Array,
    y: Array,
    arm: npt.NDArray[np.int64],
    arms: int,
    *,
    sizes: Sizes,
    seed: int,
    propensity: Array | None = None,
) -> UpliftModels:
    """All learners for each treated arm against control (place 0)."""
    is_binary = is_yes_or_no(y)
    weight = None if propensity is None else 1 / propensity
    outcomes = tuple(
        fit_curve(x[mine], y[mine], name=f"outcome {place}", sizes=sizes, seed=seed, weight=_pick(weight, mine))
        for place in range(arms)
        for mine in [arm == place]
    )
    scores: dict[str, list[Curve]] = {name: [] for name in LEARNERS}
    for place in range(1, arms):
        pair = (arm == place) | (arm == 0)
        rows = _Pair(x[pair], y[pair], arm[pair] == place, _pick(weight, pair), str(place), sizes, seed)
        scores["response"].append(outcomes[place])
        scores["t_learner"].append(Combined(((1.0, outcomes[place]), (-1.0, outcomes[0]))))
        scores["x_learner"].append(_fit_x_learner(rows, outcomes[place], outcomes[0]))
        transform = _fit_class_transformation if is_binary else _fit_transformed_outcome
        scores["class_transformation"].append(transform(rows))
    return UpliftModels(outcomes, {name: tuple(curves) for name, curves in scores.items()})


def fit_average(
    x: Array,
    y: Array,
    arm: npt.NDArray[np.int64],
    arms: int,
    *,
    sizes: Sizes,
    seed: int,
    rounds: int,
    propensity: Array | None = None,
) -> UpliftModels:
    """The mean of models that differ in their seed alone: those that are kept for people who are yet to come."""
    fitted = [
        fit_models(x, y, arm, arms, sizes=sizes, seed=seed + number, propensity=propensity) for number in range(rounds)
    ]
    outcomes = tuple(_average([each.outcomes[place] for each in fitted]) for place in range(arms))
    scores = {
        name: tuple(_average([each.scores[name][place] for each in fitted]) for place in range(arms - 1))
        for name in LEARNERS
    }
    return UpliftModels(outcomes, scores)


@dataclass(frozen=True)
class _Pair:
    """The people of one treated arm and of control."""

    x: Array
    y: Array
    treated: npt.NDArray[np.bool_]
    weight: Array | None
    name: str
    sizes: Sizes
    seed: int

    @property
    def balanced(self) -> Array:
        """Weights under which both arms weigh the same."""
        if self.weight is not None:
            return self.weight
        share = float(self.treated.mean())
        return np.where(self.treated, 0.5 / share, 0.5 / (1 - share))


def _pick(weight: Array | None, rows: npt.NDArray[np.bool_]) -> Array | None:
    return None if weight is None else weight[rows]


def _average(curves: Sequence[Curve]) -> Curve:
    return curves[0] if len(curves) == 1 else Combined(tuple((1 / len(curves), curve) for curve in curves))


def _fit_x_learner(rows: _Pair, mu1: Curve, mu0: Curve) -> Curve:
    """Each person's own outcome less what the other arm's model says, learned by arm, and weighted by the other arm's size."""
    x, y, treated = rows.x, rows.y, rows.treated
    share = float(treated.mean())
    parts = []
    for name, mine, target, part in (
        ("missed", ~treated, mu1(x[~treated]) - y[~treated], share),
        ("gained", treated, y[treated] - mu0(x[treated]), 1 - share),
    ):
        curve = fit_curve(
            x[mine], target, name=f"{name} {rows.name}", sizes=rows.sizes, seed=rows.seed,
            weight=_pick(rows.weight, mine),
        )  # fmt: skip
        parts.append((part, curve))
    return Combined(tuple(parts))


def _fit_class_transformation(rows: _Pair) -> Curve:
    """P(z = 1) with z = 1 for treated who did and control who did not, both arms weighing the same; effect 2 P - 1."""
    target = np.where(rows.treated, rows.y, 1 - rows.y)
    right = fit_curve(rows.x, target, name=f"class {rows.name}", sizes=rows.sizes, seed=rows.seed, weight=rows.balanced)
    return Combined(((2.0, right),), -1.0)


def _fit_transformed_outcome(rows: _Pair) -> Curve:
    """Each person's outcome, less the mean of both arms, over the probability of the arm that they are in."""
    mean = float(np.average(rows.y, weights=rows.balanced))
    share = rows.treated.mean()
    over = np.where(rows.treated, 1 / share, 1 / (1 - share)) if rows.weight is None else rows.weight
    target = (rows.y - mean) * np.where(rows.treated, over, -over)
    return fit_curve(rows.x, target, name=f"class {rows.name}", sizes=rows.sizes, seed=rows.seed)

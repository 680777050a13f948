"""Who is moved by it: models of the effect on each person, from the experiment itself. No Django here.

Beside three learners of the effect stands the plain response model, P(outcome | treated), which knows nothing of the control
arm and often ranks better: the effect is the small difference of two large quantities, and each learner pays for it in noise.

T- and X-learner: Künzel, Sekhon, Bickel and Yu (PNAS 116, 2019). Class transformation: Jaskowski and Jaroszewicz (ICML
workshop on clinical data analysis, 2012), weighted for arms of unequal size; for amounts its relative, the transformed
outcome (Athey and Imbens, PNAS 113, 2016). All with the same boosted trees beneath (XGBoost).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .curves import Array, Curve, Sizes, fit_curve, is_yes_or_no

LEARNERS = ("response", "t_learner", "x_learner", "class_transformation")
#: What a learner's score is: an effect per person in units of the outcome, or a rank alone.
GIVES_EFFECTS = {"t_learner", "x_learner", "class_transformation"}


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


def fit_models(x: Array, y: Array, arm: npt.NDArray[np.int64], arms: int, *, sizes: Sizes, seed: int) -> UpliftModels:
    """All learners for each treated arm against control (place 0)."""
    is_binary = is_yes_or_no(y)
    outcomes = tuple(
        fit_curve(x[arm == place], y[arm == place], name=f"outcome {place}", sizes=sizes, seed=seed)
        for place in range(arms)
    )
    scores: dict[str, list[Curve]] = {name: [] for name in LEARNERS}
    for place in range(1, arms):
        pair = (arm == place) | (arm == 0)
        treated = arm[pair] == place
        scores["response"].append(outcomes[place])
        scores["t_learner"].append(_subtract(outcomes[place], outcomes[0]))
        scores["x_learner"].append(
            _fit_x_learner(
                x[pair], y[pair], treated, outcomes[place], outcomes[0], name=str(place), sizes=sizes, seed=seed
            )
        )
        transform = _fit_class_transformation if is_binary else _fit_transformed_outcome
        scores["class_transformation"].append(
            transform(x[pair], y[pair], treated, name=str(place), sizes=sizes, seed=seed)
        )
    return UpliftModels(outcomes, {name: tuple(curves) for name, curves in scores.items()})


def fit_average(
    x: Array, y: Array, arm: npt.NDArray[np.int64], arms: int, *, sizes: Sizes, seed: int, rounds: int
) -> UpliftModels:
    """The mean of models that differ in their seed alone: those that are kept for people who are yet to come."""
    fitted = [fit_models(x, y, arm, arms, sizes=sizes, seed=seed + number) for number in range(rounds)]
    outcomes = tuple(_average([each.outcomes[place] for each in fitted]) for place in range(arms))
    scores = {
        name: tuple(_average([each.scores[name][place] for each in fitted]) for place in range(arms - 1))
        for name in LEARNERS
    }
    return UpliftModels(outcomes, scores)


def _average(curves: Sequence[Curve]) -> Curve:
    return lambda rows: np.mean([curve(rows) for curve in curves], axis=0)


def _subtract(treated: Curve, control: Curve) -> Curve:
    return lambda rows: treated(rows) - control(rows)


def _fit_x_learner(
    x: Array, y: Array, treated: npt.NDArray[np.bool_], mu1: Curve, mu0: Curve, *, name: str, sizes: Sizes, seed: int
) -> Curve:
    """Each person's own outcome less what the other arm's model says, learned by arm, and weighted by the other arm's size."""
    share = float(treated.mean())
    gained = fit_curve(x[treated], y[treated] - mu0(x[treated]), name=f"gained {name}", sizes=sizes, seed=seed)
    missed = fit_curve(x[~treated], mu1(x[~treated]) - y[~treated], name=f"missed {name}", sizes=sizes, seed=seed)
    return lambda rows: share * missed(rows) + (1 - share) * gained(rows)


def _fit_class_transformation(
    x: Array, y: Array, treated: npt.NDArray[np.bool_], *, name: str, sizes: Sizes, seed: int
) -> Curve:
    """P(z = 1) with z = 1 for treated who did and control who did not, both arms weighing the same; effect 2 P - 1."""
    share = float(treated.mean())
    weight = np.where(treated, 0.5 / share, 0.5 / (1 - share))
    right = fit_curve(x, np.where(treated, y, 1 - y), name=f"class {name}", sizes=sizes, seed=seed, weight=weight)
    return lambda rows: 2 * right(rows) - 1


def _fit_transformed_outcome(
    x: Array, y: Array, treated: npt.NDArray[np.bool_], *, name: str, sizes: Sizes, seed: int
) -> Curve:
    share = float(treated.mean())
    centred = y - y.mean()
    target = centred * (treated - share) / (share * (1 - share))
    return fit_curve(x, target, name=f"class {name}", sizes=sizes, seed=seed)

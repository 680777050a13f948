"""All that can be said of one experiment, as JSON. No Django here.

Effects and checks use everybody. Models, rankings and the policy use a random sample of MOST_MODEL_ROWS people where there
are more: they are then no longer limited by the number of people but by how little is known of each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from campaigns.outcomes.cuped import CAP_QUANTILE, Adjusted, Difference
from campaigns.outcomes.lift import LEAST_PER_ARM

from .checks import LARGE_DIFFERENCE, check_balance, check_sample_ratio
from .crossfit import CrossFit, cross_fit
from .curves import Array, Sizes
from .effects import Effect, estimate_effects, winsorise
from .learners import fit_average
from .policy import Policy, Prices, Rule, apply_policy, choose_policy, try_rule
from .ranking import REPLICATES, Ranking, judge_rankings

if TYPE_CHECKING:
    from .table import Experiment

Places = npt.NDArray[np.int64]

MOST_MODEL_ROWS = 200_000
#: Averaging several cross-fits takes the luck of the draw of the fifths out; with many people there is little of it.
FEW_ROWS = 100_000
ROUNDS = 3
#: Each arm needs so many people, and of a yes or no so many of each, before anything is learned about single people.
LEAST_TO_LEARN = 200
LEAST_EVENTS = 20


@dataclass(frozen=True)
class Wishes:
    """What is asked for. `shares` are the sizes that the arms were meant to have; `rounds` of cross-fitting, 0 for the usual."""

    seed: int = 0
    prices: Prices = field(default_factory=Prices)
    shares: tuple[float, ...] | None = None
    winsor_quantile: float = CAP_QUANTILE
    rounds: int = 0
    replicates: int = REPLICATES
    models: bool = True


def describe_experiment(experiment: Experiment, wishes: Wishes, *, test: Experiment | None = None) -> dict[str, Any]:
    """Everything. `test` is a second table on which the rule that is chosen on the first is tried."""
    told: dict[str, Any] = {
        "seed": wishes.seed,
        "size": experiment.n,
        "rows_read": experiment.rows_read,
        "left_out": experiment.left_out,
        "control": experiment.arms[0],
        "arms": dict(zip(experiment.arms, experiment.counts, strict=True)),
        "control_mean": float(experiment.y[experiment.arm == 0].mean()),
        "is_binary": experiment.is_binary,
        "covariates": experiment.encoder.names,
        "covariates_left_out": experiment.encoder.left_out,
        **_describe_checks(experiment, wishes),
        **_describe_effects(experiment, wishes),
        "uplift": None,
        "policy": None,
        "test": None,
    }
    why_not = _find_hindrance(experiment) if wishes.models else "not asked for"
    if why_not:
        return told | {"no_models": why_not}
    return told | _describe_models(experiment, wishes, test)


def _describe_checks(experiment: Experiment, wishes: Wishes) -> dict[str, Any]:
    ratio = check_sample_ratio(experiment.counts, wishes.shares)
    found = check_balance(experiment.arms, experiment.arm, experiment.x, experiment.encoder.names)
    return {
        "sample_ratio": {**asdict(ratio), "is_alarming": ratio.is_alarming},
        "balance": [
            {
                "arm": each.arm,
                "p_value": each.p_value,
                "is_alarming": each.is_alarming,
                "largest": {"covariate": each.largest[0], "difference": each.largest[1]},
                "large": {name: gap for name, gap in each.differences.items() if abs(gap) > LARGE_DIFFERENCE},
            }
            for each in found
        ],
    }


def _describe_effects(experiment: Experiment, wishes: Wishes) -> dict[str, Any]:
    effects = estimate_effects(experiment.arms, experiment.arm, experiment.y, experiment.x)
    cut = None if experiment.is_binary else winsorise(experiment.y, wishes.winsor_quantile)
    least = experiment.counts[0]
    told: dict[str, Any] = {"effects": [_describe_effect(each, least) for each in effects], "winsorised": None}
    if cut is not None:
        again = estimate_effects(experiment.arms, experiment.arm, cut.y, experiment.x)
        told["winsorised"] = {
            "quantile": wishes.winsor_quantile,
            "cap": cut.cap,
            "people": cut.touched,
            "effects": [_describe_effect(each, least) for each in again],
        }
    return told


def _describe_effect(effect: Effect, control_n: int) -> dict[str, Any]:
    found: Adjusted = effect.found
    verdict = "no_effect"
    if min(effect.n, control_n) < LEAST_PER_ARM:
        verdict = "too_few"
    elif effect.is_clear:
        verdict = "positive" if found.adjusted.effect > 0 else "negative"
    return {
        "arm": effect.arm,
        "n": effect.n,
        "mean": effect.mean,
        "ate": _describe_difference(found.plain),
        "ate_cuped": _describe_difference(found.adjusted),
        "is_adjusted": found.is_adjusted,
        "correlation": found.correlation,
        "narrowing": found.narrowing,
        "narrowing_theory": found.theory,
        "p_value": effect.p_value,
        "p_holm": effect.p_holm,
        "low_all": effect.low_all,
        "high_all": effect.high_all,
        "verdict": verdict,
    }


def _describe_difference(found: Difference) -> dict[str, float]:
    return {"effect": found.effect, "error": found.error, "low": found.low, "high": found.high}


def _find_hindrance(experiment: Experiment) -> str:
    """Why nothing can be learned about single people; "" if it can."""
    if not experiment.x.shape[1]:
        return "no covariate to learn from"
    if min(experiment.counts) < LEAST_TO_LEARN:
        return f"fewer than {LEAST_TO_LEARN} people in an arm"
    if experiment.is_binary:
        happened = np.bincount(experiment.arm, weights=experiment.y, minlength=len(experiment.arms))
        if min(happened.min(), (np.asarray(experiment.counts) - happened).min()) < LEAST_EVENTS:
            return f"an arm with fewer than {LEAST_EVENTS} people with or without the outcome"
    elif experiment.y.min() == experiment.y.max():
        return "the outcome is the same for everybody"
    return ""


def _describe_models(experiment: Experiment, wishes: Wishes, test: Experiment | None) -> dict[str, Any]:
    x, y, arm = _draw_sample(experiment, wishes.seed)
    rounds = wishes.rounds or (ROUNDS if len(y) <= FEW_ROWS else 1)
    fit = cross_fit(x, y, arm, len(experiment.arms), seed=wishes.seed, rounds=rounds)
    policy = choose_policy(fit, y, arm, wishes.prices)
    return {
        "model_rows": len(y),
        "rounds": rounds,
        "trees": fit.sizes,
        "uplift": _describe_rankings(experiment.arms, fit, y, arm, wishes),
        "policy": _describe_policy(policy, experiment.arms, wishes.prices),
        "test": None if test is None else _describe_trial(policy, x, y, arm, test, wishes, rounds, fit.sizes),
    }


def _draw_sample(experiment: Experiment, seed: int) -> tuple[Array, Array, Places]:
    if experiment.n <= MOST_MODEL_ROWS:
        return experiment.x, experiment.y, experiment.arm
    rows = np.random.default_rng(seed).choice(experiment.n, MOST_MODEL_ROWS, replace=False)
    return experiment.x[rows], experiment.y[rows], experiment.arm[rows]


def _describe_rankings(
    arms: tuple[str, ...], fit: CrossFit, y: Array, arm: Places, wishes: Wishes
) -> dict[str, dict[str, Any]]:
    """By arm, by learner."""
    told: dict[str, dict[str, Any]] = {}
    for place in range(1, len(arms)):
        pair = (arm == 0) | (arm == place)
        scores = {name: values[pair, place - 1] for name, values in fit.scores.items()}
        found = judge_rankings(
            scores, y[pair], arm[pair] == place, seed=wishes.seed + place, replicates=wishes.replicates
        )
        told[arms[place]] = {name: _describe_ranking(ranking) for name, ranking in found.items()}
    return told


def _describe_ranking(ranking: Ranking) -> dict[str, Any]:
    return {
        "qini": asdict(ranking.qini),
        "uplift_at_30": asdict(ranking.uplift_at_30),
        "qini_against_response": asdict(ranking.against_response),
    }


def _describe_policy(policy: Policy, arms: tuple[str, ...], prices: Prices) -> dict[str, Any]:
    return {
        **asdict(prices),
        "rule": describe_rule(policy.rule, arms),
        "picked": policy.picked,
        "value_per_person": asdict(policy.value),
        "everybody": {name: asdict(found) for name, found in zip(arms[1:], policy.everybody, strict=True)},
        "against_best_for_all": asdict(policy.against_everybody),
        "chosen_by_fold": [describe_rule(rule, arms) for rule in policy.chosen_by_fold],
    }


def describe_rule(rule: Rule, arms: tuple[str, ...]) -> dict[str, Any]:
    """A rule with the name of its arm in place of the number."""
    return {"kind": rule.kind, "arm": arms[rule.arm] if rule.arm else "", "share": rule.share}


def _describe_trial(
    policy: Policy,
    x: Array,
    y: Array,
    arm: Places,
    test: Experiment,
    wishes: Wishes,
    rounds: int,
    sizes: Sizes,
) -> dict[str, Any]:
    models = fit_average(x, y, arm, len(test.arms), sizes=dict(sizes), seed=wishes.seed, rounds=rounds)
    outcomes = models.predict_outcomes(test.x)
    decided = apply_policy(policy, models, x, outcomes, wishes.prices)
    found = try_rule(decided, test.y, test.arm, outcomes, wishes.prices)
    return {
        "size": test.n,
        "rows_read": test.rows_read,
        "left_out": test.left_out,
        "arms": dict(zip(test.arms, test.counts, strict=True)),
        "picked": dict(zip(test.arms, found.picked, strict=True)),
        "net_incremental": asdict(found.net),
        "value_per_person": asdict(found.per_person),
        "net_incremental_everybody": {
            name: asdict(try_rule(np.full(test.n, place), test.y, test.arm, outcomes, wishes.prices).net)
            for place, name in enumerate(test.arms)
            if place
        },
    }

"""Learners and the policy that is chosen from them, on experiments whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.outcomes.experiment.crossfit import CrossFit, cross_fit, draw_folds
from campaigns.outcomes.experiment.learners import LEARNERS
from campaigns.outcomes.experiment.policy import (
    Prices,
    Rule,
    blend_effects,
    choose_policy,
    estimate_net,
    measure_relative,
    try_rule,
)


def _draw(n: int, seed: int, *, share: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, y, arm and the true effect: half gain 0.3, a quarter lose 0.2."""
    random = np.random.default_rng(seed)
    x = random.random((n, 4))
    effect = np.where(x[:, 0] > 0.5, 0.3, np.where(x[:, 1] > 0.5, -0.2, 0.0))
    arm = (random.random(n) < share).astype(np.int64)
    y = (random.random(n) < 0.3 + 0.2 * x[:, 2] + effect * arm).astype(float)
    return x, y, arm, effect


@pytest.fixture(scope="module")
def fitted() -> tuple[CrossFit, np.ndarray, np.ndarray, np.ndarray]:
    x, y, arm, effect = _draw(6000, 1)
    return cross_fit(x, y, arm, 2, seed=0), y, arm, effect


def test_learners_of_the_effect_find_who_gains(fitted: tuple[CrossFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    fit, _y, _arm, effect = fitted
    assert set(fit.scores) == set(LEARNERS)
    for name in ("t_learner", "x_learner", "class_transformation"):
        score = fit.scores[name][:, 0]
        assert np.corrcoef(score, effect)[0, 1] > 0.7, name
        assert score[effect > 0].mean() == pytest.approx(0.3, abs=0.1), name


def test_the_policy_treats_those_who_gain_and_is_valued_at_what_it_is_worth(
    fitted: tuple[CrossFit, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    fit, y, arm, effect = fitted
    prices = Prices(value=10, cost=0.5)
    policy = choose_policy(fit, y, arm, prices)
    picked = policy.rule.decide(blend_effects(fit.outcomes, policy.relative), prices) > 0
    worth = (10 * effect - 0.5)[picked].sum() / len(y)
    assert policy.value.low < worth < policy.value.high
    assert worth > 0.85 * (2.5 * 0.5)  # nobody could do better than treat the half that gains 3.00 each, less 0.50
    assert policy.against_everybody.low > 0
    everybody = (10 * effect - 0.5).mean()
    assert policy.everybody[0].value == pytest.approx(everybody, abs=0.4)  # some three standard errors


def test_where_nobody_gains_nobody_is_treated() -> None:
    x, y, _arm, _effect = _draw(3000, 2)
    arm = np.random.default_rng(5).integers(0, 2, 3000)
    y = (np.random.default_rng(6).random(3000) < 0.3).astype(float)
    policy = choose_policy(cross_fit(x, y, arm, 2, seed=0), y, arm, Prices(value=1, cost=0.2))
    assert policy.rule == Rule("nobody")
    assert policy.picked == 0 and policy.value.value <= 0


def test_the_value_is_right_with_models_that_know_nothing() -> None:
    """Doubly robust: the draw of the arms is known, so that the models may be as wrong as they like."""
    values = []
    for seed in range(200):
        _x, y, arm, effect = _draw(500, 1000 + seed, share=0.8)
        net = estimate_net(np.tile([0.9, 0.1], (500, 1)), y, arm, Prices())
        values.append(net[:, 1].mean() - effect.mean())
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / np.sqrt(200))


def test_net_incremental_is_the_sum_over_those_who_are_picked() -> None:
    y, arm = np.array([1.0, 0, 1, 1, 0, 1]), np.array([1, 1, 0, 0, 1, 1])
    decided = np.array([1, 1, 1, 0, 0, 1])
    found = try_rule(decided, y, arm, np.full((6, 2), 0.5), Prices(10, 0.15))
    assert found.net.value == pytest.approx((10 + 0 + 10) - 3 * 0.15 - 10)
    assert found.picked == [2, 4]


def test_a_tenth_held_out_makes_no_gain_of_what_nobody_did() -> None:
    """Nine tenths less one tenth was a gain of 10,000 beyond doubt, of a campaign that did nothing."""
    random = np.random.default_rng(12)
    inside = 0
    for _run in range(100):
        arm, y = (random.random(2000) < 0.9).astype(int), (random.random(2000) < 0.3).astype(float)
        net = try_rule(np.ones(2000, dtype=int), y, arm, np.full((2000, 2), 0.3), Prices(10, 0)).net
        inside += net.low < 0 < net.high
    assert inside >= 90


def test_three_arms_and_each_the_one_that_helps() -> None:
    random = np.random.default_rng(8)
    x, arm = random.random((9000, 2)), random.integers(0, 3, 9000)
    effects = np.column_stack([np.zeros(9000), 0.3 * (x[:, 0] > 0.5), 0.3 * (x[:, 0] <= 0.5)])
    y = (random.random(9000) < 0.3 + effects[np.arange(9000), arm]).astype(float)
    policy = choose_policy(cross_fit(x, y, arm, 3, seed=0), y, arm, Prices(1, 0.02))
    assert policy.rule.kind == "best_arm"
    assert policy.value.low < 0.28 < policy.value.high
    assert policy.against_everybody.low > 0.05


def test_folds_share_out_those_few_who_buy() -> None:
    y, arm = np.zeros(1000), np.arange(1000) % 2
    y[:20] = 1
    fold = draw_folds(y, arm, folds=5, seed=1)
    assert [int(y[(fold == place) & (arm == 1)].sum()) for place in range(5)] == [2] * 5


def test_amounts_are_learned_too() -> None:
    random = np.random.default_rng(9)
    x, arm = random.random((4000, 2)), random.integers(0, 2, 4000)
    y = random.gamma(2, 10, 4000) + 20 * arm * (x[:, 0] > 0.5)
    fit = cross_fit(x, y, arm, 2, seed=0)
    for name in ("t_learner", "x_learner", "class_transformation"):
        gains = fit.scores[name][:, 0]
        assert gains[x[:, 0] > 0.6].mean() - gains[x[:, 0] < 0.4].mean() == pytest.approx(20, abs=6), name


def test_an_effect_is_ranked_by_the_mean_of_a_difference_and_of_a_share_of_the_outcome() -> None:
    y, arm = np.array([0.0, 0, 0, 1, 1, 1, 0, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    relative = measure_relative(y, arm, 2)
    assert relative == pytest.approx([1 - 0.25 / 0.75])
    outcomes = np.array([[0.1, 0.4], [0.5, 0.6]])
    expected = [(0.3 + 2 / 3 * 0.4) / 2, (0.1 + 2 / 3 * 0.6) / 2]
    assert blend_effects(outcomes, relative)[:, 0] == pytest.approx(expected)
    assert measure_relative(np.zeros(4), np.array([0, 0, 1, 1]), 2) == pytest.approx([0])

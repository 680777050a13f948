"""CUPED against a regression that is fitted in full, against scipy's test, and on experiments whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_ind

from campaigns.audience.any_look import share_confidence
from campaigns.outcomes.correction import correct_false_discovery, correct_holm, find_p_value
from campaigns.outcomes.cuped import Adjusted, ArmMoments, Array, estimate_adjusted, take_moments


def _draw(seed: int, n: int, m: int, *, rho: float = 0.7, effect: float = 0.3) -> tuple[Array, Array, Array, Array]:
    """Outcomes and covariates of n treated and m control, the outcome correlated rho with the first covariate."""
    random = np.random.default_rng(seed)
    x = random.normal(3, 2, (n + m, 3))
    y = rho * (x[:, 0] - 3) / 2 + math.sqrt(1 - rho**2) * random.normal(size=n + m)
    return y[:n] + effect, x[:n], y[n:], x[n:]


def _estimate(seed: int, n: int, m: int, **settings: float) -> Adjusted:
    y1, x1, y0, x0 = _draw(seed, n, m, **settings)
    return estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0))


def test_plain_difference_agrees_with_scipy() -> None:
    y1, x1, y0, x0 = _draw(1, 900, 120)
    found = estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0)).plain
    expected = ttest_ind(y1, y0, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_adjusted_difference_is_that_of_the_regression_with_a_slope_for_each_arm() -> None:
    y1, x1, y0, x0 = _draw(2, 700, 300)
    found = estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0))
    treated = np.r_[np.ones(700), np.zeros(300)]
    centred = np.vstack([x1, x0]) - np.vstack([x1, x0]).mean(axis=0)
    design = np.column_stack([np.ones(1000), treated, centred, centred * treated[:, None]])
    outcome = np.r_[y1, y0]
    slopes = np.linalg.lstsq(design, outcome, rcond=None)[0]
    assert found.adjusted.effect == pytest.approx(slopes[1], abs=1e-10)
    # Its error with a variance for each arm (HC with the arms as groups), up to the part that the population's draw adds.
    residual = outcome - design @ slopes
    spread = np.where(treated == 1, (residual[:700] ** 2).sum() / 696, (residual[700:] ** 2).sum() / 296)
    inverse = np.linalg.inv(design.T @ design)
    robust = math.sqrt((inverse @ (design.T * spread) @ design @ inverse)[1, 1])
    assert found.adjusted.error == pytest.approx(robust, rel=0.02)


def test_interval_narrows_by_what_the_correlation_promises() -> None:
    found = _estimate(3, 20_000, 5_000, rho=0.8)
    assert found.correlation == pytest.approx(0.8, abs=0.02)
    assert found.narrowing == pytest.approx(1 - math.sqrt(1 - 0.8**2), abs=0.02)
    assert found.theory == pytest.approx(found.narrowing, abs=0.005)


def test_covariates_that_say_nothing_cost_next_to_nothing() -> None:
    found = _estimate(4, 5_000, 5_000, rho=0.0)
    assert found.is_adjusted
    assert abs(found.narrowing) < 0.002


def test_both_intervals_cover_the_truth_in_95_of_100() -> None:
    runs = [_estimate(seed, 400, 100, rho=0.6) for seed in range(1500)]
    allowed = 4 * math.sqrt(0.95 * 0.05 / len(runs))
    for each in ("plain", "adjusted"):
        covered = np.mean([getattr(run, each).low <= 0.3 <= getattr(run, each).high for run in runs])
        assert covered == pytest.approx(0.95, abs=allowed)


def test_units_do_not_matter() -> None:
    y1, x1, y0, x0 = _draw(5, 500, 500)
    units = np.array([1e6, 1e-6, 1.0])
    found = estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0))
    scaled = estimate_adjusted(take_moments(y1, x1 * units), take_moments(y0, x0 * units))
    assert scaled.adjusted.effect == pytest.approx(found.adjusted.effect)
    assert scaled.adjusted.error == pytest.approx(found.adjusted.error)


def test_a_column_twice_and_a_column_that_never_varies_change_nothing() -> None:
    y1, x1, y0, x0 = _draw(6, 500, 500)
    more = [np.column_stack([x, x[:, 0], np.full(len(x), 7.0)]) for x in (x1, x0)]
    found = estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0)).adjusted
    again = estimate_adjusted(take_moments(y1, more[0]), take_moments(y0, more[1])).adjusted
    assert again.effect == pytest.approx(found.effect)
    assert again.error == pytest.approx(found.error, rel=0.01)


def test_a_column_that_is_the_same_up_to_what_adding_up_leaves_is_not_used() -> None:
    y1, x1, y0, x0 = _draw(9, 500, 500)
    dust = np.random.default_rng(9).normal(0.37, 1e-12, 1_000)[:, None]
    alone = estimate_adjusted(take_moments(y1, dust[:500]), take_moments(y0, dust[500:]))
    assert not alone.is_adjusted
    found = estimate_adjusted(take_moments(y1, x1), take_moments(y0, x0)).adjusted
    beside = [np.column_stack([x, part]) for x, part in ((x1, dust[:500]), (x0, dust[500:]))]
    assert estimate_adjusted(take_moments(y1, beside[0]), take_moments(y0, beside[1])).adjusted == found


def test_too_few_people_for_the_covariates_or_none_leave_the_plain_difference() -> None:
    few = _estimate(7, 60, 60)
    assert not few.is_adjusted and few.adjusted == few.plain
    y1, x1, y0, x0 = _draw(8, 60, 60)
    assert not estimate_adjusted(take_moments(y1, x1[:, :0]), take_moments(y0, x0[:, :0])).is_adjusted


def test_an_arm_of_one_is_refused() -> None:
    one = ArmMoments(1, 1.0, 0.0, np.zeros(0), np.zeros((0, 0)), np.zeros(0))
    with pytest.raises(ValueError, match="two people"):
        estimate_adjusted(one, one)


def test_holm_as_in_a_table_worked_by_hand() -> None:
    # 4 x 0.005, 3 x 0.01, 2 x 0.03 and then no less than the one before it
    assert correct_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert correct_holm([]) == []


def test_false_discovery_agrees_with_scipy() -> None:
    values = [0.01, 0.02, 0.03, 0.5, 0.04, 0.9, 0.001]
    assert correct_false_discovery(values) == pytest.approx(false_discovery_control(values).tolist())


def test_p_value_and_shared_confidence() -> None:
    assert find_p_value(1.959964, 1.0) == pytest.approx(0.05, abs=1e-6)
    assert (find_p_value(0, 0), find_p_value(1, 0)) == (1.0, 0.0)
    assert share_confidence(0.95, 5) == pytest.approx(0.99)

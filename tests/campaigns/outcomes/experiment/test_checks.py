"""Sample ratio, balance and winsorising."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from campaigns.outcomes.experiment.checks import check_balance, check_sample_ratio
from campaigns.outcomes.experiment.effects import estimate_effects, winsorise


def test_sample_ratio_is_pearsons() -> None:
    found = check_sample_ratio([5100, 4900], [1, 1])
    assert found.p_value == pytest.approx(chisquare([5100, 4900]).pvalue)
    assert not found.is_alarming and not found.is_assumed


def test_a_lost_tenth_of_one_arm_raises_the_alarm() -> None:
    assert check_sample_ratio([50_000, 48_800], [0.5, 0.5]).is_alarming
    assert check_sample_ratio([9_000, 91_000], [0.1, 0.9]).is_alarming


def test_without_a_word_arms_are_equal_or_round() -> None:
    assert check_sample_ratio([3300, 3350, 3350]).expected == pytest.approx([1 / 3] * 3)
    rounded = check_sample_ratio([1003, 8997])
    assert rounded.expected == pytest.approx([0.1, 0.9]) and rounded.is_assumed and not rounded.is_alarming


def test_shares_that_are_none_are_refused() -> None:
    for shares in ([1.0], [0.0, 1.0], [1, 1, 1]):
        with pytest.raises(ValueError, match="one share"):
            check_sample_ratio([10, 10], shares)


def test_a_random_draw_is_balanced_and_a_choice_is_not() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(4000, 4))
    drawn, chosen = random.integers(0, 2, 4000), (x[:, 2] + random.normal(size=4000) > 0).astype(int)
    names = ["a", "b", "c", "d"]
    (fair,) = check_balance(["no", "yes"], drawn, x, names)
    (unfair,) = check_balance(["no", "yes"], chosen, x, names)
    assert not fair.is_alarming and abs(fair.largest[1]) < 0.1
    assert unfair.is_alarming and unfair.largest[0] == "c" and unfair.largest[1] > 0.5


def test_balance_alarms_as_rarely_as_it_says() -> None:
    random = np.random.default_rng(4)
    p_values = []
    for _run in range(400):
        x = random.normal(size=(300, 5))
        p_values.append(check_balance(["no", "yes"], random.integers(0, 2, 300), x, list("abcde"))[0].p_value)
    assert np.mean(np.asarray(p_values) < 0.05) == pytest.approx(0.05, abs=0.04)


def test_large_amounts_are_cut_by_a_rule_that_does_not_see_the_arms() -> None:
    random = np.random.default_rng(5)
    y = np.where(random.random(20_000) < 0.2, random.lognormal(3, 1, 20_000), 0.0)
    found = winsorise(y)
    assert found is not None
    assert found.cap == pytest.approx(np.quantile(y[y > 0], 0.99))
    assert found.y.max() == found.cap and found.touched == pytest.approx(0.01 * (y > 0).sum(), abs=2)
    assert winsorise((y > 0).astype(float)) is None
    assert winsorise(y, 1.0) is None


def test_several_arms_are_corrected_for() -> None:
    random = np.random.default_rng(6)
    alarms = 0
    for _run in range(400):
        arm, y = random.integers(0, 5, 500), random.normal(size=500)
        found = estimate_effects(list("cabde"), arm, y, np.zeros((500, 0)))
        alarms += any(effect.is_clear for effect in found)
    assert alarms / 400 <= 0.08  # four comparisons without a correction cry wolf in some 15 of 100

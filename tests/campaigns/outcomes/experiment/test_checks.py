"""Sample ratio, balance and winsorising."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, ttest_ind

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


def test_balance_keeps_that_promise_with_few_people_and_many_covariates() -> None:
    random = np.random.default_rng(14)
    for people, covariates in ((20, 8), (50, 25), (100, 40)):
        arm, names = np.repeat([0, 1], people), [str(place) for place in range(covariates)]
        found = [
            check_balance(["no", "yes"], arm, random.normal(size=(2 * people, covariates)), names) for _ in range(200)
        ]
        assert np.mean([each.p_value < 0.05 for (each,) in found]) <= 0.1, (people, covariates)
        assert sum(each.is_alarming for (each,) in found) <= 1, (people, covariates)
    (few,) = check_balance(["no", "yes"], np.repeat([0, 1], 5), random.normal(size=(10, 30)), list("a" * 30))
    assert not few.is_alarming


def test_one_covariate_is_welchs_comparison() -> None:
    random = np.random.default_rng(15)
    arm = np.repeat([0, 1], [12, 60])
    x = random.normal(size=(72, 1)) * np.where(arm, 3, 1)[:, None]
    (found,) = check_balance(["no", "yes"], arm, x, ["a"])
    assert found.p_value == pytest.approx(ttest_ind(x[arm == 1, 0], x[arm == 0, 0], equal_var=False).pvalue)


def test_a_covariate_that_says_the_arm_raises_the_alarm() -> None:
    arm = np.repeat([0, 1], 100)
    x = np.column_stack([np.random.default_rng(16).normal(size=200), arm])
    (found,) = check_balance(["no", "yes"], arm, x, ["a", "sent"])
    assert found.is_alarming and found.largest == ("sent", pytest.approx(2, abs=0.01))


def test_what_is_called_clear_has_an_interval_without_nought() -> None:
    random = np.random.default_rng(17)
    clear = 0
    for _run in range(3000):
        (found,) = estimate_effects(["a", "b"], np.repeat([0, 1], 30), random.normal(size=60), np.zeros((60, 0)))
        best = found.found.adjusted
        assert found.is_clear == (best.low > 0 or best.high < 0)
        clear += found.is_clear
    assert clear / 3000 == pytest.approx(0.05, abs=0.015)


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

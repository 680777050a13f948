"""The arithmetic of lift against published figures, a second implementation, a known truth, and properties."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from campaigns.outcomes.lift import (
    Moments,
    estimate_lift,
    estimate_mean_difference,
)
from customers.scoring.proportion import newcombe_interval


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_interval_equals_the_published_one(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found_low, found_high = newcombe_interval(*counts)
    assert found_low == pytest.approx(low, abs=6e-5)
    assert found_high == pytest.approx(high, abs=6e-5)


def test_lift_says_points_and_people() -> None:
    lift = estimate_lift(9000, 2790, 3000, 840)

    assert lift.points == pytest.approx(3.0)
    assert lift.kept == pytest.approx(270)
    assert lift.kept_low == pytest.approx(lift.low / 100 * 9000)
    assert lift.low < 3.0 < lift.high
    assert lift.verdict == "positive"


def test_a_harmful_campaign_is_said_as_plainly() -> None:
    assert estimate_lift(9000, 2000, 1000, 300).verdict == "negative"


def test_no_clear_difference_is_no_effect() -> None:
    assert estimate_lift(9000, 2710, 1000, 300).verdict == "no_effect"


@pytest.mark.parametrize(
    ("counts", "is_complete"),
    [((9000, 3000, 1000, 200), False), ((29, 20, 1000, 100), True), ((1000, 100, 29, 0), True), ((0, 0, 0, 0), True)],
)
def test_before_the_window_closes_or_with_few_people_it_is_too_early(
    counts: tuple[int, int, int, int], is_complete: bool
) -> None:
    assert estimate_lift(*counts, is_complete=is_complete).verdict == "too_early"


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        estimate_lift(10, 11, 10, 1)


arms = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(treated=arms, holdout=arms)
def test_interval_holds_the_estimate_and_turns_with_the_arms(
    treated: tuple[int, int], holdout: tuple[int, int]
) -> None:
    low, high = newcombe_interval(*treated, *holdout)
    difference = treated[0] / treated[1] - holdout[0] / holdout[1]
    assert -1 - 1e-9 <= low <= difference + 1e-9 and difference - 1e-9 <= high <= 1 + 1e-9
    turned_low, turned_high = newcombe_interval(*holdout, *treated)
    assert (turned_low, turned_high) == (pytest.approx(-high), pytest.approx(-low))


def test_interval_covers_the_known_truth_in_95_of_100_shops() -> None:
    random = np.random.default_rng(20261123)
    shops, covered, alarms = 2000, 0, 0
    for _shop in range(shops):
        n = int(random.integers(300, 8000))
        base, effect = random.uniform(0.05, 0.5), random.choice([0.0, 0.02, 0.05])
        treated, holdout = int(n * 0.9), n - int(n * 0.9)
        lift = estimate_lift(treated, random.binomial(treated, base + effect), holdout, random.binomial(holdout, base))
        covered += lift.low <= 100 * effect <= lift.high
        alarms += effect == 0 and lift.verdict != "no_effect"
    assert covered / shops == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / shops))
    assert alarms / shops < 0.05


def test_mean_difference_agrees_with_scipy() -> None:
    random = np.random.default_rng(7)
    treated, holdout = random.gamma(1, 40, 900), random.gamma(1, 35, 100)
    found = estimate_mean_difference(
        Moments(900, treated.mean(), treated.var(ddof=1)), Moments(100, holdout.mean(), holdout.var(ddof=1))
    )
    expected = ttest_ind(treated, holdout, equal_var=False).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert found.total == pytest.approx(found.per_person * 900)


def test_mean_difference_of_few_or_equal_people() -> None:
    assert estimate_mean_difference(Moments(29, 1, 1), Moments(500, 1, 1)) is None
    nothing = estimate_mean_difference(Moments(50, 0, 0), Moments(50, 0, 0))
    assert nothing is not None and nothing.low == nothing.high == 0


def test_arithmetic_needs_no_framework() -> None:
    program = "import sys, campaigns.outcomes.lift; sys.exit(any(name in sys.modules for name in ('django', 'celery')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

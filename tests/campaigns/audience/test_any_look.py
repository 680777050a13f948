"""Sequences against the formula as it is printed, against the crossings of simulated sums, and by properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lift import Tally, run_shop, tell_figures
from campaigns.audience.any_look import Look, Plan, bound_at_any_look, find_growth_to_clear, plan_share


def _printed_half(t: int, sigma: float, rho: float, alpha: float) -> float:
    """Waudby-Smith et al., theorem 2.2, for a mean of t observations with standard deviation sigma."""
    inner = t * sigma**2 * rho**2 + 1
    return math.sqrt(2 * inner / (t**2 * rho**2) * math.log(math.sqrt(inner) / alpha))


@pytest.mark.parametrize("t", [50, 400, 10_000])
def test_the_half_width_is_the_printed_one(t: int) -> None:
    sigma, alpha, planned = 1.7, 0.05, 2_000
    log = -2 * math.log(alpha)
    rho = math.sqrt((log + math.log(log) + 1) / (planned * sigma**2))
    low, high = bound_at_any_look(Look(0.3, sigma / math.sqrt(t), t), Plan(sigma / math.sqrt(planned), planned))
    assert high - 0.3 == pytest.approx(_printed_half(t, sigma, rho, alpha))
    assert 0.3 - low == pytest.approx(high - 0.3)


def test_sums_of_nothing_leave_it_less_often_than_once_in_twenty() -> None:
    random = np.random.default_rng(1)
    looks = np.arange(20, 2_001, 20)
    plan, crossed, fixed = Plan(1 / math.sqrt(1_000), 1_000), 0, 0
    for _run in range(600):
        means = np.cumsum(random.normal(size=2_000))[looks - 1] / looks
        bounds = [
            bound_at_any_look(Look(mean, 1 / math.sqrt(n), int(n)), plan) for mean, n in zip(means, looks, strict=True)
        ]
        crossed += any(low > 0 or high < 0 for low, high in bounds)
        fixed += bool((np.abs(means) > 1.96 / np.sqrt(looks)).any())
    assert crossed / 600 <= 0.05
    assert fixed / 600 > 0.2  # what the plain interval would have found


def test_shops_that_are_looked_at_every_day() -> None:
    """The benchmark on few shops: coverage at the end and at all looks, and no more alarms than promised."""
    random, tally = np.random.default_rng(3), Tally()
    for _shop in range(25):
        run_shop(random, tally)
    figures = tell_figures(tally)
    spread = math.sqrt(0.95 * 0.05 / tally.campaigns)
    assert figures["coverage"] == pytest.approx(0.95, abs=4 * spread)
    assert figures["sequence_coverage"] >= 0.95
    assert figures["false_alarms"] <= 0.05 < figures["fixed_false_alarms"]
    assert figures["cuped_narrowing"] == pytest.approx(figures["cuped_theory"], abs=0.03)


@given(
    effect=st.floats(-1, 1), error=st.floats(1e-4, 0.5), people=st.integers(60, 10**6), share=st.floats(0, 0.95),
    planned=st.floats(0.01, 0.99),
)  # fmt: skip
def test_it_is_wider_than_the_interval_of_one_look(
    effect: float, error: float, people: int, share: float, planned: float
) -> None:
    low, high = bound_at_any_look(Look(effect, error, people, share), plan_share(people // 2, people // 2, planned))
    assert low < effect - 1.96 * error and high > effect + 1.96 * error


def test_a_plan_that_was_wrong_costs_width_and_not_truth() -> None:
    look = Look(0.02, 0.01, 5_000, 0.3)
    right, wrong = plan_share(2_500, 2_500, 0.3), plan_share(2_500, 2_500, 0.02)
    widths = [high - low for low, high in (bound_at_any_look(look, plan) for plan in (right, wrong))]
    assert widths[0] < widths[1] < 3 * widths[0]


def test_nothing_seen_yet_bounds_nothing() -> None:
    assert bound_at_any_look(Look(0.0, 0.0, 100), plan_share(50, 50, 0.5)) == (-math.inf, math.inf)


def test_how_many_more_people_it_takes() -> None:
    plan = Plan(0.01, 10_000)
    assert find_growth_to_clear(Look(0.2, 0.01, 10_000), plan) == 1.0
    times = find_growth_to_clear(Look(0.02, 0.01, 10_000), plan)
    assert times is not None and times > 1
    grown = Look(0.02, 0.01 / math.sqrt(times), round(10_000 * times))
    assert bound_at_any_look(grown, plan)[0] > 0
    assert find_growth_to_clear(Look(0.0, 0.01, 10_000), plan) is None
    assert find_growth_to_clear(Look(1e-5, 0.01, 10_000), plan) is None

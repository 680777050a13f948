"""Cost per customer kept: against Fieller's closed form, against simulated campaigns, and said in words where it has no end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.outcomes.ratio import Bounded, add_up, bound_ratio
from campaigns.outcomes.worth import ArmSpending, Costs, cost_per_kept, net_value
from customers.scoring.proportion import newcombe_interval

Z = 1.959963984540054


def _fieller(a: float, b: float, va: float, vb: float, cov: float) -> tuple[float, float]:
    """The roots of (a - r b)² = z² (va - 2 r cov + r² vb), for b clearly above nought: the textbook's quadratic."""
    p, q, c = b**2 - Z**2 * vb, a * b - Z**2 * cov, a**2 - Z**2 * va
    root = math.sqrt(q**2 - p * c)
    return (q - root) / p, (q + root) / p


@given(
    a=st.floats(50, 5_000), b=st.floats(5, 500), cost_doubt=st.floats(0.001, 0.4), kept_doubt=st.floats(0.01, 0.45),
    correlation=st.floats(-0.9, 0.9),
)  # fmt: skip
def test_with_symmetric_limits_it_is_fieller_s_interval(
    a: float, b: float, cost_doubt: float, kept_doubt: float, correlation: float
) -> None:
    sa, sb = a * cost_doubt, b * kept_doubt
    found = bound_ratio(Bounded(a, a - Z * sa, a + Z * sa), Bounded(b, b - Z * sb, b + Z * sb), correlation)
    low, high = _fieller(a, b, sa**2, sb**2, correlation * sa * sb)
    assert found.verdict == "bounded"
    assert found.low == pytest.approx(max(low, 0.0), rel=1e-6, abs=1e-9)
    assert found.high == pytest.approx(high, rel=1e-6)


def test_without_an_effect_that_is_shown_the_cost_has_a_least_and_no_greatest() -> None:
    found = bound_ratio(Bounded(1_000, 900, 1_100), Bounded(20, -15, 55))
    assert (found.verdict, found.high) == ("open", None)
    assert found.value == 50
    assert found.low is not None
    assert 15 < found.low < 1_000 / 55 + 1
    worse = bound_ratio(Bounded(1_000, 900, 1_100), Bounded(-5, -40, 30))
    assert (worse.verdict, worse.value, worse.high) == ("open", None, None)
    assert worse.low is not None
    assert worse.low > 1_000 / 40


def test_where_fewer_stayed_there_is_no_cost_per_customer_kept() -> None:
    assert bound_ratio(Bounded(1_000, 900, 1_100), Bounded(-30, -50, -10)).verdict == "lost"


def test_an_estimate_outside_its_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="no estimate"):
        bound_ratio(Bounded(5, 6, 7), Bounded(1, 0, 2))


def test_sums_of_independent_campaigns_have_narrower_limits_than_the_sum_of_the_limits() -> None:
    total = add_up([Bounded(10, 7, 14), Bounded(20, 16, 23)])
    assert (total.value, total.low, total.high) == (30, pytest.approx(25), pytest.approx(35))


def _draw(rng: np.random.Generator, n: int, rate: float, offer: bool) -> ArmSpending:
    """An arm whose people order with probability `rate` and then mostly use the offer; discounts have a long tail."""
    kept = (rng.random(n) < rate).astype(float)
    paid = kept * rng.lognormal(4, 0.8, n)
    used = kept * (rng.random(n) < 0.7) if offer else np.zeros(n)
    redeemed = used * paid * 0.2
    numbers = np.array([paid - redeemed, redeemed, redeemed, used, kept])
    return ArmSpending(n, numbers.mean(axis=1).tolist(), np.cov(numbers).tolist())


def test_the_interval_covers_the_true_cost_of_simulated_campaigns() -> None:
    """The true cost per customer kept is the expected cost over the expected number kept. 95 % of 1,500 campaigns would be
    covered; three standard errors of that share are 1.7 points. A third of them have no effect: there the interval has to be open
    in 95 % and more, since no finite one could be right."""
    rng, covered, bounded_nil = np.random.default_rng(20261129), 0, 0
    mean_discount = 0.7 * 0.2 * math.exp(4 + 0.8**2 / 2)
    campaigns = [(4_000, 1_500, 0.20, 0.15), (1_200, 1_000, 0.30, 0.22), (900, 300, 0.12, 0.12)] * 500
    for n, held, rate, base in campaigns:
        treated, holdout = _draw(rng, n, rate, offer=True), _draw(rng, held, base, offer=False)
        shares = [round(arm.means[4] * arm.n) for arm in (treated, holdout)]
        low, high = newcombe_interval(shares[0], n, shares[1], held)
        kept = Bounded(n * (treated.means[4] - holdout.means[4]), n * low, n * high)
        costs = Costs(n * treated.means[2], 0.0, 40.0, 2.0, 60.0)
        found = cost_per_kept(treated, kept, costs)
        if rate == base:
            bounded_nil += found.verdict != "open"
            continue
        truth = (n * rate * mean_discount + 102.0) / (n * (rate - base))
        covered += found.low is not None and found.low <= truth and (found.high is None or truth <= found.high)
    assert 0.933 <= covered / 1_000 <= 0.972
    assert bounded_nil / 500 <= 0.08


def test_net_value_covers_the_truth_and_takes_every_cost_off_once() -> None:
    rng, covered = np.random.default_rng(7), 0
    order = math.exp(4 + 0.8**2 / 2)
    for _campaign in range(600):
        treated, holdout = _draw(rng, 2_000, 0.2, offer=True), _draw(rng, 1_000, 0.15, offer=False)
        found = net_value(treated, holdout, Costs(0.0, 0.0, 30.0, 1.0, 20.0), margin=0.5)
        assert found is not None
        truth = 2_000 * (0.2 * order * (0.5 - 0.7 * 0.2) - 0.15 * order * 0.5) - 51.0
        covered += found.total_low <= truth <= found.total_high
    assert 0.92 <= covered / 600 <= 0.98


def test_net_value_is_margin_less_discounts_less_the_rest() -> None:
    """100 people in each arm, all alike but for the arm: 60 paid after 20 off, against 50 paid in full, at a margin of a half."""
    flat = [[0.0] * 5 for _number in range(5)]
    treated = ArmSpending(100, [60.0, 20.0, 20.0, 1.0, 1.0], flat)
    holdout = ArmSpending(100, [50.0, 0.0, 0.0, 0.0, 1.0], flat)
    found = net_value(treated, holdout, Costs(2_000.0, 300.0, 10.0, None, 5.0), margin=0.5, delivery_price=3.0)
    assert found is not None
    assert found.total == pytest.approx(100 * ((40 - 20 - 3) - 25) - 15)
    assert Costs(2_000.0, 300.0, 10.0, None, 5.0).missing == ["model"]


def test_too_few_people_say_nothing() -> None:
    arm = ArmSpending(12, [0.0] * 5, [[0.0] * 5] * 5)
    assert cost_per_kept(arm, Bounded(1, 0, 2), Costs(5, 0, 0, 0, 0)).verdict == "unknown"
    assert net_value(arm, arm, Costs(5, 0, 0, 0, 0), margin=0.4) is None

"""The arithmetic of who gets the offer: against a second computation, by properties, and by simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.approval.fairness import (
    FEWEST_IN_GROUP,
    Discounts,
    GroupSums,
    compare_groups,
    ratio_of_means,
    ratio_of_shares,
)

Z = 1.959963984540054


def plain_wilson(x: int, n: int) -> tuple[float, float]:
    """The roots of (p̂ − p)² = z² p (1 − p) / n, solved as a quadratic equation."""
    a, b, c = 1 + Z * Z / n, -(2 * x / n + Z * Z / n), (x / n) ** 2
    roots = np.roots([a, b, c])
    return float(min(roots)), float(max(roots))


def test_a_ratio_of_shares_by_hand() -> None:
    ratio = ratio_of_shares(45, 100, 180, 200)
    one, other = plain_wilson(45, 100), plain_wilson(180, 200)
    low = math.exp(math.log(0.5) - math.sqrt(math.log(0.45 / one[0]) ** 2 + math.log(other[1] / 0.9) ** 2))
    high = math.exp(math.log(0.5) + math.sqrt(math.log(one[1] / 0.45) ** 2 + math.log(0.9 / other[0]) ** 2))
    assert (ratio.value, ratio.low, ratio.high) == (
        pytest.approx(0.5), pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9),
    )  # fmt: skip
    assert ratio.is_low


@pytest.mark.parametrize("shares", [(0.9, 0.9), (0.6, 0.9), (0.3, 0.5), (0.95, 0.7)])
@pytest.mark.parametrize("people", [(40, 400), (200, 200), (1000, 5000)])
def test_the_interval_of_a_ratio_of_shares_covers_the_truth(
    shares: tuple[float, float], people: tuple[int, int]
) -> None:
    random = np.random.default_rng(7)
    draws = 4000
    one, other = (random.binomial(n, p, draws) for n, p in zip(people, shares, strict=True))
    truth, covered = shares[0] / shares[1], 0
    for x, y in zip(one, other, strict=True):
        ratio = ratio_of_shares(int(x), people[0], int(y), people[1])
        assert ratio.low is not None and ratio.high is not None
        covered += ratio.low <= truth <= ratio.high
    assert 0.935 <= covered / draws <= 0.985


@pytest.mark.parametrize("people", [(60, 400), (500, 2000)])
def test_the_interval_of_a_discount_per_head_covers_the_truth(people: tuple[int, int]) -> None:
    """Skewed baskets, a tenth of them off, nothing for those who are not reached."""
    random = np.random.default_rng(11)
    draws, reach, scale = 3000, (0.6, 0.9), (30.0, 40.0)
    sums = []
    for n, p, mean in zip(people, reach, scale, strict=True):
        values = 0.1 * random.gamma(2.0, mean / 2, (draws, n)) * (random.random((draws, n)) < p)
        sums.append((values.sum(axis=1), (values**2).sum(axis=1)))
    truth, covered = (reach[0] * scale[0]) / (reach[1] * scale[1]), 0
    for number in range(draws):
        one, other = (Discounts(float(total[number]), float(squares[number])) for total, squares in sums)
        ratio = ratio_of_means(one, people[0], other, people[1])
        assert ratio.low is not None and ratio.high is not None
        covered += ratio.low <= truth <= ratio.high
    assert 0.93 <= covered / draws <= 0.97


def test_equal_treatment_is_seldom_called_low() -> None:
    random = np.random.default_rng(3)
    alarms = 0
    for _draw in range(2000):
        sums = [GroupSums(str(k), 300, 300, int(random.binomial(300, 0.9))) for k in range(4)]
        alarms += compare_groups(sums, has_discount=False).has_low
    assert alarms == 0


def test_a_ratio_of_means_is_that_of_the_raw_values() -> None:
    random = np.random.default_rng(5)
    one, other = random.gamma(2.0, 4.0, 50), random.gamma(2.0, 5.0, 90)
    ratio = ratio_of_means(
        Discounts(float(one.sum()), float((one**2).sum())),
        50,
        Discounts(float(other.sum()), float((other**2).sum())),
        90,
    )
    variance = one.var(ddof=1) / 50 / one.mean() ** 2 + other.var(ddof=1) / 90 / other.mean() ** 2
    value = one.mean() / other.mean()
    assert ratio.value == pytest.approx(value)
    assert ratio.low == pytest.approx(value * math.exp(-Z * math.sqrt(variance)))
    assert ratio.high == pytest.approx(value * math.exp(Z * math.sqrt(variance)))


def test_small_groups_are_not_told_of_and_cannot_be_worked_out_from_the_others() -> None:
    """The same large groups beside another small one say exactly the same."""
    large = [GroupSums("a", 120, 100, 90), GroupSums("b", 120, 100, 50)]
    told = [
        compare_groups([*large, GroupSums("c", 40, FEWEST_IN_GROUP - 1, reached)], has_discount=False)
        for reached in (0, 29)
    ]
    assert told[0] == told[1]
    assert [group.name for group in told[0].groups] == ["a", "b"]
    assert (told[0].left_out_groups, told[0].left_out_people) == (1, FEWEST_IN_GROUP - 1)
    assert [group.is_low for group in told[0].groups] == [False, True]


def test_with_one_group_there_is_nothing_to_compare() -> None:
    told = compare_groups([GroupSums("a", 120, 100, 90)], has_discount=True)
    assert told.groups[0].share_ratio.value is None and not told.has_low


def test_a_group_that_gets_nothing_is_low() -> None:
    told = compare_groups([GroupSums("a", 100, 100, 0), GroupSums("b", 100, 100, 90)], has_discount=False)
    worst = told.groups[0]
    assert (worst.name, worst.share_ratio.value) == ("a", 0.0)
    assert worst.is_low and worst.share_ratio.high is not None and 0 < worst.share_ratio.high < 0.1


def test_cheaper_baskets_show_in_the_discount_though_everybody_is_reached() -> None:
    sums = [
        GroupSums("a", 200, 200, 180, Discounts(180 * 2.0, 180 * 4.0), Discounts(90.0, 60.0)),
        GroupSums("b", 200, 200, 180, Discounts(180 * 5.0, 180 * 25.0), Discounts(400.0, 1000.0)),
    ]
    told = compare_groups(sums, has_discount=True)
    low = next(group for group in told.groups if group.name == "a")
    assert not low.share_ratio.is_low and low.nominal_ratio.is_low
    assert low.nominal == pytest.approx(1.8) and low.nominal_ratio.value == pytest.approx(0.4)


@given(
    reached=st.integers(0, 300), extra=st.integers(0, 300), other=st.integers(1, 300), other_extra=st.integers(0, 300)
)
def test_an_interval_holds_its_own_ratio(reached: int, extra: int, other: int, other_extra: int) -> None:
    people, others = reached + extra, other + other_extra
    ratio = ratio_of_shares(reached, people, other, others)
    if people == 0:
        assert ratio.value is None
        return
    assert ratio.value is not None and ratio.low is not None and ratio.high is not None
    assert 0 <= ratio.low <= ratio.value + 1e-12 and ratio.value <= ratio.high + 1e-12

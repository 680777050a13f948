"""Who gets the offer: each group's share that is reached and its discount per head, against everybody else. Arithmetic only.

Rates are shares of the eligible people of a group. A ratio of two rates has the interval that follows from Wilson's interval of
each, squared and added on the scale of logarithms (the method of variance estimates recovery of Zou and Donner, Statistics in
Medicine 27, 2008); a ratio of two means per head has the normal interval of its logarithm (delta method). Both are 95 %.

A group is held against the people of all other groups that are told of, not against the best-off group: which group is best off
is itself a matter of chance, and an interval that ignores this covers too seldom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final

from customers.scoring.proportion import wilson_interval

#: Groups of fewer people are not told of: they would be noise, and could point at persons.
FEWEST_IN_GROUP: Final = 30
#: The four-fifths rule of thumb.
LOWEST_RATIO: Final = 0.8
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Discounts:
    """The sum over people of a discount in money, nought for who is not reached, and the sum of its squares."""

    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Discounts) -> Discounts:
        return Discounts(self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True)
class GroupSums:
    """What is known of one group: people of the segment, those of them who may be written to, and those who get it."""

    name: str
    matched: int
    eligible: int
    reached: int
    nominal: Discounts = Discounts()
    expected: Discounts = Discounts()


@dataclass(frozen=True)
class Ratio:
    """A group against everybody else with its 95 % interval. None where it cannot be had (nothing to divide by)."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def is_low(self) -> bool:
        """Below four fifths, interval and all."""
        return self.high is not None and self.high < LOWEST_RATIO


UNKNOWN: Final = Ratio(None, None, None)


@dataclass(frozen=True)
class GroupFairness:
    """One group as told. Shares are 0 to 1; discounts are money per eligible head, None where the offer has none."""

    name: str
    matched: int
    eligible: int
    reached: int
    share: float
    share_low: float
    share_high: float
    nominal: float | None
    expected: float | None
    share_ratio: Ratio
    nominal_ratio: Ratio
    expected_ratio: Ratio

    @property
    def is_low(self) -> bool:
        return self.share_ratio.is_low or self.nominal_ratio.is_low or self.expected_ratio.is_low

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_low": self.is_low}


@dataclass(frozen=True)
class AttributeFairness:
    """All groups of one attribute that are large enough, and how many groups and eligible people were left out."""

    groups: list[GroupFairness]
    left_out_groups: int
    left_out_people: int

    @property
    def has_low(self) -> bool:
        return any(group.is_low for group in self.groups)


def compare_groups(sums: Sequence[GroupSums], *, has_discount: bool) -> AttributeFairness:
    """The groups with at least 30 eligible people, the largest first; with one alone there is nothing to compare.

    The groups that are too small are no part of "everybody else" either: beside it, the others would tell of them.
    """
    large = sorted((row for row in sums if row.eligible >= FEWEST_IN_GROUP), key=lambda row: (-row.eligible, row.name))
    small = [row for row in sums if row.eligible < FEWEST_IN_GROUP]
    told = [_describe(row, _add_up([other for other in large if other is not row]), has_discount) for row in large]
    return AttributeFairness(told, len(small), sum(row.eligible for row in small))


def ratio_of_shares(reached: int, people: int, other_reached: int, other_people: int) -> Ratio:
    """(reached / people) / (other_reached / other_people); UNKNOWN without people or where nobody else is reached.

    A share of nought gives a ratio of nought, whose upper end is that of its own share against the lower end of the other.
    """
    if not people or not other_people or not other_reached:
        return UNKNOWN
    one, other = reached / people, other_reached / other_people
    low, high = wilson_interval(reached, people)
    other_low, other_high = wilson_interval(other_reached, other_people)
    if not reached:
        return Ratio(0.0, 0.0, high / other_low)
    below = math.hypot(math.log(one / low), math.log(other_high / other))
    above = math.hypot(math.log(high / one), math.log(other / other_low))
    return Ratio(one / other, one / other * math.exp(-below), one / other * math.exp(above))


def ratio_of_means(sums: Discounts, people: int, other: Discounts, other_people: int) -> Ratio:
    """The mean per head of a group over that of the others; UNKNOWN with fewer than two people or a mean of nought."""
    if min(people, other_people) < 2 or sums.total <= 0 or other.total <= 0:
        return Ratio(0.0, 0.0, None) if people > 1 and other.total > 0 and sums.total <= 0 else UNKNOWN
    value = (sums.total / people) / (other.total / other_people)
    doubt = _Z * math.sqrt(_relative_variance(sums, people) + _relative_variance(other, other_people))
    return Ratio(value, value * math.exp(-doubt), value * math.exp(doubt))


def _describe(row: GroupSums, others: GroupSums, has_discount: bool) -> GroupFairness:
    low, high = wilson_interval(row.reached, row.eligible)
    return GroupFairness(
        name=row.name,
        matched=row.matched,
        eligible=row.eligible,
        reached=row.reached,
        share=row.reached / row.eligible,
        share_low=low,
        share_high=high,
        nominal=row.nominal.total / row.eligible if has_discount else None,
        expected=row.expected.total / row.eligible if has_discount else None,
        share_ratio=ratio_of_shares(row.reached, row.eligible, others.reached, others.eligible),
        nominal_ratio=_compare_means(row.nominal, row, others.nominal, others) if has_discount else UNKNOWN,
        expected_ratio=_compare_means(row.expected, row, others.expected, others) if has_discount else UNKNOWN,
    )


def _compare_means(sums: Discounts, row: GroupSums, other: Discounts, others: GroupSums) -> Ratio:
    return ratio_of_means(sums, row.eligible, other, others.eligible)


def _add_up(rows: Sequence[GroupSums]) -> GroupSums:
    return GroupSums(
        "",
        sum(row.matched for row in rows),
        sum(row.eligible for row in rows),
        sum(row.reached for row in rows),
        sum((row.nominal for row in rows), Discounts()),
        sum((row.expected for row in rows), Discounts()),
    )


def _relative_variance(sums: Discounts, people: int) -> float:
    """The variance of a mean, divided by the square of the mean."""
    mean = sums.total / people
    variance = max(sums.squares - people * mean * mean, 0.0) / (people - 1)
    return variance / people / (mean * mean)

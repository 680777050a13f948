"""How much data it takes before anything is learned about single people, and why so much. No Django here.

To leave somebody out, one has to see that a message does less to some than to others: a difference of two effects. With the
same people its error is twice that of the effect of one campaign (half of them on either side, and a difference of two), so
that it takes four times as many. The limit: a difference of LEAST_DIFFERENCE between the better and the worse half has to be
seen in four cases of five (two-sided, 95 %). A smaller one hardly ever decides whether a message pays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Of the probability of ordering: five points between the halves.
LEAST_DIFFERENCE = 0.05
#: Of people in an arm, as of any experiment that is learned from (`experiment.report`).
LEAST_PER_ARM = 200
_Z_TWO_SIDED_95 = 1.959963984540054
_Z_POWER_80 = 0.8416212335729143
#: The dearest rate to measure, where nothing is known yet.
_ANY_RATE = 0.5


@dataclass(frozen=True)
class ArmCounts:
    """Of one finished campaign: people by arm, and the share of the held-out ones who ordered."""

    treated: int
    held_out: int
    rate: float


@dataclass(frozen=True)
class Need:
    """What there is and what it takes. `visible` is the difference between the halves (0 to 1) that would be seen in four cases
    of five, infinite without data. `people_missing` of both arms and `campaigns_missing`, of the size of those so far, are 0
    where there is enough; `campaigns_missing` is None where there is none to go by."""

    people: int
    held_out: int
    campaigns: int
    visible: float
    people_missing: int
    campaigns_missing: int | None

    @property
    def is_met(self) -> bool:
        return not self.people_missing


def find_need(campaigns: Sequence[ArmCounts], *, holdout_share: float) -> Need:
    """`holdout_share` is what the shop holds out as a rule, for the case that nothing was measured yet."""
    wanted = ((_Z_TWO_SIDED_95 + _Z_POWER_80) / LEAST_DIFFERENCE) ** 2
    known = [each for each in campaigns if min(each.treated, each.held_out) > 0]
    there = sum(_inform(each.treated, each.held_out, each.rate) for each in known)
    people = sum(each.treated + each.held_out for each in known)
    held_out = sum(each.held_out for each in known)
    if not known:
        each_person = _inform(1 - holdout_share, holdout_share, _ANY_RATE)
        return Need(0, 0, 0, math.inf, math.ceil(wanted / each_person), None)
    treated = people - held_out
    lacking = max(wanted / there - 1, LEAST_PER_ARM / max(held_out, 1) - 1, LEAST_PER_ARM / max(treated, 1) - 1, 0.0)
    visible = (_Z_TWO_SIDED_95 + _Z_POWER_80) / math.sqrt(there)
    missing = math.ceil(lacking * people)
    return Need(people, held_out, len(known), visible, missing, math.ceil(lacking * len(known)))


def _inform(treated: float, held_out: float, rate: float) -> float:
    """One over the squared error of the difference between the halves' effects; those of several campaigns add up."""
    held = min(max(rate, 0.02), 0.98)
    return 1 / (4 * held * (1 - held) * (1 / treated + 1 / held_out))

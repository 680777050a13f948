"""How much data it takes before anything is learned about single people, and why so much. No Django here.

To leave somebody out, one has to see that a message does less to some than to others: a difference of two effects. With the
same people its error is twice that of the effect of one campaign (half of them on either side, and a difference of two), so
that it takes four times as many. The limit: a difference of LEAST_DIFFERENCE between the better and the worse half has to be
seen in four cases of five by the interval that `bands.compare_halves` judges it with (two-sided, 95 %, normal: 200 people and
more in an arm). A smaller one hardly ever decides whether a message pays.

There everybody counts alike, whatever their campaign held out. So a campaign of many people with hardly anybody held out adds
more doubt than it takes away: such ones are left out (`choose_informative`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from campaigns.outcomes.lift import CONFIDENCE

#: Of the probability of ordering: five points between the halves.
LEAST_DIFFERENCE = 0.05
#: Of people in an arm, as of any experiment that is learned from (`experiment.report`).
LEAST_PER_ARM = 200
#: Standard errors that a difference has to be worth: two-sided at 95 %, seen four times in five.
_ERRORS = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) + NormalDist().inv_cdf(0.8)
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


def choose_informative(campaigns: Sequence[ArmCounts]) -> list[int]:
    """The places of those that together tell the halves apart best, in the order given: the first so many, by what a person of
    each says, with which the error of all is smallest. No other set has a smaller one: while people of one campaign are added
    one by one, the error first grows and then shrinks, or does one of the two, so that none or all of them are best."""
    doubts = [_doubt(each.treated, each.held_out, each.rate) * (each.treated + each.held_out) for each in campaigns]
    order = sorted(range(len(campaigns)), key=doubts.__getitem__)
    people, doubt, least, taken = 0, 0.0, math.inf, 0
    for count, place in enumerate(order, start=1):
        more = campaigns[place].treated + campaigns[place].held_out
        people, doubt = people + more, doubt + more * doubts[place]
        if doubt / people**2 < least:
            least, taken = doubt / people**2, count
    return sorted(order[:taken])


def find_need(campaigns: Sequence[ArmCounts], *, holdout_share: float) -> Need:
    """Of the campaigns that are learned from. `holdout_share` is what the shop holds out as a rule, for the case that nothing was
    measured yet."""
    wanted = (LEAST_DIFFERENCE / _ERRORS) ** 2
    known = [each for each in campaigns if min(each.treated, each.held_out) > 0]
    people = sum(each.treated + each.held_out for each in known)
    held_out = sum(each.held_out for each in known)
    if not known:
        each_person = _doubt(1 - holdout_share, holdout_share, _ANY_RATE)
        return Need(0, 0, 0, math.inf, math.ceil(each_person / wanted), None)
    shares = [(each.treated + each.held_out) / people for each in known]
    doubt = sum(
        share**2 * _doubt(each.treated, each.held_out, each.rate) for share, each in zip(shares, known, strict=True)
    )
    treated = people - held_out
    lacking = max(doubt / wanted - 1, LEAST_PER_ARM / max(held_out, 1) - 1, LEAST_PER_ARM / max(treated, 1) - 1, 0.0)
    missing = math.ceil(lacking * people)
    return Need(people, held_out, len(known), _ERRORS * math.sqrt(doubt), missing, math.ceil(lacking * len(known)))


def _doubt(treated: float, held_out: float, rate: float) -> float:
    """The squared error of the difference between the effects in two halves of a campaign's people."""
    held = min(max(rate, 0.02), 0.98)
    return 4 * held * (1 - held) * (1 / treated + 1 / held_out)

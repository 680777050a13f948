"""Intervals that hold at every look at once, however often one looks and whenever one stops. No Django here.

An interval of 95 % is for one look that was planned. Whoever looks daily at intervals of that kind and stops at the first one
that leaves nought out finds effects that are not there, far more often than once in twenty. A confidence sequence bounds the
error over all looks together: asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52, 2024), whose boundary is that of Robbins'
mixture of normal martingales (Annals of Mathematical Statistics 41, 1970): a sum with variance V so far stays within
sqrt((V + h) log((V + h) / (h alpha^2))) at all times with probability 1 - alpha, whatever h > 0 is. h says where it is tightest.

Here the sum is that of what each person did up to now, and V is its estimated variance. Of things that happen to a person once
(the first order), people who have ordered cannot order for the first time again: not the difference D(t) of the shares but
D(t) / (1 - share(t)) is a martingale, so that the boundary is put around that and carried back.

Orders and money may always grow, and eager people order on and on: their sums at two days are more alike than those of
independent steps with the same variances. Sums that are more alike cross a boundary less often (Slepian's inequality, Bell
System Technical Journal 41, 1962, for each side), so that for them the sequence errs on the side of being too wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

#: That everything on the pages is told with.
CONFIDENCE: Final = 0.95
#: Each arm needs so many people who did and who did not: before that no sum is near a normal one, and nothing is shown.
LEAST_EVENTS: Final = 10


@dataclass(frozen=True)
class Look:
    """One look at a difference of two arms: the estimate, its standard error, how many people it rests on (both arms), and the
    share of them who have done it (0 for amounts and counts, which may always grow)."""

    effect: float
    error: float
    people: int
    share: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What was expected of the last look when the campaign was planned. It may be wrong: the sequence then holds as well, and is
    merely wider than it could be. It must not be made from what the campaign has done."""

    error: float
    people: int
    share: float = 0.0


def bound_at_any_look(look: Look, plan: Plan, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of this look, one of a sequence that holds at all looks at once with the confidence given."""
    half = _find_half(look, plan, confidence)
    return look.effect - half, look.effect + half


def plan_share(treated: int, control: int, share: float) -> Plan:
    """For the difference of two shares of which about `share` (0 to 1) is expected at the end in both arms."""
    people = treated + control
    expected = min(max(share, 1 / (people + 1)), 1 - 1 / (people + 1))
    return Plan(math.sqrt(expected * (1 - expected) * (1 / treated + 1 / control)), people, expected)


def plan_amount(treated: int, control: int, variance: float) -> Plan:
    """For the difference of two means of orders or money whose variance per person is expected to be about this at the end."""
    return Plan(math.sqrt(max(variance, 1e-12) * (1 / treated + 1 / control)), treated + control)


def share_confidence(confidence: float, questions: int) -> float:
    """The confidence of each of several intervals that all hold together with the confidence given (Bonferroni)."""
    return 1 - (1 - confidence) / max(questions, 1)


def find_growth_to_clear(
    look: Look, plan: Plan, *, confidence: float = CONFIDENCE, most: float = 100.0
) -> float | None:
    """How many times as many people it takes until the sequence leaves nought out, if the effect is what it seems now.

    1 where it does so already; None where it would take more than `most` times as many.
    """
    if look.effect == 0 or look.error <= 0:
        return None
    times = 1.0
    while times <= most:
        grown = Look(look.effect, look.error / math.sqrt(times), round(look.people * times), look.share)
        if _find_half(grown, plan, confidence) < abs(look.effect):
            return times
        times *= 1.05
    return None


def _find_half(look: Look, plan: Plan, confidence: float) -> float:
    alive = 1 - look.share
    if look.error <= 0 or alive <= 0 or look.people <= 0:
        return math.inf
    alpha = 1 - confidence
    so_far = (look.people * look.error / alive) ** 2
    at_end = (plan.people * plan.error / max(1 - plan.share, 1e-9)) ** 2
    tightest = at_end / _find_ratio(alpha)
    whole = so_far + tightest
    return alive * math.sqrt(whole * math.log(whole / (tightest * alpha**2))) / look.people


def _find_ratio(alpha: float) -> float:
    """V / h at which the boundary is tightest against V (Waudby-Smith et al., appendix on tuning)."""
    log = -2 * math.log(alpha)
    return log + math.log(log) + 1

"""What a hold-out of some share can show, how long it takes and what it costs, before anything is sent. No Django here.

The arithmetic is that of `power`: two shares, two-sided at 95 %, seen in four campaigns of five. What people did before narrows
the intervals a little further (CUPED); that is not counted on here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from .power import power

LEAST_SHARE: Final = 0.01
MOST_SHARE: Final = 0.5
#: Two-sided 95 % and power 80 %, as in `power`.
_CONFIDENCE: Final = 0.95
_POWER: Final = 0.8


@dataclass(frozen=True)
class Plan:
    """`smallest` is the smallest effect that shows, a share from 0 to 1 (infinite: none that can be); `forgone` what is lost on
    people who are held out if the campaign does what is assumed, in money; `recommended` the smallest share of hold-out that
    shows the assumed effect (None: not even half of the people would); `weeks` until the result is there (None: nobody comes)."""

    treated: int
    held: int
    smallest: float
    forgone: float
    recommended: float | None
    weeks: float | None
    people_needed: int


def plan_holdout(
    *,
    people: int,
    share: float,
    base_rate: float,
    effect: float,
    worth: float,
    window_days: int,
    per_week: float | None = None,
    held: int | None = None,
) -> Plan:
    """For `people` in both arms (of a live campaign: who enter within a year at `per_week`), of whom `base_rate` (0 to 1) order
    without a message, if the campaign raises that by `effect` (0 to 1) and each of those is worth `worth`, in money.

    A one-off campaign (`per_week` None) has its result when the window closes; a live one when enough people have entered
    and the window of the last of them closes. Raises ValueError
    for shares that cannot be. `held`: how many the draw has held out, where it has been made.
    """
    if not 0 < share < 1 or not 0 < effect <= 1:
        raise ValueError(f"a share of {share} and an effect of {effect} cannot be")
    held = round(people * share) if held is None else held
    treated = people - held
    needed = find_people_needed(effect, share, base_rate)
    return Plan(
        treated=treated,
        held=held,
        smallest=_find_smallest(treated, held, base_rate),
        forgone=held * effect * worth,
        recommended=recommend_share(people, effect, base_rate),
        weeks=_find_weeks(needed, per_week, window_days),
        people_needed=needed,
    )


def find_people_needed(effect: float, share: float, base_rate: float) -> int:
    """In both arms together, so that `effect` shows with `share` of them held out."""
    spread = base_rate * (1 - base_rate) * (1 / share + 1 / (1 - share))
    return math.ceil(spread * (_z(1 - (1 - _CONFIDENCE) / 2) + _z(_POWER)) ** 2 / effect**2)


def recommend_share(people: int, effect: float, base_rate: float) -> float | None:
    """The smallest share, in whole per cent, with which `effect` shows; None where half of the people are too few."""
    for percent in range(round(100 * LEAST_SHARE), round(100 * MOST_SHARE) + 1):
        held = round(people * percent / 100)
        if _find_smallest(people - held, held, base_rate) <= effect:
            return percent / 100
    return None


def find_smallest_between(treated: int, texts: int, base_rate: float, *, pairs: int = 0) -> float:
    """The smallest difference between two of so many texts by which the result page calls one of them better, in four campaigns
    of five, once everybody has had their time. Its intervals hold at every look and for all `pairs` of texts that are compared
    anywhere in the campaign (0: those of these texts alone), so that it takes more than one planned look would."""
    each, pairs = treated // texts, max(pairs, math.comb(texts, 2))
    if each < 1 or pairs < 1:
        return math.inf
    usual = _z(1 - (1 - _CONFIDENCE) / 2) + _z(_POWER)
    corrected = _find_reach(1 - (1 - _CONFIDENCE) / pairs) + _z(_POWER)
    return power(each, each, base_rate) / 100 * corrected / usual


def _find_smallest(treated: int, held: int, base_rate: float) -> float:
    """Infinite where everybody would have to order, and more."""
    smallest = power(treated, held, base_rate) / 100
    return smallest if base_rate + smallest <= 1 else math.inf


def _find_weeks(needed: int, per_week: float | None, window_days: int) -> float | None:
    if per_week is None:
        return window_days / 7
    return needed / per_week + window_days / 7 if per_week > 0 else None


def _find_reach(confidence: float) -> float:
    """How many standard errors wide, to either side, the sequence of intervals is at the look it was planned for: Robbins'
    boundary at its tightest (Waudby-Smith et al., Annals of Statistics 52, 2024), as `outcomes.sequences` draws it."""
    log = -2 * math.log(1 - confidence)
    ratio = log + math.log(log) + 1
    return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) + log))


def _z(p: float) -> float:
    return NormalDist().inv_cdf(p)

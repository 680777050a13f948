"""What a hold-out of some share can show, how long it takes and what it costs, before anything is sent. No Django here.

Two shares, two-sided at 95 %, seen in four campaigns of five by the interval that the result page judges with. What people did
before narrows the intervals a little further (CUPED); that is not counted on here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from customers.scoring.proportion import newcombe_interval

LEAST_SHARE: Final = 0.01
MOST_SHARE: Final = 0.5
_CONFIDENCE: Final = 0.95
_POWER: Final = 0.8
#: Nobody has so many customers.
MOST_PEOPLE: Final = 2**31
_HALVINGS: Final = 40


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
        smallest=find_smallest(treated, held, base_rate),
        forgone=held * effect * worth,
        recommended=recommend_share(people, effect, base_rate),
        weeks=_find_weeks(needed, per_week, window_days),
        people_needed=needed,
    )


def find_smallest(treated: int, held: int, base_rate: float) -> float:
    """The smallest effect, a share from 0 to 1, that the verdict of the result page sees in four campaigns of five; infinite
    where none that can be is seen."""
    low, high = 0.0, 1 - base_rate
    if not _is_seen(treated, held, base_rate, high):
        return math.inf
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _is_seen(treated, held, base_rate, middle) else (middle, high)
    return high


def find_people_needed(effect: float, share: float, base_rate: float) -> int:
    """In both arms together, so that `effect` shows with `share` of them held out; MOST_PEOPLE where it takes more."""
    low, high = 1, MOST_PEOPLE
    while high - low > 1:
        middle = (low + high) // 2
        held = round(middle * share)
        low, high = (low, middle) if _is_seen(middle - held, held, base_rate, effect) else (middle, high)
    return high


def recommend_share(people: int, effect: float, base_rate: float) -> float | None:
    """The smallest share, in whole per cent, with which `effect` shows; None where half of the people are too few."""
    for percent in range(round(100 * LEAST_SHARE), round(100 * MOST_SHARE) + 1):
        held = round(people * percent / 100)
        if base_rate + effect <= 1 and _is_seen(people - held, held, base_rate, effect):
            return percent / 100
    return None


def find_smallest_between(treated: int, texts: int, base_rate: float, *, pairs: int = 0) -> float:
    """The smallest difference between two of so many texts by which the result page calls one of them better, in four campaigns
    of five, once everybody has had their time. Its intervals hold at every look and for all `pairs` of texts that are compared
    anywhere in the campaign (0: those of these texts alone), so that it takes more than one planned look would."""
    each, pairs = treated // texts, max(pairs, math.comb(texts, 2))
    if each < 1 or pairs < 1:
        return math.inf
    errors = _find_reach(1 - (1 - _CONFIDENCE) / pairs) + _z(_POWER)
    rate, found = min(max(base_rate, 0.25 / each), 1 - 0.25 / each), 0.0
    for _step in range(_HALVINGS):  # the better text's own spread hangs on how much better it is
        better = min(rate + found, 1.0)
        found = errors * math.sqrt((rate * (1 - rate) + better * (1 - better)) / each)
    return found if rate + found <= 1 else math.inf


def _is_seen(treated: int, held: int, rate: float, effect: float) -> bool:
    """Whether the lower end of Newcombe's interval lies above nought in four campaigns of five: also where
    chance takes the difference down by as much as it does once in five, each arm by its part of that. Where few order, or
    few are held out, the interval is wider than one of a normal distribution, and its ends lie at unequal distances."""
    if min(treated, held) < 1:
        return False
    raised = min(rate + effect, 1.0)
    spreads = raised * (1 - raised) / treated, rate * (1 - rate) / held
    error = math.sqrt(sum(spreads))
    down, up = (_z(_POWER) * spread / error if error else 0.0 for spread in spreads)
    first, other = max(raised - down, 0.0), min(rate + up, 1.0)
    return newcombe_interval(first * treated, treated, other * held, held)[0] > 0


def _find_weeks(needed: int, per_week: float | None, window_days: int) -> float | None:
    if per_week is None:
        return window_days / 7
    return needed / per_week + window_days / 7 if per_week > 0 and needed < MOST_PEOPLE else None


def _find_reach(confidence: float) -> float:
    """How many standard errors wide, to either side, the sequence of intervals is at the look it was planned for: Robbins'
    boundary at its tightest (Waudby-Smith et al., Annals of Statistics 52, 2024), as `outcomes.sequences` draws it."""
    log = -2 * math.log(1 - confidence)
    ratio = log + math.log(log) + 1
    return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) + log))


def _z(p: float) -> float:
    return NormalDist().inv_cdf(p)

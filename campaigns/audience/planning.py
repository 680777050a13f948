"""What a hold-out of some share can show, how long it takes and what it costs, before anything is sent. No Django here.

Two shares, two-sided at 95 %, seen in four cases of five by the interval that judges each: Newcombe's for the verdict of a
campaign, the sequence that holds at any look for the global hold-out and for texts. What people did before narrows the intervals
a little further (CUPED); that is not counted on here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from customers.scoring.proportion import newcombe_interval

from .any_look import CONFIDENCE, LEAST_EVENTS, Look, bound_at_any_look, plan_share, share_confidence

LEAST_SHARE: Final = 0.01
MOST_SHARE: Final = 0.5
#: With fewer people in an arm no verdict is given: the interval is too wide to mean anything to a reader.
LEAST_PER_ARM: Final = 30
_POWER: Final = 0.8
#: Nobody has so many customers.
MOST_PEOPLE: Final = 2**31
_HALVINGS: Final = 40
#: An arm of which so many are expected to order has LEAST_EVENTS of them all but once in a hundred times.
_SURE_EVENTS: Final = (
    NormalDist().inv_cdf(0.99) / 2 + math.sqrt(NormalDist().inv_cdf(0.99) ** 2 / 4 + LEAST_EVENTS)
) ** 2


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

    @property
    def is_too_few(self) -> bool:
        """Whether somebody is held out, and yet fewer than any verdict needs in an arm."""
        return self.held > 0 and min(self.treated, self.held) < LEAST_PER_ARM

    @property
    def least(self) -> int:
        return LEAST_PER_ARM


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
    return _find_least(lambda effect: _is_seen(treated, held, base_rate, effect), 1 - base_rate)


def find_smallest_at_any_look(
    treated: int, held: int, base_rate: float, *, confidence: float = CONFIDENCE, power: float = _POWER
) -> float:
    """The same for intervals that hold at every look, at the look they were planned for: when everybody has had their time.
    Such intervals are wider, and are shown only once some have ordered and some have not in each arm. `power` is the share of
    campaigns (0 to 1) in which the effect is to be seen."""
    if min(held * base_rate, held * (1 - base_rate), treated * base_rate) < _SURE_EVENTS:
        return math.inf
    most = 1 - base_rate - _SURE_EVENTS / treated
    return _find_least(lambda effect: _is_clear(treated, held, base_rate, effect, confidence, power), most)


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
    """By how much one of so many texts has to be better than each of the others, which are alike, so that the result page says
    so in four campaigns of five, once everybody has had their time. Its intervals hold at every look and for all `pairs` of texts
    that are compared anywhere in the campaign (0: those of these texts alone), so that it takes more than one planned look would.

    It says so only if the best text beats *every* other, so that what may be missed (one in five) is shared among the others.
    They are compared with the same text, and so are often missed together: of five texts it is seen a little more often."""
    each, pairs = treated // texts, max(pairs, math.comb(texts, 2))
    if texts < 2:
        return math.inf
    confidence, power = share_confidence(CONFIDENCE, pairs), 1 - (1 - _POWER) / (texts - 1)
    return find_smallest_at_any_look(each, each, base_rate, confidence=confidence, power=power)


def _find_least(is_seen: Callable[[float], bool], most: float) -> float:
    """The smallest effect up to `most` that is seen; infinite where not even that one is."""
    low, high = 0.0, most
    if most <= 0 or not is_seen(most):
        return math.inf
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return high


def _is_seen(treated: int, held: int, rate: float, effect: float) -> bool:
    """Whether the lower end of Newcombe's interval lies above nought in four campaigns of five. Where few order, or few are held
    out, it is wider than one of a normal distribution, and its ends lie at unequal distances."""
    if min(treated, held) < LEAST_PER_ARM:
        return False
    first, other = _fall_short(treated, held, rate, effect)
    return newcombe_interval(first * treated, treated, other * held, held)[0] > 0


def _is_clear(treated: int, held: int, rate: float, effect: float, confidence: float, power: float) -> bool:
    """The same of the sequence that holds at every look, at its planned end."""
    first, other = _fall_short(treated, held, rate, effect, power)
    error = math.sqrt(first * (1 - first) / treated + other * (1 - other) / held)
    look = Look(first - other, error, treated + held, (treated * first + held * other) / (treated + held))
    return bound_at_any_look(look, plan_share(treated, held, rate), confidence=confidence)[0] > 0


def _fall_short(treated: int, held: int, rate: float, effect: float, power: float = _POWER) -> tuple[float, float]:
    """The shares of both arms where chance takes the difference down by no more than that in a share `power` of the campaigns,
    each by its part."""
    raised = min(rate + effect, 1.0)
    spreads = raised * (1 - raised) / treated, rate * (1 - rate) / held
    error = math.sqrt(sum(spreads))
    down, up = (NormalDist().inv_cdf(power) * spread / error if error else 0.0 for spread in spreads)
    return max(raised - down, 0.0), min(rate + up, 1.0)


def _find_weeks(needed: int, per_week: float | None, window_days: int) -> float | None:
    if per_week is None:
        return window_days / 7
    return needed / per_week + window_days / 7 if per_week > 0 and needed < MOST_PEOPLE else None

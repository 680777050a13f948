"""What the sums of both arms say: each outcome plainly and with the past taken out, at every look, and by archetype. No Django.

Shares are told in percentage points, as everywhere on the pages; orders and money per person.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .correction import RATIO_ALARM, correct_holm, find_p_value
from .cuped import Adjusted, ArmMoments, Difference, estimate_adjusted
from .lift import LEAST_PER_ARM
from .sequences import LEAST_EVENTS, Look, bound_at_any_look, find_growth_to_clear, plan_share

Moments = Mapping[str, ArmMoments]


def describe_estimates(treated: Moments, holdout: Moments) -> dict[str, Any]:
    """By outcome (kept, orders, paid): the plain difference and the one with the past taken out; {} for arms too small."""
    if not treated or not holdout or min(treated["kept"].n, holdout["kept"].n) < LEAST_PER_ARM:
        return {}
    found = {name: estimate_adjusted(moments, holdout[name]) for name, moments in treated.items()}
    return {name: _describe(each, 100.0 if name == "kept" else 1.0) for name, each in found.items()}


def describe_look(
    treated: Moments, holdout: Moments, *, expected_share: float, elapsed_days: float, grows: bool
) -> dict[str, Any] | None:
    """The retention difference as one of a sequence that holds at all looks at once, in points; None before each arm has some
    people who ordered and some who did not.

    `expected_share` (0 to 1) was expected before the start. `verdict` is "" as long as the interval holds nought. `weeks` says
    how many more it takes until it does not, if people go on coming as they did (`grows`) and the effect is what it seems.
    """
    if not treated or not holdout:
        return None
    arms = (treated["kept"], holdout["kept"])
    events = [arm.n * share for arm in arms for share in (arm.mean, 1 - arm.mean)]
    if min(events) < LEAST_EVENTS:
        return None
    found = estimate_adjusted(*arms).adjusted
    people = arms[0].n + arms[1].n
    look = Look(found.effect, found.error, people, sum(arm.n * arm.mean for arm in arms) / people)
    plan = plan_share(arms[0].n, arms[1].n, expected_share)
    low, high = bound_at_any_look(look, plan)
    verdict = "positive" if low > 0 else "negative" if high < 0 else ""
    times = find_growth_to_clear(look, plan) if grows and not verdict else None
    weeks = None if times is None else math.ceil((times - 1) * max(elapsed_days, 1.0) / 7)
    return {"points": 100 * found.effect, "low": 100 * low, "high": 100 * high, "verdict": verdict, "weeks": weeks}


def describe_archetypes(pairs: Mapping[int, tuple[Moments, Moments]]) -> list[dict[str, Any]]:
    """Retention by archetype, largest first, with p-values corrected for their number (Holm). Those with fewer than
    LEAST_PER_ARM people in an arm are left out, and counted in nothing."""
    large = {
        place: (treated["kept"], holdout["kept"])
        for place, (treated, holdout) in pairs.items()
        if treated and holdout and min(treated["kept"].n, holdout["kept"].n) >= LEAST_PER_ARM
    }
    found = {place: estimate_adjusted(*arms).adjusted for place, arms in large.items()}
    corrected = correct_holm([find_p_value(each.effect, each.error) for each in found.values()])
    rows = [
        {
            "archetype": place,
            "treated": large[place][0].n,
            "holdout": large[place][1].n,
            "points": 100 * each.effect,
            "low": 100 * each.low,
            "high": 100 * each.high,
            "p_holm": p_value,
        }
        for (place, each), p_value in zip(found.items(), corrected, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["treated"])


def check_ratio(treated: int, holdout: int, holdout_share: float) -> dict[str, Any]:
    """Whether as many were held out as the draw says (0 to 1), by the normal approximation of the binomial."""
    people = treated + holdout
    expected = people * holdout_share
    error = math.sqrt(expected * (1 - holdout_share))
    p_value = find_p_value(holdout - expected, error) if people else 1.0
    return {"expected_holdout": expected, "p_value": p_value, "is_alarming": p_value < RATIO_ALARM}


def _describe(found: Adjusted, scale: float) -> dict[str, Any]:
    return {
        "plain": _describe_difference(found.plain, scale),
        "adjusted": _describe_difference(found.adjusted, scale),
        "is_adjusted": found.is_adjusted,
        "correlation": found.correlation,
        "narrowing": found.narrowing,
    }


def _describe_difference(found: Difference, scale: float) -> dict[str, float]:
    return {"effect": scale * found.effect, "low": scale * found.low, "high": scale * found.high}

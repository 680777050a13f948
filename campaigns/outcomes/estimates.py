"""What the sums of both arms say: each outcome plainly and with the past taken out, at every look, and by archetype. No Django.

Shares are told in percentage points, as everywhere on the pages; orders and money per person.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.audience.any_look import (
    LEAST_EVENTS,
    Look,
    Plan,
    bound_at_any_look,
    find_growth_to_clear,
    plan_amount,
    plan_share,
    share_confidence,
)

from .correction import RATIO_ALARM, correct_holm, find_p_value
from .cuped import Adjusted, ArmMoments, Difference, estimate_adjusted
from .lift import CONFIDENCE, LEAST_PER_ARM

Moments = Mapping[str, ArmMoments]


def describe_estimates(treated: Moments, holdout: Moments) -> dict[str, Any]:
    """By outcome (kept, orders, paid): the plain difference and the one with the past taken out; {} for arms too small."""
    if not treated or not holdout or min(treated["kept"].n, holdout["kept"].n) < LEAST_PER_ARM:
        return {}
    found = {name: estimate_adjusted(moments, holdout[name]) for name, moments in treated.items()}
    return {name: _describe(each, 100.0 if name == "kept" else 1.0) for name, each in found.items()}


@dataclass(frozen=True)
class Expected:
    """What was expected before the start, from which the sequences are planned. It may be wrong, which costs width alone, and
    must not come from what the campaign did: the share (0 to 1) that orders at least once, the variance per person of orders
    and of money, by "orders" and "paid", and how many people there will be in each arm (None: as many as there are)."""

    share: float
    variances: Mapping[str, float] = field(default_factory=dict)
    people: tuple[int, int] | None = None


def describe_look(
    treated: Moments,
    holdout: Moments,
    *,
    expected: Expected,
    elapsed_days: float,
    grows: bool,
    confidence: float = CONFIDENCE,
) -> dict[str, Any] | None:
    """The retention difference as one of a sequence that holds at all looks at once, in points; None before each arm has some
    people who ordered and some who did not.

    `verdict` is "" as long as the interval holds nought. `weeks` says how many more it takes until it does not, if people go on
    coming as they did (`grows`) and the effect is what it seems.
    """
    found = _look_at("kept", treated, holdout, expected, confidence)
    if found is None:
        return None
    look, plan, told = found
    times = find_growth_to_clear(look, plan, confidence=confidence) if grows and not told["verdict"] else None
    weeks = None if times is None else math.ceil((times - 1) * max(elapsed_days, 1.0) / 7)
    points = {name: 100 * told[name] for name in ("low", "high")}
    return {"points": 100 * look.effect, **points, "verdict": told["verdict"], "weeks": weeks}


def describe_amount_looks(
    treated: Moments, holdout: Moments, *, expected: Expected, confidence: float = CONFIDENCE
) -> dict[str, dict[str, Any]]:
    """Orders and money per person, each as one of a sequence of its own that holds at all looks at once: {} before each arm has
    some people who ordered and some who did not."""
    found = {name: _look_at(name, treated, holdout, expected, confidence) for name in ("orders", "paid")}
    return {name: {"effect": each[0].effect, **each[2]} for name, each in found.items() if each is not None}


def describe_kinds(
    pairs: Mapping[Any, tuple[Moments, Moments]], *, expected: Mapping[Any, Expected]
) -> dict[Any, dict[str, Any]]:
    """Retention by kind of customer while it still moves: looks that hold for all kinds and at all times together (Bonferroni
    over all kinds that there are, also those that are too small to say anything of yet)."""
    confidence = share_confidence(CONFIDENCE, len(pairs))
    found = {
        place: describe_look(*pair, expected=expected[place], elapsed_days=0, grows=False, confidence=confidence)
        for place, pair in pairs.items()
    }
    return {place: look for place, look in found.items() if look is not None}


def _look_at(
    outcome: str, treated: Moments, holdout: Moments, expected: Expected, confidence: float
) -> tuple[Look, Plan, dict[str, Any]] | None:
    if not treated or not holdout:
        return None
    kept = (treated["kept"], holdout["kept"])
    if min(arm.n * share for arm in kept for share in (arm.mean, 1 - arm.mean)) < LEAST_EVENTS:
        return None
    found = estimate_adjusted(treated[outcome], holdout[outcome]).adjusted
    people, planned = kept[0].n + kept[1].n, expected.people or (kept[0].n, kept[1].n)
    if outcome == "kept":
        look = Look(found.effect, found.error, people, sum(arm.n * arm.mean for arm in kept) / people)
        plan = plan_share(*planned, expected.share)
    else:
        look = Look(found.effect, found.error, people)
        plan = plan_amount(*planned, expected.variances.get(outcome, 0.0))
    low, high = bound_at_any_look(look, plan, confidence=confidence)
    verdict = "positive" if low > 0 else "negative" if high < 0 else ""
    return look, plan, {"low": low, "high": high, "verdict": verdict}


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

"""What one customer kept costs: a sum of money over a number that may be nought. No Django here.

The limits of the ratio are made from the limits of its two parts (Donner and Zou, Statistical Methods in Medicine 21, 2012;
Newcombe, the same journal 25, 2016: "MOVER-R"), with their correlation. With limits of the form estimate ± z times error
this is Fieller's interval (JRSS B 16, 1954). Here the lower part keeps Newcombe's limits of the difference of two shares,
so that a cost is bounded exactly where the page says that customers were kept.

Where the number kept may be nought, no finite interval covers the ratio as often as it says (Gleser and Hwang, Annals of
Statistics 15, 1987). Then there is a least cost and no greatest one, and that is the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: bounded: between `low` and `high`; open: at least `low`, if anybody was kept at all; lost: clearly fewer stayed, so that no
#: cost per customer kept exists; unknown: too few people, or nothing measured.
CostVerdict = Literal["bounded", "open", "lost", "unknown"]


@dataclass(frozen=True)
class Bounded:
    """An estimate with its limits, which need not lie at equal distances."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CostPerKept:
    """Money per customer kept. `value` is None where the estimate of those kept is not above nought; `high` where open."""

    verdict: CostVerdict
    value: float | None
    low: float | None
    high: float | None


UNKNOWN = CostPerKept("unknown", None, None, None)


def bound_ratio(cost: Bounded, kept: Bounded, correlation: float = 0.0) -> CostPerKept:
    """`cost` (not below nought) over `kept`; `correlation` is that of the two estimates, -1 to 1.

    Raises ValueError for limits on the wrong side of their estimate.
    """
    for part in (cost, kept):
        if not part.low <= part.value <= part.high:
            raise ValueError(f"{part} is no estimate within its limits")
    if kept.high <= 0:
        return CostPerKept("lost", None, None, None)
    value = cost.value / kept.value if kept.value > 0 else None
    low = _find_low(cost, kept, correlation)
    if kept.low <= 0:
        return CostPerKept("open", value, low, None)
    return CostPerKept("bounded", value, low, _find_high(cost, kept, correlation))


def add_up(parts: Sequence[Bounded]) -> Bounded:
    """The sum of independent estimates: values add up, distances to the limits add up as squares."""
    value = sum(part.value for part in parts)
    below = math.hypot(*(part.value - part.low for part in parts))
    above = math.hypot(*(part.high - part.value for part in parts))
    return Bounded(value, value - below, value + above)


def _find_low(cost: Bounded, kept: Bounded, correlation: float) -> float:
    """The least ratio that both limits allow: cost at its lower side, those kept at their upper side."""
    below, above = cost.value - cost.low, kept.high - kept.value
    whole = cost.value**2 - below**2
    part = kept.value**2 - above**2
    middle = cost.value * kept.value - correlation * below * above
    root = math.sqrt(max(middle**2 - whole * part, 0.0))
    # Written so that nothing is divided by `part`, which passes nought where the effect is as large as its doubt.
    return max(whole / (middle + root), 0.0) if middle + root > 0 else 0.0


def _find_high(cost: Bounded, kept: Bounded, correlation: float) -> float:
    """The greatest one; `kept.low` is above nought."""
    above, below = cost.high - cost.value, kept.value - kept.low
    whole = cost.value**2 - above**2
    part = kept.value**2 - below**2
    middle = cost.value * kept.value - correlation * above * below
    return (middle + math.sqrt(max(middle**2 - whole * part, 0.0))) / part

"""What size of effect a hold-out can show. No Django here."""

from __future__ import annotations

import math

_Z_TWO_SIDED_95 = 1.959963984540054
_Z_POWER_80 = 0.8416212335729143


def power(n_treated: int, n_holdout: int, base_rate: float) -> float:
    """The smallest difference in retention, in percentage points, that shows in four of five campaigns.

    Two proportions, two-sided at 95 %, power 80 %, normal approximation with the base rate's variance in both arms
    (Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, ch. 4). `base_rate` is the share expected to
    stay without a message, 0 to 1. Infinite when an arm is empty; raises ValueError for a rate outside 0 to 1.
    """
    if not 0.0 <= base_rate <= 1.0:
        raise ValueError(f"base_rate is a share from 0 to 1, not {base_rate}")
    if n_treated < 1 or n_holdout < 1:
        return math.inf
    # Nobody or everybody staying would have no variance at all; a rate is never known better than one person in the arms.
    floor = 0.5 / (n_treated + n_holdout)
    rate = min(max(base_rate, floor), 1.0 - floor)
    spread = math.sqrt(rate * (1.0 - rate) * (1.0 / n_treated + 1.0 / n_holdout))
    return 100.0 * (_Z_TWO_SIDED_95 + _Z_POWER_80) * spread

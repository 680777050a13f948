"""Who may leave, and what that would cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from customers.models import ModelVersion
from customers.scoring.totals import AT_RISK, read_totals

__all__ = ["AT_RISK", "LIKELY_TO_STAY", "RiskSummary", "summarise_risk"]
#: Below this churn probability a customer counts as likely to stay.
LIKELY_TO_STAY = 0.3


@dataclass(frozen=True)
class RiskSummary:
    """Scored customers at or above AT_RISK, and what they would spend within the horizon of `model` if all of them stayed.

    That is what is at stake: what is expected of them already counts those who leave as nought. Counted at `counted_at`."""

    model: ModelVersion | None
    scored: int
    at_risk: int
    value_at_risk: Decimal
    change: int | None
    counted_at: dt.datetime
    bins: list[int]
    unscored: dict[str, int]
    newest_score: dt.datetime | None


def summarise_risk(now: dt.datetime) -> RiskSummary:
    """What the scores say by the last count of them; `change` is against the history of the same model a week before, where
    there is one."""
    totals = read_totals(now)
    return RiskSummary(
        model=ModelVersion.objects.in_use().defer("artifact").first(),
        scored=totals.scored,
        at_risk=totals.at_risk,
        value_at_risk=totals.value_at_risk,
        change=totals.change_in_week,
        counted_at=totals.counted_at,
        bins=totals.bins,
        unscored=totals.unscored,
        newest_score=totals.newest_score,
    )

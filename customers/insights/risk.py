"""Who may leave, and what that would cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from customers.models import ModelVersion, Score, ScoreHistory, ScoreStatus

#: From this churn probability on a customer counts as at risk, and from the second as likely to stay below it.
AT_RISK = 0.6
LIKELY_TO_STAY = 0.3


@dataclass(frozen=True)
class RiskSummary:
    """Scored customers at or above AT_RISK, and the value we expect of them within the horizon of `model`."""

    model: ModelVersion | None
    scored: int
    at_risk: int
    value_at_risk: Decimal
    change: int | None


def summarise_risk() -> RiskSummary:
    """What the current scores say; `change` is against the history of the same model a week before, where there is one."""
    model = ModelVersion.objects.in_use().defer("artifact").first()
    at_risk = Q(churn_probability__gte=AT_RISK)
    found = Score.objects.filter(status=ScoreStatus.SCORED).aggregate(
        scored=Count("pk"), at_risk=Count("pk", filter=at_risk), value=Sum("expected_value", filter=at_risk)
    )
    return RiskSummary(
        model=model,
        scored=found["scored"],
        at_risk=found["at_risk"],
        value_at_risk=found["value"] or Decimal(0),
        change=_change_in_a_week(model, found["at_risk"]),
    )


def _change_in_a_week(model: ModelVersion | None, at_risk: int) -> int | None:
    newest = Score.objects.order_by("-as_of").values_list("as_of", flat=True).first()
    if model is None or newest is None:
        return None
    week_ago = newest - dt.timedelta(days=6)
    history = ScoreHistory.objects.filter(model=model, as_of__lte=week_ago)
    before = history.order_by("-as_of").values_list("as_of", flat=True).first()
    if before is None:
        return None
    return at_risk - history.filter(as_of=before, churn_probability__gte=AT_RISK).count()

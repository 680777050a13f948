"""Who may leave, and what that would cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, FloatField, Q, Sum
from django.db.models.functions import Cast, Greatest

from customers.models import ModelVersion, Score, ScoreHistory, ScoreStatus
from customers.scoring.logits import MAX_PROBABILITY

#: From this churn probability on a customer counts as at risk, and from the second as likely to stay below it.
AT_RISK = 0.6
LIKELY_TO_STAY = 0.3


@dataclass(frozen=True)
class RiskSummary:
    """Scored customers at or above AT_RISK, and what they would spend within the horizon of `model` if all of them stayed.

    That is what is at stake: what is expected of them already counts those who leave as nought."""

    model: ModelVersion | None
    scored: int
    at_risk: int
    value_at_risk: Decimal
    change: int | None


def summarise_risk() -> RiskSummary:
    """What the current scores say; `change` is against the history of the same model a week before, where there is one."""
    model = ModelVersion.objects.in_use().defer("artifact").first()
    at_risk = Q(churn_probability__gte=AT_RISK)
    stays = Greatest(1.0 - F("churn_probability"), 1 - MAX_PROBABILITY)
    if_they_stay = Cast("expected_value", FloatField()) / stays
    found = Score.objects.filter(status=ScoreStatus.SCORED).aggregate(
        scored=Count("pk"), at_risk=Count("pk", filter=at_risk), value=Sum(if_they_stay, filter=at_risk)
    )
    return RiskSummary(
        model=model,
        scored=found["scored"],
        at_risk=found["at_risk"],
        value_at_risk=Decimal(found["value"] or 0).quantize(Decimal("0.01")),
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

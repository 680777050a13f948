"""Who is at risk, and what is at stake with them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from customers.insights.risk import summarise_risk
from customers.models import Customer, ModelVersion, Score, ScoreStatus

pytestmark = pytest.mark.django_db
AS_OF = dt.datetime(2026, 6, 30, tzinfo=dt.UTC)


def _score(model: ModelVersion, name: str, p: float | None, value: str | None) -> None:
    status = ScoreStatus.TOO_NEW if p is None else ScoreStatus.SCORED
    Score.objects.create(
        customer=Customer.objects.create(external_id=name), model=model, as_of=AS_OF, status=status,
        churn_probability=p, expected_value=value,
    )  # fmt: skip


def test_what_is_at_stake_is_what_they_would_spend_if_they_stayed() -> None:
    """Somebody who orders for 100 if they order, and leaves with 80 %, is expected to bring 20; 100 are at stake."""
    model = ModelVersion.objects.create(
        kind="churn", version=1, estimator="blend", status=ModelVersion.Status.CHAMPION, horizon_days=90,
        trained_at=AS_OF, data_from=AS_OF, data_until=AS_OF, beats_rule=True, metrics={}, card={}, artifact=b"",
    )  # fmt: skip
    _score(model, "likely to leave", 0.8, "20.00")
    _score(model, "at the line", 0.6, "40.00")
    _score(model, "stays", 0.1, "500.00")
    _score(model, "of another system, certain", 1.0, "0.00")
    _score(model, "came yesterday", None, None)

    risk = summarise_risk(AS_OF)

    assert (risk.scored, risk.at_risk) == (4, 3)
    assert risk.value_at_risk == Decimal("200.00")


def test_nobody_is_at_risk_before_there_are_scores() -> None:
    assert summarise_risk(AS_OF).value_at_risk == 0

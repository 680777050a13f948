"""A small shop: people with scores and consents, and a campaign on the ones who are likely to leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from campaigns.models import Campaign
from customers.models import ConsentRecord, Customer, ModelVersion, Score, Segment

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MakeCustomer = Callable[..., Customer]


@pytest.fixture
def churn_model(db: None) -> ModelVersion:
    return ModelVersion.objects.create(
        version=1, estimator="test", horizon_days=60, trained_at=NOW, data_from=NOW, data_until=NOW, artifact=b""
    )


@pytest.fixture
def make_customer(churn_model: ModelVersion) -> MakeCustomer:
    def make(
        external_id: str,
        *,
        consent: str = "given",
        is_test: bool = False,
        score: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Customer:
        fields = {"email": f"{external_id}@mail.test", "language": "en", **fields}
        customer = Customer.objects.create(external_id=external_id, **fields)
        if consent:
            ConsentRecord.objects.create(
                customer=customer,
                status=consent,
                legal_basis="consent",
                source="test",
                is_test=is_test,
                recorded_at=NOW,
            )
        if score is not None:
            values = {"churn_probability": 0.8, "expected_value": Decimal(40), "main_reason": "rhythm", **score}
            Score.objects.create(customer=customer, model=churn_model, as_of=NOW, **values)
        return customer

    return make


@pytest.fixture
def segment(db: None) -> Segment:
    rule = {"match": "all", "rules": [{"field": "language", "op": "in", "value": ["en", "zh-CN", "de"]}]}
    return Segment.objects.create(name="everybody", rule=rule)


@pytest.fixture
def campaign(segment: Segment, marketer: User) -> Campaign:
    return Campaign.objects.create(
        name="Autumn win-back", segment=segment, author=marketer, holdout_seed="5eed", holdout_share=0.2
    )

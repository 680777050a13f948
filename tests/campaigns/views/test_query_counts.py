"""Lists ask the database the same number of questions for three rows and for thirty."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Archetype, Campaign, CampaignResult, Message, Variant
from customers.models import Customer, ImportRun, ModelVersion, Order, Score, Segment

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.fixture
def model() -> ModelVersion:
    return ModelVersion.objects.create(
        version=1, estimator="blend", horizon_days=90, trained_at=NOW, data_from=NOW, data_until=NOW, artifact=b"",
        status=ModelVersion.Status.CHAMPION,
    )  # fmt: skip


def _fill(author: User, model: ModelVersion, numbers: range) -> None:
    segment, _created = Segment.objects.get_or_create(
        name="Norway", defaults={"rule": {"field": "country", "op": "is", "value": "Norway"}}
    )
    for number in numbers:
        customer = Customer.objects.create(external_id=f"c{number}", country="Norway", email=f"c{number}@x.test")
        Order.objects.create(external_id=f"o{number}", customer=customer, ordered_at=NOW, currency="EUR", total=9)
        Score.objects.create(customer=customer, model=model, as_of=NOW, churn_probability=0.5, main_reason="rhythm")
        campaign = Campaign.objects.create(name=f"k{number}", segment=segment, author=author, holdout_seed="5eed")
        CampaignResult.objects.create(campaign=campaign, day=NOW.date(), measured_at=NOW)
        archetype = Archetype.objects.create(campaign=campaign, cell="x", size=1)
        text = Variant.objects.create(archetype=archetype, origin=Variant.Origin.PERSON, subject="Hello")
        Message.objects.create(campaign=campaign, customer=customer, variant=text)
        ImportRun.objects.create(file_name=f"f{number}.csv", requested_by=author, created_at=timezone.now())


@pytest.mark.parametrize(
    "path", ["/", "/customers/", "/campaigns/", "/outbox/", "/imports/", "/review/", "/search/?q=c", "/predictions/"]
)
def test_more_rows_ask_no_more_questions(path: str, marketer: User, model: ModelVersion, client: Client) -> None:
    client.force_login(marketer)
    _fill(marketer, model, range(3))
    counts = []
    for rows in (range(0), range(3, 30)):
        _fill(marketer, model, rows)
        client.get(path)  # what is kept for a while is asked once
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        counts.append(len(asked))
    # A list of three reads on behind its last row, to those of whom the column it is sorted by says nothing.
    assert counts[1] <= counts[0] <= counts[1] + 1
    assert counts[0] < 40

"""What a merge needs around it: a model that scored, two campaigns, and partitions for the events."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from campaigns.models import Variant
from customers.models import ModelVersion, ensure_event_partitions
from tests.campaigns.arrange import make_campaign

from .shops import NOW


@pytest.fixture
def variants(marketer: User) -> list[Variant]:
    """One text of each of two campaigns."""
    ensure_event_partitions((NOW - dt.timedelta(days=60)).date(), NOW.date())
    ModelVersion.objects.create(
        version=1, status="champion", estimator="blend", horizon_days=60, trained_at=NOW, data_from=NOW, data_until=NOW,
        artifact=b"",
    )  # fmt: skip
    campaigns = [make_campaign(marketer, [], name=name) for name in ("autumn", "winter")]
    return [
        Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)
        for campaign in campaigns
    ]

"""A shop in numbers, and a live campaign on it that was frozen, approved and started by the real functions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.approval import workflow
from campaigns.approval.editing import refreeze_audience
from campaigns.delivery.scheduler import start_campaign
from campaigns.models import Archetype, Campaign, CampaignKind, CampaignStatus, Offer
from customers.models import Customer, ModelVersion, Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

ALL = {"field": "country", "op": "is", "value": "Scotland"}
MONDAY = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def make_people(count: int, *, now: dt.datetime, prefix: str = "p", country: str = "Scotland") -> list[Customer]:
    """People with consent and a score, set-based: ten thousand are made in a second."""
    model, _created = ModelVersion.objects.get_or_create(
        version=1,
        defaults={"estimator": "test", "horizon_days": 60, "trained_at": now, "data_from": now, "data_until": now,
                  "artifact": b""},
    )  # fmt: skip
    values = {"n": count, "prefix": prefix, "country": country, "now": now, "model": model.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO customers_customer (source, external_id, email, first_name, last_name, country, language,
                 time_zone, attributes)
               SELECT 'shop', %(prefix)s || n, %(prefix)s || n || '@shopper.test', 'Kim', 'Number' || n, %(country)s, 'en',
                      '', '{}' FROM generate_series(1, %(n)s) n""",
            values,
        )
        cursor.execute(
            """INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, recorded_at)
               SELECT id, 'email', 'given', 'consent', 'checkout', '{}', %(now)s - interval '30 days'
               FROM customers_customer WHERE external_id ~ ('^' || %(prefix)s || '[0-9]+$')""",
            values,
        )
        cursor.execute(
            """INSERT INTO customers_score (customer_id, model_id, as_of, churn_probability, expected_value, main_reason)
               SELECT id, %(model)s, %(now)s - interval '1 hour', 0.4, 40, 'rhythm'
               FROM customers_customer WHERE external_id ~ ('^' || %(prefix)s || '[0-9]+$')""",
            values,
        )
    return list(Customer.objects.filter(external_id__startswith=prefix).order_by("pk"))


def make_live(cast: Cast, *, now: dt.datetime, rule: dict[str, Any] = ALL, **fields: Any) -> Campaign:
    """A draft with a frozen audience and a text for each archetype."""
    segment = Segment.objects.create(name=f"Segment {Segment.objects.count()}", rule=rule)
    campaign = Campaign.objects.create(
        name="Welcome back", segment=segment, author=cast.marketer, holdout_seed="5eed" * 8, scheduled_for=now,
        **({"holdout_share": 0.2, "send_window_hours": 24} | fields),
    )  # fmt: skip
    Offer.objects.create(campaign=campaign, kind=Offer.Kind.NONE, url="https://fernweh.test/jackets")
    refreeze_audience(cast.marketer, campaign, now=now)
    for archetype in Archetype.objects.filter(campaign=campaign):
        arrange.make_variant(archetype, cast.marketer, now=now)
    return campaign


def make_recurring(cast: Cast, *, now: dt.datetime, recurrence: dict[str, Any], **fields: Any) -> Campaign:
    usual = {"re_entry_days": 0, **fields}
    return make_live(cast, now=now, kind=CampaignKind.RECURRING, recurrence=recurrence, **usual)


def make_triggered(cast: Cast, *, now: dt.datetime, trigger: dict[str, Any], **fields: Any) -> Campaign:
    return make_live(cast, now=now, kind=CampaignKind.TRIGGERED, trigger=trigger, **fields)


def start(campaign: Campaign, cast: Cast, *, now: dt.datetime) -> Campaign:
    workflow.submit_campaign(cast.marketer, campaign, now=now)
    workflow.approve_campaign(cast.approver, campaign, now=now)
    workflow.schedule_campaign(cast.marketer, campaign, now=now)
    start_campaign(campaign, now=now)
    assert campaign.status == CampaignStatus.SENDING
    return campaign

"""Who was drawn into which arm stands, whatever is tried by SQL, and can be derived again for ever."""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from campaigns.audience.freeze import freeze_audience
from campaigns.models import AudienceMember, Campaign, Entry
from campaigns.outcomes.attribution import measure_campaign
from customers.models import Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW
from tests.campaigns.outcomes.whom.shop import score_everybody

pytestmark = pytest.mark.django_db
REFUSED = [
    "UPDATE campaigns_audiencemember SET arm = 'treatment' WHERE arm = 'holdout'",
    "UPDATE campaigns_audiencemember SET arm = 'excluded', exclusion_reason = 'capped'",
    "UPDATE campaigns_audiencemember SET archetype_id = NULL",
    "UPDATE campaigns_audiencemember SET is_explored = true",
    "UPDATE campaigns_audiencemember SET in_looks = 3",
    "UPDATE campaigns_audiencemember SET customer_id = customer_id + 100000",
    "DELETE FROM campaigns_audiencemember WHERE arm = 'holdout'",
    "INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason)"
    " SELECT m.campaign_id, c.id, 'treatment', '' FROM campaigns_audiencemember m, customers_customer c"
    " WHERE c.external_id = 'late0' LIMIT 1",
    "UPDATE campaigns_entry SET arm = 'holdout'",
    "UPDATE campaigns_entry SET entered_at = entered_at - interval '1 day'",
    "DELETE FROM campaigns_entry",
    "UPDATE campaigns_campaign SET holdout_seed = 'another'",
    "UPDATE campaigns_campaign SET holdout_share = 0.2",
    "UPDATE campaigns_campaign SET sending_started_at = NULL",
]
ALLOWED = [
    "UPDATE campaigns_audiencemember SET churn_probability = NULL, expected_value = NULL, in_looks = 0",
    "UPDATE campaigns_audiencemember SET arm = arm",
    "UPDATE campaigns_entry SET next_at = NULL, exit_reason = 'ordered'",
    "UPDATE campaigns_campaign SET name = 'Other', status = 'cancelled'",
]


@pytest.fixture
def campaign(db: None) -> Campaign:
    """Sixty people, drawn by the seed; the campaign has not begun."""
    arrange.make_customers(60, first_id=1000)
    made = arrange.make_campaign(arrange.make_cast().marketer, [])
    made.segment.rule = arrange.RULE
    made.segment.save()
    Campaign.objects.filter(pk=made.pk).update(holdout_share=0.3)
    made.refresh_from_db()
    score_everybody(list(Customer.objects.all()))
    freeze_audience(made, now=NOW, actor=None)
    return made


def _begin(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=NOW)
    campaign.refresh_from_db()
    for member in AudienceMember.objects.filter(campaign=campaign)[:3]:
        Entry.objects.create(
            campaign=campaign, customer_id=member.customer_id, arm="treatment", cause="x", entered_at=NOW
        )
    arrange.make_customers(1, prefix="late")


def _try(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("sql", REFUSED)
def test_once_it_has_begun_the_ledger_refuses(campaign: Campaign, sql: str) -> None:
    _begin(campaign)
    with pytest.raises(IntegrityError, match="has begun"):
        _try(sql)


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_an_erasure_or_the_way_through_a_campaign_changes_stays_possible(campaign: Campaign, sql: str) -> None:
    _begin(campaign)
    _try(sql)


def test_before_it_has_begun_a_draft_may_be_frozen_again(campaign: Campaign) -> None:
    before = dict(AudienceMember.objects.values_list("customer_id", "arm"))
    freeze_audience(campaign, now=NOW + dt.timedelta(hours=1), actor=None)
    assert dict(AudienceMember.objects.values_list("customer_id", "arm")) == before
    assert set(before.values()) == {"treatment", "holdout"}


def test_a_past_group_is_derived_again_from_seed_and_numbers(campaign: Campaign) -> None:
    _begin(campaign)
    Customer.objects.update(email="", first_name="", country="")  # whatever became of the people
    out = StringIO()
    call_command("derive_holdout", "--campaign", str(campaign.pk), stdout=out)
    held = AudienceMember.objects.filter(campaign=campaign, arm="holdout").order_by("customer_id")
    assert [int(row) for row in out.getvalue().split()[1:]] == list(held.values_list("customer_id", flat=True))
    with arrange.ledger_open():
        AudienceMember.objects.filter(pk=held[0].pk).update(arm="treatment")
    with pytest.raises(CommandError, match="otherwise of 1 people"):
        call_command("derive_holdout", "--campaign", str(campaign.pk), stdout=out)


def test_people_lost_from_one_arm_raise_the_alarm(campaign: Campaign) -> None:
    _begin(campaign)
    assert not measure_campaign(campaign, as_of=NOW + dt.timedelta(days=3))["sample_ratio"]["is_alarming"]
    with arrange.ledger_open():
        AudienceMember.objects.filter(campaign=campaign, arm="holdout").delete()
    assert measure_campaign(campaign, as_of=NOW + dt.timedelta(days=3))["sample_ratio"]["is_alarming"]

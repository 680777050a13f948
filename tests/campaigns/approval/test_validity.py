"""An approval ends: after its days, or when too many of its people are others. By the sweep, and at launch."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns.approval import workflow
from campaigns.approval.policy import NotReady
from campaigns.approval.validity import valid_until, void_outlived_approvals
from campaigns.audience.drift import Drift, measure_drift
from campaigns.audience.freeze import freeze_audience
from campaigns.delivery.scheduler import start_due_campaigns
from campaigns.models import Approval, AudienceMember, Campaign, CampaignStatus, CampaignTransition
from customers.models import ConsentRecord, Customer, ModelVersion, Score, Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db
PEOPLE = 60


def score(customers: list[Customer]) -> None:
    model, _created = ModelVersion.objects.get_or_create(
        version=1,
        defaults={"estimator": "blend", "horizon_days": 90, "trained_at": NOW, "data_from": NOW, "data_until": NOW,
                  "artifact": b"", "status": ModelVersion.Status.CHAMPION},
    )  # fmt: skip
    Score.objects.bulk_create(
        Score(customer=customer, model=model, as_of=NOW, churn_probability=0.5, expected_value=Decimal(10),
              main_reason="rhythm")
        for customer in customers
    )  # fmt: skip


@pytest.fixture
def people() -> list[Customer]:
    people = arrange.make_customers(PEOPLE)
    score(people)
    return people


@pytest.fixture
def campaign(cast: Cast, people: list[Customer]) -> Campaign:
    """Approved; its audience holds the people who a freeze would give now."""
    return arrange.approve(arrange.make_campaign(cast.marketer, people), cast)


def leave_segment(people: list[Customer]) -> None:
    Customer.objects.filter(pk__in=[person.pk for person in people]).update(country="Wales")


def withdraw_consent(people: list[Customer]) -> None:
    ConsentRecord.objects.bulk_create(
        ConsentRecord(customer=person, status="withdrawn", legal_basis="consent", source="link",
                      proof={"form": "link"}, recorded_at=NOW)
        for person in people
    )  # fmt: skip


def test_drift_counts_who_left_who_may_not_be_written_to_and_who_is_new(
    campaign: Campaign, people: list[Customer]
) -> None:
    assert measure_drift(campaign, now=NOW) == Drift(frozen=PEOPLE, left=0, excluded=0, joined=0)
    leave_segment(people[:3])
    withdraw_consent(people[3:5])
    score(arrange.make_customers(4, prefix="new"))
    assert measure_drift(campaign, now=NOW) == Drift(frozen=PEOPLE, left=3, excluded=2, joined=4)


def test_drift_is_what_a_second_freeze_would_change(cast: Cast, people: list[Customer]) -> None:
    """The truth by another way: freeze again and compare the two lists of people."""
    campaign = arrange.make_campaign(cast.marketer, people)
    freeze_audience(campaign, now=NOW, actor=None)
    members = AudienceMember.objects.filter(campaign=campaign).exclude(arm="excluded")
    before = set(members.values_list("customer", flat=True))
    leave_segment(people[:7])
    withdraw_consent(people[5:12])
    score(arrange.make_customers(9, prefix="new"))
    drift = measure_drift(campaign, now=NOW)
    freeze_audience(campaign, now=NOW, actor=None)
    after = set(members.values_list("customer", flat=True))
    assert drift is not None
    assert (drift.left + drift.excluded, drift.joined) == (len(before - after), len(after - before)) == (12, 9)


def test_a_lost_score_is_no_drift(campaign: Campaign) -> None:
    Score.objects.all().delete()
    assert measure_drift(campaign, now=NOW) == Drift(frozen=PEOPLE, left=0, excluded=0, joined=0)


def test_measuring_is_one_query_whatever_the_size(campaign: Campaign) -> None:
    campaign = Campaign.objects.select_related("segment").get(pk=campaign.pk)
    with CaptureQueriesContext(connection) as asked:
        measure_drift(campaign, now=NOW)
    # Beside it only the shop's clock, its currency, rules, caps and global hold-out are looked up, which are a row each.
    assert sum("campaigns_audiencemember" in query["sql"] for query in asked.captured_queries) == 1
    assert len(asked) <= 6


def test_the_sweep_voids_beyond_the_share_and_says_the_numbers(campaign: Campaign, people: list[Customer]) -> None:
    leave_segment(people[:6])
    assert void_outlived_approvals(NOW).drifted == 0, "6 of 60 is exactly what is allowed"
    withdraw_consent(people[6:7])

    counts = void_outlived_approvals(NOW)

    campaign.refresh_from_db()
    assert (counts.drifted, counts.expired, campaign.status) == (1, 0, CampaignStatus.DRAFT)
    row = Approval.objects.filter(campaign=campaign)[0]
    assert "of 60 people 6 left" in row.void_reason and "11.7%" in row.void_reason and "10.0%" in row.void_reason
    assert CampaignTransition.objects.filter(campaign=campaign).latest("number").actor is None
    assert void_outlived_approvals(NOW).drifted == 0, "run twice"


def test_fewer_than_five_people_void_nothing(cast: Cast) -> None:
    people = arrange.make_customers(6)
    score(people)
    campaign = arrange.approve(arrange.make_campaign(cast.marketer, people), cast)
    leave_segment(people[:4])
    assert void_outlived_approvals(NOW).drifted == 0
    leave_segment(people[:5])
    assert void_outlived_approvals(NOW).drifted == 1
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT


@pytest.mark.parametrize(("share", "voided"), [(0.0, 1), (0.2, 0), (1.0, 0)])
def test_a_campaign_may_have_a_share_of_its_own(cast: Cast, people: list[Customer], share: float, voided: int) -> None:
    campaign = arrange.make_campaign(cast.marketer, people)
    workflow.edit_campaign(cast.marketer, campaign, {"allowed_drift_share": share}, now=NOW)
    arrange.approve(campaign, cast)
    leave_segment(people[:10])
    assert void_outlived_approvals(NOW).drifted == voided


def test_the_shop_setting_counts_where_the_campaign_has_none(
    campaign: Campaign, people: list[Customer], settings: Settings
) -> None:
    settings.ALLOWED_DRIFT_SHARE = 0.5
    leave_segment(people[:20])
    assert void_outlived_approvals(NOW).drifted == 0
    assert workflow.find_stale_parts(campaign) == [], "a setting of the shop is no part of what was approved"


def test_widening_the_share_of_an_approved_campaign_needs_a_new_approval(campaign: Campaign, cast: Cast) -> None:
    workflow.edit_campaign(cast.marketer, campaign, {"allowed_drift_share": 1.0}, now=NOW)
    assert campaign.status == CampaignStatus.DRAFT
    assert not Approval.objects.filter(voided_at=None).exists()


def test_a_drifted_audience_is_neither_approved_nor_launched(cast: Cast, people: list[Customer]) -> None:
    campaign = arrange.submit(arrange.make_campaign(cast.marketer, people), cast)
    leave_segment(people[:30])
    with pytest.raises(NotReady, match="drifted"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    workflow.approve_campaign(cast.approver, campaign, parts=["messages", "timing", "measurement"], now=NOW)
    Customer.objects.update(country="Scotland")
    workflow.approve_campaign(cast.approver, campaign, now=NOW)
    workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    leave_segment(people[:30])

    counts = start_due_campaigns(NOW)

    campaign.refresh_from_db()
    assert (counts.started, counts.voided, campaign.status) == (0, 1, CampaignStatus.DRAFT)
    assert "drifted" in campaign.status_reason


def test_an_approval_ends_after_its_days(campaign: Campaign, settings: Settings) -> None:
    settings.APPROVAL_VALID_DAYS = 14
    until = NOW + dt.timedelta(days=14)
    assert valid_until(campaign) == until
    assert void_outlived_approvals(until - dt.timedelta(seconds=1)).expired == 0
    assert void_outlived_approvals(until).expired == 1
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT and "valid for 14 days" in campaign.status_reason


def test_the_oldest_of_four_approvals_decides(cast: Cast, people: list[Customer]) -> None:
    campaign = arrange.submit(arrange.make_campaign(cast.marketer, people), cast)
    workflow.approve_campaign(cast.approver, campaign, parts=["timing"], now=NOW)
    workflow.approve_campaign(cast.approver, campaign, now=NOW + dt.timedelta(days=3))
    assert valid_until(campaign) == NOW + dt.timedelta(days=campaign.valid_days)


def test_an_outlived_approval_is_neither_scheduled_nor_launched(cast: Cast, people: list[Customer]) -> None:
    campaign = arrange.make_campaign(cast.marketer, people, send_at=NOW + dt.timedelta(days=20))
    arrange.approve(campaign, cast)
    late = NOW + dt.timedelta(days=20)
    with pytest.raises(NotReady, match="valid for"):
        workflow.schedule_campaign(cast.marketer, campaign, now=late)
    workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    assert start_due_campaigns(late).voided == 1


def test_a_rule_that_can_no_longer_be_read_voids(campaign: Campaign) -> None:
    Segment.objects.filter(pk=campaign.segment_id).update(rule={"all": []})
    assert measure_drift(Campaign.objects.get(pk=campaign.pk), now=NOW) is None
    assert void_outlived_approvals(NOW).drifted == 1
    campaign.refresh_from_db()
    assert "no longer be read" in campaign.status_reason

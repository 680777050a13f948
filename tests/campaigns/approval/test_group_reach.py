"""Who gets the offer, read from the frozen audience, and the written reason that a clear gap needs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from campaigns.approval import workflow
from campaigns.approval.group_reach import read_group_reach
from campaigns.approval.policy import NotReady
from campaigns.models import Approval, Arm, AudienceMember, Campaign, CampaignStatus, Message
from campaigns.outcomes.decision_card import read_draft_card
from customers.models import Customer, Order, SensitiveAttributes
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Customer]:
    """80 people of one group and 80 of another; 20 of which nothing is known."""
    people = arrange.make_customers(180)
    for number, person in enumerate(people):
        person.attributes = {"gender": "f" if number < 80 else "m"} if number < 160 else {}
    Customer.objects.bulk_update(people, ["attributes"])
    Order.objects.bulk_create(
        Order(external_id=f"o{person.pk}", customer=person, ordered_at=NOW - dt.timedelta(days=9), currency="EUR",
              total=Decimal(20 if number < 80 else 50))
        for number, person in enumerate(people)
    )  # fmt: skip
    return people


@pytest.fixture
def campaign(cast: Cast, people: list[Customer]) -> Campaign:
    """Half of the first group is left out by the cap, which is a rule of the shop; ten of the second gave no consent."""
    campaign = arrange.make_campaign(cast.marketer, people)
    members = AudienceMember.objects.filter(campaign=campaign)
    members.filter(customer__in=people[:40]).update(arm=Arm.EXCLUDED, exclusion_reason="capped", archetype=None)
    members.filter(customer__in=people[80:90]).update(arm=Arm.EXCLUDED, exclusion_reason="no_consent", archetype=None)
    members.update(churn_probability=0.25)
    SensitiveAttributes.objects.create(keys=["gender"], changed_at=NOW)
    return arrange.submit(campaign, cast)


def test_the_sums_of_each_group(campaign: Campaign) -> None:
    [report] = read_group_reach(campaign)
    told = {group.name: group for group in report.fairness.groups}
    assert set(told) == {"f", "m"}, "20 people of whom nothing is known are too few to be told of"
    assert (told["f"].matched, told["f"].eligible, told["f"].reached) == (80, 80, 40)
    assert (told["m"].matched, told["m"].eligible, told["m"].reached) == (80, 70, 70)
    assert told["f"].share_ratio.value == pytest.approx(0.5)
    # A tenth off a basket of 20 for half of them, and of 50 for all of them; three in four of them order.
    assert told["f"].nominal == pytest.approx(1.0) and told["m"].nominal == pytest.approx(5.0)
    assert told["f"].expected == pytest.approx(0.75) and told["m"].expected == pytest.approx(3.75)
    assert (report.fairness.left_out_groups, report.fairness.left_out_people) == (1, 20)


@pytest.mark.parametrize("reason", ["little_gain", "global_holdout", "too_new", "open_complaint"])
def test_whoever_a_rule_of_ours_leaves_out_counts_as_not_reached(campaign: Campaign, reason: str) -> None:
    AudienceMember.objects.filter(campaign=campaign, exclusion_reason="capped").update(exclusion_reason=reason)
    [report] = read_group_reach(campaign)
    told = {group.name: group for group in report.fairness.groups}
    assert (told["f"].eligible, told["f"].reached) == (80, 40)


def test_the_audience_is_not_approved_without_a_written_reason(campaign: Campaign, cast: Cast) -> None:
    with pytest.raises(NotReady, match="gender"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    with pytest.raises(NotReady, match="gender"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW, parts=["audience"], fairness_reason="  ")
    assert not Approval.objects.exists()
    workflow.approve_campaign(cast.approver, campaign, now=NOW, parts=["messages", "timing", "measurement"])
    assert campaign.status == CampaignStatus.IN_REVIEW


def test_the_reason_and_the_figures_are_kept_and_stand_on_the_decision_card(campaign: Campaign, cast: Cast) -> None:
    workflow.approve_campaign(cast.approver, campaign, now=NOW, fairness_reason="They were written to last week.")
    row = Approval.objects.get(part="audience")
    assert row.reason == "They were written to last week."
    assert row.fairness[0]["groups"][0]["share_ratio"]["value"] == pytest.approx(0.5)
    assert set(Approval.objects.exclude(part="audience").values_list("reason", flat=True)) == {""}

    workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    variant = campaign.archetypes.get().variants.select_related("archetype__campaign__segment").get()
    card = read_draft_card(variant)
    kept = next(consent for consent in card.approvals if consent.reason)
    assert kept.fairness[0]["attribute"] == "gender" and not Message.objects.exists()


def test_without_a_gap_no_reason_is_asked_for(cast: Cast, people: list[Customer]) -> None:
    Order.objects.update(total=30)
    SensitiveAttributes.objects.create(keys=["country", "gender"], changed_at=NOW)
    campaign = arrange.approve(arrange.make_campaign(cast.marketer, people), cast)
    assert campaign.status == CampaignStatus.APPROVED
    assert [report["attribute"] for report in Approval.objects.get(part="audience").fairness] == ["country", "gender"]


def test_without_a_marked_attribute_nothing_is_compared(cast: Cast, people: list[Customer]) -> None:
    assert read_group_reach(arrange.make_campaign(cast.marketer, people)) == []

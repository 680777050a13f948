"""An edit voids what was approved: history row, void reason, back to draft; and what changes nothing voids nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError

from campaigns.approval import hashing, workflow
from campaigns.approval.policy import NotReady
from campaigns.models import (
    Approval,
    ApprovalPart,
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    TransitionConflict,
    Variant,
)
from customers.models import Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(hours=3)


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.make_campaign(cast.marketer)


def valid_approvals(campaign: Campaign) -> int:
    return Approval.objects.filter(campaign=campaign, voided_at=None).count()


@pytest.mark.parametrize("reach", [arrange.approve, arrange.schedule])
@pytest.mark.parametrize(
    ("fields", "offer"),
    [
        ({"scheduled_for": LATER}, {}),
        ({"send_window_hours": 2}, {}),
        ({"attribution_days": 30}, {}),
        ({"holdout_share": 0.2}, {}),
        ({"talking_points": "Open on Sundays"}, {}),
        ({"channels": ["email", "sms"]}, {}),
        ({"max_archetypes": 5}, {}),
        ({}, {"value": Decimal(15)}),
        ({}, {"code": "BACK15"}),
    ],
)
def test_an_edit_after_the_approval_voids_it(
    campaign: Campaign, cast: Cast, reach: Callable[..., Campaign], fields: dict[str, object], offer: dict[str, object]
) -> None:
    reach(campaign, cast)

    workflow.edit_campaign(cast.marketer, campaign, fields, offer, now=LATER)

    assert campaign.status == CampaignStatus.DRAFT and campaign.content_hash == ""
    assert valid_approvals(campaign) == 0
    voided = Approval.objects.filter(campaign=campaign)
    assert {row.voided_at for row in voided} == {LATER} and all(row.void_reason for row in voided)
    last = CampaignTransition.objects.filter(campaign=campaign).order_by("number").last()
    assert last is not None and last.to_status == "draft" and last.actor == cast.marketer and last.reason


def test_writing_the_same_values_or_a_new_name_voids_nothing(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast)

    workflow.edit_campaign(
        cast.marketer,
        campaign,
        {"name": "Autumn again", "scheduled_for": NOW, "attribution_days": 60, "holdout_share": "0.1"},
        {"value": "10", "code": "BACK10"},
        now=LATER,
    )

    assert campaign.status == CampaignStatus.SCHEDULED and campaign.name == "Autumn again"
    assert valid_approvals(campaign) == 4
    assert workflow.find_stale_parts(campaign) == []


def test_editing_a_text_voids(campaign: Campaign, cast: Cast) -> None:
    arrange.approve(campaign, cast)
    text = Variant.objects.get(archetype__campaign=campaign)
    before = text.content_hash

    workflow.edit_variant(cast.marketer, text, {"opening": "A new opening, warmer than the first."}, now=LATER)

    campaign.refresh_from_db()
    text.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT and valid_approvals(campaign) == 0
    assert text.content_hash != before and text.edited_by == cast.marketer


def test_a_changed_segment_discards_the_frozen_audience(campaign: Campaign, cast: Cast) -> None:
    other = Segment.objects.create(name="Others", rule={"all": []})

    workflow.edit_campaign(cast.marketer, campaign, {"segment": other}, now=NOW)

    assert campaign.segment == other and campaign.audience_frozen_at is None
    with pytest.raises(NotReady, match="not frozen"):
        workflow.submit_campaign(cast.marketer, campaign, now=NOW)


@pytest.mark.parametrize("reach", [arrange.submit, arrange.start])
def test_locked_states_refuse_edits(campaign: Campaign, cast: Cast, reach: Callable[..., Campaign]) -> None:
    reach(campaign, cast)
    text = Variant.objects.get(archetype__campaign=campaign)

    with pytest.raises(TransitionConflict):
        workflow.edit_campaign(cast.marketer, campaign, {"name": "New"}, now=NOW)
    with pytest.raises(TransitionConflict):
        workflow.edit_variant(cast.marketer, text, {"subject": "New"}, now=NOW)
    with pytest.raises(TransitionConflict):
        workflow.refreeze_audience(cast.marketer, campaign, now=NOW)


def test_what_a_person_vouches_for_may_be_said_and_what_nobody_does_may_not(campaign: Campaign, cast: Cast) -> None:
    text = Variant.objects.get(archetype__campaign=campaign)
    workflow.edit_variant(cast.marketer, text, {"opening": "Repairs are free of charge for two years."}, now=NOW)
    text.refresh_from_db()
    assert text.is_blocked
    points = {"talking_points": "Repairs are free of charge for two years."}
    workflow.edit_campaign(cast.marketer, campaign, points, now=NOW)
    text.refresh_from_db()
    assert text.facts["talking_points"] == ["Repairs are free of charge for two years."]
    assert not text.is_blocked, text.findings
    workflow.edit_campaign(cast.marketer, campaign, {"talking_points": ""}, now=NOW)
    text.refresh_from_db()
    assert text.is_blocked


def test_how_drafts_should_sound_voids_nothing(campaign: Campaign, cast: Cast) -> None:
    arrange.approve(campaign, cast)
    workflow.edit_campaign(cast.marketer, campaign, {"tone": "calm", "avoid": "hurry"}, now=NOW)
    assert valid_approvals(campaign) == 4


def test_only_who_may_change_campaigns_edits(campaign: Campaign, cast: Cast, analyst: User) -> None:
    for person in (analyst, cast.approver):
        with pytest.raises(PermissionDenied):
            workflow.edit_campaign(person, campaign, {"name": "New"}, now=NOW)


def test_fields_of_the_workflow_and_bad_values_are_refused(campaign: Campaign, cast: Cast) -> None:
    with pytest.raises(NotReady, match="status"):
        workflow.edit_campaign(cast.marketer, campaign, {"status": "approved"}, now=NOW)
    for fields, offer in (({"holdout_share": 0.9}, {}), ({}, {"value": Decimal(140)}), ({"attribution_days": 0}, {})):
        with pytest.raises(ValidationError):
            workflow.edit_campaign(cast.marketer, campaign, fields, offer, now=NOW)
    campaign.refresh_from_db()
    assert campaign.holdout_share == 0.1 and campaign.offer.value == 10


def test_each_part_has_a_hash_of_its_own(campaign: Campaign) -> None:
    def changed_by(change: Callable[[], object]) -> set[ApprovalPart]:
        before = hashing.part_hashes(campaign)
        change()
        after = hashing.part_hashes(campaign)
        return {part for part in ApprovalPart if before[part] != after[part]}

    rows = Campaign.objects.filter(pk=campaign.pk)
    member = AudienceMember.objects.filter(campaign=campaign)[0]
    assert changed_by(lambda: None) == set()
    assert changed_by(lambda: rows.update(name="Other", goal="Other")) == set()
    assert changed_by(lambda: Variant.objects.update(subject="Other")) == {ApprovalPart.MESSAGES}
    assert changed_by(lambda: campaign.offer.__class__.objects.update(min_basket=50)) == {ApprovalPart.MESSAGES}
    assert changed_by(lambda: rows.update(scheduled_for=LATER)) == {ApprovalPart.TIMING}
    assert changed_by(lambda: rows.update(holdout_seed="other")) == {ApprovalPart.MEASUREMENT}
    assert changed_by(lambda: AudienceMember.objects.filter(pk=member.pk).update(arm=Arm.HOLDOUT)) == {
        ApprovalPart.AUDIENCE
    }
    assert changed_by(lambda: Segment.objects.update(rule={"all": []})) == {ApprovalPart.AUDIENCE}
    assert changed_by(lambda: AudienceMember.objects.filter(pk=member.pk).delete()) == {ApprovalPart.AUDIENCE}


def test_who_wrote_before_somebody_else_may_not_approve_either(
    campaign: Campaign, cast: Cast, make_user: MakeUser
) -> None:
    """Only the last editor of a text was known, and who changed the offer was not known at all."""
    both = make_user("bo", "marketer")
    both.groups.add(Group.objects.get(name="approver"))
    text = Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)
    workflow.edit_variant(both, text, {"opening": "All of it by Bo."}, now=NOW)
    workflow.edit_variant(both, text, {"opening": "All of it by Bo, twice."}, now=NOW)
    workflow.edit_variant(campaign.author, text, {"preheader": "One comma of the author's"}, now=NOW)
    notes = CampaignTransition.objects.filter(campaign=campaign, from_status="draft", to_status="draft")
    assert [note.actor for note in notes] == [both]
    arrange.submit(campaign, cast)
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(both, campaign, now=NOW)
    workflow.approve_campaign(cast.approver, campaign, now=NOW)


def test_who_changed_the_offer_may_not_approve_it(campaign: Campaign, cast: Cast, make_user: MakeUser) -> None:
    both = make_user("bo", "marketer")
    both.groups.add(Group.objects.get(name="approver"))
    workflow.edit_campaign(both, campaign, {}, {"value": "50"}, now=NOW)
    arrange.submit(campaign, cast)
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(both, campaign, now=NOW)


def test_who_asked_for_changes_may_approve_what_came_of_it(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    workflow.request_changes(cast.approver, campaign, comment="Shorter, please.", now=NOW)
    arrange.submit(campaign, cast)
    workflow.approve_campaign(cast.approver, campaign, now=NOW)

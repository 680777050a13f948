"""Submit, approve, ask for changes, schedule, cancel: allowed, refused by state, refused by right, run twice."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from campaigns.approval import policy, workflow
from campaigns.approval.policy import NotReady
from campaigns.models import (
    Approval,
    ApprovalPart,
    Archetype,
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    Message,
    MessageStatus,
    SkipReason,
    TransitionConflict,
    Variant,
)
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.make_campaign(cast.marketer)


def history(campaign: Campaign) -> list[tuple[str, str, str | None]]:
    rows = CampaignTransition.objects.filter(campaign=campaign).order_by("number")
    return [(row.from_status, row.to_status, row.actor.username if row.actor else None) for row in rows]


def test_marketer_submits_a_ready_campaign(campaign: Campaign, cast: Cast) -> None:
    workflow.submit_campaign(cast.marketer, campaign, now=NOW)

    assert campaign.status == CampaignStatus.IN_REVIEW
    assert campaign.submitted_at == NOW and len(campaign.content_hash) == 64
    assert history(campaign) == [("draft", "in_review", "mara")]


def test_submitting_twice_is_a_conflict_and_leaves_one_history_row(campaign: Campaign, cast: Cast) -> None:
    workflow.submit_campaign(cast.marketer, campaign, now=NOW)

    with pytest.raises(TransitionConflict):
        workflow.submit_campaign(cast.marketer, campaign, now=NOW)
    assert len(history(campaign)) == 1


def test_without_the_right_nobody_submits(campaign: Campaign, analyst: User, outsider: User, approver: User) -> None:
    for person in (analyst, outsider, approver):
        with pytest.raises(PermissionDenied):
            workflow.submit_campaign(person, campaign, now=NOW)
    assert Campaign.objects.get(pk=campaign.pk).status == CampaignStatus.DRAFT


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: Campaign.objects.filter(pk=c.pk).update(audience_frozen_at=None), "not frozen"),
        (lambda c: AudienceMember.objects.filter(campaign=c).update(arm=Arm.HOLDOUT), "Nobody"),
        (lambda c: AudienceMember.objects.filter(campaign=c).update(archetype=None), "no kind of message"),
        (lambda c: Variant.objects.filter(archetype__campaign=c).delete(), "no text"),
        (lambda c: Variant.objects.filter(archetype__campaign=c).update(subject=" "), "no text"),
        (
            lambda c: Variant.objects.filter(archetype__campaign=c).update(
                opening="Take 80 % off everything, only today, because we have missed you so."
            ),
            "blocks it",
        ),
        (lambda c: Campaign.objects.filter(pk=c.pk).update(scheduled_for=None), "time to send"),
    ],
)
def test_submission_says_what_is_missing(campaign: Campaign, cast: Cast, spoil: object, words: str) -> None:
    spoil(campaign)  # type: ignore[operator]

    with pytest.raises(NotReady) as refusal:
        workflow.submit_campaign(cast.marketer, campaign, now=NOW)
    assert any(words in sentence for sentence in refusal.value.messages)
    assert Campaign.objects.get(pk=campaign.pk).status == CampaignStatus.DRAFT


def test_no_postal_address_no_review(campaign: Campaign, cast: Cast, settings: object) -> None:
    settings.SHOP_POSTAL_ADDRESS = " "  # type: ignore[attr-defined]

    with pytest.raises(NotReady, match="postal address"):
        workflow.submit_campaign(cast.marketer, campaign, now=NOW)


def test_second_person_approves_all_four_parts(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)

    workflow.approve_campaign(cast.approver, campaign, now=NOW, seen_hash=campaign.content_hash)

    assert campaign.status == CampaignStatus.APPROVED
    approvals = Approval.objects.filter(campaign=campaign, voided_at=None)
    assert {row.part for row in approvals} == set(ApprovalPart.values)
    assert {row.approved_by for row in approvals} == {cast.approver}
    assert workflow.find_stale_parts(campaign) == []
    assert history(campaign)[-1] == ("in_review", "approved", "ava")


def test_author_cannot_approve_even_with_every_right(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(author=site_admin)
    campaign.refresh_from_db()
    workflow.submit_campaign(cast.marketer, campaign, now=NOW)

    with pytest.raises(PermissionDenied, match="second person"):
        workflow.approve_campaign(site_admin, campaign, now=NOW)
    assert not Approval.objects.exists()


def test_who_submitted_or_edited_a_text_cannot_approve(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    workflow.submit_campaign(site_admin, campaign, now=NOW)
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(site_admin, campaign, now=NOW)

    workflow.request_changes(cast.approver, campaign, comment="Warmer, please.", now=NOW)
    text = Variant.objects.get(archetype__campaign=campaign)
    workflow.edit_variant(site_admin, text, {"opening": "Leith is windy again, and we have thought of you."}, now=NOW)
    workflow.submit_campaign(cast.marketer, campaign, now=NOW)
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(site_admin, campaign, now=NOW)


def test_without_the_right_nobody_approves(
    campaign: Campaign, cast: Cast, second_marketer: User, analyst: User
) -> None:
    arrange.submit(campaign, cast)

    for person in (second_marketer, analyst, cast.marketer):
        with pytest.raises(PermissionDenied):
            workflow.approve_campaign(person, campaign, now=NOW)


def test_a_draft_cannot_be_approved_and_an_approval_not_repeated(campaign: Campaign, cast: Cast) -> None:
    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    arrange.approve(campaign, cast)
    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    assert Approval.objects.count() == 4


def test_four_parts_may_come_one_by_one(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    arrange.submit(campaign, cast)

    workflow.approve_campaign(cast.approver, campaign, now=NOW, parts=["messages", "audience"])
    assert campaign.status == CampaignStatus.IN_REVIEW
    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(site_admin, campaign, now=NOW, parts=["audience"])
    workflow.approve_campaign(site_admin, campaign, now=NOW, parts=["timing", "measurement"])

    assert campaign.status == CampaignStatus.APPROVED


def test_nobody_approves_what_they_did_not_see(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)

    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(cast.approver, campaign, now=NOW, seen_hash="0" * 64)
    Variant.objects.filter(archetype__campaign=campaign).update(subject="Changed behind the lock")
    with pytest.raises(TransitionConflict, match="changed after"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    assert not Approval.objects.exists()


def test_reviewer_asks_for_changes_with_a_comment(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    workflow.approve_campaign(cast.approver, campaign, now=NOW, parts=["timing"])

    with pytest.raises(NotReady):
        workflow.request_changes(cast.approver, campaign, comment="  ", now=NOW)
    workflow.request_changes(cast.approver, campaign, comment="Too pushy.", now=NOW)

    assert campaign.status == CampaignStatus.DRAFT and campaign.content_hash == ""
    assert CampaignTransition.objects.filter(campaign=campaign).order_by("number").last().reason == "Too pushy."  # type: ignore[union-attr]
    assert not Approval.objects.filter(campaign=campaign, voided_at=None).exists()
    with pytest.raises(TransitionConflict):
        workflow.request_changes(cast.approver, campaign, comment="Again.", now=NOW)


def test_only_a_reviewer_asks_for_changes(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    with pytest.raises(PermissionDenied):
        workflow.request_changes(cast.marketer, campaign, comment="Mine.", now=NOW)


def test_scheduling_takes_the_approved_time(campaign: Campaign, cast: Cast) -> None:
    arrange.approve(campaign, cast)

    with pytest.raises(NotReady, match="Another time"):
        workflow.schedule_campaign(cast.marketer, campaign, send_at=NOW + dt.timedelta(hours=1), now=NOW)
    workflow.schedule_campaign(cast.marketer, campaign, send_at=NOW, now=NOW)

    assert campaign.status == CampaignStatus.SCHEDULED
    assert not workflow.find_stale_parts(campaign)
    with pytest.raises(TransitionConflict):
        workflow.schedule_campaign(cast.marketer, campaign, now=NOW)


def test_scheduling_is_refused_by_right_state_and_hour(campaign: Campaign, cast: Cast, analyst: User) -> None:
    with pytest.raises(TransitionConflict):
        workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    arrange.approve(campaign, cast)
    with pytest.raises(PermissionDenied):
        workflow.schedule_campaign(analyst, campaign, now=NOW)
    with pytest.raises(NotReady, match="over"):
        workflow.schedule_campaign(cast.marketer, campaign, now=NOW + dt.timedelta(hours=24))


def test_taking_back_a_scheduled_campaign_voids_it(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast)

    workflow.unschedule_campaign(cast.marketer, campaign, now=NOW)

    assert campaign.status == CampaignStatus.DRAFT
    assert not Approval.objects.filter(voided_at=None).exists()
    with pytest.raises(TransitionConflict):
        workflow.unschedule_campaign(cast.marketer, campaign, now=NOW)


def test_cancelling_skips_what_waits_and_keeps_what_was_sent(campaign: Campaign, cast: Cast) -> None:
    arrange.start(campaign, cast)
    sent, waiting, claimed = Message.objects.filter(campaign=campaign).order_by("pk")
    Message.objects.filter(pk=sent.pk).update(status=MessageStatus.ACCEPTED)
    Message.objects.filter(pk=claimed.pk).update(status=MessageStatus.CLAIMED, claimed_by="w")

    workflow.cancel_campaign(cast.marketer, campaign, reason="Wrong price", now=NOW)

    assert campaign.status == CampaignStatus.CANCELLED and campaign.status_reason == "Wrong price"
    states = dict(Message.objects.values_list("pk", "status"))
    assert states == {sent.pk: "accepted", waiting.pk: "skipped", claimed.pk: "skipped"}
    assert set(Message.objects.filter(status="skipped").values_list("skip_reason", flat=True)) == {SkipReason.CANCELLED}
    with pytest.raises(TransitionConflict):
        workflow.cancel_campaign(cast.marketer, campaign, now=NOW)


def test_only_who_controls_sending_cancels(campaign: Campaign, analyst: User) -> None:
    with pytest.raises(PermissionDenied):
        workflow.cancel_campaign(analyst, campaign, now=NOW)


def test_decisions_for_pages_agree_with_the_workflow(campaign: Campaign, cast: Cast, outsider: User) -> None:
    assert policy.may_submit(cast.marketer, campaign).allowed
    assert policy.may_submit(outsider, campaign).is_forbidden
    refused = policy.may_approve(cast.approver, campaign)
    assert not refused.allowed and not refused.is_forbidden and "draft" in refused.reason
    arrange.submit(campaign, cast)
    assert policy.may_approve(cast.approver, campaign).allowed
    assert not policy.may_edit(cast.marketer, campaign).allowed


def test_empty_archetypes_need_no_text(campaign: Campaign, cast: Cast) -> None:
    Archetype.objects.create(campaign=campaign, cell="overdue|tents|en", size=0)
    arrange.submit(campaign, cast)
    assert campaign.status == CampaignStatus.IN_REVIEW

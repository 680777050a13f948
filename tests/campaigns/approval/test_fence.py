"""What holds when two act at once, and when somebody goes round the code with plain SQL."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from campaigns.approval import workflow
from campaigns.approval.validity import void_outlived_approvals
from campaigns.delivery.scheduler import start_due_campaigns
from campaigns.models import (
    Approval,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    Message,
    TransitionConflict,
    Variant,
)
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast


def mark_by_hand(campaign: Campaign) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_message SET status = 'sending' WHERE campaign_id = %s", [campaign.pk])


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()


@pytest.fixture
def running(cast: Cast) -> Campaign:
    return arrange.start(arrange.make_campaign(cast.marketer), cast)


def test_the_database_lets_an_approved_message_leave(running: Campaign) -> None:
    mark_by_hand(running)
    assert set(Message.objects.values_list("status", flat=True)) == {"sending"}


@pytest.mark.parametrize(
    "undo",
    [
        "UPDATE campaigns_campaign SET status = 'paused' WHERE id = {id}",
        "UPDATE campaigns_campaign SET status = 'draft' WHERE id = {id}",
        "UPDATE campaigns_approval SET voided_at = now() WHERE campaign_id = {id} AND part = 'timing'",
        "DELETE FROM campaigns_approval WHERE campaign_id = {id} AND part = 'messages'",
        "UPDATE campaigns_approval SET approved_by_id = (SELECT author_id FROM campaigns_campaign WHERE id = {id})"
        " WHERE campaign_id = {id} AND part = 'audience'",
    ],
)
def test_the_database_refuses_every_other_one(running: Campaign, undo: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(undo.format(id=running.pk))

    with pytest.raises(IntegrityError, match="may not be sent"):
        mark_by_hand(running)
    assert set(Message.objects.values_list("status", flat=True)) == {"queued"}


def test_the_database_refuses_a_row_inserted_as_sending(cast: Cast) -> None:
    campaign = arrange.make_campaign(cast.marketer)
    variant = Variant.objects.get(archetype__campaign=campaign)
    customer = campaign.members.get_queryset()[0].customer
    with pytest.raises(IntegrityError, match="may not be sent"), transaction.atomic():
        Message.objects.create(campaign=campaign, customer=customer, variant=variant, status="sending")


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_wins() -> None:
    cast = arrange.make_cast()
    campaign = arrange.submit(arrange.make_campaign(cast.marketer), cast)

    def approve() -> Campaign:
        return workflow.approve_campaign(cast.approver, Campaign.objects.get(pk=campaign.pk), now=NOW)

    results = do_at_once(*[approve] * 6)

    assert sum(isinstance(result, Campaign) for result in results) == 1
    assert sum(isinstance(result, TransitionConflict) for result in results) == 5
    assert Approval.objects.count() == 4
    assert CampaignTransition.objects.filter(to_status="approved").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(4))
def test_scheduling_and_editing_at_once_never_leave_an_unapproved_schedule(round_number: int) -> None:
    cast = arrange.make_cast()
    campaign = arrange.approve(arrange.make_campaign(cast.marketer), cast)
    text = Variant.objects.get(archetype__campaign=campaign)

    do_at_once(
        lambda: workflow.schedule_campaign(cast.approver, Campaign.objects.get(pk=campaign.pk), now=NOW),
        lambda: workflow.edit_variant(
            cast.marketer, Variant.objects.get(pk=text.pk), {"subject": f"Edited {round_number}"}, now=NOW
        ),
    )

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT, "the edit came first or second: either way it voids"
    assert not Approval.objects.filter(voided_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_approving_and_asking_for_changes_at_once_end_in_one_state() -> None:
    cast = arrange.make_cast()
    campaign = arrange.submit(arrange.make_campaign(cast.marketer), cast)

    results = do_at_once(
        lambda: workflow.approve_campaign(cast.approver, Campaign.objects.get(pk=campaign.pk), now=NOW),
        lambda: workflow.request_changes(
            cast.approver, Campaign.objects.get(pk=campaign.pk), comment="Warmer.", now=NOW
        ),
    )

    campaign.refresh_from_db()
    assert sum(isinstance(result, TransitionConflict) for result in results) == 1
    valid = Approval.objects.filter(voided_at=None).count()
    assert (campaign.status, valid) in {("approved", 4), ("draft", 0)}


@pytest.mark.django_db(transaction=True)
def test_two_approvers_of_all_parts_at_once_give_each_part_once() -> None:
    cast = arrange.make_cast()
    second = User.objects.create_superuser("ada")
    campaign = arrange.submit(arrange.make_campaign(cast.marketer), cast)

    results = do_at_once(
        *(
            lambda user=user, parts=parts: workflow.approve_campaign(
                user, Campaign.objects.get(pk=campaign.pk), now=NOW, parts=parts
            )
            for user in (cast.approver, second)
            for parts in (["messages", "audience"], ["timing", "measurement"])
        )
    )

    campaign.refresh_from_db()
    assert sum(isinstance(result, TransitionConflict) for result in results) == 2
    assert campaign.status == CampaignStatus.APPROVED
    assert Approval.objects.filter(voided_at=None).count() == 4
    assert CampaignTransition.objects.filter(to_status="approved").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(3))
def test_an_edit_during_the_approval_is_refused_or_comes_after_and_voids(round_number: int) -> None:
    cast = arrange.make_cast()
    campaign = arrange.submit(arrange.make_campaign(cast.marketer), cast)
    text = Variant.objects.get(archetype__campaign=campaign)

    results = do_at_once(
        lambda: workflow.approve_campaign(cast.approver, Campaign.objects.get(pk=campaign.pk), now=NOW),
        lambda: workflow.edit_variant(
            cast.marketer, Variant.objects.get(pk=text.pk), {"subject": f"Edited {round_number}"}, now=NOW
        ),
    )

    campaign.refresh_from_db()
    text.refresh_from_db()
    refused = any(isinstance(result, TransitionConflict) for result in results)
    valid = Approval.objects.filter(voided_at=None).count()
    edited = text.subject == f"Edited {round_number}"
    assert (refused, edited, campaign.status, valid) in {(True, False, "approved", 4), (False, True, "draft", 0)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(3))
def test_a_sweep_and_a_launch_at_once_never_send_what_has_outlived_its_approval(round_number: int) -> None:
    cast = arrange.make_cast()
    late = NOW + dt.timedelta(days=20)
    campaign = arrange.schedule(arrange.make_campaign(cast.marketer, send_at=late), cast)

    do_at_once(*[lambda: void_outlived_approvals(late)] * 3, *[lambda: start_due_campaigns(late)] * 3)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    assert not Message.objects.exists()
    assert CampaignTransition.objects.filter(from_status="scheduled", to_status="draft").count() == 1

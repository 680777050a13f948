"""The switch of the second person: who may turn it, what it lets through, and that the database reads the same one."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from campaigns.approval import policy, workflow
from campaigns.approval.four_eyes import switch_four_eyes
from campaigns.approval.policy import NotReady
from campaigns.delivery.scheduler import start_campaign
from campaigns.models import Approval, Campaign, CampaignStatus, CampaignTransition, FourEyesSwitch, Message
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(marketer: User, approver: User) -> Cast:
    marketer.groups.add(Group.objects.get(name="approver"))
    return Cast(marketer, approver)


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.submit(arrange.make_campaign(cast.marketer), cast)


def switch(user: User, is_required: bool) -> bool:
    return switch_four_eyes(user, is_required=is_required, reason="There is one marketer here.", now=NOW)


def mark_by_hand(campaign: Campaign) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_message SET status = 'sending' WHERE campaign_id = %s", [campaign.pk])


def test_it_is_on_until_an_admin_says_otherwise(site_admin: User) -> None:
    assert policy.needs_second_person()
    assert switch(site_admin, False) is True
    assert not policy.needs_second_person()
    assert switch(site_admin, False) is False, "run twice, it writes one row"
    assert switch(site_admin, True) is True
    assert [(row.is_required, row.changed_by) for row in FourEyesSwitch.objects.order_by("pk")] == [
        (False, site_admin),
        (True, site_admin),
    ]


def test_nobody_but_an_admin_turns_it(cast: Cast, analyst: User, support_agent: User, outsider: User) -> None:
    for person in (cast.marketer, cast.approver, analyst, support_agent, outsider):
        with pytest.raises(PermissionDenied):
            switch(person, False)
    assert policy.needs_second_person()


def test_a_reason_is_needed(site_admin: User) -> None:
    with pytest.raises(NotReady, match="Say why"):
        switch_four_eyes(site_admin, is_required=False, reason=" ", now=NOW)


def test_no_row_of_it_is_ever_changed_or_deleted(site_admin: User) -> None:
    switch(site_admin, False)
    for attempt in ("UPDATE campaigns_foureyesswitch SET is_required = true", "DELETE FROM campaigns_foureyesswitch"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attempt)


def test_while_it_is_on_no_writer_approves(campaign: Campaign, cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(cast.marketer, campaign, now=NOW)


def test_while_it_is_off_the_writer_approves_with_a_mark(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    switch(site_admin, False)
    workflow.approve_campaign(cast.marketer, campaign, now=NOW)

    assert campaign.status == CampaignStatus.APPROVED
    assert set(Approval.objects.values_list("is_own", flat=True)) == {True}
    assert "four eyes are switched off" in CampaignTransition.objects.get(to_status="approved").reason
    workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    start_campaign(campaign, now=NOW)
    mark_by_hand(campaign)
    assert set(Message.objects.values_list("status", flat=True)) == {"sending"}


def test_it_frees_nobody_from_the_right(campaign: Campaign, second_marketer: User, site_admin: User) -> None:
    switch(site_admin, False)
    with pytest.raises(PermissionDenied):
        workflow.approve_campaign(second_marketer, campaign, now=NOW)


def test_a_second_person_leaves_no_mark_while_it_is_off(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    switch(site_admin, False)
    workflow.approve_campaign(cast.approver, campaign, now=NOW)
    assert set(Approval.objects.values_list("is_own", flat=True)) == {False}


def test_switching_it_on_takes_own_approvals_back(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    switch(site_admin, False)
    workflow.approve_campaign(cast.marketer, campaign, now=NOW)
    switch(site_admin, True)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    assert not Approval.objects.filter(voided_at=None).exists()


def test_switching_it_on_pauses_what_is_being_sent_and_the_database_refuses_the_rest(
    campaign: Campaign, cast: Cast, site_admin: User
) -> None:
    switch(site_admin, False)
    workflow.approve_campaign(cast.marketer, campaign, now=NOW)
    workflow.schedule_campaign(cast.marketer, campaign, now=NOW)
    start_campaign(campaign, now=NOW)
    switch(site_admin, True)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.SENDING)
    with pytest.raises(IntegrityError, match="may not be sent"):
        mark_by_hand(campaign)


def test_the_database_looks_at_nothing_but_the_switch(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    """A mark on the approvals, or somebody else's name on them, opens nothing while the switch is on."""
    workflow.approve_campaign(cast.approver, campaign, now=NOW)
    workflow.schedule_campaign(cast.approver, campaign, now=NOW)
    start_campaign(campaign, now=NOW)
    for spoil in ({"is_own": True}, {"approved_by": cast.marketer, "is_own": False}):
        Approval.objects.update(**spoil)
        with pytest.raises(IntegrityError, match="may not be sent"):
            mark_by_hand(campaign)
    switch(site_admin, False)
    mark_by_hand(campaign)


def test_an_own_approval_is_stale_once_it_is_on(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    switch(site_admin, False)
    workflow.approve_campaign(cast.marketer, campaign, now=NOW)
    assert workflow.find_stale_parts(campaign) == []
    FourEyesSwitch.objects.create(is_required=True, reason="by hand", changed_by=site_admin, changed_at=NOW)
    assert len(workflow.find_stale_parts(campaign)) == 4


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_write_one_row() -> None:
    people = [User.objects.create_superuser(f"admin{number}") for number in range(4)]
    results = do_at_once(*[partial(switch, user, False) for user in people])
    assert sorted(results) == [False, False, False, True]
    assert FourEyesSwitch.objects.count() == 1

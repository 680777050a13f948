"""Pausing, resuming and cancelling a campaign: allowed, refused by state, refused by right, asked twice."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from campaigns.approval.policy import NotReady
from campaigns.approval.workflow import cancel_campaign
from campaigns.delivery import control
from campaigns.models import Campaign, CampaignStatus, CampaignTransition, TransitionConflict
from tests.campaigns.arrange import Cast

from .conftest import states

ALL_STATES = set(CampaignStatus)


def put(campaign: Campaign, status: CampaignStatus) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(status=status)


def history(campaign: Campaign) -> list[tuple[str, str, str]]:
    rows = CampaignTransition.objects.filter(campaign=campaign).order_by("number")
    return list(rows.values_list("from_status", "to_status", "reason"))


def test_pausing_keeps_the_reason_and_resuming_takes_it_away(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    control.pause_campaign(cast.marketer, running, reason="Wrong link", now=now)
    running.refresh_from_db()
    assert (running.status, running.status_reason) == (CampaignStatus.PAUSED, "Wrong link")

    control.resume_campaign(cast.approver, running, now=now)
    running.refresh_from_db()
    assert (running.status, running.status_reason) == (CampaignStatus.SENDING, "")
    assert history(running)[-2:] == [("sending", "paused", "Wrong link"), ("paused", "sending", "")]


@pytest.mark.parametrize("status", sorted(ALL_STATES - {CampaignStatus.SENDING}))
def test_only_what_is_being_sent_can_be_paused(
    running: Campaign, cast: Cast, now: dt.datetime, status: CampaignStatus
) -> None:
    put(running, status)
    before = history(running)
    for user in (cast.marketer, None):  # a person, and the circuit breaker
        with pytest.raises(TransitionConflict):
            control.pause_campaign(user, running, reason="Wait", now=now)
    running.refresh_from_db()
    assert running.status == status and history(running) == before


@pytest.mark.parametrize("status", sorted(ALL_STATES - {CampaignStatus.PAUSED}))
def test_only_what_is_paused_can_be_resumed(
    running: Campaign, cast: Cast, now: dt.datetime, status: CampaignStatus
) -> None:
    put(running, status)
    with pytest.raises(TransitionConflict):
        control.resume_campaign(cast.approver, running, now=now)
    running.refresh_from_db()
    assert running.status == status


@pytest.mark.parametrize("status", [CampaignStatus.SENT, CampaignStatus.CANCELLED])
def test_what_is_finished_cannot_be_cancelled(
    running: Campaign, cast: Cast, now: dt.datetime, status: CampaignStatus
) -> None:
    put(running, status)
    with pytest.raises(TransitionConflict):
        cancel_campaign(cast.marketer, running, reason="Too late", now=now)
    assert states(running) == {"queued": 3}


def test_who_may_not_control_sending_is_refused_whatever_the_state(
    running: Campaign, analyst: User, support_agent: User, outsider: User, now: dt.datetime
) -> None:
    before = history(running)
    for user in (analyst, support_agent, outsider):
        with pytest.raises(PermissionDenied):
            control.pause_campaign(user, running, reason="Wait", now=now)
        with pytest.raises(PermissionDenied):
            control.resume_campaign(user, running, now=now)
        with pytest.raises(PermissionDenied):
            cancel_campaign(user, running, reason="No", now=now)
    running.refresh_from_db()
    assert running.status == CampaignStatus.SENDING and history(running) == before and states(running) == {"queued": 3}


def test_asking_twice_changes_nothing_more(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    control.pause_campaign(cast.marketer, running, reason="Wait", now=now)
    with pytest.raises(TransitionConflict):
        control.pause_campaign(cast.approver, running, reason="Wait again", now=now)
    running.refresh_from_db()
    assert running.status_reason == "Wait"


def test_the_rest_is_not_sent_after_its_window(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    control.pause_campaign(cast.marketer, running, reason="Wait", now=now)
    late = now + dt.timedelta(hours=running.send_window_hours)
    with pytest.raises(NotReady):
        control.resume_campaign(cast.approver, running, now=late)
    running.refresh_from_db()
    assert running.status == CampaignStatus.PAUSED


def test_cancelling_skips_what_waits_and_keeps_what_is_on_its_way(
    running: Campaign, cast: Cast, now: dt.datetime
) -> None:
    first = running.messages.order_by("pk")[0]
    running.messages.filter(pk=first.pk).update(status="sending", claimed_by="w")
    cancel_campaign(cast.approver, running, reason="Wrong shop", now=now)
    assert states(running) == {"sending": 1, "skipped": 2}
    assert set(running.messages.filter(status="skipped").values_list("skip_reason", flat=True)) == {"cancelled"}

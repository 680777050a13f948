"""A due campaign starts once, in its window, and only as it was approved."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from campaigns.delivery.scheduler import start_due_campaigns
from campaigns.models import AudienceMember, Campaign, CampaignTransition, Message
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def scheduled(transactional_db: None) -> Campaign:
    cast = arrange.make_cast()
    return arrange.schedule(arrange.make_campaign(cast.marketer), cast)


def test_many_starters_at_once_start_it_once(scheduled: Campaign) -> None:
    def start(_number: int) -> int:
        try:
            return start_due_campaigns(NOW).started
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(24))) == 1
    assert Message.objects.filter(campaign=scheduled).count() == 3
    assert CampaignTransition.objects.filter(campaign=scheduled, to_status="sending").count() == 1


def test_before_its_hour_it_waits(scheduled: Campaign) -> None:
    assert start_due_campaigns(NOW - HOUR).started == 0
    scheduled.refresh_from_db()
    assert scheduled.status == "scheduled"


def test_after_its_window_it_is_missed_rather_than_late(scheduled: Campaign) -> None:
    assert start_due_campaigns(NOW + 25 * HOUR).missed == 1
    scheduled.refresh_from_db()
    assert scheduled.status == "missed"
    assert not Message.objects.exists()


def test_an_audience_that_changed_behind_the_approval_is_not_written_to(scheduled: Campaign) -> None:
    member = AudienceMember.objects.filter(campaign=scheduled).first()
    assert member is not None
    member.delete()
    start_due_campaigns(NOW)
    scheduled.refresh_from_db()
    assert scheduled.status == "draft"
    assert not Message.objects.exists()

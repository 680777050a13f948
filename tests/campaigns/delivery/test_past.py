"""Past sends of the demo shop: dated back, replayable, and behind the same fences as every other message."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from pytest_django import Settings

from campaigns.delivery.copies import StaleApproval
from campaigns.delivery.past import NOT_SENT, record_past_send
from campaigns.models import Approval, Campaign, Message, MessageStatus, SkipReason, TransitionConflict
from customers.ingest.consent import withdraw_consent
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

STARTED_AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _to_the_catcher(settings: Settings) -> None:
    settings.USES_MAIL_CATCHER = True


@pytest.fixture
def past(cast: Cast) -> Campaign:
    """A campaign of three people that started in March."""
    draft = arrange.make_campaign(cast.marketer, send_at=STARTED_AT, now=STARTED_AT)
    return arrange.start(draft, cast, now=STARTED_AT)


@pytest.mark.django_db
def test_messages_are_dated_to_their_day_and_say_that_nothing_went_out(past: Campaign) -> None:
    counts = record_past_send(past, started_at=STARTED_AT, per_second=1)
    messages = list(Message.objects.filter(campaign=past).order_by("sending_at"))
    assert counts == {"accepted": 3}
    assert [message.sending_at for message in messages] == [STARTED_AT + dt.timedelta(seconds=n) for n in range(3)]
    assert {(message.status, message.response, message.attempts) for message in messages} == {("accepted", NOT_SENT, 1)}
    assert all(message.body_hash and message.message_id and message.slots for message in messages)
    assert not record_past_send(past, started_at=STARTED_AT)


@pytest.mark.django_db
def test_who_withdrew_before_the_send_is_skipped(past: Campaign) -> None:
    left = Message.objects.filter(campaign=past).earliest("pk").customer
    withdraw_consent(left, source="letter", now=STARTED_AT - dt.timedelta(hours=1))
    assert record_past_send(past, started_at=STARTED_AT) == {"accepted": 2, "skipped": 1}
    assert Message.objects.get(customer=left).skip_reason == SkipReason.NO_CONSENT


@pytest.mark.django_db
def test_without_a_valid_approval_nothing_is_entered(past: Campaign) -> None:
    Approval.objects.filter(campaign=past, part="audience").update(voided_at=timezone.now())
    with pytest.raises(StaleApproval):
        record_past_send(past, started_at=STARTED_AT)
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.QUEUED}


@pytest.mark.django_db
def test_a_campaign_that_is_not_sending_has_no_past(cast: Cast) -> None:
    draft = arrange.make_campaign(cast.marketer, send_at=STARTED_AT, now=STARTED_AT)
    with pytest.raises(TransitionConflict):
        record_past_send(draft, started_at=STARTED_AT)


@pytest.mark.django_db
def test_another_start_than_the_campaigns_own_is_refused(past: Campaign) -> None:
    with pytest.raises(TransitionConflict):
        record_past_send(past, started_at=STARTED_AT - dt.timedelta(days=1))
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.QUEUED}


@pytest.mark.django_db
def test_a_shop_with_a_real_mail_server_has_no_invented_past(past: Campaign, settings: Settings) -> None:
    settings.USES_MAIL_CATCHER = False
    with pytest.raises(ImproperlyConfigured):
        record_past_send(past, started_at=STARTED_AT)

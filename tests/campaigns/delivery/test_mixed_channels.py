"""A campaign over three channels at once, caught on this machine by the catcher's own process: nothing leaves it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.delivery import scheduler
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Archetype, Arm, AudienceMember, Campaign, CampaignStatus, Message
from customers.ingest.consent import record_consent
from customers.models import CustomerEvent
from retention_site.embedded.mail_catcher import MESSAGES, MailCatcher, list_caught
from retention_site.embedded.message_catcher import list_messages
from retention_site.engine_urls import catch_sms, catch_webhooks
from tests.campaigns import arrange

from .conftest import states


@pytest.fixture
def catcher(tmp_path: Path, settings: Settings) -> Iterator[MailCatcher]:
    catcher = MailCatcher(tmp_path / "catcher", folder=tmp_path / "mail")
    catcher.start()
    found = catcher.environment
    settings.EMAIL_HOST, settings.EMAIL_PORT = found["MAIL_CATCHER_HOST"], int(found["MAIL_CATCHER_PORT"])
    url = f"http://{found['MESSAGE_CATCHER_HOST']}:{found['MESSAGE_CATCHER_PORT']}"
    settings.SMS_TARGET, settings.WEBHOOK_TARGET = catch_sms(url), catch_webhooks(url, secret_key="test")
    yield catcher
    catcher.close()


def make_mixed(now: dt.datetime) -> Campaign:
    """Three people on each of three channels, one text for each."""
    cast = arrange.make_cast()
    campaign = arrange.make_campaign(cast.marketer, arrange.make_customers(3, now=now), send_at=now, now=now)
    campaign.channels = ["email", "sms", "webhook"]
    campaign.save()
    for channel in ("sms", "webhook"):
        archetype = Archetype.objects.create(campaign=campaign, cell=f"{channel}|en", channel=channel, size=3)
        arrange.make_variant(archetype, cast.marketer)
        for number, person in enumerate(arrange.make_customers(3, prefix=channel, now=now, consents=False)):
            person.phone = f"+44770090010{number}"
            person.save()
            record_consent(person, source="checkout", now=now - dt.timedelta(days=1), channel=channel)
            AudienceMember.objects.create(
                campaign=campaign, customer=person, arm=Arm.TREATMENT, archetype=archetype, channel=channel
            )
    return arrange.start(campaign, cast, now=now)


@pytest.mark.django_db(transaction=True)
def test_each_channel_gets_its_own_people_over_its_own_connections(catcher: MailCatcher) -> None:
    now = timezone.now()
    campaign = make_mixed(now)

    run = send_waiting_messages(seconds=60)

    assert run.counts == {"accepted": 9} and states(campaign) == {"accepted": 9}
    assert len(list_caught(catcher.folder)) == 3
    caught = list_messages(catcher.folder / MESSAGES)
    texts = [one for one in caught if one["kind"] == "sms"]
    hooks = [json.loads(one["body"]) for one in caught if one["kind"] == "webhook"]
    assert {text["to"] for text in texts} == {f"+44770090010{number}" for number in range(3)} and len(texts) == 3
    assert all("Opt out: reply STOP or http" in text["text"] for text in texts)
    assert {hook["data"]["customer"]["id"] for hook in hooks} == {f"webhook{number}" for number in range(3)}
    routes = dict(Message.objects.values_list("channel", "route"))
    assert [routes[channel].partition("/")[0] for channel in ("email", "sms", "webhook")] == [
        "smtp",
        "twilio",
        "webhook",
    ]
    assert CustomerEvent.objects.filter(kind="email_sent").count() == 3
    assert CustomerEvent.objects.filter(kind="message_sent").count() == 6

    assert send_waiting_messages(seconds=60).counts == {}
    assert scheduler.finish_campaigns(now) == 1
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENT

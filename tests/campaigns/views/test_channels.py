"""The page of channels: what is connected, and a test message to oneself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.approval.text_cost import estimate_text_cost
from campaigns.delivery.channels.targets import SmsTarget, WebhookTarget
from campaigns.delivery.sender import send_waiting_messages
from campaigns.delivery.short_links import WAY_OUT, short_url
from campaigns.delivery.trying import MOST_AN_HOUR
from campaigns.models import Message
from customers.models import AuditEntry, Customer
from tests.campaigns import arrange
from tests.campaigns.delivery.conftest import put_on, start_on
from tests.campaigns.delivery.receiver import SECRET, Receiver, is_signed
from tests.campaigns.delivery.texting import TextingProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def texting(settings: Settings) -> Iterator[TextingProvider]:
    with TextingProvider() as server:
        settings.SMS_TARGET = SmsTarget("twilio", "AC1", "t", "+447700900000", api_url=server.url)
        settings.SMS_IS_CAUGHT, settings.SMS_URL = False, "twilio://…"
        yield server


def try_one(client: Client, channel: str, **form: str) -> str:
    response = client.post(f"/settings/channels/{channel}/trial/", form, follow=True)
    return "\n".join(str(message) for message in response.context["messages"])


def test_the_page_says_what_is_connected(
    client: Client, marketer: User, settings: Settings, texting: TextingProvider
) -> None:
    settings.WEBHOOK_TARGET = None
    client.force_login(marketer)
    page = client.get("/settings/channels/").content.decode()
    assert "+447700900000" in page and "/hooks/sms/" in page
    assert page.count("not connected") == 2  # web hook and push
    assert "AC1" not in page


def test_a_test_message_reaches_the_telephone_that_was_typed(
    client: Client, marketer: User, texting: TextingProvider
) -> None:
    client.force_login(marketer)
    assert "Taken" in try_one(client, "sms", number="07700 900123")
    (form,) = texting.letters
    assert form["To"] == "+447700900123" and "This is a test" in form["Body"]
    entry = AuditEntry.objects.get(action="channel_tried")
    assert (entry.actor_id, entry.object_id) == (marketer.pk, "sms") and "7700" not in str(entry.details)


def test_a_number_that_is_none_and_too_many_tries_are_refused(
    client: Client, marketer: User, texting: TextingProvider
) -> None:
    client.force_login(marketer)
    assert "Not a telephone number" in try_one(client, "sms", number="call me")
    for _time in range(MOST_AN_HOUR):
        assert "Taken" in try_one(client, "sms", number="+447700900123")
    assert "within an hour" in try_one(client, "sms", number="+447700900123")
    assert len(texting.letters) == MOST_AN_HOUR


def test_the_web_hook_gets_a_signed_test(client: Client, marketer: User, settings: Settings) -> None:
    client.force_login(marketer)
    with Receiver() as server:
        settings.WEBHOOK_TARGET = WebhookTarget(server.url, SECRET, may_be_loopback=True)
        settings.WEBHOOK_IS_CAUGHT = False
        assert "Taken" in try_one(client, "webhook")
        assert is_signed(server.requests[0][1], server.bodies[0]) and server.letters[0]["type"] == "message.test"
    assert "was not taken: connect" in try_one(client, "webhook")
    settings.WEBHOOK_TARGET = None
    assert "not connected" in try_one(client, "webhook")


def test_who_may_not_send_may_not_try(client: Client, analyst: User, texting: TextingProvider) -> None:
    client.force_login(analyst)
    assert client.get("/settings/channels/").status_code == 200
    assert client.post("/settings/channels/sms/trial/", {"number": "+447700900123"}).status_code == 403
    assert client.post("/settings/channels/pigeon/trial/").status_code == 404
    assert texting.letters == []


def test_the_outbox_shows_a_text_message_as_the_phone_does(
    client: Client, marketer: User, texting: TextingProvider
) -> None:
    start_on("sms", arrange.make_cast(), now=timezone.now())
    send_waiting_messages(seconds=60, connections=1)
    client.force_login(marketer)
    message = Message.objects.earliest("pk")
    listed = client.get("/outbox/").content.decode()
    assert "+447700900000" in listed and "text message" in listed
    assert message.customer.phone in client.get(f"/outbox/{message.pk}/").content.decode()
    body = client.get(f"/outbox/{message.pk}/body/").content.decode()
    assert short_url(message.pk, WAY_OUT) in body and "bubble" in body


def test_parts_and_price_are_told_before_anybody_approves(
    client: Client, marketer: User, settings: Settings, texting: TextingProvider
) -> None:
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    cast = arrange.make_cast()
    campaign = arrange.make_campaign(cast.marketer, arrange.make_customers(5), now=now)
    assert estimate_text_cost(campaign) is None
    put_on("sms", campaign, cast)
    arrange.make_variant(campaign.archetypes.get(), cast.marketer, opening="Hi {{ first_name }}. " + "a" * 100)
    Customer.objects.filter(external_id="c0").update(first_name="李雷")  # makes all of it UCS-2

    cost = estimate_text_cost(campaign)
    assert cost is not None and cost.people == 5 and cost.price is None
    assert 1 < cost.fewest / 5 < cost.most / 5
    settings.SMS_PART_PRICE = 0.04
    cost = estimate_text_cost(campaign)
    assert cost is not None and cost.at_most is not None and float(cost.at_most) == pytest.approx(0.04 * cost.most)
    client.force_login(marketer)
    page = client.get(f"/campaigns/{campaign.pk}/review/").content.decode()
    assert f"{cost.fewest} to {cost.most} parts" in page

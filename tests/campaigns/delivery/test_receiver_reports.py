"""What the web hook's receiver reports: signed as we sign, of now, once, and about our messages alone."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.delivery.channels.targets import WebhookTarget
from campaigns.delivery.names import derive_name
from campaigns.delivery.receiver_reports import HOOK_PATH
from campaigns.models import Campaign, DeliveryEvent, Message
from customers.ingest.consent import hash_address
from customers.models import Suppression
from customers.outgoing.signing import sign
from tests.campaigns.arrange import Cast

from .conftest import start_on
from .receiver import SECRET, is_signed


@pytest.fixture
def handed_over(settings: Settings, cast: Cast, now: dt.datetime) -> Campaign:
    settings.WEBHOOK_TARGET = WebhookTarget("https://hooks.shop.example/in", SECRET)
    settings.WEBHOOK_IS_CAUGHT = False
    campaign = start_on("webhook", cast, now=now)
    Message.objects.update(status="accepted", sending_at=now)
    return campaign


def post(client: Client, kind: str, name: str, event: str, *, age_s: int = 0, secret: str = SECRET, **data: Any) -> int:
    body = json.dumps({"type": kind, "data": {"id": name, **data}}).encode()
    stamp = int(timezone.now().timestamp()) - age_s
    headers = sign(event, stamp, body, secret)
    assert is_signed(headers, body, secret)
    return client.post(HOOK_PATH, body, content_type="application/json", headers=headers).status_code  # type: ignore[arg-type]


def name_of(message: Message) -> str:
    return derive_name(message.campaign_id, message.step, message.customer_id, message.entry)


@pytest.mark.parametrize("order", list(itertools.permutations(["accepted", "delivered", "bounced"])), ids="-".join)
def test_reports_may_come_in_any_order_and_twice(handed_over: Campaign, client: Client, order: tuple[str, ...]) -> None:
    message = Message.objects.earliest("pk")
    for kind in (*order, *order):
        assert post(client, f"message.{kind}", name_of(message), f"evt-{kind}") == 204
    message.refresh_from_db()
    assert message.status == "bounced"
    assert DeliveryEvent.objects.filter(message=message).count() == 3
    suppressed = Suppression.objects.get()
    assert (suppressed.channel, suppressed.address_hash) == ("webhook", hash_address("c0"))


def test_who_unsubscribes_at_the_receiver_gets_no_more_web_hooks(handed_over: Campaign, client: Client) -> None:
    message = Message.objects.earliest("pk")
    assert post(client, "message.unsubscribed", name_of(message), "evt-1") == 204
    newest = message.customer.consents.latest("pk")
    assert (newest.channel, newest.status) == ("webhook", "withdrawn")


def test_forged_old_and_strange_posts_change_nothing(handed_over: Campaign, client: Client, settings: Settings) -> None:
    name = name_of(Message.objects.earliest("pk"))
    assert post(client, "message.bounced", name, "evt-1", secret="whsec_" + "A" * 32) == 400
    assert post(client, "message.bounced", name, "evt-1", age_s=301) == 400
    assert post(client, "message.bounced", name, "evt-1", age_s=-301) == 400
    assert client.post(HOOK_PATH, {"type": "message.bounced"}).status_code == 400
    assert post(client, "message.bounced", "1.1.1." + "a" * 20, "evt-1") == 204
    assert post(client, "message.eaten", name, "evt-1") == 204
    assert not DeliveryEvent.objects.exists() and not Suppression.objects.exists()
    settings.WEBHOOK_IS_CAUGHT = True
    assert post(client, "message.bounced", name, "evt-1") == 404


def test_what_is_said_of_a_person_is_kept_without_number_and_address(handed_over: Campaign, client: Client) -> None:
    message = Message.objects.earliest("pk")
    said = "no account for kim@shopper.test or +44 7700 900123"
    assert post(client, "message.failed", name_of(message), "evt-1", detail=said) == 204
    assert DeliveryEvent.objects.get().detail == "no account for …@… or …"

"""The web hook as such: its signature and body, where it may lead, and what its receiver may do with an answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from campaigns.delivery.channels import ChannelUnavailable, Envelope, Outcome
from campaigns.delivery.channels.http_phases import ForbiddenPeer
from campaigns.delivery.channels.targets import WebhookTarget
from campaigns.delivery.channels.webhook import WebhookChannel, make_guard
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import CampaignStatus, Message
from retention_site.engine_urls import catch_webhooks, read_webhook_target
from tests.campaigns.arrange import Cast
from tests.provider_server import Harm

from .conftest import start_on, states
from .receiver import SECRET, Receiver, is_signed

BODY = Envelope("", "c0", b'{"hello":"there"}', "1.1.2.0123456789abcdef0123")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def channel_to(receiver: Receiver, **options: bool) -> WebhookChannel:
    target = WebhookTarget(receiver.url + "in?shop=1", SECRET, **{"may_be_loopback": True, **options})
    return WebhookChannel(target, timeout_s=10)


def test_what_arrives_is_signed_and_names_the_person_by_the_shops_own_id(
    receiver: Receiver, settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    campaign = start_on("webhook", cast, now=now)
    settings.WEBHOOK_TARGET = WebhookTarget(receiver.url + "in", SECRET, may_be_loopback=True)
    send_waiting_messages(seconds=60, connections=1)

    assert states(campaign) == {"accepted": 3}
    names = set(Message.objects.values_list("message_id", flat=True))
    for (path, headers, letter), raw in zip(receiver.requests, receiver.bodies, strict=True):
        assert path == "/in" and is_signed(headers, raw) and not is_signed(headers, raw + b" ")
        assert not is_signed(headers, raw, "whsec_" + "A" * 32)
        assert headers["Idempotency-Key"] == headers["webhook-id"] == letter["data"]["id"] in names
        assert abs(int(headers["webhook-timestamp"]) - now.timestamp()) < 120
        assert letter["type"] == "message.send" and letter["data"]["message"]["schema"] == "rekindle.message/1"
        assert "/u/" in letter["data"]["message"]["unsubscribe_url"]
        for known in ("shopper.test", "+4477", "Number0"):  # no more of a person than the receiver needs
            assert known not in raw.decode()
    assert {letter["data"]["customer"]["id"] for _p, _h, letter in receiver.requests} == {"c0", "c1", "c2"}


def test_a_receiver_that_is_gone_or_never_was_pauses_and_fails_nobody(
    receiver: Receiver, settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    campaign = start_on("webhook", cast, now=now)
    settings.WEBHOOK_TARGET = WebhookTarget(receiver.url, SECRET, may_be_loopback=True)
    receiver.harm, receiver.status, receiver.times = Harm.STATUS, 404, None
    send_waiting_messages(seconds=60, connections=1)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED and "WEBHOOK_URL" in campaign.status_reason
    assert states(campaign) == {"queued": 2, "retry_wait": 1}


def test_a_machine_inside_the_house_is_not_spoken_to(
    receiver: Receiver, settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    """Whatever the name resolves to: what counts is the machine at the other end."""
    channel = channel_to(receiver, may_be_loopback=False)
    with pytest.raises(ChannelUnavailable, match="internal") as caught:
        channel.ensure_open()
    assert caught.value.is_final
    assert channel.deliver(BODY).outcome is Outcome.RETRY and receiver.requests == []

    campaign = start_on("webhook", cast, now=now)
    settings.WEBHOOK_TARGET = channel.target
    send_waiting_messages(seconds=60, connections=1)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED and "internal network" in campaign.status_reason
    assert receiver.requests == [] and states(campaign) == {"queued": 3}


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("10.0.0.7", False),
        ("192.168.1.1", False), ("172.16.5.4", False), ("169.254.169.254", False), ("fd00:ec2::254", False),
        ("fe80::1%eth0", False), ("::ffff:10.0.0.7", False), ("0.0.0.0", False), ("100.64.0.1", False),
        ("127.0.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False),
    ],
)  # fmt: skip
def test_only_machines_of_the_open_net_are_spoken_to(address: str, is_allowed: bool) -> None:
    guard = make_guard(WebhookTarget("https://hooks.shop.example", SECRET))
    if is_allowed:
        guard(address)
    else:
        with pytest.raises(ForbiddenPeer):
            guard(address)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.shop.example/in", "https://"),
        ("ftp://hooks.shop.example/in", "https://"),
        ("https://user:key@hooks.shop.example/in", "without a log-in"),
        ("https://127.0.0.1/in", "this machine"),
        ("https://localhost/in", "this machine"),
        ("https://10.1.2.3/in", "internal"),
        ("https://[fd00::1]/in", "internal"),
        ("https://169.254.169.254/latest", "internal"),
        ("https://gateway/in", "internal"),
        ("https://db.internal/in", "internal"),
        ("https:///in", "https://host/path"),
    ],
)
def test_an_address_that_must_not_be_used_is_refused_at_the_start(url: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says):
        read_webhook_target(url, secret=SECRET, key_hours=0, is_public=True)


def test_in_development_a_receiver_may_be_on_this_machine() -> None:
    target = read_webhook_target("http://localhost:9000/in", secret=SECRET, key_hours=24, is_public=False)
    assert target.may_be_loopback and not target.may_be_internal and target.key_window_s == 24 * 3600 - 600
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_SECRET"):
        read_webhook_target("https://hooks.shop.example/in", secret="too short", key_hours=0, is_public=True)
    caught = catch_webhooks("http://mail:1026", secret_key="s")
    assert caught.may_be_internal and caught.key_window_s > 0


def test_an_endless_answer_costs_its_connection_and_not_its_yes(receiver: Receiver) -> None:
    channel = channel_to(receiver)
    receiver.harm, receiver.status, receiver.answer = Harm.STATUS, 200, "x" * 100_000
    assert channel.deliver(BODY).outcome is Outcome.ACCEPTED
    assert channel.deliver(BODY).outcome is Outcome.ACCEPTED
    assert receiver.connections == 2


def test_what_a_receiver_says_is_kept_without_addresses(receiver: Receiver) -> None:
    channel = channel_to(receiver)
    receiver.harm, receiver.status, receiver.answer = Harm.STATUS, 422, "no push for kim@shopper.test"
    reply = channel.deliver(BODY)
    assert reply.outcome is Outcome.FAILED and reply.summary == "dot: 422 no push for …@…"


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the guard would look at the proxy, and the proxy would go wherever the name leads."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert channel_to(receiver).deliver(BODY).outcome is Outcome.ACCEPTED
    assert json.loads(receiver.bodies[0]) == {"hello": "there"}


def test_what_waits_for_a_channel_that_was_taken_away_is_called_unsent(
    settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    campaign = start_on("webhook", cast, now=now)
    settings.WEBHOOK_TARGET = None
    doubtful = Message.objects.earliest("pk")
    Message.objects.filter(pk=doubtful.pk).update(in_doubt_since=now, route="webhook/1", slots={"a": "b"})
    send_waiting_messages(seconds=60, connections=1)
    assert states(campaign) == {"skipped": 2, "unknown": 1}
    assert set(Message.objects.values_list("skip_reason", flat=True)) == {"", "no_channel"}

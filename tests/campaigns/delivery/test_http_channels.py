"""Web hooks and text messages: what each fault allows us to conclude, and never twice. As `test_providers.py` for mail."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from campaigns.delivery import reaper, scheduler
from campaigns.delivery.channels import Cause, Channel, ChannelUnavailable, Envelope, Outcome, Phase
from campaigns.delivery.channels.choice import current_route, open_channel
from campaigns.delivery.channels.targets import SmsTarget, WebhookTarget
from campaigns.delivery.outbox import MAX_ATTEMPTS
from campaigns.delivery.sender import SendRun, send_waiting_messages
from campaigns.models import Campaign, CampaignStatus, Message
from customers.ingest.consent import withdraw_consent
from customers.models import ConsentRecord, Customer, CustomerEvent
from tests.campaigns.arrange import Cast, ledger_open
from tests.provider_server import TAKEN, Harm, ProviderServer

from .conftest import start_on, states
from .receiver import SECRET, Receiver
from .texting import TextingProvider

NAME = "1.1.2.0123456789abcdef0123"
#: Longer than a loaded machine needs for an answer; where an answer has to be too late, it is much later than IMPATIENCE_S.
PATIENCE_S, IMPATIENCE_S, LATE_S = 10.0, 1.0, 3.0
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Door:
    """A channel with a server of its own at the other end. `use` sets the shop up for it; `address` is one of its people's."""

    channel: str
    has_keys: bool
    server: type[ProviderServer]
    use: Callable[[Settings, ProviderServer], None]
    address: str

    def open(self) -> Channel:
        return open_channel(self.channel)

    def envelope(self, size: int = 10) -> Envelope:
        return Envelope("", self.address, b'{"a":"' + b"x" * size + b'"}', NAME)

    def unknown(self) -> Outcome:
        return Outcome.REPEAT if self.has_keys else Outcome.UNKNOWN


def use_webhook(settings: Settings, server: ProviderServer, *, window_s: float = 0.0) -> None:
    settings.WEBHOOK_TARGET = WebhookTarget(server.url + "in", SECRET, window_s, may_be_loopback=True)
    settings.EMAIL_TIMEOUT = PATIENCE_S


def use_keyed_webhook(settings: Settings, server: ProviderServer) -> None:
    use_webhook(settings, server, window_s=3600.0)


def use_sms(settings: Settings, server: ProviderServer) -> None:
    settings.SMS_TARGET = SmsTarget("twilio", "AC1", "a-token", "+447700900000", api_url=server.url)
    settings.EMAIL_TIMEOUT = PATIENCE_S


DOORS = {
    "sms": Door("sms", False, TextingProvider, use_sms, "+447700900123"),
    "webhook with keys": Door("webhook", True, Receiver, use_keyed_webhook, "c0"),
    "webhook without": Door("webhook", False, Receiver, use_webhook, "c0"),
}


@pytest.fixture(params=DOORS.values(), ids=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.param
    return found


@pytest.fixture
def server(door: Door, settings: Settings) -> Iterator[ProviderServer]:
    with door.server() as server:
        door.use(settings, server)
        yield server


@pytest.fixture
def campaign(door: Door, server: ProviderServer, cast: Cast, now: dt.datetime) -> Campaign:
    return start_on(door.channel, cast, now=now)


@pytest.mark.parametrize(
    "harm", [Harm.CUT_UNTAKEN, Harm.CUT_TAKEN, Harm.SLOW_TAKEN, Harm.GARBAGE_TAKEN], ids=lambda harm: harm.name
)
def test_without_a_clear_answer_only_a_key_allows_another_try(
    door: Door, server: ProviderServer, settings: Settings, harm: Harm
) -> None:
    server.harm, server.slow_s = harm, LATE_S
    settings.EMAIL_TIMEOUT = IMPATIENCE_S if harm is Harm.SLOW_TAKEN else PATIENCE_S
    reply = door.open().deliver(door.envelope())
    assert (reply.outcome, reply.phase) == (door.unknown(), Phase.DOT), reply
    assert len(server.letters) == int(harm in TAKEN)


@pytest.mark.parametrize(
    ("status", "outcome", "cause"),
    [
        (429, Outcome.RETRY, Cause.NONE),
        (503, Outcome.RETRY, Cause.NONE),
        (408, Outcome.RETRY, Cause.NONE),
        (307, Outcome.RETRY, Cause.NONE),
        (401, Outcome.RETRY, Cause.LOGIN),
        (403, Outcome.RETRY, Cause.LOGIN),
        (400, Outcome.FAILED, Cause.NONE),
        (422, Outcome.FAILED, Cause.NONE),
        (500, None, Cause.NONE),
        (502, None, Cause.NONE),
        (504, None, Cause.NONE),
    ],
)
def test_each_status_means_what_it_allows(
    door: Door, server: ProviderServer, status: int, outcome: Outcome | None, cause: Cause
) -> None:
    server.harm, server.status = Harm.STATUS, status
    server.headers = {"Location": server.url + "elsewhere"} if status == 307 else {}
    reply = door.open().deliver(door.envelope())
    assert (reply.outcome, reply.cause) == (outcome or door.unknown(), cause), reply
    assert server.letters == [] and len(server.requests) == 1, "a redirect is not followed"


def test_a_server_that_is_away_costs_no_message_a_try(door: Door, settings: Settings) -> None:
    with door.server() as gone:
        pass
    door.use(settings, gone)
    with pytest.raises(ChannelUnavailable) as caught:
        door.open().ensure_open()
    assert caught.value.phase is Phase.CONNECT and not caught.value.is_final


def test_a_connection_cut_in_mid_request_has_sent_nothing(
    door: Door, server: ProviderServer, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = PATIENCE_S
    server.harm = Harm.RESET_UNREAD
    reply = door.open().deliver(door.envelope(size=16_000_000))
    assert (reply.outcome, reply.phase) == (Outcome.RETRY, Phase.BODY), reply
    assert server.letters == []


def test_the_connection_is_kept_and_made_anew_where_the_server_closed_it(door: Door, server: ProviderServer) -> None:
    channel = door.open()
    for number in range(3):
        assert channel.deliver(dataclasses.replace(door.envelope(), name=f"n{number}")).outcome is Outcome.ACCEPTED
    assert server.connections == 1
    server.harm, server.status, server.headers = Harm.STATUS, 503, {"Connection": "close"}
    channel.deliver(door.envelope())
    channel.ensure_open()
    assert channel.deliver(door.envelope()).outcome is Outcome.ACCEPTED
    assert server.connections == 2
    channel.close()
    channel.close()


def test_a_server_that_asks_for_patience_is_left_alone(door: Door, server: ProviderServer) -> None:
    channel = door.open()
    server.harm, server.status, server.headers = Harm.STATUS, 429, {"Retry-After": "120"}
    assert channel.deliver(door.envelope()).wait_s == 120
    with pytest.raises(ChannelUnavailable) as caught:
        channel.ensure_open()
    assert 100 < caught.value.wait_s <= 120
    assert channel.deliver(door.envelope()).outcome is Outcome.RETRY and len(server.requests) == 1


# --- Through the whole sender -----------------------------------------------------------------------------------------


def run(door: Door, *, seconds: float = 60) -> SendRun:
    return send_waiting_messages(seconds=seconds, connections=1, open_channel=door.open, channel=door.channel)


def let_time_pass() -> None:
    """Every wait and lease is over."""
    Message.objects.update(not_before=None)
    Message.objects.filter(status="retry_wait").update(not_before=LONG_AGO)
    Message.objects.filter(lease_until__isnull=False).update(lease_until=LONG_AGO)
    reaper.reap_stuck_messages()


def test_everybody_gets_one_message_and_the_campaign_is_sent(
    door: Door, server: ProviderServer, campaign: Campaign, now: dt.datetime
) -> None:
    assert run(door).counts == {"accepted": 3} and run(door).counts == {}
    assert len(server.letters) == 3 and server.connections == 1
    assert scheduler.finish_campaigns(now) == 1
    kinds = list(CustomerEvent.objects.values_list("kind", "properties__channel"))
    assert kinds == [("message_sent", door.channel)] * 3
    assert set(Message.objects.values_list("route", flat=True)) == {current_route(door.channel).name}


@pytest.mark.parametrize("harm", [Harm.CUT_TAKEN, Harm.SLOW_TAKEN, Harm.GARBAGE_TAKEN], ids=lambda harm: harm.name)
def test_nobody_gets_it_twice_whatever_became_of_the_answer(
    door: Door, server: ProviderServer, campaign: Campaign, settings: Settings, harm: Harm
) -> None:
    server.harm, server.times, server.slow_s = harm, 2, LATE_S
    settings.EMAIL_TIMEOUT = IMPATIENCE_S if harm is Harm.SLOW_TAKEN else PATIENCE_S
    run(door)
    settings.EMAIL_TIMEOUT = PATIENCE_S
    waiting, lost = (2, 0) if door.has_keys else (0, 2)
    assert (states(campaign)["retry_wait"], states(campaign)["unknown"]) == (waiting, lost)
    let_time_pass()
    run(door)
    assert states(campaign) == ({"accepted": 3} if door.has_keys else {"accepted": 1, "unknown": 2})
    assert len(server.letters) == 3


def test_a_second_try_says_the_same_though_the_customer_changed(
    door: Door, server: ProviderServer, campaign: Campaign
) -> None:
    server.harm, server.status, server.times = Harm.STATUS, 503, 1
    if door.has_keys:
        server.harm, server.times = Harm.CUT_TAKEN, 3
    run(door)
    Customer.objects.update(first_name="Robin")
    let_time_pass()
    run(door)
    assert states(campaign) == {"accepted": 3} and len(server.letters) == 3
    if door.has_keys:
        assert len(set(server.bodies)) == 3 and len(server.bodies) == 6


def test_a_killed_worker_leaves_what_is_in_doubt_as_it_must(
    door: Door, server: ProviderServer, campaign: Campaign
) -> None:
    run(door)
    Message.objects.update(status="sending", lease_until=LONG_AGO)  # as if killed before it could settle
    reaper.reap_stuck_messages()
    run(door)
    assert states(campaign) == ({"accepted": 3} if door.has_keys else {"unknown": 3})
    assert len(server.letters) == 3


def test_who_says_no_meanwhile_gets_nothing(
    door: Door, server: ProviderServer, campaign: Campaign, now: dt.datetime
) -> None:
    first = Message.objects.earliest("pk").customer
    withdraw_consent(first, source="test", now=now, channel=door.channel)
    run(door)
    assert states(campaign) == {"accepted": 2, "skipped": 1}
    assert Message.objects.get(customer=first).skip_reason == "no_consent"


def test_consent_to_mail_is_no_consent_to_this(
    door: Door, server: ProviderServer, cast: Cast, now: dt.datetime
) -> None:
    campaign = start_on(door.channel, cast, now=now)
    with ledger_open():
        ConsentRecord.objects.update(channel="email")
    run(door)
    assert states(campaign) == {"skipped": 3} and server.letters == []


def test_one_refused_login_pauses_and_says_whose(door: Door, server: ProviderServer, campaign: Campaign) -> None:
    server.harm, server.status, server.times = Harm.STATUS, 401, None
    run(door)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    assert f"{door.channel.upper()}_URL" in campaign.status_reason and "mail server" not in campaign.status_reason
    assert len(server.requests) == 1 and states(campaign) == {"queued": 2, "retry_wait": 1}


def test_after_the_last_try_doubt_remains_doubt(door: Door, server: ProviderServer, campaign: Campaign) -> None:
    server.harm, server.times = Harm.CUT_TAKEN, None
    Message.objects.update(attempts=MAX_ATTEMPTS - 1)
    run(door)
    assert states(campaign) == {"unknown": 3}

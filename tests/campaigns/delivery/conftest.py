"""What the tests of sending share: the two people, and a sweep against a scripted server."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.fence.gate import ask_leave
from campaigns.delivery.marking import Bid, Written, write_outcomes_and_marks
from campaigns.delivery.outbox import Settlement
from campaigns.delivery.sender import SendRun, send_waiting_messages
from campaigns.models import Campaign, Message
from customers.ingest.consent import record_consent
from customers.models import Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

Sweep = Callable[..., SendRun]


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()


@pytest.fixture
def now() -> dt.datetime:
    """The send window is checked against the database's clock, so these tests live in the present."""
    return timezone.now()


@pytest.fixture
def running(cast: Cast, now: dt.datetime) -> Campaign:
    """A campaign of three people that is sending."""
    return arrange.start(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)


@pytest.fixture
def sweep() -> Sweep:
    def run(server: ScriptedSmtpServer, *, seconds: float = 20, timeout_s: float = 0.5) -> SendRun:
        return send_waiting_messages(
            seconds=seconds,
            connections=1,
            open_channel=lambda: SmtpChannel(SmtpServer("127.0.0.1", server.port, timeout_s)),
        )

    return run


def start_on(channel: str, cast: Cast, *, now: dt.datetime) -> Campaign:
    """A campaign of three people that is sending on another channel than e-mail."""
    people = arrange.make_customers(3, now=now, consents=False)
    for number, customer in enumerate(people):
        customer.phone = f"+44770090000{number}"
        record_consent(customer, source="checkout", now=now - dt.timedelta(days=1), channel=channel)
    Customer.objects.bulk_update(people, ["phone"])
    campaign = arrange.make_campaign(cast.marketer, people, send_at=now, now=now)
    put_on(channel, campaign, cast)
    return arrange.start(campaign, cast, now=now)


def put_on(channel: str, campaign: Campaign, cast: Cast) -> None:
    """Have the archetypes of a draft written for another channel."""
    campaign.channels = [channel]
    campaign.save()
    campaign.members.update(channel=channel)
    for archetype in campaign.archetypes.all():
        archetype.channel = channel
        archetype.save()
        arrange.make_variant(archetype, cast.marketer)


def states(campaign: Campaign) -> Counter[str]:
    return Counter(Message.objects.filter(campaign=campaign).values_list("status", flat=True))


def write(outcomes: Sequence[Settlement], bids: Sequence[Bid]) -> Written:
    """The write of a sweep that has its leave."""
    return write_outcomes_and_marks(outcomes, bids, ask_leave())

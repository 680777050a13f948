"""Where the demo shop's people stand today: one campaign in every state."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping

from django.contrib.auth.models import User

from campaigns.approval.workflow import cancel_campaign, edit_variant
from campaigns.delivery.channels import Channel, Envelope, Reply
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.control import pause_campaign
from campaigns.delivery.entering.sweep import enter_campaign
from campaigns.delivery.scheduler import start_campaign
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, CampaignStatus, Message, TransitionConflict, Variant
from retention_site.demo.people import MARKETER, Person

from .campaigns import Office, Stage, at_shop_time, bring_campaign
from .plans import APPROVED, CANCELLED, DRAFTED, IDEA, IN_REVIEW, LIVE, MISSED, PAUSED, SCHEDULED

#: How much of the paused campaign has gone out, and how long that may take at most: each message waits for the disk.
SENT_SHARE = 0.6
MOST_SENT = 100
SENDING_S = 20.0
#: What Mara changes in a draft; its promise stands in the policies.
A_PERSONS_WORDS = {
    "subject": "Found your tent yet?",
    "story": "If it turns out to be the wrong one: free returns within 30 days.",
}


def leave_behind_last_week(office: Office, begun_at: dt.datetime) -> None:
    """A campaign that was called off, and one that nobody's computer was running for."""
    send_at = at_shop_time(begun_at, days=1)
    cancelled = bring_campaign(office, CANCELLED, Stage.APPROVED, begun_at=begun_at, send_at=send_at)
    cancel_campaign(
        office.users[CANCELLED.author], cancelled, now=begun_at + dt.timedelta(hours=5),
        reason="The last tents were sold at the week-end.",
    )  # fmt: skip
    missed = bring_campaign(office, MISSED, Stage.SCHEDULED, begun_at=begun_at, send_at=send_at)
    start_campaign(missed, now=send_at + dt.timedelta(hours=MISSED.send_window_hours, minutes=1))


def prepare_today(office: Office, begun_at: dt.datetime, now: dt.datetime) -> None:
    """What is being written, waits for review, is approved, scheduled, and about to be sent, one begun after the other."""
    tomorrow, later = at_shop_time(now, days=1), at_shop_time(now, days=3)
    plans = (
        (PAUSED, Stage.SCHEDULED, now),
        (LIVE, Stage.SCHEDULED, now),
        (SCHEDULED, Stage.SCHEDULED, tomorrow),
        (APPROVED, Stage.APPROVED, later),
        (IN_REVIEW, Stage.IN_REVIEW, later),
        (DRAFTED, Stage.TEXTS, later),
        (IDEA, Stage.IDEA, at_shop_time(now, days=12)),
    )
    made = {}
    for number, (plan, stage, send_at) in enumerate(plans):
        at = begun_at + dt.timedelta(minutes=5 * number)
        made[plan.name] = bring_campaign(office, plan, stage, begun_at=at, send_at=send_at)
    _edit_a_text(office, made[DRAFTED.name], now=now)


def send_and_pause(users: Mapping[Person, User], *, now: dt.datetime) -> int:
    """Start the campaign that stands paused, send a part of it to the mail server, and pause it; how many went out.

    Safe to run again after a crash: what went out stays out, and the pause comes after the rest of the part. Where
    somebody has gone on with the campaign meanwhile it is left alone.
    """
    campaign = Campaign.objects.filter(name=PAUSED.name, author=users[PAUSED.author]).first()
    if campaign is None:
        return 0
    try:
        if campaign.status == CampaignStatus.SCHEDULED:
            start_campaign(campaign, now=now)
        if campaign.status == CampaignStatus.SENDING:
            _send_a_part(campaign)
            reason = "Is the voucher valid in the outlet too? Asking before the rest goes out."
            pause_campaign(users[MARKETER], campaign, reason=reason, now=now)
    except TransitionConflict:
        pass  # the sender has paused it, because the mail server does not answer, or a worker has finished it
    return Message.objects.filter(campaign=campaign, sending_at__isnull=False).count()


def go_live(users: Mapping[Person, User], *, now: dt.datetime) -> None:
    """Start the live campaign. Before `send_and_pause`: whom that writes to could not be written to again, which would be
    a drift of the audience. Safe to run again."""
    campaign = Campaign.objects.filter(name=LIVE.name, author=users[LIVE.author]).first()
    if campaign is not None and campaign.status == CampaignStatus.SCHEDULED:
        start_campaign(campaign, now=now)


def let_in(users: Mapping[Person, User], *, now: dt.datetime) -> int:
    """Let in to the live campaign who is there already; how many entered. After `send_and_pause`, whose sweep would send
    its messages too. Safe to run again."""
    campaign = Campaign.objects.filter(name=LIVE.name, author=users[LIVE.author]).first()
    if campaign is None or campaign.status != CampaignStatus.SENDING:
        return 0
    return enter_campaign(campaign.pk, now=now).entered


def _edit_a_text(office: Office, campaign: Campaign, *, now: dt.datetime) -> None:
    """A person's touch, so that the page can show what was changed in a draft."""
    text = Variant.objects.filter(archetype__campaign=campaign, archetype__language="en").first()
    if text is not None:
        edit_variant(office.users[MARKETER], text, A_PERSONS_WORDS, now=now)


def _send_a_part(campaign: Campaign) -> None:
    rows = Message.objects.filter(campaign=campaign)
    share = min(round(SENT_SHARE * rows.count()), MOST_SENT) - rows.filter(sending_at__isnull=False).count()
    if share <= 0:
        return
    stop = threading.Event()
    send_waiting_messages(
        seconds=SENDING_S, connections=1, stop=stop, open_channel=lambda: _StoppingChannel(_open(), share, stop)
    )


def _open() -> Channel:
    return SmtpChannel(SmtpServer.from_settings())


class _StoppingChannel:
    """A connection that asks its sweep to stop after so many messages."""

    def __init__(self, channel: Channel, messages: int, stop: threading.Event) -> None:
        self._channel = channel
        self._left = messages
        self._stop = stop
        self.route = channel.route

    def ensure_open(self) -> None:
        self._channel.ensure_open()

    def deliver(self, envelope: Envelope) -> Reply:
        reply = self._channel.deliver(envelope)
        self._left -= 1
        if self._left <= 0:
            self._stop.set()
        return reply

    def close(self) -> None:
        self._channel.close()

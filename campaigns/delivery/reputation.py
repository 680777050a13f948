"""What bounces and complaints say of a campaign: fine, a warning, or a reason to stop before the sender's name is spoilt.

The lines are those that mailbox providers draw for bulk senders: complaints under 0.10 %, never 0.30 %. Each needs a least
number besides, because one of three says nothing.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import Campaign, CampaignStatus, TransitionConflict

from .breaker_words import say_cause
from .channels import Cause
from .control import pause_campaign
from .progress import Progress

log = structlog.get_logger(__name__)

COMPLAINTS_WARN, LEAST_TO_WARN = 0.001, 2
COMPLAINTS_STOP, LEAST_TO_STOP = 0.003, 3
BOUNCES_STOP, LEAST_BOUNCES = 0.05, 10


class Level(enum.IntEnum):
    FINE = 0
    WARN = 1
    STOP = 2


@dataclass(frozen=True)
class Reputation:
    """Messages that were handed over, and how many of them came back or were reported as spam."""

    handed_over: int
    bounced: int
    complained: int

    @property
    def complaint_rate(self) -> float:
        """0 to 1, of those handed over."""
        return self.complained / self.handed_over if self.handed_over else 0.0

    @property
    def bounce_rate(self) -> float:
        return self.bounced / self.handed_over if self.handed_over else 0.0

    @property
    def level(self) -> Level:
        if self.complained >= LEAST_TO_STOP and self.complaint_rate >= COMPLAINTS_STOP:
            return Level.STOP
        if self.bounced >= LEAST_BOUNCES and self.bounce_rate >= BOUNCES_STOP:
            return Level.STOP
        warns = self.complained >= LEAST_TO_WARN and self.complaint_rate >= COMPLAINTS_WARN
        return Level.WARN if warns else Level.FINE

    @property
    def sentence(self) -> str:
        """What staff should know, "" where all is well."""
        numbers = {"n": self.complained, "of": self.handed_over, "share": f"{self.complaint_rate:.2%}"}
        if self.complained >= LEAST_TO_STOP and self.complaint_rate >= COMPLAINTS_STOP:
            return (
                _(
                    "%(n)s of %(of)s people reported it as spam (%(share)s; the limit is 0.30%%). Mailbox providers block"
                    " senders beyond that. Look at who was written to and what was said before you resume."
                )
                % numbers
            )
        if self.bounced >= LEAST_BOUNCES and self.bounce_rate >= BOUNCES_STOP:
            numbers |= {"n": self.bounced, "share": f"{self.bounce_rate:.1%}"}
            return (
                _(
                    "%(n)s of %(of)s messages came back (%(share)s; the limit is 5%%). The addresses are old or bought, or we"
                    " are blocked: see the answers in the outbox before you resume."
                )
                % numbers
            )
        if self.level == Level.WARN:
            return (
                _(
                    "%(n)s of %(of)s people reported it as spam (%(share)s). From 0.10%% on mailbox providers take notice;"
                    " at 0.30%% sending stops by itself."
                )
                % numbers
            )
        return ""


def read_reputation(campaign_id: int) -> Reputation:
    """By the states of the messages, which events keep."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE status = 'bounced'), count(*) FILTER (WHERE status = 'complained')"
            " FROM campaigns_message WHERE campaign_id = %s"
            " AND status IN ('accepted', 'delivered', 'bounced', 'complained')",
            [campaign_id],
        )
        return Reputation(*cursor.fetchone())


def judge_progress(progress: Progress) -> Reputation:
    """The same of figures that were read already."""
    numbers = progress.by_status
    return Reputation(progress.sent, numbers.get("bounced", 0), numbers.get("complained", 0))


def pause_for_reports(causes: Mapping[int, tuple[Cause, str]], *, now: dt.datetime) -> int:
    """Pause those of the campaigns that are sending and should not go on; returns how many.

    `causes` holds each campaign of which something came back, with an answer about our log-in or good name where there was
    one: one is enough. Asked only when something new came back, so that a person who resumes in spite of it is not
    overruled at once.
    """
    paused = 0
    for campaign in Campaign.objects.filter(pk__in=list(causes), status=CampaignStatus.SENDING):
        reputation, (cause, answer) = read_reputation(campaign.pk), causes[campaign.pk]
        with override("en"):  # it is kept
            reason = say_cause(cause, answer) if cause else ""
            reason = reason or (reputation.sentence if reputation.level == Level.STOP else "")
        if not reason:
            continue
        try:
            pause_campaign(None, campaign, reason=reason, now=now)
        except TransitionConflict:
            continue  # paused or finished by somebody else
        paused += 1
        log.warning("campaign_paused_by_reports", campaign=campaign.pk)
    return paused

"""What may have been sent since a backup was taken: where the database says that it still waits, and nobody can be sure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q

from campaigns.models import Arm, AudienceMember, Campaign, CampaignStatus, Message, SendingEpoch
from campaigns.models.message import WAITING_STATUSES

#: States in which the database says: not sent yet. What is `sending` becomes unknown by the reaper.
RUNNING: Final = (CampaignStatus.SENDING, CampaignStatus.PAUSED)
NOT_STARTED: Final = (
    CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED,
)  # fmt: skip


@dataclass(frozen=True)
class Risk:
    """Of one campaign: `waiting` messages, of which `at_risk` may have been sent already. `up_to` is their highest id, None
    for all of them. `has_started` False: here it has not begun, and may have been sent whole."""

    campaign: Campaign
    waiting: int
    at_risk: int
    up_to: int | None
    has_started: bool


@dataclass(frozen=True)
class Risks:
    """`is_exact`: what stands outside says which messages can have been under way. `missing` are campaigns that were sent
    after the backup and that the database does not know at all."""

    rows: Sequence[Risk]
    is_exact: bool
    missing: int


def assess_risks(fence: SendingEpoch, *, now: dt.datetime) -> Risks:
    """By what was found outside when the fence closed.

    One with an id above the highest that was ever marked was certainly not sent. That is only known where both keepers hold
    this very epoch; otherwise everything that waits is at risk.
    """
    newest = _read_newest(fence)
    started = [risk for campaign in _running() if (risk := _weigh_running(campaign, newest)).at_risk]
    sent_since = Campaign.objects.filter(status__in=NOT_STARTED, pk__in=newest or ())
    idle = sent_since if newest is not None else Campaign.objects.due(now)
    whole = [_weigh_whole(campaign) for campaign in idle.order_by("pk")]
    known = set(Campaign.objects.filter(pk__in=newest or ()).values_list("pk", flat=True))
    return Risks(started + whole, newest is not None, len(set(newest or ()) - known))


def _running() -> Sequence[Campaign]:
    waiting = Count("messages", filter=Q(messages__status__in=WAITING_STATUSES))
    found = Campaign.objects.filter(status__in=RUNNING).annotate(waiting=waiting).filter(waiting__gt=0)
    return list(found.order_by("pk"))


def _weigh_running(campaign: Campaign, newest: Mapping[int, int] | None) -> Risk:
    waiting = Message.objects.filter(campaign=campaign, status__in=WAITING_STATUSES)
    total = waiting.count()
    if newest is None:
        return Risk(campaign, total, total, None, has_started=True)
    up_to = newest.get(campaign.pk, 0)
    return Risk(campaign, total, waiting.filter(pk__lte=up_to).count(), up_to, has_started=True)


def _weigh_whole(campaign: Campaign) -> Risk:
    people = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT).count()
    return Risk(campaign, people, people, None, has_started=False)


def _read_newest(fence: SendingEpoch) -> dict[int, int] | None:
    """The highest message that was ever marked, by campaign; None where nobody knows for sure."""
    keepers = fence.found.get("keepers", {})
    if not fence.found.get("is_complete") or len(keepers) < 2:
        return None
    newest: dict[int, int] = {}
    for told in keepers.values():
        if told["epoch"] != fence.epoch:
            return None
        for campaign, message in told["newest"].items():
            newest[int(campaign)] = max(int(message), newest.get(int(campaign), 0))
    return newest

"""How a live campaign goes: who entered on which day, in which arm, who left and why, and when people enter next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F
from django.db.models.functions import TruncDate

from campaigns.audience.entry_drift import EntryDrift, compare_shares
from campaigns.audience.entry_rules import EntryRuleError
from campaigns.audience.recurrence import parse_recurrence
from campaigns.models import (
    Archetype,
    Arm,
    Campaign,
    CampaignKind,
    CampaignStatus,
    Entry,
    ExitReason,
    FollowUp,
    Occurrence,
)

DAYS_SHOWN: Final = 14
OCCURRENCES_SHOWN: Final = 5
#: A campaign that lets people in and was not looked at for so long has a worker that does not work.
LATE_LOOK: Final = dt.timedelta(hours=3)


@dataclass(frozen=True)
class EntryFigures:
    """Entries, not people: who enters again counts again. `excluded` and `left` are by reason; `days` are the shop's, the
    last DAYS_SHOWN of them since it went live; `waiting` people are on their way to a further step."""

    arms: Mapping[str, int]
    excluded: Mapping[str, int]
    left: Mapping[str, int]
    waiting: int
    days: Sequence[tuple[dt.date, int]]
    next_at: dt.datetime | None
    occurrences: Sequence[Occurrence]
    drift: EntryDrift
    has_drifted: bool
    is_late: bool

    @property
    def entered(self) -> int:
        return sum(number for arm, number in self.arms.items() if arm != Arm.EXCLUDED)


def read_entries(campaign: Campaign, *, now: dt.datetime) -> EntryFigures:
    """Grouped counts in a handful of queries."""
    entries = Entry.objects.filter(campaign=campaign).order_by()
    drawn = entries.exclude(arm=Arm.EXCLUDED)
    frozen = dict(Archetype.objects.filter(campaign=campaign).values_list("pk", "size"))
    found = drawn.filter(archetype__isnull=False).values_list("archetype").annotate(n=Count("pk"))
    drift = compare_shares(frozen, dict(found))
    return EntryFigures(
        arms=dict(entries.values_list("arm").annotate(n=Count("pk"))),
        excluded=dict(
            entries.filter(arm=Arm.EXCLUDED).values_list("exclusion_reason").annotate(n=Count("pk")).order_by("-n")
        ),
        left=dict(
            drawn.exclude(exit_reason__in=_usual_exits(campaign))
            .values_list("exit_reason")
            .annotate(n=Count("pk"))
            .order_by("-n")
        ),
        waiting=drawn.filter(next_at__isnull=False).count(),
        days=_count_days(campaign, now),
        next_at=find_next(campaign, now=now),
        occurrences=list(Occurrence.objects.filter(campaign=campaign)[:OCCURRENCES_SHOWN]),
        drift=drift,
        has_drifted=drift.is_beyond(campaign.most_drift),
        is_late=_is_late(campaign, now),
    )


def find_next(campaign: Campaign, *, now: dt.datetime) -> dt.datetime | None:
    """The next occurrence of a recurring campaign; None for all others, and where it would be after the end."""
    if campaign.kind != CampaignKind.RECURRING or campaign.scheduled_for is None or campaign.is_finished:
        return None
    try:
        rule = parse_recurrence(campaign.recurrence)
    except EntryRuleError:
        return None
    following = rule.find_next(now, anchor=campaign.scheduled_for, zone=ZoneInfo(settings.SHOP_TIME_ZONE))
    is_over = following is None or (campaign.closes_at is not None and following > campaign.closes_at)
    return None if is_over else following


def _count_days(campaign: Campaign, now: dt.datetime) -> list[tuple[dt.date, int]]:
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    today = now.astimezone(zone).date()
    first = today - dt.timedelta(days=DAYS_SHOWN - 1)
    if campaign.sending_started_at is not None:
        first = min(max(first, campaign.sending_started_at.astimezone(zone).date()), today)
    since = dt.datetime.combine(first, dt.time(), tzinfo=zone)
    rows = Entry.objects.filter(campaign=campaign, entered_at__gte=since).exclude(arm=Arm.EXCLUDED).order_by()
    by_day = dict(rows.annotate(day=TruncDate(F("entered_at"), tzinfo=zone)).values_list("day").annotate(n=Count("pk")))
    days = [first + dt.timedelta(days=number) for number in range((today - first).days + 1)]
    return [(day, by_day.get(day, 0)) for day in days]


def _usual_exits(campaign: Campaign) -> list[str]:
    """What is not told of: nobody left, or went through the one step that there is."""
    has_steps = FollowUp.objects.filter(campaign=campaign).exists()
    return [""] if has_steps else ["", ExitReason.COMPLETED]


def _is_late(campaign: Campaign, now: dt.datetime) -> bool:
    """Whether people should have been looked for and were not. A recurring one is looked at when an occurrence is due."""
    if campaign.status != CampaignStatus.SENDING or not campaign.lets_in(now):
        return False
    if campaign.kind == CampaignKind.RECURRING:
        return False
    return campaign.entered_until is not None and now - campaign.entered_until > LATE_LOOK

"""When orders count: for one send from its start on, the same for all; in a live campaign for each person from their first
entry on.

One person counts once, in the arm of the seed, by their first entry, as long as `attribution_days` says; what they got on
later entries is part of what is measured. Held-out people enter as the others do, so that both arms are followed alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q

from campaigns.audience.holdout import draws_holdout
from campaigns.models import Arm, AudienceMember, Campaign, CampaignStatus, Entry

DRAWN = (Arm.TREATMENT, Arm.HOLDOUT)

#: People with their arm, what was known of them when they were drawn, and their own window: arm, customer_id, archetype_id,
#: churn_probability, expected_value, in_looks, opens_at, closes_at. Parameters: `window_params`.
PEOPLE_SQL = """
SELECT m.arm, m.customer_id, m.archetype_id, m.churn_probability, m.expected_value, m.in_looks,
       %(start)s::timestamptz AS opens_at, %(end)s::timestamptz AS closes_at
FROM campaigns_audiencemember m WHERE m.campaign_id = %(campaign)s AND m.arm IN ('treatment', 'holdout')"""
ENTERED_SQL = """
SELECT DISTINCT ON (e.customer_id) e.arm, e.customer_id, e.archetype_id, e.churn_probability, e.expected_value, e.in_looks,
       e.entered_at AS opens_at,
       least(%(end)s::timestamptz, e.entered_at + make_interval(days => %(days)s)) AS closes_at
FROM campaigns_entry e
WHERE e.campaign_id = %(campaign)s AND e.arm IN ('treatment', 'holdout') AND e.entered_at <= %(end)s
ORDER BY e.customer_id, e.number"""


@dataclass(frozen=True)
class Window:
    """From the first person's start to the last one's end. `people_open`: how many are still followed, in a live one."""

    start: dt.datetime
    closes: dt.datetime
    is_complete: bool
    people_open: int = 0


def read_window(campaign: Campaign, *, as_of: dt.datetime) -> Window | None:
    """None for a campaign that was never started, or that nobody has entered yet.

    A live one is complete once nobody can enter any more and everybody's window has closed: before that its figures grow
    with each look, and whoever looks daily finds effects that are not there.
    """
    start = campaign.sending_started_at
    if start is None or as_of < start:
        return None
    length = dt.timedelta(days=campaign.attribution_days)
    if not campaign.is_live:
        return Window(start, start + length, as_of >= start + length)
    entries = Entry.objects.filter(campaign=campaign, arm__in=DRAWN, entered_at__lte=as_of)
    ends = entries.values("customer_id").annotate(first=Min("entered_at"))
    still_open = Count("first", filter=Q(first__gt=as_of - length))
    found = ends.aggregate(opens=Min("first"), last=Max("first"), people_open=still_open)
    if found["opens"] is None:
        return None
    closes = found["last"] + length
    may_grow = campaign.status in {CampaignStatus.SENDING, CampaignStatus.PAUSED}
    return Window(found["opens"], closes, not may_grow and as_of >= closes, found["people_open"])


def people_sql(campaign: Campaign) -> str:
    """The query of the people of both arms, each with their own window."""
    return ENTERED_SQL if campaign.is_live else PEOPLE_SQL


def window_params(campaign: Campaign, window: Window, *, as_of: dt.datetime) -> dict[str, Any]:
    """The parameters of `people_sql`. `start` and `end` bound the windows of all."""
    return {
        "campaign": campaign.pk,
        "start": window.start,
        "end": min(as_of, window.closes),
        "days": campaign.attribution_days,
    }


def may_still_move(campaign: Campaign, *, now: dt.datetime, days_after: int) -> bool:
    """Whether its figures may still change: up to so many days after the last window, and as long as people may enter."""
    if campaign.is_live and not campaign.is_finished:
        return True
    window = read_window(campaign, as_of=now)
    return window is not None and now < window.closes + dt.timedelta(days=days_after)


def list_drawn(campaign: Campaign) -> Iterator[tuple[int, bool, str]]:
    """Everybody of both arms: their number, whether seed and share hold them out, and the arm that was written down."""
    rows = Entry.objects if campaign.is_live else AudienceMember.objects
    people = rows.filter(campaign=campaign, arm__in=DRAWN).order_by("customer_id").values_list("customer_id", "arm")
    for person, arm in people.distinct().iterator():
        yield person, draws_holdout(campaign.holdout_seed, person, campaign.holdout_share), arm

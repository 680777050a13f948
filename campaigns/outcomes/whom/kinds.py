"""Which campaigns are learned from together: those that offered something, and those that did not.

What a discount does to somebody says little of what a note does, and the other way round. Finer kinds would never be many
enough: a shop sends a few campaigns a month.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from campaigns.audience.narrowing import kind_of
from campaigns.models import Campaign
from campaigns.models.uplift import UpliftKind
from campaigns.outcomes.estimates import check_ratio
from campaigns.outcomes.windows import Window, people_sql, read_window, window_params

from .threshold import ArmCounts

#: Older campaigns were for other people in another shop.
MOST_DAYS = 730


@dataclass(frozen=True)
class Finished:
    """A campaign whose window has closed, with its counts. `is_sound` is False where the arms are not as they were drawn."""

    campaign: Campaign
    window: Window
    counts: ArmCounts
    is_sound: bool


def list_finished(kind: UpliftKind, *, now: dt.datetime) -> list[Finished]:
    """Newest first; test audiences are nobody to learn from."""
    begun = Campaign.objects.filter(
        sending_started_at__gt=now - dt.timedelta(days=MOST_DAYS), is_test_audience=False
    ).select_related("offer")
    found = []
    for campaign in begun.order_by("-sending_started_at"):
        if kind_of(campaign) != kind:
            continue
        window = read_window(campaign, as_of=now)
        if window is not None and window.is_complete:
            found.append(_count(campaign, window, now))
    return [each for each in found if min(each.counts.treated, each.counts.held_out) > 0]


def _count(campaign: Campaign, window: Window, now: dt.datetime) -> Finished:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE m.arm = 'treatment'), count(*) FILTER (WHERE m.arm = 'holdout'),"
            f" avg(1 - m.churn_probability) FILTER (WHERE m.arm = 'holdout') FROM ({people_sql(campaign)}) m",
            window_params(campaign, window, as_of=now),
        )
        treated, held_out, rate = cursor.fetchone()
    ratio = check_ratio(treated, held_out, campaign.holdout_share)
    counts = ArmCounts(treated, held_out, 0.5 if rate is None else float(rate))
    return Finished(campaign, window, counts, not ratio["is_alarming"])

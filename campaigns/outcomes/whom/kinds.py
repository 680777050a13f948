"""Which campaigns are learned from together: those that offered something, and those that did not.

What a discount does to somebody says little of what a note does, and the other way round. Finer kinds would never be many
enough: a shop sends a few campaigns a month.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from campaigns.audience.narrowing import kind_by_offer
from campaigns.models import Campaign, CampaignResult
from campaigns.models.uplift import UpliftKind
from campaigns.outcomes.estimates import check_ratio
from campaigns.outcomes.windows import Window, people_sql, read_window, window_params
from customers.ingest.merged import came_under_sql, holder_join_sql

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
    """Newest first; test audiences are nobody to learn from.

    Counts are those of the campaign's newest result where one was stored after its end: nobody is counted again each hour.
    """
    begun = Campaign.objects.filter(
        sending_started_at__gt=now - dt.timedelta(days=MOST_DAYS), is_test_audience=False
    ).select_related("offer")
    mine = [
        campaign
        for campaign in begun.order_by("-sending_started_at")
        if kind_by_offer(getattr(campaign, "offer", None)) == kind
    ]
    results = CampaignResult.objects.newest_by_campaign(campaign.pk for campaign in mine)
    found = []
    for campaign in mine:
        window = read_window(campaign, as_of=now)
        if window is None or not window.is_complete:
            continue
        counts = _read_counts(results.get(campaign.pk), window) or _count(campaign, window, now)
        if min(counts.treated, counts.held_out) > 0:
            ratio = check_ratio(counts.treated, counts.held_out, campaign.holdout_share)
            found.append(Finished(campaign, window, counts, not ratio["is_alarming"]))
    return found


def _read_counts(result: CampaignResult | None, window: Window) -> ArmCounts | None:
    """None for a result of a time at which people were still followed."""
    if result is None or result.measured_at < window.closes or "holdout_kept" not in result.figures["retention"]:
        return None
    retention = result.figures["retention"]
    held_out = int(retention["holdout"])
    return ArmCounts(int(retention["treated"]), held_out, retention["holdout_kept"] / max(held_out, 1))


def _count(campaign: Campaign, window: Window, now: dt.datetime) -> ArmCounts:
    """By the rule of `attribution`: at least one order in the window, and a return is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE m.arm = 'treatment'), count(*) FILTER (WHERE m.arm = 'holdout'),
                   count(*) FILTER (WHERE m.arm = 'holdout' AND EXISTS (
                       SELECT 1 FROM customers_order o
                       WHERE {came_under_sql("m.customer_id")} AND NOT o.is_return
                         AND o.ordered_at >= m.opens_at AND o.ordered_at < m.closes_at))
            FROM ({people_sql(campaign)}) m {holder_join_sql("m.customer_id")}
            """,
            window_params(campaign, window, as_of=now),
        )
        treated, held_out, kept = cursor.fetchone()
    return ArmCounts(treated, held_out, kept / max(held_out, 1))

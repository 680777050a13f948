"""Keeps what was measured, one row per campaign and day, replaced by key."""

from __future__ import annotations

import datetime as dt

import structlog

from campaigns.models import Campaign, CampaignResult, GlobalHoldout, GlobalHoldoutResult
from customers.ingest.clock import shop_day

from .attribution import measure_campaign
from .global_effect import find_end, measure_round
from .keeping import is_large
from .texts import compare_all, count_texts
from .windows import may_still_move

log = structlog.get_logger(__name__)

#: Figures may still move for some days after the window: orders arrive late from the shop, returns are booked.
DAYS_AFTER_WINDOW = 14


def store_result(
    campaign: Campaign, *, now: dt.datetime, true_effect_points: float | None = None
) -> CampaignResult | None:
    """Measure as of `now` and write the row of that day (the shop's calendar); None for one that was never started.

    Safe to run as often as one likes: the day's row is replaced. `true_effect_points` is given only by the demo shop,
    whose simulator knows it; left out, the row has what an earlier one of the campaign says.
    """
    figures = measure_campaign(campaign, as_of=now)
    if not figures:
        return None
    values: dict[str, object] = {"figures": figures, "measured_at": now}
    truth = true_effect_points if true_effect_points is not None else _find_truth(campaign)
    if truth is not None:
        values["true_effect_points"] = truth
    day = shop_day(now)
    result, _created = CampaignResult.objects.update_or_create(campaign=campaign, day=day, defaults=values)
    return result


def store_all_results(*, now: dt.datetime) -> int:
    """Today's row for every campaign that was started and whose figures may still move; returns how many.

    Those whose newest row is of a version that did not count what they cost are measured once more.
    """
    stored, started = 0, list(Campaign.objects.filter(sending_started_at__isnull=False))
    newest = CampaignResult.objects.newest_by_campaign(campaign.pk for campaign in started)
    for campaign in started:
        kept = newest.get(campaign.pk)
        is_old = kept is not None and "spending" not in kept.figures
        if is_old or may_still_move(campaign, now=now, days_after=DAYS_AFTER_WINDOW):
            stored += store_result(campaign, now=now) is not None
            if is_large(campaign):  # so that nobody who opens the page waits for it
                compare_all(campaign, count_texts(campaign, as_of=now, anew=True), now=now, anew=True)
    log.info("results_stored", campaigns=stored)
    return stored


def store_holdout_results(*, now: dt.datetime) -> int:
    """Today's row of each round of the global hold-out whose figures may still move; returns how many rounds held people out."""
    day, stored = shop_day(now), 0
    for holdout in GlobalHoldout.objects.filter(begins_at__lte=now):
        end = find_end(holdout)
        if end is not None and end <= now - dt.timedelta(days=DAYS_AFTER_WINDOW):
            continue
        if figures := measure_round(holdout, as_of=now):
            GlobalHoldoutResult.objects.update_or_create(
                holdout=holdout, day=day, defaults={"figures": figures, "measured_at": now}
            )
            stored += 1
    return stored


def _find_truth(campaign: Campaign) -> float | None:
    known = CampaignResult.objects.filter(campaign=campaign, true_effect_points__isnull=False)
    return known.order_by("-day").values_list("true_effect_points", flat=True).first()

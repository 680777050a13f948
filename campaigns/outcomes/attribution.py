"""Counts what both arms of a campaign did afterwards, by the same rule, in SQL.

Intention to treat: everybody who was drawn into an arm counts in it, whether or not a message was sent, taken or read. When
their orders count is said by `windows`: from the start of the send, or from each person's first entry, `attribution_days`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.models import Arm, Campaign, MessageStatus
from customers.ingest.currency import read_shop_currency

from .estimates import check_ratio, describe_archetypes, describe_estimates, describe_look
from .lift import Moments, estimate_lift, estimate_mean_difference
from .spending import count_spending
from .sums import COVARIATES, ArmSums, count_sums
from .windows import Window, people_sql, read_window, window_params


def measure_campaign(campaign: Campaign, *, as_of: dt.datetime) -> dict[str, Any]:
    """The figures of one campaign as of an instant, as JSON; {} for one that was never started.

    `retention` is the lift in the share of people with at least one order (returns are none) in the window; `revenue` the
    difference per person of what they paid less what they returned, in `currency`. The verdict stays `too_early` until
    the window has closed; `any_look` is one of a sequence of intervals that holds however often one looks. `estimates` are the
    same differences with the past taken out (money cut at `cap`), `archetypes` retention by archetype once it is complete.
    Pure reading: safe to run at any time.
    """
    window = read_window(campaign, as_of=as_of)
    if window is None:
        return {}
    currency = read_shop_currency()
    sums = count_sums(campaign, window, as_of=as_of, currency=currency)
    treated, holdout = sums.treated, sums.holdout
    lift = estimate_lift(treated.n, treated.kept, holdout.n, holdout.kept, is_complete=window.is_complete)
    elapsed_days = (as_of - window.start) / dt.timedelta(days=1)
    archetypes = {place: (first.moments, second.moments) for place, (first, second) in sums.by_archetype.items()}
    return {
        "as_of": as_of.isoformat(),
        "window_start": window.start.isoformat(),
        "window_end": window.closes.isoformat(),
        "is_complete": window.is_complete,
        "days_left": max((window.closes - as_of).days, 0),
        **({"by_entry": True, "people_open": window.people_open} if campaign.is_live else {}),
        "currency": currency,
        "retention": lift.as_json(),
        "revenue": _revenue_json(treated, holdout),
        "estimates": describe_estimates(treated.moments, holdout.moments),
        "cap": sums.cap,
        "any_look": describe_look(
            treated.moments, holdout.moments, expected_share=_find_expected_share(treated, holdout),
            elapsed_days=elapsed_days, grows=campaign.is_live and not campaign.is_finished,
        ),
        "archetypes": describe_archetypes(archetypes) if window.is_complete else [],
        "sample_ratio": check_ratio(treated.n, holdout.n, campaign.holdout_share),
        "reached_by_others": _count_reached(campaign, window, as_of),
        "messages": _count_messages(campaign.pk),
        "spending": count_spending(campaign, window, as_of=as_of, currency=currency),
    }  # fmt: skip


def _find_expected_share(treated: ArmSums, holdout: ArmSums) -> float:
    """The share that was expected to order when people were drawn: one less the mean of their probabilities of leaving."""
    place = list(COVARIATES).index("churn_probability")
    people = [(arm.n, float(arm.moments["kept"].x_mean[place])) for arm in (treated, holdout) if arm.n]
    whole = sum(n for n, _mean in people)
    return 1 - sum(n * mean for n, mean in people) / whole if whole else 0.5


def _revenue_json(treated: ArmSums, holdout: ArmSums) -> dict[str, Any]:
    difference = estimate_mean_difference(
        Moments(treated.n, treated.paid_mean, treated.paid_variance),
        Moments(holdout.n, holdout.paid_mean, holdout.paid_variance),
    )
    return {
        "treated_mean": treated.paid_mean,
        "holdout_mean": holdout.paid_mean,
        "treated_orders": treated.orders,
        "holdout_orders": holdout.orders,
        "difference": difference.as_json() if difference else None,
    }


def _count_reached(campaign: Campaign, window: Window, as_of: dt.datetime) -> dict[str, int]:
    """By arm: how many people another campaign wrote to while theirs were counted. Where held-out people are reached by
    others, what is measured is this campaign on top of those."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.arm, count(*) FROM ({people_sql(campaign)}) m
            WHERE EXISTS (
                SELECT 1 FROM campaigns_message x
                WHERE x.customer_id = m.customer_id AND x.campaign_id <> %(campaign)s
                  AND x.sending_at >= m.opens_at AND x.sending_at < m.closes_at
                  AND x.status IN ('accepted', 'delivered', 'complained'))
            GROUP BY m.arm
            """,
            window_params(campaign, window, as_of=as_of),
        )
        found = dict(cursor.fetchall())
    return {"treated": int(found.get(Arm.TREATMENT, 0)), "holdout": int(found.get(Arm.HOLDOUT, 0))}


def _count_messages(campaign_id: int) -> dict[str, int]:
    """How the messages ended, so that the page can say how many of the treated a message reached."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, count(*) FROM campaigns_message WHERE campaign_id = %s GROUP BY status", [campaign_id]
        )
        found = dict(cursor.fetchall())
    return {status.value: int(found.get(status.value, 0)) for status in MessageStatus if found.get(status.value)}

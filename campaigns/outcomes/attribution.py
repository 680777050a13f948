"""Counts what both arms of a campaign did afterwards, by the same rule, in SQL.

Intention to treat: everybody who was drawn into an arm counts in it, whether or not a message was sent, taken or read. When
their orders count is said by `windows`: from the start of the send, or from each person's first entry, `attribution_days`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection

from campaigns.models import Arm, Campaign, MessageStatus
from customers.ingest.currency import read_shop_currency
from customers.ingest.merged import order_join_sql

from .lift import MeanDifference, Moments, estimate_lift, estimate_mean_difference
from .windows import Window, people_sql, read_window, window_params


def measure_campaign(campaign: Campaign, *, as_of: dt.datetime) -> dict[str, Any]:
    """The figures of one campaign as of an instant, as JSON; {} for one that was never started.

    `retention` is the lift in the share of people with at least one order (returns are none) in the window; `revenue` the
    difference per person of what they paid less what they returned, in `currency`. The verdict stays `too_early` until
    the window has closed. Pure reading: safe to run at any time.
    """
    window = read_window(campaign, as_of=as_of)
    if window is None:
        return {}
    currency = read_shop_currency()
    arms = _count_arms(campaign, window, as_of, currency)
    treated, holdout = arms[Arm.TREATMENT], arms[Arm.HOLDOUT]
    lift = estimate_lift(
        int(treated["n"]), int(treated["kept"]), int(holdout["n"]), int(holdout["kept"]), is_complete=window.is_complete
    )
    revenue = estimate_mean_difference(_moments(treated), _moments(holdout))
    return {
        "as_of": as_of.isoformat(),
        "window_start": window.start.isoformat(),
        "window_end": window.closes.isoformat(),
        "is_complete": window.is_complete,
        "days_left": max((window.closes - as_of).days, 0),
        **({"by_entry": True, "people_open": window.people_open} if campaign.is_live else {}),
        "currency": currency,
        "retention": lift.as_json(),
        "revenue": _revenue_json(treated, holdout, revenue),
        "messages": _count_messages(campaign.pk),
    }


def _count_arms(
    campaign: Campaign, window: Window, as_of: dt.datetime, currency: str
) -> dict[str, Mapping[str, float]]:
    """Per arm: people, how many ordered, orders, and mean and variance of what they paid. Orders in another currency
    than the shop's count as orders; their amounts are left out rather than added to something else."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH people AS (
                SELECT m.arm, m.customer_id,
                       count(o.id) FILTER (WHERE NOT o.is_return) AS orders,
                       coalesce(sum(o.total) FILTER (WHERE o.currency = %(currency)s), 0)::float8 AS paid
                FROM ({people_sql(campaign)}) m
                {order_join_sql("m.customer_id")}
                 AND o.ordered_at >= %(start)s AND o.ordered_at < %(end)s
                 AND o.ordered_at >= m.opens_at AND o.ordered_at < m.closes_at
                GROUP BY m.arm, m.customer_id
            )
            SELECT arm, count(*), count(*) FILTER (WHERE orders > 0), coalesce(sum(orders), 0),
                   coalesce(avg(paid), 0), coalesce(var_samp(paid), 0)
            FROM people GROUP BY arm
            """,
            window_params(campaign, window, as_of=as_of) | {"currency": currency},
        )
        names = ("n", "kept", "orders", "mean", "variance")
        found = {row[0]: dict(zip(names, map(float, row[1:]), strict=True)) for row in cursor.fetchall()}
    nobody = dict.fromkeys(names, 0.0)
    return {arm: found.get(arm, nobody) for arm in (Arm.TREATMENT, Arm.HOLDOUT)}


def _moments(arm: Mapping[str, float]) -> Moments:
    return Moments(int(arm["n"]), arm["mean"], arm["variance"])


def _revenue_json(
    treated: Mapping[str, float], holdout: Mapping[str, float], difference: MeanDifference | None
) -> dict[str, Any]:
    return {
        "treated_mean": treated["mean"],
        "holdout_mean": holdout["mean"],
        "treated_orders": int(treated["orders"]),
        "holdout_orders": int(holdout["orders"]),
        "difference": difference.as_json() if difference else None,
    }


def _count_messages(campaign_id: int) -> dict[str, int]:
    """How the messages ended, so that the page can say how many of the treated a message reached."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, count(*) FROM campaigns_message WHERE campaign_id = %s GROUP BY status", [campaign_id]
        )
        found = dict(cursor.fetchall())
    return {status.value: int(found.get(status.value, 0)) for status in MessageStatus if found.get(status.value)}

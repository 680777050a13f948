"""Counts what both arms of a campaign did afterwards, by the same rule, in SQL.

Intention to treat: everybody who was drawn into an arm counts in it, whether or not a message was sent, taken or read. When
their orders count is said by `windows`: from the start of the send, or from each person's first entry, `attribution_days`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from campaigns.models import Arm, Campaign, MessageStatus
from customers.ingest.currency import read_shop_currency

from .counting import counting_cursor
from .estimates import (
    Expected,
    check_ratio,
    describe_amount_looks,
    describe_archetypes,
    describe_estimates,
    describe_kinds,
    describe_look,
)
from .lift import Moments, estimate_lift, estimate_mean_difference
from .spending import MessageCount, count_messages, describe_spending
from .sums import COVARIATES, NOBODY, PAST_DAYS, ArmSums, Sums, count_sums
from .windows import Window, people_sql, read_window, window_params


def measure_campaign(campaign: Campaign, *, as_of: dt.datetime) -> dict[str, Any]:
    """The figures of one campaign as of an instant, as JSON; {} for one that was never started.

    `retention` is the lift in the share of people with at least one order (returns are none) in the window; `revenue` the
    difference per person of what they paid less what they returned, in `currency`. The verdict stays `too_early` until
    the window has closed; `any_look` is one of a sequence of intervals that holds however often one looks, and
    `any_look_amounts` the same of orders and money; `any_look_archetypes`, `risks` and `segments` (those of `Campaign.looks`)
    are those of kinds of customer, corrected for their number. `estimates` are the differences with the past taken out (money
    cut at `cap`), `archetypes` retention by archetype once it is complete. Pure reading: safe to run at any time.
    """
    window = read_window(campaign, as_of=as_of)
    if window is None:
        return {}
    currency = read_shop_currency()
    sums = count_sums(campaign, window, as_of=as_of, currency=currency)
    treated, holdout = sums.treated, sums.holdout
    messages = count_messages(campaign)
    lift = estimate_lift(treated.n, treated.kept, holdout.n, holdout.kept, is_complete=window.is_complete)
    elapsed_days = (as_of - window.start) / dt.timedelta(days=1)
    archetypes = {place: (first.moments, second.moments) for place, (first, second) in sums.by_archetype.items()}
    expected = expect(treated, holdout, days=campaign.attribution_days, people=_find_planned_people(campaign))
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
            treated.moments, holdout.moments, expected=expected, elapsed_days=elapsed_days,
            grows=campaign.is_live and not campaign.is_finished,
        ),
        "any_look_amounts": describe_amount_looks(treated.moments, holdout.moments, expected=expected),
        "any_look_archetypes": {str(place): each for place, each in look_at_kinds(sums.by_archetype, campaign).items()},
        "risks": look_at_kinds(sums.by_risk, campaign),
        "segments": _look_at_segments(campaign, sums),
        "archetypes": describe_archetypes(archetypes) if window.is_complete else [],
        "sample_ratio": check_ratio(treated.n, holdout.n, campaign.holdout_share),
        "reached_by_others": _count_reached(campaign, window, as_of),
        "messages": _tell_messages(messages),
        "spending": describe_spending(campaign, sums, messages),
    }  # fmt: skip


def expect(treated: ArmSums, holdout: ArmSums, *, days: float, people: tuple[int, int] | None = None) -> Expected:
    """What was to be expected of a window of so many days when people were drawn: from their past year, both arms alike."""
    whole = treated.n + holdout.n
    variances = {
        name: sum(arm.n * arm.past.get(name, 0.0) for arm in (treated, holdout)) / whole * days / PAST_DAYS
        for name in ("orders", "paid")
        if whole
    }
    return Expected(_find_expected_share(treated, holdout), variances, people)


def look_at_kinds(pairs: Mapping[Any, tuple[ArmSums, ArmSums]], campaign: Campaign) -> dict[Any, dict[str, Any]]:
    """Retention of each kind of customer, at any look and for all kinds together, with the people it rests on."""
    expected = {place: expect(*pair, days=campaign.attribution_days) for place, pair in pairs.items()}
    looks = describe_kinds({place: (a.moments, b.moments) for place, (a, b) in pairs.items()}, expected=expected)
    return {place: look | {"treated": pairs[place][0].n, "holdout": pairs[place][1].n} for place, look in looks.items()}


def _look_at_segments(campaign: Campaign, sums: Sums) -> dict[str, dict[str, Any]]:
    """By the segment's number, with its name as it was kept; those of whom too few have ordered yet are left out, and counted in
    the correction."""
    pairs = {place: sums.by_look.get(place, (NOBODY, NOBODY)) for place, _look in enumerate(campaign.looks)}
    named = {place: look["name"] for place, look in enumerate(campaign.looks)}
    found = look_at_kinds(pairs, campaign)
    return {str(campaign.looks[place]["segment"]): look | {"name": named[place]} for place, look in found.items()}


def _find_planned_people(campaign: Campaign) -> tuple[int, int] | None:
    """Of a live campaign the frozen people are those who were expected: the plan must not move as people come."""
    counts = campaign.audience_counts or {}
    if not campaign.is_live or not counts.get("treatment") or not counts.get("holdout"):
        return None
    return counts["treatment"], counts["holdout"]


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
    with counting_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.arm, count(*) FROM ({people_sql(campaign)}) m
            WHERE EXISTS (
                SELECT 1 FROM campaigns_message x
                WHERE x.customer_id = m.customer_id AND x.campaign_id <> %(campaign)s
                  AND x.sending_at >= %(start)s AND x.sending_at < %(end)s
                  AND x.sending_at >= m.opens_at AND x.sending_at < m.closes_at
                  AND x.status IN ('accepted', 'delivered', 'complained'))
            GROUP BY m.arm
            """,
            window_params(campaign, window, as_of=as_of),
        )
        found = dict(cursor.fetchall())
    return {"treated": int(found.get(Arm.TREATMENT, 0)), "holdout": int(found.get(Arm.HOLDOUT, 0))}


def _tell_messages(messages: Sequence[MessageCount]) -> dict[str, int]:
    """How the messages ended, so that the page can say how many of the treated a message reached."""
    found: dict[str, int] = {}
    for each in messages:
        found[each.status] = found.get(each.status, 0) + each.number
    return {status.value: found[status.value] for status in MessageStatus if status.value in found}

"""What both arms did and what was known of them before, as means and covariances counted in one pass of SQL.

A million people become a few dozen numbers in the database: nobody is carried out of it one by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection

from campaigns.models import Arm, Campaign
from customers.ingest.merged import order_join_sql
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY

from .cuped import CAP_QUANTILE, LEAST_AMOUNTS, ArmMoments, merge_moments
from .windows import Window, people_sql, window_params

#: How far back a person's own past is looked at, in days before their window opens.
PAST_DAYS = 365
#: What is known before: orders and money of the past year, P(leaving), and what they were expected to bring. Counts and money as
#: logarithms, which keeps a few large customers from deciding the slope. Who has no score counts as the middle of the scale:
#: any value does, as long as it does not depend on the arm.
COVARIATES = {
    "past_orders": "ln(1 + past_orders)",
    "past_paid": "ln(1 + greatest(past_paid, 0))",
    "churn_probability": "coalesce(churn_probability, 0.5)",
    "expected_value": "ln(1 + greatest(coalesce(expected_value, 0), 0)::float8)",
}
OUTCOMES = ("kept", "orders", "paid")
#: As the pages call it: P(leaving) from AT_RISK on, below LIKELY_TO_STAY, and between.
RISKS = ("leaves", "may_leave", "stays")


@dataclass(frozen=True)
class ArmSums:
    """One arm, of the campaign or of one archetype in it. `moments` by outcome; money in it is cut at the cap of both arms.

    `orders` is the number of all orders; `paid_mean` and `paid_variance` are of what was paid as it is. `past` is the variance
    per person of orders and money in the year before, as they were: what was to be expected before anything was sent.
    """

    n: int
    kept: int
    orders: int
    paid_mean: float
    paid_variance: float
    moments: Mapping[str, ArmMoments]
    past: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sums:
    """Both arms (empty ones too), the same by archetype, by how likely people were to leave when they were drawn (a key of RISKS;
    who had no prediction is in none), and by the places of `Campaign.looks` (people may be in several), and the cap of amounts
    in the shop's currency (None: not cut)."""

    treated: ArmSums
    holdout: ArmSums
    by_archetype: Mapping[int, tuple[ArmSums, ArmSums]]
    by_risk: Mapping[str, tuple[ArmSums, ArmSums]]
    by_look: Mapping[int, tuple[ArmSums, ArmSums]]
    cap: float | None


def count_sums(campaign: Campaign, window: Window, *, as_of: dt.datetime, currency: str) -> Sums:
    """Everybody in their arm. Orders in another currency than the shop's count as orders; their amounts are left out rather
    than added to something else. Returns are no orders, and lower what was paid. Orders count for the id under which they
    came, whether or not it was merged since.
    """
    return count_people(people_sql(campaign), window_params(campaign, window, as_of=as_of), currency=currency)


def count_people(people: str, window: Mapping[str, Any], *, currency: str) -> Sums:
    """The same for any query of people with the columns of `windows.PEOPLE_SQL`; `window` holds its parameters, `start` and `end`
    among them."""
    params = {
        **window, "currency": currency, "past": PAST_DAYS, "quantile": CAP_QUANTILE, "least": LEAST_AMOUNTS,
        "at_risk": AT_RISK, "likely_to_stay": LIKELY_TO_STAY,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(
                people=people,
                orders=order_join_sql("m.customer_id"),
                covariates=_COVARIATES_SQL,
                sums=_SUMS_SQL,
            ),
            params,
        )
        rows = cursor.fetchall()
    parts = [_Part(archetype, risk, looks, arm, _read_arm(rest)) for archetype, risk, looks, arm, _cap, *rest in rows]
    archetypes = sorted({part.archetype for part in parts if part.archetype is not None})
    return Sums(
        *_pair(parts),
        {place: _pair(part for part in parts if part.archetype == place) for place in archetypes},
        {risk: _pair(part for part in parts if part.risk == risk) for risk in RISKS},
        {
            place: _pair(part for part in parts if part.looks >> place & 1)
            for place in range(max((part.looks for part in parts), default=0).bit_length())
        },
        rows[0][4] if rows else None,
    )


@dataclass(frozen=True)
class _Part:
    archetype: int | None
    risk: str
    looks: int
    arm: str
    sums: ArmSums


def _pair(parts: Iterable[_Part]) -> tuple[ArmSums, ArmSums]:
    parts = list(parts)
    treated, holdout = ([part.sums for part in parts if part.arm == arm] for arm in (Arm.TREATMENT, Arm.HOLDOUT))
    return _add_up(treated), _add_up(holdout)


_SQL = """
WITH people AS MATERIALIZED (
    SELECT m.arm, m.archetype_id, m.churn_probability, m.expected_value, m.in_looks,
           count(o.id) FILTER (WHERE NOT o.is_return AND o.ordered_at >= m.opens_at) AS orders,
           coalesce(sum(o.total) FILTER (WHERE o.currency = %(currency)s AND o.ordered_at >= m.opens_at), 0)::float8 AS paid,
           count(o.id) FILTER (WHERE NOT o.is_return AND o.ordered_at < m.opens_at) AS past_orders,
           coalesce(sum(o.total) FILTER (WHERE o.currency = %(currency)s AND o.ordered_at < m.opens_at), 0)::float8 AS past_paid
    FROM ({people}) m
    {orders}
     AND o.ordered_at < %(end)s AND o.ordered_at < m.closes_at
     AND o.ordered_at >= %(start)s - make_interval(days => %(past)s)
     AND o.ordered_at >= m.opens_at - make_interval(days => %(past)s)
    GROUP BY m.customer_id, m.arm, m.archetype_id, m.churn_probability, m.expected_value, m.in_looks
), cap AS (
    SELECT CASE WHEN count(*) >= %(least)s
                THEN percentile_cont(%(quantile)s) WITHIN GROUP (ORDER BY abs(paid)) END AS cap
    FROM people WHERE paid <> 0
), rows AS MATERIALIZED (
    SELECT arm, archetype_id, in_looks, cap, past_orders::float8 AS past_orders, past_paid,
           CASE WHEN churn_probability >= %(at_risk)s THEN 'leaves' WHEN churn_probability >= %(likely_to_stay)s THEN 'may_leave'
                WHEN churn_probability IS NOT NULL THEN 'stays' ELSE '' END AS risk,
           orders::float8 AS orders, (orders > 0)::int::float8 AS kept, paid AS whole_paid,
           CASE WHEN cap IS NULL THEN paid ELSE least(greatest(paid, -cap), cap) END AS paid, {covariates}
    FROM people, cap
)
SELECT archetype_id, risk, in_looks, arm, min(cap), count(*), sum(kept), sum(orders), avg(whole_paid),
       coalesce(var_samp(whole_paid), 0),
       coalesce(var_samp(past_orders), 0), coalesce(var_samp(past_paid), 0), {sums}
FROM rows GROUP BY arm, archetype_id, risk, in_looks
"""
#: Columns before the moments: n, kept, orders, mean and variance of what was paid, variances of the past.
_PLAIN = 7


_COLUMNS = (*OUTCOMES, *(f"{name}_x" for name in COVARIATES))
#: Written down once for each person: a logarithm in each of the aggregates would be worked out eight times.
_COVARIATES_SQL = ", ".join(f"({sql})::float8 AS {name}_x" for name, sql in COVARIATES.items())
#: Means, then covariances row by row, in the order in which `_read_arm` takes them.
_SUMS_SQL = ", ".join(
    [f"avg({column})" for column in _COLUMNS]
    + [
        f"coalesce(covar_samp({column}, {other}), 0)"
        for place, column in enumerate(_COLUMNS)
        for other in _COLUMNS[place:]
    ]
)


def _read_arm(numbers: Sequence[Any]) -> ArmSums:
    n, kept, orders, paid_mean, paid_variance, *past_variances = (float(number) for number in numbers[:_PLAIN])
    width = len(OUTCOMES) + len(COVARIATES)
    means = np.array(numbers[_PLAIN : _PLAIN + width], dtype=np.float64)
    spread = np.zeros((width, width))
    spread[np.triu_indices(width)] = np.array(numbers[_PLAIN + width :], dtype=np.float64)
    spread = spread + np.triu(spread, 1).T
    covariates = slice(len(OUTCOMES), width)
    moments = {
        outcome: ArmMoments(
            int(n),
            float(means[place]),
            float(spread[place, place]),
            means[covariates],
            spread[covariates, covariates],
            spread[place, covariates],
        )
        for place, outcome in enumerate(OUTCOMES)
    }
    variances = dict(zip(("orders", "paid"), past_variances, strict=True))
    return ArmSums(int(n), int(kept), int(orders), paid_mean, paid_variance, moments, variances)


def _add_up(parts: Sequence[ArmSums]) -> ArmSums:
    """An arm from its parts."""
    if not parts:
        return NOBODY
    n = sum(part.n for part in parts)
    mean = sum(part.n * part.paid_mean for part in parts) / n
    squares = sum((part.n - 1) * part.paid_variance + part.n * (part.paid_mean - mean) ** 2 for part in parts)
    return ArmSums(
        n,
        sum(part.kept for part in parts),
        sum(part.orders for part in parts),
        mean,
        squares / max(n - 1, 1),
        {outcome: merge_moments([part.moments[outcome] for part in parts]) for outcome in OUTCOMES},
        # Within the parts alone: it only says where a sequence of intervals is tightest.
        {name: sum(part.n * part.past[name] for part in parts) / n for name in ("orders", "paid")},
    )


NOBODY = ArmSums(0, 0, 0, 0.0, 0.0, {})

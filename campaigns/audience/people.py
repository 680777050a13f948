"""Judges everybody in a segment once, into a temporary table that the freeze works on: arm, channel, sides, figures.

One pass over the orders of the shop says what each buyer spent, and so where the value bands lie; one statement then
writes a row per person of the segment. The tables live as long as the transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from campaigns.models import Arm, Campaign, ExclusionReason, ValueBand
from customers.features.catalogue import FEATURES, THEMES
from customers.ingest.currency import read_shop_currency
from customers.ingest.preferences import may_profile_sql
from customers.segments.compiler import CompiledQuery, compile_rule
from customers.segments.rules import parse_rule

from .eligibility import exclusion_case_sql, exclusion_params
from .holdout import HOLDOUT_SQL

CHINESE: Final = "zh"
ENGLISH: Final = "en"
#: Customer.language to the language of a message: every way of writing Chinese, and English for all others.
LANGUAGE_SQL: Final = f"CASE WHEN lower(left(c.language, 2)) = '{CHINESE}' THEN '{CHINESE}' ELSE '{ENGLISH}' END"
#: The half of the shop's buyers that spent least is of low value, the fifth that spent most of high value.
LOW_SHARE: Final = 0.5
HIGH_SHARE: Final = 0.8

#: The temporary tables: everybody's orders added up, and the people of the segment.
BUYERS: Final = "freezing_buyers"
PEOPLE: Final = "freezing_people"

#: Score.main_reason (a theme, or a feature of one) to its theme.
_THEME_BY_REASON = {key: key for key in THEMES} | {feature.key: feature.theme for feature in FEATURES}


def judge_people(campaign: Campaign, *, now: dt.datetime, clock: dt.datetime) -> dict[str, Any]:
    """Write the temporary tables for the campaign's segment as of `clock`; returns the bounds of the value bands.

    {"low_up_to", "high_from", "currency"}, the amounts as text; {} where buyers differ too little to be told apart.
    Must run inside a transaction; running it again replaces the tables.
    """
    bounds = _add_up_orders(clock)
    _write_people(campaign, now, clock, bounds)
    return bounds


def judge_entrants(campaign: Campaign, *, matched: str, now: dt.datetime, clock: dt.datetime) -> None:
    """The same for those alone whom the query `matched` (without parameters) names by customer_id, in the value bands of
    the frozen audience: only their orders are read."""
    _add_up_orders(clock, matched=matched)
    _write_people(campaign, now, clock, campaign.value_bounds, matched)


def list_unexplained() -> Iterator[int]:
    """Customers who are in, whose score has no reasons yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.customer_id FROM {PEOPLE} p JOIN customers_score s ON s.customer_id = p.customer_id"
            f" WHERE p.arm <> '{Arm.EXCLUDED}' AND s.main_reason = '' AND s.reasons = '[]' ORDER BY 1"
        )
        yield from (row[0] for row in cursor.fetchall())


def read_reasons() -> None:
    """Fill in the theme of each person's main reason, once the scores have them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {PEOPLE} p SET reason = t.theme FROM customers_score s"
            " JOIN unnest(%(keys)s::text[], %(themes)s::text[]) AS t(key, theme) ON t.key = s.main_reason"
            f" WHERE s.customer_id = p.customer_id AND p.arm <> '{Arm.EXCLUDED}' AND p.reason <> t.theme",
            {"keys": list(_THEME_BY_REASON), "themes": list(_THEME_BY_REASON.values())},
        )


def _write_people(
    campaign: Campaign, now: dt.datetime, clock: dt.datetime, bounds: dict[str, Any], matched: str | None = None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {PEOPLE}")
        sql, params = _people_sql(campaign, now, clock, bounds, matched)
        cursor.execute(sql, params)
        # A million rows that the planner does not know of would be joined one by one.
        cursor.execute(f"ANALYZE {PEOPLE}")


def _add_up_orders(clock: dt.datetime, *, matched: str | None = None) -> dict[str, Any]:
    of_matched = f"AND customer_id IN ({matched})" if matched else ""
    currency = read_shop_currency()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {BUYERS}")
        cursor.execute(
            f"""
CREATE TEMPORARY TABLE {BUYERS} ON COMMIT DROP AS
SELECT customer_id, count(*) FILTER (WHERE NOT is_return) AS orders,
       coalesce(sum(total) FILTER (WHERE currency = %(currency)s), 0) AS spent,
       min(ordered_at) FILTER (WHERE NOT is_return) AS first_at,
       max(ordered_at) FILTER (WHERE NOT is_return) AS last_at,
       count(*) FILTER (WHERE NOT is_return AND (discount > 0 OR discount_code <> '')) AS discounted,
       count(*) FILTER (WHERE is_return) AS returned
FROM customers_order WHERE ordered_at <= %(clock)s {of_matched} GROUP BY customer_id""",
            {"currency": currency, "clock": clock},
        )
        cursor.execute(f"ANALYZE {BUYERS}")
        cursor.execute(
            f"SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY spent), percentile_disc(%s) WITHIN GROUP (ORDER BY spent)"
            f" FROM {BUYERS} WHERE orders > 0",
            [LOW_SHARE, HIGH_SHARE],
        )
        low, high = cursor.fetchone() or (None, None)
    return _name_bounds(low, high, currency)


def _name_bounds(low: Decimal | None, high: Decimal | None, currency: str) -> dict[str, Any]:
    if low is None or high is None or low >= high:
        return {}
    return {"low_up_to": str(low), "high_from": str(high), "currency": currency}


def placed_sql(
    campaign: Campaign, *, now: dt.datetime, clock: dt.datetime, matched: str | None = None
) -> tuple[str, dict[str, Any]]:
    """SQL of the common tables that end in `placed`: everybody whom the campaign's segment means as of `clock` (or whom the
    query `matched` names), with customer_id, exclusion_reason ('' for who may be written to), channel and what the score
    says; and its parameters.

    `judged` is materialised because its reasons are read twice and would be worked out twice.
    """
    segment = CompiledQuery(matched, {}) if matched else compile_rule(parse_rule(campaign.segment.rule), as_of=clock)
    channels = campaign.offered_channels
    reasons = [f"x_{channel}" for channel in channels]
    judged = ",\n         ".join(
        f"{exclusion_case_sql('c', channel=channel, of_everybody=True)} AS x_{channel}" for channel in channels
    )
    chosen = " ".join(f"WHEN x_{channel} = '' THEN '{channel}'" for channel in channels)
    sql = f"""
matched AS ({segment.sql}),
judged AS MATERIALIZED (
  SELECT c.id AS customer_id, s.churn_probability, s.expected_value, coalesce(s.interest, '') AS interest,
         {LANGUAGE_SQL} AS language, o.customer_id IS NOT NULL AS objects,
         {judged}
  FROM (SELECT DISTINCT customer_id FROM matched) AS m
  JOIN customers_customer c ON c.id = m.customer_id
  LEFT JOIN customers_preference o ON o.customer_id = c.id AND o.objects_to_profiling_at IS NOT NULL
  LEFT JOIN customers_score s ON s.customer_id = c.id AND o.customer_id IS NULL
),
placed AS (
  SELECT *, CASE {chosen} ELSE '{channels[0]}' END AS channel,
         coalesce(nullif(CASE WHEN '' IN ({", ".join(reasons)}) THEN '' ELSE {reasons[0]} END, ''),
                  CASE WHEN churn_probability IS NULL AND NOT objects THEN '{ExclusionReason.TOO_NEW}' ELSE '' END
         ) AS exclusion_reason
  FROM judged
)"""
    return sql, {**segment.params, **exclusion_params(campaign, now=now)}


def _people_sql(
    campaign: Campaign, now: dt.datetime, clock: dt.datetime, bounds: dict[str, Any], matched: str | None
) -> tuple[str, dict[str, Any]]:
    placed, params = placed_sql(campaign, now=now, clock=clock, matched=matched)
    sql = f"""
CREATE TEMPORARY TABLE {PEOPLE} ON COMMIT DROP AS
WITH {placed}
SELECT customer_id, exclusion_reason,
       CASE WHEN exclusion_reason <> '' THEN '{Arm.EXCLUDED}'
            WHEN {HOLDOUT_SQL} THEN '{Arm.HOLDOUT}' ELSE '{Arm.TREATMENT}' END AS arm,
       false AS is_explored, ''::text AS reason, interest, language, channel, churn_probability, expected_value,
       CASE WHEN NOT %(has_bands)s OR coalesce(b.orders, 0) = 0 THEN ''
            WHEN b.spent <= %(low_up_to)s::numeric THEN '{ValueBand.LOW}'
            WHEN b.spent > %(high_from)s::numeric THEN '{ValueBand.HIGH}' ELSE '{ValueBand.MIDDLE}' END AS value_band,
       coalesce(b.orders, 0) AS orders, coalesce(b.spent, 0) AS spent,
       coalesce(b.discounted, 0) AS discounted, coalesce(b.returned, 0) AS returned,
       extract(epoch FROM %(clock)s - b.last_at) / 86400 AS recency_days,
       extract(epoch FROM %(clock)s - b.first_at) / 86400 AS known_days
FROM placed
LEFT JOIN (SELECT * FROM {BUYERS} buyer WHERE {may_profile_sql("buyer.customer_id")}) b USING (customer_id)"""
    params = {
        **params,
        "x_frozen_at": now,
        "clock": clock,
        "holdout_seed": campaign.holdout_seed,
        "holdout_share": campaign.holdout_share,
        "has_bands": bool(bounds),
        "low_up_to": bounds.get("low_up_to"),
        "high_from": bounds.get("high_from"),
    }
    return sql, params

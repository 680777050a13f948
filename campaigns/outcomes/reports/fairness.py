"""The report Fairness: who got offers and how much, by the groups of the attributes that the shop holds to be sensitive.

Counted once a day by one query for all attributes, and kept (`GroupsGiven`): the page only reads rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.conf import settings

from campaigns.approval.fairness import UNKNOWN, AttributeFairness, Discounts, GroupFairness, GroupSums, compare_groups
from campaigns.approval.group_reach import OUR_RULES
from campaigns.models import GroupsGiven, MessageStatus
from campaigns.outcomes.counting import counting_cursor
from campaigns.outcomes.offer_use import used_sql
from customers.ingest.clock import shop_day
from customers.ingest.currency import read_shop_currency
from customers.ingest.merged import order_join_sql
from customers.scoring.groups import read_sensitive, value_sql

log = structlog.get_logger(__name__)

#: People of a group who used a discount, below which it is not held against the others'.
LEAST_USERS = 10
#: It reached somebody, as far as is known.
_ARRIVED = (MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.COMPLAINED)


@dataclass(frozen=True)
class MonthGiven:
    """The offers of campaigns that began in a month (for each person of a live one: that they entered in)."""

    month: dt.date
    fairness: AttributeFairness


@dataclass(frozen=True)
class AttributeReport:
    """One attribute: over all time, each person once, and by month, oldest first."""

    attribute: str
    day: dt.date
    whole: AttributeFairness
    months: Sequence[MonthGiven]

    @property
    def low(self) -> list[GroupFairness]:
        """The groups that got clearly less than four fifths of what the others got."""
        return [group for group in self.whole.groups if group.is_low]


def read_fairness_report(now: dt.datetime) -> list[AttributeReport]:
    """One report for each attribute in force. What was never counted is counted now; later the beat does it each day."""
    keys = read_sensitive()
    kept = {row.attribute: row for row in GroupsGiven.objects.filter(attribute__in=keys).order_by("day")}
    return [_describe(kept.get(key) or count_groups(key, now=now)) for key in keys]


def count_missing_groups(now: dt.datetime) -> int:
    """Count today's rows of the attributes in force that have none yet; returns how many. Safe to run as often as one likes."""
    day = shop_day(now)
    present = set(GroupsGiven.objects.filter(day=day).values_list("attribute", flat=True))
    missing = [key for key in read_sensitive() if key not in present]
    _count_and_keep(missing, now)
    return len(missing)


def count_groups(key: str, *, now: dt.datetime) -> GroupsGiven:
    """Count one attribute as of `now` and keep it as the day's row; earlier days' rows of it go."""
    (row,) = _count_and_keep([key], now)
    return row


def _count_and_keep(keys: Sequence[str], now: dt.datetime) -> list[GroupsGiven]:
    kept = []
    for key, rows in _count(keys, now).items():
        values = {"rows": rows, "counted_at": now}
        row, _created = GroupsGiven.objects.update_or_create(attribute=key, day=shop_day(now), defaults=values)
        GroupsGiven.objects.filter(attribute=key, day__lt=row.day).delete()
        log.info("groups_given_counted", attribute=key, rows=len(row.rows))
        kept.append(row)
    return kept


def _count(keys: Sequence[str], now: dt.datetime) -> dict[str, list[dict[str, Any]]]:
    """By attribute: who got what is counted once, whatever the number of attributes that people are told apart by."""
    if not keys:
        return {}
    groups = [_GROUPS_SQL.format(place=place, value=value_sql(key)) for place, key in enumerate(keys)]
    sql = _SQL.format(
        orders=order_join_sql("met.customer_id"),
        used=used_sql("o", "met.code", "met.is_money"),
        groups=" UNION ALL ".join(groups),
    )
    with counting_cursor() as cursor:
        cursor.execute(
            sql,
            {
                "as_of": now,
                "zone": settings.SHOP_TIME_ZONE,
                "currency": read_shop_currency(),
                "ours": [reason.value for reason in OUR_RULES],
                "arrived": [status.value for status in _ARRIVED],
            },
        )
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}
        names = ("month", "name", "people", "reached", "redeemed", "squares", "users")
        for place, *row in cursor.fetchall():
            found[keys[place]].append(dict(zip(names, row, strict=True)))
        return found


#: Eligible as in the approval's fairness: whom a segment means and who may be written to. Who was merged since counts as who has
#: their rows now. `month` is "" over all time.
_SQL = """
WITH offered AS (
    SELECT c.id AS campaign_id, c.kind, c.sending_started_at, c.attribution_days, upper(btrim(f.code)) AS code,
           f.kind IN ('percent', 'amount') AS is_money
    FROM campaigns_campaign c JOIN campaigns_offer f ON f.campaign_id = c.id
    WHERE f.kind <> 'none' AND c.sending_started_at < %(as_of)s
), met AS (
    SELECT o.*, m.customer_id, m.arm, o.sending_started_at AS opens_at
    FROM offered o JOIN campaigns_audiencemember m USING (campaign_id)
    WHERE o.kind = 'one_off' AND (m.arm <> 'excluded' OR m.exclusion_reason = ANY(%(ours)s))
    UNION ALL
    SELECT o.*, e.customer_id, e.arm, e.entered_at
    FROM offered o JOIN (
        SELECT DISTINCT ON (campaign_id, customer_id) campaign_id, customer_id, arm, entered_at
        FROM campaigns_entry
        WHERE entered_at < %(as_of)s AND (arm <> 'excluded' OR exclusion_reason = ANY(%(ours)s))
        ORDER BY campaign_id, customer_id, number
    ) e USING (campaign_id)
    WHERE o.kind <> 'one_off'
), arrived AS (
    SELECT DISTINCT x.campaign_id, x.customer_id FROM campaigns_message x JOIN offered USING (campaign_id)
    WHERE x.status = ANY(%(arrived)s)
), given AS (
    SELECT to_char(met.opens_at AT TIME ZONE %(zone)s, 'YYYY-MM-01') AS month,
           coalesce(x_merge.holder_id, met.customer_id) AS person, bool_or(a.customer_id IS NOT NULL) AS is_reached,
           coalesce(sum(o.discount), 0)::float8 AS redeemed
    FROM met LEFT JOIN arrived a ON a.campaign_id = met.campaign_id AND a.customer_id = met.customer_id
    {orders}
     AND met.arm = 'treatment' AND o.currency = %(currency)s AND ({used}) AND o.ordered_at >= met.opens_at
     AND o.ordered_at < least(met.opens_at + make_interval(days => met.attribution_days::int), %(as_of)s)
    GROUP BY 1, 2
), people AS MATERIALIZED (
    SELECT CASE WHEN grouping(month) = 1 THEN '' ELSE month END AS month, person, bool_or(is_reached) AS is_reached,
           sum(redeemed) AS redeemed
    FROM given GROUP BY GROUPING SETS ((month, person), (person))
)
{groups} ORDER BY 1, 2, 3
"""
_GROUPS_SQL = """
SELECT {place}, p.month, coalesce({value}, ''), count(*), count(*) FILTER (WHERE is_reached), sum(redeemed), sum(redeemed ^ 2),
       count(*) FILTER (WHERE redeemed > 0)
FROM people p JOIN customers_customer c ON c.id = p.person GROUP BY 2, 3"""


def _describe(row: GroupsGiven) -> AttributeReport:
    by_month: dict[str, list[Mapping[str, Any]]] = {}
    for found in row.rows:
        by_month.setdefault(found["month"], []).append(found)
    whole = _compare(by_month.pop("", []))
    months = [MonthGiven(dt.date.fromisoformat(month), _compare(rows)) for month, rows in sorted(by_month.items())]
    return AttributeReport(row.attribute, row.day, whole, months)


def _compare(rows: Sequence[Mapping[str, Any]]) -> AttributeFairness:
    """Without the ratios of discounts that fewer than LEAST_USERS used: their logarithm is far from normal."""
    sums = [_read_sums(row) for row in rows]
    found = compare_groups(sums, has_discount=any(row.nominal.total > 0 for row in sums))
    users = {row["name"]: row["users"] for row in rows}
    groups = [
        group if users[group.name] >= LEAST_USERS else replace(group, nominal_ratio=UNKNOWN) for group in found.groups
    ]
    return replace(found, groups=groups)


def _read_sums(found: Mapping[str, Any]) -> GroupSums:
    given = Discounts(float(found["redeemed"]), float(found["squares"]))
    return GroupSums(found["name"], found["people"], found["people"], found["reached"], nominal=given)

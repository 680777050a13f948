"""How many would have entered a live campaign in the last four weeks: what an approver may expect of the next ones.

The trigger is asked of the past: events as they were told of, scores as they were then, the segment as of each day. A large
shop is asked of a sample of its customers, and the numbers are scaled up. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Min

from campaigns.models import Campaign, CampaignKind
from customers.models import Customer, ScoreHistory
from customers.segments.compiler import compile_rule
from customers.segments.resolve import resolve_memberships
from customers.segments.rules import Condition, Group, Rule, parse_rule

from .entrants import EXPECTED_WITHIN_DAYS, Look, overdue_sql
from .entry_rules import ChurnTrigger, EventTrigger, OverdueTrigger, Trigger, parse_trigger
from .recurrence import parse_recurrence

DAYS_BACK: Final = 28
#: A segment is looked at every so many days of them: who comes and goes in between is not seen.
DAYS_BETWEEN: Final = 2
SAMPLED_PEOPLE: Final = 20_000

#: When something happened to whom.
Cause = tuple[int, dt.date]


@dataclass(frozen=True)
class Expected:
    """People a week: who would enter, of them who may be written to and is not held out, and who is held out. `days` says how
    much of the past could be asked; `is_sample` that it was asked of some customers alone."""

    entries: float
    messages: float
    held_out: float
    days: int
    is_sample: bool


def expect_entries(campaign: Campaign, *, now: dt.datetime) -> Expected | None:
    """None where the past says nothing: no scores of then for a rule that asks for them. Raises EntryRuleError, RuleError."""
    look = Look(campaign, now, None)
    every = max(1, math.ceil(Customer.objects.count() / SAMPLED_PEOPLE))
    if campaign.kind == CampaignKind.RECURRING:
        causes, days = _replay_occurrences(look, every), DAYS_BACK
    else:
        causes, days = _replay_trigger(look, parse_trigger(campaign.trigger), every)
    if not days:
        return None
    entries = count_allowed(causes, campaign.re_entry_days) * every * 7 / days
    may = entries * _reachable_share(campaign)
    return Expected(entries, may * (1 - campaign.holdout_share), may * campaign.holdout_share, days, every > 1)


def count_allowed(causes: Iterable[Cause], re_entry_days: int | None) -> int:
    """How many of these entries the rule of re-entry lets happen: the first of each person, and each that is far enough
    from the last one."""
    last: dict[int, dt.date] = {}
    allowed = 0
    for person, day in sorted(causes, key=lambda cause: (cause[1], cause[0])):
        before = last.get(person)
        if before is None or (re_entry_days is not None and before + dt.timedelta(days=re_entry_days) <= day):
            last[person] = day
            allowed += 1
    return allowed


def _reachable_share(campaign: Campaign) -> float:
    """Of those whom the segment meant at the freeze, who might be written to or was held out."""
    counts = campaign.audience_counts or {}
    matched = counts.get("matched") or 0
    return (counts.get("treatment", 0) + counts.get("holdout", 0)) / matched if matched else 0.0


def _replay_occurrences(look: Look, every: int) -> list[Cause]:
    """The next four weeks: everybody who is in the segment now, each time."""
    anchor = look.campaign.scheduled_for or look.now
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    rule, until = parse_recurrence(look.campaign.recurrence), anchor + dt.timedelta(days=DAYS_BACK, microseconds=-1)
    due = rule.list_between(anchor - dt.timedelta(microseconds=1), until, anchor=anchor, zone=zone)
    segment = look.segment()
    rows = _fetch(
        f"SELECT DISTINCT customer_id FROM ({segment.sql}) AS meant WHERE customer_id %% %(every)s = 0",
        {**segment.params, "every": every},
    )
    return [(row[0], moment.astimezone(zone).date()) for moment in due for row in rows]


def _replay_trigger(look: Look, trigger: Trigger, every: int) -> tuple[list[Cause], int]:
    if isinstance(trigger, EventTrigger):
        return _replay_events(look, trigger, every), DAYS_BACK
    if isinstance(trigger, ChurnTrigger):
        return _replay_crossings(look, trigger, every)
    if isinstance(trigger, OverdueTrigger):
        return _replay_overdue(look, trigger, every)
    return _replay_segment(look, every)


def _replay_events(look: Look, trigger: EventTrigger, every: int) -> list[Cause]:
    segment = look.segment()
    where = "".join(f" AND e.properties->>%(name_{n})s = %(value_{n})s" for n in range(len(trigger.where)))
    params: dict[str, Any] = {"event": trigger.event, "since": look.clock - dt.timedelta(days=DAYS_BACK)}
    for place, (name, value) in enumerate(trigger.where):
        params |= {f"name_{place}": name, f"value_{place}": value}
    return _fetch(
        f"""
SELECT DISTINCT e.customer_id, (e.occurred_at AT TIME ZONE %(zone)s)::date FROM customers_customerevent e
WHERE e.kind = %(event)s AND e.occurred_at > %(since)s AND e.occurred_at <= %(clock)s{where}
  AND e.customer_id %% %(every)s = 0 AND e.customer_id IN (SELECT customer_id FROM ({segment.sql}) AS meant)""",
        {**params, **segment.params, "every": every, "clock": look.clock, "zone": settings.SHOP_TIME_ZONE},
    )


def _replay_crossings(look: Look, trigger: ChurnTrigger, every: int) -> tuple[list[Cause], int]:
    segment, days = look.segment(), _days_of_scores(look)
    rows = _fetch(
        f"""
SELECT customer_id, (as_of AT TIME ZONE %(zone)s)::date FROM (
  SELECT h.customer_id, h.as_of, h.churn_probability AS now,
         lag(h.churn_probability) OVER (PARTITION BY h.customer_id ORDER BY h.as_of) AS before
  FROM customers_scorehistory h
  WHERE h.as_of > %(earlier)s AND h.as_of <= %(clock)s AND h.customer_id %% %(every)s = 0
    AND h.churn_probability IS NOT NULL
) AS scored
WHERE now >= %(line)s AND before < %(line)s AND as_of > %(since)s
  AND customer_id IN (SELECT customer_id FROM ({segment.sql}) AS meant)""",
        {
            **segment.params, "line": trigger.line, "every": every, "clock": look.clock, "zone": settings.SHOP_TIME_ZONE,
            "since": look.clock - dt.timedelta(days=days), "earlier": look.clock - dt.timedelta(days=2 * DAYS_BACK),
        },
    )  # fmt: skip
    return rows, days


def _replay_overdue(look: Look, trigger: OverdueTrigger, every: int) -> tuple[list[Cause], int]:
    """Week by week as of then: who ordered since was overdue all the same."""
    segment, days = look.segment(), _days_of_scores(look)
    sql = f"""
SELECT customer_id, expected_on + %(days)s::int FROM ({overdue_sql(segment.sql)}) AS due
WHERE customer_id %% %(every)s = 0 AND expected_on + %(days)s::int > %(first)s::date
  AND expected_on + %(days)s::int <= %(last)s::date"""
    causes: list[Cause] = []
    for weeks in range(days // 7):
        clock = look.clock - dt.timedelta(weeks=weeks)
        oldest = clock - dt.timedelta(days=EXPECTED_WITHIN_DAYS + trigger.days)
        bounds = {"first": (clock - dt.timedelta(weeks=1)).date(), "last": clock.date(), "oldest": oldest}
        causes += _fetch(sql, {**segment.params, **bounds, "clock": clock, "days": trigger.days, "every": every})
    return causes, days // 7 * 7


def _replay_segment(look: Look, every: int) -> tuple[list[Cause], int]:
    rule = resolve_memberships(parse_rule(look.campaign.segment.rule))
    days = _days_of_scores(look) if _asks_predictions(rule) else DAYS_BACK
    before: set[int] | None = None
    causes: list[Cause] = []
    for back in range(days, -1, -DAYS_BETWEEN):
        clock = look.clock - dt.timedelta(days=back)
        query = compile_rule(rule, as_of=clock, past_scores=True)
        rows = _fetch(f"{query.sql} AND c.id %% %(every)s = 0", {**query.params, "every": every})
        there = {row[0] for row in rows}
        causes += [(person, clock.date()) for person in there - before] if before is not None else []
        before = there
    return causes, days // DAYS_BETWEEN * DAYS_BETWEEN


def _asks_predictions(rule: Rule) -> bool:
    if isinstance(rule, Group):
        return any(map(_asks_predictions, rule.rules))
    return isinstance(rule, Condition) and rule.field.family == "prediction"


def _days_of_scores(look: Look) -> int:
    """For how many days back there are scores, DAYS_BACK at most."""
    since = look.clock - dt.timedelta(days=2 * DAYS_BACK)
    first = ScoreHistory.objects.filter(as_of__gte=since, as_of__lte=look.clock).aggregate(first=Min("as_of"))["first"]
    return min(DAYS_BACK, (look.clock - first).days) if first is not None else 0


def _fetch(sql: str, params: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Sequence[Any] = cursor.fetchall()
    return list(rows)

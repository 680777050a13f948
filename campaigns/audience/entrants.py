"""Who may enter a live campaign now, and by what cause: into a temporary table, set-based, for each kind of trigger.

Every query names people by a cause that stays the same however often it is asked, so that the key of `Entry` keeps a second
look from letting anybody in twice. The table lives as long as the transaction.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from campaigns.models import Arm, Campaign
from customers.ingest.clock import read_shop_clock
from customers.segments.compiler import CompiledQuery, compile_rule
from customers.segments.membership import recorded_members
from customers.segments.rules import parse_rule

from .entry_rules import ChurnTrigger, EventTrigger, OverdueTrigger, SegmentTrigger, Trigger

#: The temporary tables: who may enter (customer_id, cause, caused_at), and who is in the state that a trigger watches.
CANDIDATES: Final = "entering_candidates"
THERE: Final = "entering_there"

#: An expected order is looked for among the scores of so many days: longer than any horizon that is learned.
EXPECTED_WITHIN_DAYS: Final = 400


@dataclass(frozen=True)
class Look:
    """One look for people: the campaign, and the moments `since` (of the last look; None: never) and `now`."""

    campaign: Campaign
    now: dt.datetime
    since: dt.datetime | None

    @property
    def clock(self) -> dt.datetime:
        """As of when customers are looked at."""
        return read_shop_clock(self.now)

    @property
    def window(self) -> dt.timedelta:
        return dt.timedelta(hours=self.campaign.send_window_hours)

    @property
    def is_late(self) -> bool:
        """The last look is longer ago than a message may be late."""
        return self.since is not None and self.now - self.since > self.window

    def segment(self) -> CompiledQuery:
        """The people whom the approved rule means now."""
        return compile_rule(parse_rule(self.campaign.approved_rule), as_of=self.clock)

    def members(self) -> CompiledQuery:
        """The same as they were recorded a moment ago, where the approved rule is the segment's still: people enter the
        campaign when they enter the segment, and nobody is asked twice."""
        rule = self.campaign.approved_rule
        recorded = recorded_members(rule, now=self.now, segment_id=self.campaign.segment_id)
        return recorded or self.segment()


def gather_all(look: Look, due_at: dt.datetime) -> int:
    """Everybody of the segment, because of the occurrence `due_at`; returns how many may enter."""
    segment = look.segment()
    sql = f"SELECT DISTINCT customer_id, %(cause)s, %(due_at)s::timestamptz FROM ({segment.sql}) AS meant"
    return _gather(look, sql, {**segment.params, "cause": name_occurrence(due_at), "due_at": due_at})


def gather_triggered(look: Look, trigger: Trigger) -> int:
    """Those to whom the trigger happened since the last look; returns how many may enter.

    What it remembers of who is there is brought up to date in the same transaction. A look that is later than the send
    window lets nobody in for a state that they came into at nobody knows when.
    """
    if isinstance(trigger, EventTrigger):
        return _gather_events(look, trigger)
    if isinstance(trigger, OverdueTrigger):
        return _gather_overdue(look, trigger)
    found = _gather_newcomers(look, trigger)
    _remember_there(look.campaign)
    return found


def remember_present(look: Look, trigger: Trigger) -> None:
    """Note who is there already, so that they do not come in. Only for triggers that watch a state."""
    if isinstance(trigger, SegmentTrigger | ChurnTrigger):
        _find_there(look, trigger)
        _remember_there(look.campaign)


def name_occurrence(due_at: dt.datetime) -> str:
    """The cause of an occurrence."""
    return f"at:{due_at.astimezone(dt.UTC):%Y-%m-%dT%H:%MZ}"


def _gather(look: Look, sql: str, params: dict[str, Any], *, is_one_each: bool = True) -> int:
    """Fill CANDIDATES from a query of (customer_id, cause, caused_at), without those who had this cause, are on their way, or may
    not come again yet, by whichever id of theirs. Unless the query has one row per person (`is_one_each`), the first that may let
    them in counts. Days of re-entry are days of the shop's calendar."""
    again = look.campaign.re_entry_days
    first, order = ("", "") if is_one_each else ("DISTINCT ON (customer_id)", "ORDER BY customer_id, caused_at, cause")
    keeps_out = f"""e.campaign_id = %(campaign)s AND (
    e.cause = k.cause OR e.next_at IS NOT NULL
    OR e.arm <> '{Arm.EXCLUDED}' AND (
      %(again)s::int IS NULL
      OR %(again)s::int > 0
        AND (e.entered_at AT TIME ZONE %(zone)s)::date + %(again)s::int > (k.caused_at AT TIME ZONE %(zone)s)::date
    )
  )"""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {CANDIDATES}")
        cursor.execute(
            f"""
CREATE TEMPORARY TABLE {CANDIDATES} ON COMMIT DROP AS
WITH caused(customer_id, cause, caused_at) AS ({sql})
SELECT {first} customer_id, cause, caused_at FROM caused k
WHERE NOT EXISTS (
  SELECT 1 FROM campaigns_entry e WHERE e.customer_id = k.customer_id AND {keeps_out}
) AND NOT EXISTS (
  SELECT 1 FROM customers_customermerge g JOIN campaigns_entry e ON e.customer_id = g.loser_id
  WHERE g.holder_id = k.customer_id AND g.undone_at IS NULL AND {keeps_out}
) {order}""",
            {**params, "campaign": look.campaign.pk, "again": again, "zone": settings.SHOP_TIME_ZONE},
        )
        cursor.execute(f"ANALYZE {CANDIDATES}")
        cursor.execute(f"SELECT count(*) FROM {CANDIDATES}")
        return int(cursor.fetchone()[0])


def _gather_newcomers(look: Look, trigger: SegmentTrigger | ChurnTrigger) -> int:
    """In the state now, and not at the last look, by whichever id of theirs; for a line that is to be crossed, after a score
    below it."""
    _find_there(look, trigger)
    cause = {"cause": f"there:{look.now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}", "now": look.now}
    new = f"""
SELECT t.customer_id, %(cause)s, %(now)s::timestamptz FROM {THERE} t
WHERE NOT %(is_late)s AND NOT EXISTS (
  SELECT 1 FROM campaigns_presence p WHERE p.campaign_id = %(campaign)s AND p.customer_id = t.customer_id
) AND NOT EXISTS (
  SELECT 1 FROM customers_customermerge g JOIN campaigns_presence p ON p.customer_id = g.loser_id
  WHERE g.holder_id = t.customer_id AND g.undone_at IS NULL AND p.campaign_id = %(campaign)s
)"""
    params: dict[str, Any] = {**cause, "is_late": look.is_late}
    if isinstance(trigger, SegmentTrigger):
        return _gather(look, new, params)
    segment = look.segment()
    sql = f"""{new}
AND (%(is_first)s OR EXISTS (
  SELECT 1 FROM customers_score s JOIN customers_scorehistory h ON h.customer_id = s.customer_id AND h.as_of < s.as_of
  WHERE s.customer_id = t.customer_id AND h.churn_probability < %(line)s))
AND t.customer_id IN (SELECT customer_id FROM ({segment.sql}) AS meant)"""
    return _gather(look, sql, {**params, **segment.params, "line": trigger.line, "is_first": look.since is None})


def _find_there(look: Look, trigger: SegmentTrigger | ChurnTrigger) -> None:
    """Fill THERE with the people who are in the state now."""
    if isinstance(trigger, SegmentTrigger):
        segment = look.members()
        sql, params = f"SELECT DISTINCT customer_id FROM ({segment.sql}) AS meant", segment.params
    else:
        sql = "SELECT customer_id FROM customers_score WHERE churn_probability >= %(line)s"
        params = {"line": trigger.line}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {THERE}")
        cursor.execute(f"CREATE TEMPORARY TABLE {THERE} ON COMMIT DROP AS {sql}", params)
        cursor.execute(f"ANALYZE {THERE}")


def _remember_there(campaign: Campaign) -> None:
    """Only what changed is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO campaigns_presence (campaign_id, customer_id) SELECT %s, customer_id FROM {THERE}"
            " ON CONFLICT DO NOTHING",
            [campaign.pk],
        )
        cursor.execute(
            "DELETE FROM campaigns_presence p WHERE p.campaign_id = %s"
            f" AND NOT EXISTS (SELECT 1 FROM {THERE} t WHERE t.customer_id = p.customer_id)",
            [campaign.pk],
        )


def _gather_events(look: Look, trigger: EventTrigger) -> int:
    """By the order in which events were written down, so that a late one counts when it comes; of each person the first that was
    not seen before: what is scanned twice hides none that came after it."""
    segment = look.segment()
    where = "".join(f" AND e.properties->>%(name_{place})s = %(value_{place})s" for place in range(len(trigger.where)))
    params: dict[str, Any] = {"event": trigger.event, "since": look.since, "from": look.campaign.enters_from}
    for place, (name, value) in enumerate(trigger.where):
        params |= {f"name_{place}": name, f"value_{place}": value}
    sql = f"""
SELECT e.customer_id,
       'event:' || md5(e.source || '|' || e.external_id || '|' || extract(epoch FROM e.occurred_at)), e.occurred_at
FROM customers_customerevent e
WHERE e.kind = %(event)s AND e.occurred_at > %(oldest)s AND e.occurred_at >= %(from)s AND e.recorded_at > %(since)s{where}
  AND e.customer_id IN (SELECT customer_id FROM ({segment.sql}) AS meant)"""
    oldest = look.now - dt.timedelta(hours=trigger.max_age_hours)
    return _gather(look, sql, {**params, **segment.params, "oldest": oldest}, is_one_each=False)


def _gather_overdue(look: Look, trigger: OverdueTrigger) -> int:
    """So many days after the date that the first score since the last order expected the next one on.

    Later scores of somebody who stays away expect the order later and later: the first one is what was overdue.
    """
    segment = look.segment()
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    today, started = (moment.astimezone(zone).date() for moment in (look.clock, look.campaign.enters_from or look.now))
    first = max(
        today - dt.timedelta(days=math.ceil(look.campaign.send_window_hours / 24)), started + dt.timedelta(days=1)
    )
    sql = f"""
SELECT due.customer_id, 'overdue:' || due.expected_on, %(now)s::timestamptz
FROM ({overdue_sql(segment.sql)}) AS due
WHERE due.expected_on + %(days)s::int <= %(today)s::date
  AND (%(is_first)s OR due.expected_on + %(days)s::int >= %(first)s::date)"""
    params = {"days": trigger.days, "today": today, "first": first, "now": look.now, "is_first": look.since is None}
    oldest = look.clock - dt.timedelta(days=EXPECTED_WITHIN_DAYS + trigger.days)
    return _gather(look, sql, {**params, **segment.params, "clock": look.clock, "oldest": oldest})


def overdue_sql(people: str) -> str:
    """SQL of customer_id and expected_on, for whom of the query `people` an order was expected since their last one.
    Parameters: clock, and oldest (orders before it are not looked at)."""
    return f"""
SELECT last.customer_id, expected.next_order_on AS expected_on
FROM (SELECT o.customer_id, max(o.ordered_at) AS ordered_at FROM customers_order o
      WHERE NOT o.is_return AND o.ordered_at <= %(clock)s AND o.customer_id IN (SELECT customer_id FROM ({people}) AS meant)
      GROUP BY o.customer_id) AS last
CROSS JOIN LATERAL (
  SELECT h.next_order_on FROM customers_scorehistory h
  WHERE h.customer_id = last.customer_id AND h.as_of >= last.ordered_at AND h.as_of <= %(clock)s
    AND h.next_order_on IS NOT NULL
  ORDER BY h.as_of, h.model_id LIMIT 1
) AS expected
WHERE last.ordered_at > %(oldest)s"""

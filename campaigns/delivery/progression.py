"""Takes people through the steps of a sequence: who is due leaves, or gets the message of the step and waits for the next.

A sweep is one statement for thousands of people. It locks the entries that are due, so that two sweeps share them (SKIP
LOCKED); the message's key and the guarded entry make any repetition harmless, and a sweep that is killed did nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from django.db import connection, transaction

from campaigns.audience.connected import sent_channels
from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from campaigns.audience.exits import LEFT_SEGMENT, exit_cases_sql, unsubscribed_case_sql
from campaigns.content.steps import wait_sql
from campaigns.models import Arm, Campaign, CampaignStatus, Entry, ExitReason, FollowUp, SkipReason
from customers.ingest.clock import read_shop_clock
from customers.segments.compiler import compile_rule
from customers.segments.rules import RuleError, parse_rule

from .fence.gate import may_launch
from .outbox import OPEN_STATES, VARIANT_DRAW_SQL

log = structlog.get_logger(__name__)

#: People that one statement moves: a second's work, which nothing else has to wait for.
BATCH: Final = 20_000
#: What let everybody of a one-off campaign in.
START_CAUSE: Final = "start"


@dataclass(frozen=True)
class Advanced:
    """What one look did: people by exit reason, messages queued, and people who were looked at in all."""

    looked_at: int = 0
    queued: int = 0
    exits: Counter[str] = field(default_factory=Counter)


def open_entries(campaign: Campaign, *, now: dt.datetime) -> int:
    """Let both arms of a one-off campaign into its sequence, with the second step to come; how many are new.

    Nobody where it has no follow-ups. The key (campaign, customer, number) makes a second run add nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO campaigns_entry (campaign_id, customer_id, cause, arm, archetype_id, channel, churn_probability,
                                         expected_value, entered_at, next_step, next_at)
            SELECT m.campaign_id, m.customer_id, '{START_CAUSE}', m.arm, m.archetype_id, m.channel, m.churn_probability,
                   m.expected_value, %(now)s, f.number, {wait_sql("%(now)s::timestamptz", "f.wait_hours")}
            FROM campaigns_audiencemember m
            JOIN campaigns_followup f ON f.campaign_id = m.campaign_id AND f.number = 2
            WHERE m.campaign_id = %(campaign)s AND m.arm <> '{Arm.EXCLUDED}'
            ON CONFLICT DO NOTHING
            """,
            {"campaign": campaign.pk, "now": now},
        )
        return int(cursor.rowcount)


def has_open_entries(campaign_id: int) -> bool:
    """Whether somebody is still on their way through the steps of a campaign."""
    return Entry.objects.filter(campaign_id=campaign_id, next_at__isnull=False).exists()


def advance_entries(now: dt.datetime, *, batch: int = BATCH) -> Advanced:
    """Take everybody who is due at `now` one step on, in all campaigns that are sending. Safe to run twice and in parallel.

    Nobody behind the fence: a restored backup has forgotten who was taken on since.
    """
    due = Entry.objects.filter(next_at__lte=now, campaign__status=CampaignStatus.SENDING)
    if not due.exists() or not may_launch():
        return Advanced()
    looked_at = queued = 0
    exits: Counter[str] = Counter()
    for campaign_id in list(due.order_by("campaign").values_list("campaign", flat=True).distinct()):
        while True:
            moved = _advance_batch(campaign_id, now, batch)
            looked_at, queued = looked_at + moved.looked_at, queued + moved.queued
            exits += moved.exits
            if moved.looked_at < batch:
                break
    if looked_at:
        log.info("entries_advanced", looked_at=looked_at, queued=queued, exits=dict(exits))
    return Advanced(looked_at, queued, exits)


@transaction.atomic
def _advance_batch(campaign_id: int, now: dt.datetime, batch: int) -> Advanced:
    # Shared, so that sweeps do not wait for each other; whoever pauses or cancels waits until these rows are written.
    found = Campaign.objects.raw(
        "SELECT * FROM campaigns_campaign WHERE id = %s AND status = 'sending' FOR SHARE", [campaign_id]
    )
    campaign = next(iter(found), None)
    if campaign is None:
        return Advanced()
    segment, segment_params = _left_segment(campaign, now)
    params: dict[str, Any] = {
        **segment_params,
        "campaign": campaign_id,
        "now": now,
        "batch": batch,
        "seed": campaign.holdout_seed,
        "open": [state.value for state in OPEN_STATES],
        "reached": [state.value for state in STATUSES_THAT_REACHED],
        "connected": sorted(sent_channels()),
        "window": campaign.send_window_hours,
    }
    with connection.cursor() as cursor:
        cursor.execute(_advance_sql(segment), params)
        rows = cursor.fetchall()
    exits: Counter[str] = Counter({reason: people for reason, people, _queued in rows if reason})
    return Advanced(sum(row[1] for row in rows), rows[0][2] if rows else 0, exits)


def _left_segment(campaign: Campaign, now: dt.datetime) -> tuple[str, dict[str, Any]]:
    """The WHEN for who is no longer meant by the segment's rule, and its parameters; "" where that is no rule of the
    campaign, or where the rule can no longer be read: then nobody leaves for it."""
    if LEFT_SEGMENT not in campaign.exit_on:
        return "", {}
    try:
        query = compile_rule(parse_rule(campaign.approved_rule), as_of=read_shop_clock(now))
    except RuleError:
        log.warning("segment_unreadable", campaign=campaign.pk)
        return "", {}
    return (
        f"\n  WHEN d.customer_id NOT IN (SELECT x_g.customer_id FROM ({query.sql}) AS x_g)"
        f" THEN '{ExitReason.LEFT_SEGMENT}'",
        query.params,
    )


def _advance_sql(left_segment: str) -> str:
    """One row for each way out ('' for who goes on): reason, people, and how many messages were queued in all.

    `said` is what became of the messages before: how long one of them waits, when the last one left, and what the person did
    with the last that reached them. A message may have left later than it was due, and the wait counts from then.
    """
    return f"""
WITH due AS MATERIALIZED (
  SELECT e.id, e.customer_id, e.number, e.arm, e.archetype_id, e.channel, e.entered_at, e.next_step, e.next_at
  FROM campaigns_entry e
  WHERE e.campaign_id = %(campaign)s AND e.next_at <= %(now)s
  ORDER BY e.next_at, e.id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
),
judged AS MATERIALIZED (
  SELECT d.*, f.only_if, said.opened_at, said.clicked_at,
         greatest(d.next_at, {wait_sql("said.counts_from", "f.wait_hours")}) AS due_at,
         CASE{unsubscribed_case_sql("d")}{exit_cases_sql("d", "p", "c", as_of="%(now)s::timestamptz")}{left_segment}
         ELSE '' END AS exit_reason
  FROM due d
  JOIN campaigns_campaign p ON p.id = %(campaign)s
  JOIN customers_customer c ON c.id = d.customer_id
  LEFT JOIN campaigns_followup f ON f.campaign_id = p.id AND f.number = d.next_step
  CROSS JOIN LATERAL (
    SELECT max(CASE WHEN x.status = ANY(%(open)s) THEN greatest(%(now)s::timestamptz, x.not_before)
                    WHEN x.status = ANY(%(reached)s) THEN x.sending_at END) AS counts_from,
           (array_agg(x.opened_at ORDER BY x.step DESC) FILTER (WHERE x.status = ANY(%(reached)s)))[1] AS opened_at,
           (array_agg(x.clicked_at ORDER BY x.step DESC) FILTER (WHERE x.status = ANY(%(reached)s)))[1] AS clicked_at
    FROM campaigns_message x
    WHERE x.campaign_id = p.id AND x.customer_id = d.customer_id AND x.entry = d.number AND x.step < d.next_step
  ) AS said
),
queued AS (
  INSERT INTO campaigns_message (campaign_id, step, customer_id, entry, variant_id, channel, status, skip_reason, settled_at,
                                 queued_at, send_by)
  SELECT %(campaign)s, m.next_step, m.customer_id, m.number, v.id, a.channel,
         CASE WHEN a.channel = ANY(%(connected)s) THEN 'queued' ELSE 'skipped' END,
         CASE WHEN a.channel = ANY(%(connected)s) THEN '' ELSE '{SkipReason.NO_CHANNEL}' END,
         CASE WHEN a.channel = ANY(%(connected)s) THEN NULL ELSE %(now)s::timestamptz END,
         %(now)s, m.due_at + make_interval(hours => %(window)s)
  FROM judged m
  JOIN campaigns_archetype a ON a.id = m.archetype_id
  JOIN (
    SELECT id, archetype_id, step, row_number() OVER (PARTITION BY archetype_id, step ORDER BY label) - 1 AS place,
           count(*) OVER (PARTITION BY archetype_id, step) AS texts
    FROM campaigns_variant
    WHERE retired_at IS NULL AND archetype_id IN (SELECT id FROM campaigns_archetype WHERE campaign_id = %(campaign)s)
  ) AS v ON v.archetype_id = m.archetype_id AND v.step = m.next_step AND v.place = {VARIANT_DRAW_SQL} %% v.texts
  WHERE m.arm = '{Arm.TREATMENT}' AND m.exit_reason = '' AND m.due_at <= %(now)s
    AND CASE m.only_if WHEN '{FollowUp.OnlyIf.NOT_OPENED}' THEN m.opened_at IS NULL
                       WHEN '{FollowUp.OnlyIf.NOT_CLICKED}' THEN m.clicked_at IS NULL
                       WHEN '{FollowUp.OnlyIf.CLICKED}' THEN m.clicked_at IS NOT NULL ELSE true END
  ON CONFLICT (campaign_id, step, customer_id, entry) DO NOTHING
  RETURNING 1
),
moved AS (
  UPDATE campaigns_entry e
  SET next_step = CASE WHEN w.goes_on THEN f.number ELSE e.next_step END,
      next_at = CASE WHEN w.reason <> '' THEN NULL WHEN w.goes_on THEN {wait_sql("%(now)s::timestamptz", "f.wait_hours")}
                     ELSE j.due_at END,
      exited_at = CASE WHEN w.reason <> '' THEN %(now)s::timestamptz END,
      exit_reason = w.reason
  FROM judged j
  LEFT JOIN campaigns_followup f ON f.campaign_id = %(campaign)s AND f.number = j.next_step + 1
  CROSS JOIN LATERAL (
    SELECT j.exit_reason = '' AND j.due_at <= %(now)s AS goes_on,
           CASE WHEN j.exit_reason = '' AND j.due_at <= %(now)s AND f.number IS NULL THEN '{ExitReason.COMPLETED}'
                ELSE j.exit_reason END AS reason
  ) AS w
  WHERE e.id = j.id
  RETURNING e.exit_reason
)
SELECT exit_reason, count(*), (SELECT count(*) FROM queued) FROM moved GROUP BY exit_reason
"""

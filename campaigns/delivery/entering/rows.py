"""The rows of those who enter: an `Entry` for everybody in both arms, and a message of step 1 for the treated."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.audience.connected import sent_channels
from campaigns.audience.entrants import CANDIDATES, Look
from campaigns.audience.entry_times import read_entry_times_json
from campaigns.audience.looks import mark_sql
from campaigns.audience.people import PEOPLE, judge_entrants, list_unexplained, read_reasons
from campaigns.audience.placing import place_people
from campaigns.audience.send_groups import JOIN_TIMES_SQL, times_params
from campaigns.content.steps import add_wait
from campaigns.delivery.outbox import VARIANT_DRAW_SQL
from campaigns.models import Arm, Campaign, ExitReason, FollowUp, SkipReason
from customers.scoring.on_need import explain_scores

from . import text_draws
from .text_draws import read_stretches


@dataclass(frozen=True)
class EnteredCounts:
    """How many people entered, left out ones included, and how many messages were queued for them."""

    entered: int = 0
    queued: int = 0

    def __add__(self, other: EnteredCounts) -> EnteredCounts:
        return EnteredCounts(self.entered + other.entered, self.queued + other.queued)


def write_entries(look: Look) -> EnteredCounts:
    """Judge the candidates as a freeze would, and write their entries and messages in one statement.

    Must run in the transaction that gathered them. The keys of both tables make a second run add nothing.
    """
    judge_entrants(look.campaign, matched=f"SELECT customer_id FROM {CANDIDATES}", now=look.now, clock=look.clock)
    explain_scores(list_unexplained())
    read_reasons()
    place_people(look.campaign)
    times = read_entry_times_json(look.campaign, now=look.now)
    parameters = _parameters(look) | read_first_wait(look.campaign, entered_at=look.now)
    marks, params = mark_sql(look.campaign.looks, "p.customer_id", as_of=look.clock)
    parameters |= params
    adapts = look.campaign.adapts_texts
    if adapts:
        parameters["stretches"] = read_stretches(look.campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            _write_sql(bool(times), adapts=adapts, marks=marks),
            parameters | (times_params(look.campaign, times) if times else {}),
        )
        return EnteredCounts(*cursor.fetchone())


def read_first_wait(campaign: Campaign, *, entered_at: dt.datetime) -> dict[str, Any]:
    """Where people stand after step 1, held-out ones too: due for step 2 where there is one, and through otherwise."""
    second = FollowUp.objects.filter(campaign=campaign, number=2).first()
    if second is None:
        return {"next_step": None, "next_at": None, "exited_at": entered_at, "exit_reason": ExitReason.COMPLETED.value}
    next_at = add_wait(entered_at, second.wait_hours)
    return {"next_step": 2, "next_at": next_at, "exited_at": None, "exit_reason": ""}


def _parameters(look: Look) -> dict[str, Any]:
    return {
        "campaign": look.campaign.pk,
        "seed": look.campaign.holdout_seed,
        "now": look.now,
        "send_by": look.now + look.window,
        "connected": sorted(sent_channels()),
    }


#: Every text of an archetype is as likely as the others.
_EVEN_SQL = f"""JOIN (
    SELECT id, archetype_id, NULL::bigint AS text_share,
           row_number() OVER (PARTITION BY archetype_id ORDER BY label) - 1 AS place,
           count(*) OVER (PARTITION BY archetype_id) AS texts
    FROM campaigns_variant
    WHERE step = 1 AND retired_at IS NULL
      AND archetype_id IN (SELECT id FROM campaigns_archetype WHERE campaign_id = %(campaign)s)
  ) AS v ON v.archetype_id = m.archetype_id AND v.place = {VARIANT_DRAW_SQL} %% v.texts"""


def _write_sql(has_times: bool, *, adapts: bool, marks: str) -> str:
    """`t` is the moment of each, where not everybody is due at once; `adapts`: shares of texts are those of the newest batch;
    `marks` says in which looks a person is."""
    times = f"CROSS JOIN LATERAL (SELECT m.channel) AS a(channel) {JOIN_TIMES_SQL}" if has_times else ""
    moment = "t.not_before, coalesce(t.send_by, %(send_by)s)" if has_times else "NULL::timestamptz, %(send_by)s"
    reason = "coalesce(t.reason, '')" if has_times else "''"
    return f"""
WITH entered AS (
  INSERT INTO campaigns_entry (campaign_id, customer_id, number, cause, arm, exclusion_reason, archetype_id, channel,
    churn_probability, expected_value, in_looks, entered_at, next_step, next_at, exited_at, exit_reason)
  SELECT %(campaign)s, p.customer_id, 1 + coalesce((
           SELECT max(e.number) FROM campaigns_entry e WHERE e.campaign_id = %(campaign)s AND e.customer_id = p.customer_id
         ), 0), k.cause, p.arm, p.exclusion_reason,
         CASE WHEN p.arm <> '{Arm.EXCLUDED}' THEN p.archetype_id END, p.channel, p.churn_probability, p.expected_value,
         {marks}, %(now)s, CASE WHEN p.arm <> '{Arm.EXCLUDED}' THEN %(next_step)s::int END,
         CASE WHEN p.arm <> '{Arm.EXCLUDED}' THEN %(next_at)s::timestamptz END,
         CASE WHEN p.arm <> '{Arm.EXCLUDED}' THEN %(exited_at)s::timestamptz ELSE %(now)s END,
         CASE WHEN p.arm <> '{Arm.EXCLUDED}' THEN %(exit_reason)s ELSE '' END
  FROM {PEOPLE} p JOIN {CANDIDATES} k ON k.customer_id = p.customer_id
  ON CONFLICT DO NOTHING
  RETURNING customer_id, number, arm, archetype_id, channel
),
queued AS (
  INSERT INTO campaigns_message (campaign_id, step, customer_id, entry, variant_id, channel, status, skip_reason, settled_at,
    not_before, send_by, text_share_id)
  SELECT %(campaign)s, 1, customer_id, number, variant, channel, CASE WHEN reason = '' THEN 'queued' ELSE 'skipped' END,
         reason, CASE WHEN reason <> '' THEN clock_timestamp() END, not_before, send_by, text_share
  FROM (SELECT m.customer_id, m.number, v.id, m.channel, {moment}, v.text_share,
               CASE WHEN m.channel = ANY(%(connected)s) THEN {reason} ELSE '{SkipReason.NO_CHANNEL}' END
  FROM entered m
  {text_draws.JOIN_SQL if adapts else _EVEN_SQL}
  {times}
  WHERE m.arm = '{Arm.TREATMENT}') AS due(customer_id, number, variant, channel, not_before, send_by, text_share, reason)
  ON CONFLICT (campaign_id, step, customer_id, entry) DO NOTHING
  RETURNING id
)
SELECT (SELECT count(*) FROM entered), (SELECT count(*) FROM queued)
"""

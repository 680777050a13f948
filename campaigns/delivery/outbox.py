"""The rows of the outbox: queued set-based, claimed under a lease, settled by what the server said.

The database's clock is the only one that counts, because workers run on several machines. A claim whose lease ended
is taken back by `reaper`; the guards below make the late worker's writes change nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from campaigns.audience.connected import sent_channels
from campaigns.audience.send_groups import JOIN_TIMES_SQL, read_times_json, times_params
from campaigns.models import Arm, Campaign, MessageStatus, SkipReason
from campaigns.models.message import DUE_FROM_SQL
from customers.models import Channel

from .channels import SMTP_ROUTE, Outcome, Reply, Route

#: Tries before a temporary refusal counts as a final one: with the waits below, about nine hours after the first.
MAX_ATTEMPTS = 7
FIRST_WAIT_S = 60
LONGEST_WAIT_S = 4 * 3600

#: A number for each customer that decides between the texts of an archetype. Its seed is not the hold-out's: who is held
#: out must say nothing about who would have got which text.
VARIANT_DRAW_SQL = "('x' || left(md5('text:' || %(seed)s || ':' || m.customer_id::text), 8))::bit(32)::bigint"

#: Somebody whose zone or country was changed while we looked is due when the shop's clock says so.
_OWN_MOMENT = "CASE WHEN t.zone IS NULL THEN %(usual)s ELSE t.not_before END, t.send_by"

#: States in which something is still to be done; a campaign with none of these is finished.
OPEN_STATES = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.SENDING, MessageStatus.RETRY_WAIT)


@dataclass(frozen=True)
class ClaimedMessage:
    """A row that one worker holds until its lease ends.

    `kept_slots` are those of an earlier try whose end nobody knows: the next one must say exactly the same.
    """

    id: int
    campaign_id: int
    step: int
    customer_id: int
    variant_id: int
    attempts: int
    kept_slots: Mapping[str, str] | None = None
    entry: int = 1

    @property
    def is_in_doubt(self) -> bool:
        return self.kept_slots is not None


def queue_messages(campaign: Campaign, *, step: int = 1, now: dt.datetime | None = None) -> int:
    """One row for every treated member, with one text of their archetype and the moment from which on they are written to,
    if the campaign is launched at `now` (its own time unless given). Returns how many are new.

    Which text of several is a stable hash of the campaign's seed and the customer, so that the texts share the people
    evenly and the same person always gets the same one. One INSERT ... SELECT; the key (campaign, step, customer, entry) makes a
    second run add nothing. People who are held out or left out get no row; those whose channel is not connected, and those
    whose window closes in their quiet hours, get one that says so.
    """
    times = read_times_json(campaign, now=now)
    moment, reason = (
        (_OWN_MOMENT, "coalesce(t.reason, '')") if times else ("NULL::timestamptz, NULL::timestamptz", "''")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO campaigns_message
              (campaign_id, step, customer_id, variant_id, channel, status, skip_reason, settled_at, not_before, send_by)
            SELECT campaign_id, %(step)s, customer_id, variant, channel,
                   CASE WHEN reason = '' THEN 'queued' ELSE 'skipped' END, reason,
                   CASE WHEN reason <> '' THEN clock_timestamp() END, not_before, send_by
            FROM (
                SELECT m.campaign_id, m.customer_id, v.id, a.channel, {moment},
                       CASE WHEN a.channel = ANY(%(connected)s) THEN {reason} ELSE '{SkipReason.NO_CHANNEL}' END
                FROM campaigns_audiencemember m
                JOIN campaigns_archetype a ON a.id = m.archetype_id
                JOIN (
                    SELECT id, archetype_id, row_number() OVER (PARTITION BY archetype_id ORDER BY label) - 1 AS place,
                           count(*) OVER (PARTITION BY archetype_id) AS texts
                    FROM campaigns_variant
                    WHERE retired_at IS NULL AND step = %(step)s
                      AND archetype_id IN (SELECT id FROM campaigns_archetype WHERE campaign_id = %(campaign)s)
                ) AS v ON v.archetype_id = m.archetype_id AND v.place = {VARIANT_DRAW_SQL} %% v.texts
                {JOIN_TIMES_SQL if times else ""}
                WHERE m.campaign_id = %(campaign)s AND m.arm = %(arm)s
            ) AS due(campaign_id, customer_id, variant, channel, not_before, send_by, reason)
            ON CONFLICT (campaign_id, step, customer_id, entry) DO NOTHING
            """,
            {
                "campaign": campaign.pk,
                "step": step,
                "arm": Arm.TREATMENT,
                "seed": campaign.holdout_seed,
                "connected": sorted(sent_channels()),
                "usual": campaign.scheduled_for,
                **(times_params(campaign, times) if times else {}),
            },
        )
        return int(cursor.rowcount)


def claim_batch(
    worker: str, *, campaign_id: int, size: int, route: Route = SMTP_ROUTE, channel: str = Channel.EMAIL
) -> list[ClaimedMessage]:
    """Take up to `size` messages of a sending campaign on one channel that are due, the longest due first, for
    `claim_lease_s()` seconds.

    Rows that another worker is just taking are passed over (SKIP LOCKED): two workers never hold the same row. One in doubt
    is taken only for the route that it went by, while the key of its first try is still known there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH waiting AS (
                SELECT id FROM campaigns_message
                WHERE campaign_id = %(campaign)s AND channel = %(channel)s AND status = 'queued'
                  AND {DUE_FROM_SQL} <= (SELECT clock_timestamp())
                  AND (in_doubt_since IS NULL OR route = %(route)s
                       AND in_doubt_since > clock_timestamp() - make_interval(secs => %(window)s))
                ORDER BY {DUE_FROM_SQL}, id LIMIT %(size)s FOR UPDATE SKIP LOCKED
            )
            UPDATE campaigns_message m
            SET status = 'claimed', claimed_by = %(worker)s,
                lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
            FROM waiting, campaigns_campaign c
            WHERE m.id = waiting.id AND c.id = m.campaign_id AND c.status = 'sending'
            RETURNING m.id, m.campaign_id, m.step, m.customer_id, m.variant_id, m.attempts,
                      CASE WHEN m.in_doubt_since IS NOT NULL THEN m.slots END, m.entry
            """,
            {
                "campaign": campaign_id,
                "channel": channel,
                "size": size,
                "worker": worker,
                "lease": claim_lease_s(),
                "route": route.name,
                "window": route.key_window_s,
            },
        )
        rows = sorted(cursor.fetchall())
    return [
        ClaimedMessage(pk, campaign, step, customer, variant, attempts, json.loads(slots) if slots else None, entry)
        for pk, campaign, step, customer, variant, attempts, slots, entry in rows
    ]


def skip_unconnected(channels: Collection[str]) -> int:
    """`queued -> skipped` for what waits on these channels, which nothing sends any more; in doubt it becomes `unknown`.

    Returns how many. Safe to run twice.
    """
    if not channels:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_message SET status = CASE WHEN in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,"
            f" skip_reason = CASE WHEN in_doubt_since IS NULL THEN '{SkipReason.NO_CHANNEL}' ELSE '' END,"
            " settled_at = clock_timestamp() WHERE status = 'queued' AND channel = ANY(%s)"
            " AND campaign_id IN (SELECT id FROM campaigns_campaign WHERE status = 'sending')",
            [sorted(channels)],
        )
        return int(cursor.rowcount)


def release_claims(worker: str) -> int:
    """Give back what a worker holds and has not begun; returns how many. Safe to run twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'queued', claimed_by = '', lease_until = NULL"
            " WHERE status = 'claimed' AND claimed_by = %s",
            [worker],
        )
        return int(cursor.rowcount)


def skip_claimed(worker: str, message_id: int, *, reason: SkipReason, response: str = "") -> bool:
    """`claimed -> skipped`, for a row that cannot be sent as it is; the others go on. False when it was not ours.

    One that is in doubt becomes `unknown`: it may have been sent already.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = CASE WHEN in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,"
            " skip_reason = CASE WHEN in_doubt_since IS NULL THEN %s ELSE '' END, response = %s, lease_until = NULL,"
            " settled_at = clock_timestamp() WHERE id = %s AND status = 'claimed' AND claimed_by = %s",
            [reason, response[:300], message_id, worker],
        )
        return bool(cursor.rowcount)


@dataclass(frozen=True)
class Settlement:
    """How one delivery ended, ready to be written. `wait_s` is how long to wait before the next try, None for no more.

    `in_doubt`: it may have been sent, and goes again only under the same key.
    """

    id: int
    worker: str
    status: str
    response: str
    wait_s: float | None = None
    in_doubt: bool = False


def conclude(worker: str, message: ClaimedMessage, reply: Reply) -> Settlement:
    """What a reply means for the row. A refusal that certainly sent nothing waits, longer each time, and fails for good
    after MAX_ATTEMPTS. Once a try is in doubt, only a yes ends the doubt: a refusal is about the later try alone."""
    attempts = message.attempts + 1
    in_doubt = message.is_in_doubt or reply.outcome is Outcome.REPEAT
    status = _STATUS_BY_OUTCOME[reply.outcome]
    if status == MessageStatus.RETRY_WAIT and attempts >= MAX_ATTEMPTS:
        status = MessageStatus.FAILED
    if status == MessageStatus.FAILED and in_doubt:
        status = MessageStatus.UNKNOWN
    waits = status == MessageStatus.RETRY_WAIT
    wait_s = max(retry_wait_s(attempts), reply.wait_s) if waits else None
    return Settlement(message.id, worker, status.value, reply.summary, wait_s, in_doubt and waits)


def retry_wait_s(attempts: int) -> float:
    """Seconds to wait after try number `attempts`: 1, 4, 16, 64 minutes, then four hours."""
    return float(min(FIRST_WAIT_S * 4 ** (attempts - 1), LONGEST_WAIT_S))


def claim_lease_s() -> float:
    """How long a claim holds: a batch is worked off in seconds, and an expired claim is only queued again."""
    return 4 * float(settings.EMAIL_TIMEOUT)


def sending_lease_s() -> float:
    """How long a `sending` mark holds: longer than all replies of one delivery may take together."""
    return 8 * float(settings.EMAIL_TIMEOUT)


def open_message_ids(campaign_id: int) -> Sequence[int]:
    """One id at most: whether anything of the campaign is still to be done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM campaigns_message WHERE campaign_id = %s AND status = ANY(%s) LIMIT 1",
            [campaign_id, [state.value for state in OPEN_STATES]],
        )
        return [int(row[0]) for row in cursor.fetchall()]


_STATUS_BY_OUTCOME = {
    Outcome.ACCEPTED: MessageStatus.ACCEPTED,
    Outcome.RETRY: MessageStatus.RETRY_WAIT,
    Outcome.REPEAT: MessageStatus.RETRY_WAIT,
    Outcome.FAILED: MessageStatus.FAILED,
    Outcome.UNKNOWN: MessageStatus.UNKNOWN,
}

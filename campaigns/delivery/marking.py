"""The `sending` mark: committed before the network is touched, by a statement that asks everything once more.

What became of earlier messages is written in the same transaction, so that a message costs one commit, and several
connections may share it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
from django.db import connection

from campaigns.audience.channels import address_sql
from campaigns.audience.eligibility import JUDGED_AT_SQL, exclusion_case_sql
from campaigns.audience.exits import left_sequence_sql
from campaigns.content.standing_facts import stale_fact_sql
from campaigns.models import MessageStatus
from customers.ingest.merged import CUSTOMER_LOCKS
from customers.models import Channel

from .channels import SMTP_ROUTE
from .fence.gate import Leave
from .other_ids import had_it_sql
from .outbox import ClaimedMessage, Settlement, sending_lease_s


@dataclass(frozen=True)
class Intent:
    """What is about to be sent: written into the row by the mark, so that it can be replayed for ever. `quiet_at` is when it
    becomes quiet where the person is (ISO 8601): from then on nothing is marked. `variant_id` is the text that it is made of:
    the one that stands now, also where the row was queued with an older one."""

    message: ClaimedMessage
    variant_id: int
    address: str
    slots_json: str
    body_hash: str
    message_id: str
    approved_hash: str
    quiet_at: str | None = None
    channel: str = "email"


@dataclass(frozen=True)
class Bid:
    """One worker asks to send one message, by `route`. `checks` are the `exclusion_params` of the campaign."""

    worker: str
    intent: Intent
    checks: Mapping[str, Any]
    route: str = SMTP_ROUTE.name

    @property
    def campaign_id(self) -> int:
        return self.intent.message.campaign_id

    @property
    def customer_id(self) -> int:
        return self.intent.message.customer_id


@dataclass(frozen=True)
class Mark:
    """What came of it. Unknown: an earlier try is in doubt, and now it must not be sent. Queued: the texts were replaced since
    the copy was made. Any other: the row, the campaign or the address changed, or it became quiet there; send nothing."""

    status: str = ""
    skip_reason: str = ""
    is_held: bool = False  # a limit of the pace has no token for it now; it waits in the queue again

    @property
    def may_send(self) -> bool:
        return self.status == MessageStatus.SENDING

    @property
    def is_replaced(self) -> bool:
        """It waits again, for a copy made of the texts that are approved now."""
        return self.status == MessageStatus.QUEUED


@dataclass(frozen=True)
class Written:
    """By message: the new status of each settled row that was still its worker's, and the mark of each bid."""

    settled: Mapping[int, str] = field(default_factory=dict)
    marks: Mapping[int, Mark] = field(default_factory=dict)


def write_outcomes_and_marks(
    outcomes: Sequence[Settlement], bids: Sequence[Bid], leave: Leave | None = None
) -> Written:
    """Settle what was sent and mark what is to be sent next, in one transaction and one round trip.

    The bids are of one campaign, of one channel and of different customers. With a bid it commits with a sync to disk before it
    returns; outcomes alone are not synced (the next mark's commit syncs them, and a crash before that leaves `unknown`).

    An outcome: only the worker that made the mark may settle it; it may do so even after the reaper called it unknown,
    because it knows better.

    A mark is `claimed -> sending`, or `-> skipped` with its reason (`-> unknown` where an earlier try may have sent it), or
    back to `queued` where a change of the running campaign put other texts in place of those that this copy is made of.
    Nothing is marked without the sweep's `leave`, or once it no longer holds (a restored backup; `fence`).
    Checked in the same statement: the claim is still its worker's and its lease runs, it is not quiet where the person is,
    the campaign is sending, the message inside its window, the messages are the approved ones (`approved_hash`), the
    address is the one rendered for, it did not go to another id of theirs, consent, suppression, complaints and caps, and for a
    follow-up the exit rules of its sequence. A trigger of the database checks the approvals again (IntegrityError: then
    nothing at all was written). Outside a transaction it is one of its own.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw = connection.connection
        raw.prepare_threshold = 1  # planning these statements takes longer than running them
        locks, settles, marks = (psycopg.RawCursor(raw) for _number in range(3))
        with raw.pipeline():
            _BEGIN.run(locks, _lock_parameters(bids))
            if outcomes:
                _SETTLE.run(settles, _settle_parameters(outcomes))
            if bids:
                _mark_statement(bids[0].intent.channel).run(marks, _mark_parameters(bids, leave))
        # The pipeline has ended without an error: all of it is committed.
        settled = settles.fetchall() if outcomes else []
        marked = marks.fetchall() if bids else []
    return Written(dict(settled), {row: Mark(status, reason) for row, status, reason in marked})


def _lock_parameters(bids: Sequence[Bid]) -> dict[str, Any]:
    return {"sync": "on" if bids else "off", "customers": _write_array(bid.customer_id % 2**31 for bid in bids)}


def _settle_parameters(outcomes: Sequence[Settlement]) -> dict[str, Any]:
    ids = _write_array(outcome.id for outcome in outcomes)
    return {"outcomes": json.dumps([vars(outcome) for outcome in outcomes]), "ids": ids}


def _mark_parameters(bids: Sequence[Bid], leave: Leave | None) -> dict[str, Any]:
    rows = [
        {
            "id": bid.intent.message.id,
            "variant_id": bid.intent.variant_id,
            "worker": bid.worker,
            "route": bid.route,
            "address": bid.intent.address,
            "approved_hash": bid.intent.approved_hash,
            "slots": bid.intent.slots_json,
            "body_hash": bid.intent.body_hash,
            "message_id": bid.intent.message_id,
            "quiet_at": bid.intent.quiet_at,
        }
        for bid in bids
    ]
    newest = max((bid.checks for bid in bids), key=lambda checks: checks["x_now"])
    return {
        **newest,
        "bids": json.dumps(rows),
        "lease": sending_lease_s(),
        "epoch": leave.epoch if leave else "",
        "moved": leave.moved if leave else 0,
    }


def _write_array(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads it. A list of numbers would go over as one of two, four or eight bytes each, as they are large:
    another statement to prepare for each."""
    return f"{{{','.join(map(str, numbers))}}}"


class _Statement:
    """A statement with `%(name)s` for its parameters, numbered once: psycopg would search a long one for them every time."""

    def __init__(self, query: str) -> None:
        self.names = tuple(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
        numbers = {name: f"${number}" for number, name in enumerate(self.names, start=1)}
        self.query = re.sub(r"%\((\w+)\)s", lambda found: numbers[found.group(1)], query).replace("%%", "%").encode()

    def run(self, cursor: psycopg.RawCursor, parameters: Mapping[str, Any]) -> None:
        cursor.execute(self.query, [parameters[name] for name in self.names])


# The locks come first and alone, so that the snapshot of the marks is taken after any other mark for these customers was
# committed; in order, so that two such transactions cannot wait for each other. A plan for any values is as good as one for
# these, and making one takes longer than a hundred messages: PostgreSQL would make six for each connection.
_BEGIN = _Statement(f"""
SELECT set_config('synchronous_commit', %(sync)s, true), set_config('plan_cache_mode', 'force_generic_plan', true), (
    SELECT count(pg_advisory_xact_lock({CUSTOMER_LOCKS}, key))
    FROM (SELECT key FROM unnest(%(customers)s::int[]) AS key ORDER BY key) AS ordered
)
""")

# Both statements have to reach their rows by the primary key, whatever the statistics of a table that was filled a minute
# ago make of it: hence OFFSET 0 and `status || ''`, which keep the planner from the indexes on status and campaign.
_SETTLE = _Statement("""
UPDATE campaigns_message m
SET status = o.status, response = o.response, claimed_by = '', lease_until = NULL,
    in_doubt_since = CASE WHEN o.in_doubt THEN coalesce(m.in_doubt_since, m.sending_at) END,
    not_before = CASE WHEN o.wait_s IS NOT NULL THEN clock_timestamp() + make_interval(secs => o.wait_s) END,
    settled_at = CASE WHEN o.wait_s IS NULL THEN clock_timestamp() END
FROM json_to_recordset(%(outcomes)s::json) AS o(
    id bigint, worker text, status text, response text, wait_s float8, in_doubt boolean
)
WHERE m.id = ANY(%(ids)s::bigint[]) AND m.id = o.id AND m.status || '' IN ('sending', 'unknown') AND m.claimed_by = o.worker
RETURNING m.id, m.status
""")


@lru_cache(maxsize=len(Channel))
def _mark_statement(channel: str) -> _Statement:
    """That of a channel: where its address stands, and which consent and suppression count."""
    return _Statement(
        _MARK.format(
            stale=stale_fact_sql("b", "p"),
            excluded=exclusion_case_sql("c", channel=channel, judged_at=JUDGED_AT_SQL),
            left=left_sequence_sql("m", "p", "c"),
            had_it=had_it_sql("m", "c"),
            address=address_sql(channel, "c"),
        )
    )


# MATERIALIZED, or the planner would write the whole CASE into every place where its reason is used.
_MARK = """
WITH checked AS MATERIALIZED (
    SELECT m.id, b.worker, b.variant_id, b.route, b.slots, b.body_hash, b.message_id, CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM campaigns_approval a
            WHERE a.campaign_id = p.id AND a.part = 'messages' AND a.voided_at IS NULL AND a.part_hash = b.approved_hash
        ) THEN CASE WHEN EXISTS (
            SELECT 1 FROM campaigns_approval a WHERE a.campaign_id = p.id AND a.part = 'messages' AND a.voided_at IS NULL
        ) THEN 'replaced' ELSE 'stale_approval' END
        WHEN clock_timestamp() > coalesce(m.send_by, p.scheduled_for + make_interval(hours => p.send_window_hours))
            THEN 'window_closed'
        WHEN m.step > 1 AND {left} THEN 'left_sequence'
        WHEN {had_it} THEN 'had_it'
        ELSE coalesce(nullif({stale}, ''), {excluded})
    END AS reason
    FROM json_to_recordset(%(bids)s::json) AS b(
        id bigint, variant_id bigint, worker text, route text, address text, approved_hash text, slots text, body_hash text,
        message_id text, quiet_at timestamptz
    )
    CROSS JOIN LATERAL (SELECT * FROM campaigns_message row WHERE row.id = b.id OFFSET 0) AS m
    JOIN campaigns_campaign p ON p.id = m.campaign_id
    CROSS JOIN LATERAL (SELECT * FROM customers_customer row WHERE row.id = m.customer_id OFFSET 0) AS c
    WHERE m.status = 'claimed' AND m.claimed_by = b.worker AND m.lease_until > clock_timestamp()
      AND p.status = 'sending' AND {address} = b.address AND (b.quiet_at IS NULL OR b.quiet_at > clock_timestamp())
      AND EXISTS (
          SELECT 1 FROM campaigns_sendingepoch e
          WHERE e.epoch = %(epoch)s AND e.moved >= %(moved)s AND e.fenced_at IS NULL
      )
)
UPDATE campaigns_message m
SET status = CASE WHEN reason = '' THEN 'sending' WHEN reason = 'replaced' THEN 'queued'
                  WHEN m.in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,
    skip_reason = CASE WHEN m.in_doubt_since IS NULL AND reason <> 'replaced' THEN split_part(reason, ':', 1) ELSE '' END,
    response = CASE WHEN reason LIKE '%%:%%' THEN 'in favour of campaign ' || split_part(reason, ':', 2) ELSE m.response END,
    claimed_by = CASE WHEN reason = 'replaced' THEN '' ELSE m.claimed_by END,
    variant_id = CASE WHEN reason = '' THEN checked.variant_id ELSE m.variant_id END,
    route = CASE WHEN reason = '' THEN checked.route ELSE m.route END,
    slots = CASE WHEN reason = '' THEN checked.slots::jsonb ELSE m.slots END,
    body_hash = CASE WHEN reason = '' THEN checked.body_hash ELSE m.body_hash END,
    message_id = CASE WHEN reason = '' THEN checked.message_id ELSE m.message_id END,
    attempts = CASE WHEN reason = '' THEN m.attempts + 1 ELSE m.attempts END,
    sending_at = CASE WHEN reason = '' THEN clock_timestamp() ELSE m.sending_at END,
    lease_until = CASE WHEN reason = '' THEN clock_timestamp() + make_interval(secs => %(lease)s) END,
    settled_at = CASE WHEN reason NOT IN ('', 'replaced') THEN clock_timestamp() END
FROM checked
WHERE m.id = checked.id AND m.status || '' = 'claimed' AND m.claimed_by = checked.worker
RETURNING m.id, m.status, m.skip_reason
"""

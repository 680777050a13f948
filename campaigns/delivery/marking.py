"""The `sending` mark: committed before the network is touched, by a statement that asks everything once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.audience.eligibility import exclusion_case_sql
from campaigns.models import MessageStatus
from customers.ingest.consent import hash_address

from .outbox import ClaimedMessage, sending_lease_s

#: The space of advisory locks that serialises marks for one customer: two campaigns cannot slip past a cap together.
CUSTOMER_LOCKS = 0x5E4D


@dataclass(frozen=True)
class Intent:
    """What is about to be sent: written into the row by the mark, so that it can be replayed for ever."""

    message: ClaimedMessage
    address: str
    slots_json: str
    body_hash: str
    message_id: str
    approved_hash: str


@dataclass(frozen=True)
class Mark:
    """What came of it. Neither sending nor skipped: the row, the campaign or the address changed; send nothing."""

    status: str = ""
    skip_reason: str = ""

    @property
    def may_send(self) -> bool:
        return self.status == MessageStatus.SENDING


def mark_sending(worker: str, intent: Intent, *, checks: Mapping[str, Any]) -> Mark:
    """`claimed -> sending`, or `-> skipped` with its reason; commits with a sync to disk before it returns.

    Checks in the same statement: the claim is still ours and its lease runs, the campaign is sending and inside its window,
    the messages are the approved ones (`approved_hash`), the address is the one rendered for, and consent, suppression,
    complaints and caps. A trigger of the database checks the approvals again. Call it outside a transaction.
    `checks` are the `exclusion_params` of the campaign.
    """
    message = intent.message
    parameters: dict[str, Any] = {
        **checks,
        "lock_space": CUSTOMER_LOCKS,
        "lock_key": message.customer_id % 2**31,
        "id": message.id,
        "worker": worker,
        "customer": message.customer_id,
        "address": intent.address,
        "address_hash": hash_address(intent.address),
        "approved_hash": intent.approved_hash,
        "slots": intent.slots_json,
        "body_hash": intent.body_hash,
        "message_id": intent.message_id,
        "lease": sending_lease_s(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MARK, parameters)
        cursor.nextset()
        cursor.nextset()
        row = cursor.fetchone()
    return Mark(*row) if row else Mark()


# Three statements in one round trip and one implicit transaction. The lock comes first and alone, so that the
# snapshot of the UPDATE is taken after any other mark for this customer was committed.
_MARK = f"""
SET LOCAL synchronous_commit = on;
SELECT pg_advisory_xact_lock(%(lock_space)s, %(lock_key)s);
WITH checked AS (
    SELECT m.id, CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM campaigns_approval a
            WHERE a.campaign_id = p.id AND a.part = 'messages' AND a.voided_at IS NULL AND a.part_hash = %(approved_hash)s
        ) THEN 'stale_approval'
        WHEN clock_timestamp() > p.scheduled_for + make_interval(hours => p.send_window_hours) THEN 'window_closed'
        WHEN EXISTS (
            SELECT 1 FROM customers_suppression s
            WHERE s.channel = m.channel AND s.address_hash = %(address_hash)s
        ) THEN 'suppressed'
        ELSE {exclusion_case_sql("c")}
    END AS reason
    FROM campaigns_message m
    JOIN campaigns_campaign p ON p.id = m.campaign_id
    JOIN customers_customer c ON c.id = m.customer_id
    WHERE m.id = %(id)s AND m.status = 'claimed' AND m.claimed_by = %(worker)s AND m.lease_until > clock_timestamp()
      AND p.status = 'sending' AND c.email = %(address)s
)
UPDATE campaigns_message m
SET status = CASE WHEN reason = '' THEN 'sending' ELSE 'skipped' END,
    skip_reason = reason,
    slots = CASE WHEN reason = '' THEN %(slots)s::jsonb ELSE m.slots END,
    body_hash = CASE WHEN reason = '' THEN %(body_hash)s ELSE m.body_hash END,
    message_id = CASE WHEN reason = '' THEN %(message_id)s ELSE m.message_id END,
    attempts = CASE WHEN reason = '' THEN m.attempts + 1 ELSE m.attempts END,
    sending_at = CASE WHEN reason = '' THEN clock_timestamp() ELSE m.sending_at END,
    lease_until = CASE WHEN reason = '' THEN clock_timestamp() + make_interval(secs => %(lease)s) END,
    settled_at = CASE WHEN reason = '' THEN NULL ELSE clock_timestamp() END
FROM checked
WHERE m.id = checked.id AND m.status = 'claimed' AND m.claimed_by = %(worker)s
RETURNING m.status, m.skip_reason
"""

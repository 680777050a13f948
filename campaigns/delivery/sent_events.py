"""Tells the event log what was sent, so that features and segments know it. Facts go down, never up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection

from customers.ingest.recorder import NewEvent, record_events
from customers.models import Channel, EventKind

#: The source of all events that our own sending writes.
EVENT_SOURCE = "rekindle"
ROWS_PER_WRITE = 20_000


def record_sent_events(message_ids: Sequence[int]) -> int:
    """`email_sent`, or `message_sent`, for those of the messages that a server took; returns how many are new.

    Safe to run twice.
    """
    if not message_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, campaign_id, customer_id, sending_at, channel FROM campaigns_message"
            " WHERE id = ANY(%s) AND status IN ('accepted', 'delivered', 'bounced', 'complained')",
            [list(message_ids)],
        )
        return _record(cursor.fetchall())


def record_missing_sent_events(campaign_id: int) -> int:
    """The same for every message of a campaign that has no event yet: a killed worker leaves such ones behind."""
    written = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT m.id, m.campaign_id, m.customer_id, m.sending_at, m.channel
                FROM campaigns_message m
                WHERE m.campaign_id = %s AND m.status IN ('accepted', 'delivered', 'bounced', 'complained')
                  AND NOT EXISTS (
                      SELECT 1 FROM customers_customerevent e
                      WHERE e.source = %s AND e.external_id = 'sent:' || m.id AND e.occurred_at = m.sending_at
                  )
                LIMIT %s
                """,
                [campaign_id, EVENT_SOURCE, ROWS_PER_WRITE],
            )
            recorded = _record(cursor.fetchall())
        written += recorded
        if recorded == 0:
            return written


def describe_message(campaign: int | None, message: int, channel: str) -> dict[str, Any]:
    """What the log keeps of the message that an event is about; the channel where it is no e-mail."""
    return {"campaign": campaign, "message": message} | ({} if channel == Channel.EMAIL else {"channel": channel})


def _record(rows: Sequence[tuple[int, int, int, dt.datetime, str]]) -> int:
    """`sending_at` is kept over settling, so a second run finds the same key."""
    events = [
        NewEvent(
            customer_id=customer,
            kind=EventKind.EMAIL_SENT if channel == Channel.EMAIL else EventKind.MESSAGE_SENT,
            occurred_at=sending_at,
            external_id=f"sent:{message}",
            properties=describe_message(campaign, message, channel),
        )
        for message, campaign, customer, sending_at, channel in rows
    ]
    return record_events(events, source=EVENT_SOURCE).recorded if events else 0

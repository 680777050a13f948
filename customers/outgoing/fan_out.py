"""Makes deliveries of what happened, forgets names of erased people once they were told, and old rows."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection

from customers.models import OutgoingEvent, OutgoingKind

BATCH: Final = 1_000
KEPT_FOR: Final = dt.timedelta(days=30)


def fan_out(now: dt.datetime) -> int:
    """A delivery for each endpoint that is on and subscribed; returns how many events were taken. Two at once share them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (SELECT id, kind FROM customers_outgoingevent WHERE fanned_at IS NULL ORDER BY id LIMIT %(batch)s
                           FOR UPDATE SKIP LOCKED),
            made AS (INSERT INTO customers_outgoingdelivery (endpoint_id, event_id, next_try_at)
                     SELECT e.id, t.id, %(now)s FROM taken t
                     JOIN customers_outgoingendpoint e ON e.status = 'active' AND e.kinds ? t.kind
                     ORDER BY t.id, e.id ON CONFLICT DO NOTHING)
            UPDATE customers_outgoingevent e SET fanned_at = %(now)s FROM taken t WHERE e.id = t.id
            """,
            {"now": now, "batch": BATCH},
        )
        return int(cursor.rowcount)


def forget_told_names() -> int:
    """Take the shop's ids out of events of erasure that nobody still has to be told; returns of how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_outgoingevent e SET data = jsonb_build_object('items', (
                SELECT jsonb_agg(item - 'external_id' - 'source') FROM jsonb_array_elements(e.data -> 'items') AS item))
            WHERE e.kind = %s AND e.fanned_at IS NOT NULL AND e.data #> '{items,0}' ? 'external_id' AND NOT EXISTS (
                SELECT 1 FROM customers_outgoingdelivery d JOIN customers_outgoingendpoint p ON p.id = d.endpoint_id
                WHERE d.event_id = e.id AND d.status = 'waiting' AND p.status = 'active')
            """,
            [OutgoingKind.CUSTOMER_ERASED.value],
        )
        return int(cursor.rowcount)


def forget_old_events(now: dt.datetime) -> int:
    """Delete events older than 30 days with all that was tried of them; returns how many. The log is a log of a month."""
    return OutgoingEvent.objects.filter(occurred_at__lt=now - KEPT_FOR).delete()[1].get(OutgoingEvent._meta.label, 0)

"""Keeps messages out of the quiet hours of the person, by their own clock, just before they would be sent.

The queue reckons with quiet hours already; what is late, because the mail server was away or the campaign was paused, comes
here. The zone rules are Python's, the clock is the database's.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import connection

from campaigns.audience.country_rules import CountryRules
from campaigns.audience.wall_time import QuietHours, find_zone
from customers.models import Channel, Customer

from .outbox import ClaimedMessage


def next_quiet(
    customer: Customer, countries: CountryRules, now: dt.datetime, channel: str = Channel.EMAIL
) -> str | None:
    """When it becomes quiet where the customer is, as text for SQL; None where there are no quiet hours."""
    quiet = countries.quiet_for(customer.country, channel)
    return _bounds(quiet, customer.time_zone, now)[0] if quiet else None


def put_off_quiet(
    worker: str,
    messages: Sequence[ClaimedMessage],
    customers: Mapping[int, Customer],
    countries: CountryRules,
    *,
    now: dt.datetime,
    channel: str = Channel.EMAIL,
) -> tuple[list[ClaimedMessage], Counter[str]]:
    """The claimed messages that may go at `now`, and the new status of the others: `queued` until their quiet hours are over,
    `skipped` where their window closes before (`unknown` where an earlier try may have sent it)."""
    ends = {}
    for message in messages:
        customer = customers.get(message.customer_id)
        quiet = countries.quiet_for(customer.country, channel) if customer else None
        if customer and quiet and (end := _bounds(quiet, customer.time_zone, now)[1]):
            ends[message.id] = end
    if not ends:
        return list(messages), Counter()
    return [message for message in messages if message.id not in ends], _put_off(worker, ends)


@functools.lru_cache(maxsize=4096)
def _bounds(quiet: QuietHours, zone_name: str, now: dt.datetime) -> tuple[str, str]:
    """When it becomes quiet, and when it ends to be; the second is "" where it is not quiet now."""
    zone = find_zone(zone_name) or find_zone(settings.SHOP_TIME_ZONE) or dt.UTC
    end = quiet.end_after(now, zone)
    return quiet.start_after(now, zone).isoformat(), end.isoformat() if end > now else ""


def _put_off(worker: str, ends: Mapping[int, str]) -> Counter[str]:
    rows = json.dumps([{"id": pk, "resumes_at": end} for pk, end in ends.items()])
    with connection.cursor() as cursor:
        cursor.execute(_PUT_OFF, {"rows": rows, "worker": worker})
        return Counter(status for (status,) in cursor.fetchall())


_PUT_OFF = """
UPDATE campaigns_message m
SET status = CASE WHEN NOT closes THEN 'queued' WHEN m.in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,
    skip_reason = CASE WHEN closes AND m.in_doubt_since IS NULL THEN 'quiet_hours' ELSE '' END,
    not_before = CASE WHEN closes THEN m.not_before ELSE due.resumes_at END,
    settled_at = CASE WHEN closes THEN clock_timestamp() END,
    claimed_by = '', lease_until = NULL
FROM (
    SELECT q.id, q.resumes_at,
           q.resumes_at >= coalesce(w.send_by, p.scheduled_for + make_interval(hours => p.send_window_hours)) AS closes
    FROM json_to_recordset(%(rows)s::json) AS q(id bigint, resumes_at timestamptz)
    JOIN campaigns_message w ON w.id = q.id
    JOIN campaigns_campaign p ON p.id = w.campaign_id
) AS due
WHERE m.id = due.id AND m.status = 'claimed' AND m.claimed_by = %(worker)s
RETURNING m.status
"""

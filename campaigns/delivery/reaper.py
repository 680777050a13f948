"""Puts right what dead workers left behind. What may have been sent is never sent again by itself, unless its key is known."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from campaigns.models import SkipReason

from .channels.choice import current_routes


@dataclass(frozen=True)
class ReapedCounts:
    """Rows moved: claims queued again, tries whose wait is over or whose key is known queued again, and deliveries nobody
    knows the end of."""

    requeued: int
    retried: int
    unknown: int


def reap_stuck_messages() -> ReapedCounts:
    """By the database's clock: `claimed -> queued` (nothing was sent), `sending -> unknown` (nobody knows) when their
    lease ended; `retry_wait -> queued` when its wait is over, `-> skipped` when its window is. Safe to run twice and in parallel.

    A message that was under way to a provider that knows its key and would not take it twice is queued again instead.
    """
    doors = [route.name for route in current_routes() if route.has_keys]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'queued', claimed_by = '', lease_until = NULL"
            " WHERE status = 'claimed' AND lease_until < clock_timestamp()"
        )
        requeued = cursor.rowcount
        repeated = 0
        if doors:
            cursor.execute(
                "UPDATE campaigns_message SET status = 'queued', lease_until = NULL,"
                " in_doubt_since = coalesce(in_doubt_since, sending_at)"
                " WHERE status = 'sending' AND lease_until < clock_timestamp() AND route = ANY(%s)",
                [doors],
            )
            repeated = cursor.rowcount
        cursor.execute(
            # claimed_by stays: a worker that was only slow may still settle what it knows.
            "UPDATE campaigns_message SET status = 'unknown', lease_until = NULL, settled_at = clock_timestamp(),"
            " response = 'the worker ended before the server answered'"
            " WHERE status = 'sending' AND lease_until < clock_timestamp()"
        )
        unknown = cursor.rowcount
    unknown += give_up_old_doubts()
    give_up_late_retries()
    drop_left_over()
    return ReapedCounts(requeued, repeated + queue_due_retries(), unknown)


def give_up_late_retries() -> int:
    """`retry_wait -> skipped` where the window closed meanwhile (`unknown` where a try may have sent it): missed rather than
    late. What is only queued is skipped when its turn comes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message m SET settled_at = clock_timestamp(), not_before = NULL,"
            " status = CASE WHEN m.in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,"
            " skip_reason = CASE WHEN m.in_doubt_since IS NULL THEN 'window_closed' ELSE '' END"
            " FROM campaigns_campaign p WHERE p.id = m.campaign_id AND m.status = 'retry_wait'"
            " AND clock_timestamp() > coalesce(m.send_by, p.scheduled_for + make_interval(hours => p.send_window_hours))"
        )
        return int(cursor.rowcount)


def drop_left_over() -> int:
    """Skip what came back into the queue of a campaign that was cancelled, or ended with all that waited, while it was on its way
    (`unknown` where a try may have sent it). Returns how many. Safe to run twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message m SET settled_at = clock_timestamp(), not_before = NULL,"
            " status = CASE WHEN m.in_doubt_since IS NULL THEN 'skipped' ELSE 'unknown' END,"
            f" skip_reason = CASE WHEN m.in_doubt_since IS NULL THEN '{SkipReason.CANCELLED}' ELSE '' END"
            # By the index of each such campaign, never through the queue of one that is being sent.
            " FROM campaigns_campaign p CROSS JOIN LATERAL (SELECT w.id FROM campaigns_message w"
            " WHERE w.campaign_id = p.id AND w.status IN ('queued', 'retry_wait') OFFSET 0) AS left_over"
            " WHERE p.status IN ('cancelled', 'sent') AND m.id = left_over.id AND m.status IN ('queued', 'retry_wait')"
        )
        return int(cursor.rowcount)


def queue_due_retries() -> int:
    """`retry_wait -> queued` for every message whose wait is over; the sender asks this before each sweep."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'queued', not_before = NULL"
            " WHERE status = 'retry_wait' AND not_before <= clock_timestamp()"
        )
        return int(cursor.rowcount)


def give_up_old_doubts() -> int:
    """`-> unknown` for what waits in doubt while its key is no longer known, or for a door by which nothing leaves any more."""
    routes = current_routes()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'unknown', not_before = NULL, settled_at = clock_timestamp(),"
            " response = 'not known whether the first try arrived, and too late to repeat it'"
            " WHERE in_doubt_since IS NOT NULL AND status IN ('queued', 'retry_wait') AND NOT EXISTS ("
            " SELECT 1 FROM unnest(%s::text[], %s::float8[]) AS door(name, key_s) WHERE door.name = route"
            " AND in_doubt_since > clock_timestamp() - make_interval(secs => door.key_s))",
            [[route.name for route in routes], [route.key_window_s for route in routes]],
        )
        return int(cursor.rowcount)

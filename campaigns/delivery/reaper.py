"""Puts right what dead workers left behind. What may have been sent is never sent again by itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class ReapedCounts:
    """Rows moved: claims queued again, tries whose wait is over queued again, and deliveries nobody knows the end of."""

    requeued: int
    retried: int
    unknown: int


def reap_stuck_messages() -> ReapedCounts:
    """By the database's clock: `claimed -> queued` (nothing was sent), `sending -> unknown` (nobody knows) when their
    lease ended; `retry_wait -> queued` when its wait is over. Safe to run twice and in parallel.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'queued', claimed_by = '', lease_until = NULL"
            " WHERE status = 'claimed' AND lease_until < clock_timestamp()"
        )
        requeued = cursor.rowcount
        cursor.execute(
            # claimed_by stays: a worker that was only slow may still settle what it knows.
            "UPDATE campaigns_message SET status = 'unknown', lease_until = NULL, settled_at = clock_timestamp(),"
            " response = 'the worker ended before the server answered'"
            " WHERE status = 'sending' AND lease_until < clock_timestamp()"
        )
        unknown = cursor.rowcount
    return ReapedCounts(requeued, queue_due_retries(), unknown)


def queue_due_retries() -> int:
    """`retry_wait -> queued` for every message whose wait is over; the sender asks this before each sweep."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'queued', not_before = NULL"
            " WHERE status = 'retry_wait' AND not_before <= clock_timestamp()"
        )
        return int(cursor.rowcount)

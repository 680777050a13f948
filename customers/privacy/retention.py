"""Forgets events that are older than the shop wants to keep: whole months, by dropping their partitions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OldMonth:
    """A month of the log, and how many events it holds."""

    month: dt.date
    events: int

    @property
    def table(self) -> str:
        return f"customers_customerevent_{self.month:%Y_%m}"


def first_kept_month(now: dt.datetime, months: int | None = None) -> dt.date | None:
    """The oldest month that stays: `months` whole months before this one. None where everything is kept."""
    kept = settings.EVENT_RETENTION_MONTHS if months is None else months
    if not kept:
        return None
    number = now.year * 12 + now.month - 1 - kept
    return dt.date(number // 12, number % 12 + 1, 1)


def list_old_months(now: dt.datetime, months: int | None = None) -> list[OldMonth]:
    """What would be dropped, oldest first, counted exactly. Changes nothing: this is the dry run."""
    first = first_kept_month(now, months)
    if first is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'customers_customerevent'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'"
        )
        found = [dt.date(int(name[-7:-3]), int(name[-2:]), 1) for (name,) in cursor.fetchall()]
        old = []
        for month in sorted(month for month in found if month < first):
            cursor.execute(f"SELECT count(*) FROM {OldMonth(month, 0).table}")
            old.append(OldMonth(month, cursor.fetchone()[0]))
    return old


def drop_old_months(now: dt.datetime, months: int | None = None) -> list[OldMonth]:
    """Drop them; returns what went. Each month is a transaction of its own, so that none waits for all."""
    gone = list_old_months(now, months)
    for old in gone:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {old.table}")
        log.info("events_dropped", month=f"{old.month:%Y-%m}", events=old.events)
    return gone

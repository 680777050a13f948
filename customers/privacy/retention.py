"""Forgets events that are older than the shop wants to keep: whole months, by dropping their partitions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from customers.ingest.copying import Cursor
from customers.models import AuditAction, record_audit

log = structlog.get_logger(__name__)

#: How long a drop waits for those who read or write events; whoever comes later queues behind it meanwhile.
PATIENCE_MS = 5_000


class EventsBusy(Exception):
    """Somebody reads or writes events for longer than a drop may hold all others up: try again later."""


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
        return [OldMonth(month, _count(cursor, month)) for month in _list_months(cursor) if month < first]


def drop_old_months(now: dt.datetime, months: int | None = None, *, actor: User | None = None) -> list[OldMonth]:
    """Drop them; returns what went. Each month is a transaction of its own with its line in the audit log, so that none waits
    for all, and what went before a failure is gone and written down. Raises EventsBusy. Safe to run twice, and at once."""
    gone = [_drop(old, actor) for old in list_old_months(now, months)]
    return [old for old in gone if old is not None]


def _drop(old: OldMonth, actor: User | None) -> OldMonth | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS}")
            cursor.execute("LOCK TABLE ONLY customers_customerevent IN ACCESS EXCLUSIVE MODE")
            if old.month not in _list_months(cursor):  # another one was quicker
                return None
            cursor.execute(f"DROP TABLE {old.table}")
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
            about = ("events", f"{old.month:%Y-%m}")
            record_audit(AuditAction.EVENTS_DROPPED, actor=actor, about=about, events=old.events)
    except OperationalError as error:
        raise EventsBusy from error
    log.info("events_dropped", month=f"{old.month:%Y-%m}", events=old.events)
    return old


def _list_months(cursor: Cursor) -> list[dt.date]:
    """The months that have a partition, oldest first."""
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'customers_customerevent'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'"
    )
    return sorted(dt.date(int(name[-7:-3]), int(name[-2:]), 1) for (name,) in cursor.fetchall())


def _count(cursor: Cursor, month: dt.date) -> int:
    cursor.execute(f"SELECT count(*) FROM {OldMonth(month, 0).table}")
    return int(cursor.fetchone()[0])

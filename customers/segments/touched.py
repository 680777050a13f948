"""Whom a sweep of segments looks at: about whom something was written down, and who crossed a border of time.

Both stand in temporary tables of the sweep's transaction, which its statements ask.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection

from customers.models import EventKind, TouchedCustomer
from customers.models.customer import ERASED_SOURCE

from .borders import asks_for_local_days, find_borders, find_zones_past_midnight
from .rules import Rule

#: Temporary tables: about whom something was written down, and those and who crossed a border of one segment.
TOUCHED: Final = "segment_touched"
LOOKED_AT: Final = "segment_looked_at"


def take_touched(now: dt.datetime) -> bool:
    """Empty the notes of the triggers into TOUCHED; True where they mean everybody. What others write meanwhile is not
    seen and stays for the next sweep, as does the note of whom a consent is dated ahead of `now`: it does not count yet."""
    table = TouchedCustomer._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {TOUCHED}_notes (customer_id bigint) ON COMMIT DROP;"
            f" TRUNCATE {TOUCHED}_notes;"
            f" WITH taken AS (DELETE FROM {table} RETURNING customer_number)"
            f" INSERT INTO {TOUCHED}_notes SELECT customer_number FROM taken"
        )
        found = f"SELECT DISTINCT customer_id FROM {TOUCHED}_notes WHERE customer_id IS NOT NULL"
        _make_table(cursor, TOUCHED, found, {})
        cursor.execute(
            f"INSERT INTO {table} (customer_number) SELECT t.customer_id FROM {TOUCHED} t"
            " WHERE EXISTS (SELECT FROM customers_consentrecord r WHERE r.customer_id = t.customer_id AND r.recorded_at > %s)",
            [now],
        )
        cursor.execute(f"SELECT EXISTS (SELECT FROM {TOUCHED}_notes WHERE customer_id IS NULL)")
        return bool(cursor.fetchone()[0])


def has_touched_erased() -> bool:
    """Whether somebody among the touched was erased: that took their row of each segment with it, which no sweep sees leave."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM {TOUCHED} t WHERE NOT EXISTS"
            f" (SELECT FROM customers_customer c WHERE c.id = t.customer_id AND c.source <> '{ERASED_SOURCE}'))"
        )
        return bool(cursor.fetchone()[0])


def gather_looked_at(rule: Rule, *, since: dt.datetime | None, as_of: dt.datetime) -> int:
    """Fill LOOKED_AT with the touched and with those who crossed a border of the rule since the last look."""
    params: dict[str, Any] = {"kinds": EventKind.values}
    parts = [f"SELECT customer_id FROM {TOUCHED}"]
    for place, age in enumerate(find_borders(rule) if since is not None and since < as_of else ()):
        params |= {f"after_{place}": since - age if since else None, f"until_{place}": as_of - age}
        between = f" BETWEEN %(after_{place})s AND %(until_{place})s"
        parts += [
            f"SELECT customer_id FROM customers_order WHERE ordered_at{between}",
            f"SELECT customer_id FROM customers_customerevent WHERE kind = ANY(%(kinds)s) AND occurred_at{between}",
            f"SELECT id FROM customers_customer WHERE joined_at{between}",
        ]
    if since is not None and asks_for_local_days(rule) and (zones := find_zones_past_midnight(since, as_of)):
        parts.append("SELECT id FROM customers_customer WHERE time_zone = ANY(%(zones)s)")
        params["zones"] = zones
    with connection.cursor() as cursor:
        _make_table(cursor, LOOKED_AT, " UNION ".join(parts), params)
        cursor.execute(f"SELECT count(*) FROM {LOOKED_AT}")
        return int(cursor.fetchone()[0])


def _make_table(cursor: Any, name: str, sql: str, params: dict[str, Any]) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {name}")
    cursor.execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {sql}", params)
    cursor.execute(f"ANALYZE {name}")

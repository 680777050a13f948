"""Writes what happened, where somebody wants to know it; one INSERT ... SELECT however many rows it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection

from customers.models import OutgoingKind

#: Items in one event. A load of a million new customers is 2,000 events, and none where nobody subscribed.
MOST_ITEMS: Final = 500


def is_wanted(kind: OutgoingKind) -> bool:
    """Whether an endpoint that is switched on subscribed to `kind`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT customers_outgoing_wanted(%s)", [kind.value])
        return bool(cursor.fetchone()[0])


def announce_rows(kind: OutgoingKind, items: str, params: Mapping[str, Any] | None = None) -> int:
    """Write what the query `items` finds: rows of (place bigint, item jsonb). Returns how many events that made.

    In the caller's transaction; nothing at all happens where nobody wants to know.
    """
    if not is_wanted(kind):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_outgoingevent (kind, data)"
            " SELECT %(outgoing_kind)s, jsonb_build_object('items', jsonb_agg(item ORDER BY place))"
            f" FROM (SELECT place, item, (row_number() OVER (ORDER BY place) - 1) / {MOST_ITEMS} AS part"
            f" FROM ({items}) AS told (place, item)) AS numbered GROUP BY part ORDER BY part",
            {"outgoing_kind": kind.value, **(params or {})},
        )
        return int(cursor.rowcount)

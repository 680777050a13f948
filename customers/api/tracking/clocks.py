"""Clocks that are ahead: `sentAt` says by how much, and what a client sends again keeps the time that it was given first.

Source: Segment's specification, "Timestamps": what happened is as long before `sentAt` as it was received after it. We set right
only what lies in the future, because that no delay explains; a clock that is behind cannot be told from a call that waited.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

if TYPE_CHECKING:
    from .calls import Received

NO_LEAD: Final = dt.timedelta(0)
#: So far ahead a clock may be without being wrong, and so far no clock is.
TOLERANCE: Final = dt.timedelta(minutes=1)
NONSENSE: Final = dt.timedelta(days=36_525)
#: What is sent again is received within so long of the first time, by the time that both are given.
_SENT_AGAIN: Final = dt.timedelta(hours=1)


def find_lead(given: Mapping[str, Any], now: dt.datetime) -> dt.timedelta:
    """By how much the clock of whoever sent this (a request or a call) is ahead; nothing where that is not said."""
    try:
        sent_at = dt.datetime.fromisoformat(str(given.get("sentAt") or ""))
        lead = (sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=dt.UTC)) - now
    except (ValueError, OverflowError):
        return NO_LEAD
    return lead if TOLERANCE < lead < NONSENSE else NO_LEAD


def keep_first_times(received: Sequence[Received], source: str) -> list[Received]:
    """Calls whose time was set right, under the time under which they are kept already: or a second try, which is a little
    longer under way, would be another event. One query, and only where there are such calls."""
    right = {item.key: item.at for item in received if item.is_set_right}
    if not right:
        return list(received)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEPT,
            {
                "source": source,
                "keys": sorted(right),
                "first": min(right.values()) - _SENT_AGAIN,
                "last": max(right.values()) + _SENT_AGAIN,
            },
        )
        kept = dict(cursor.fetchall())
    return [
        dataclasses.replace(item, at=kept[item.key]) if item.is_set_right and item.key in kept else item
        for item in received
    ]


_KEPT: Final = """
SELECT external_id, occurred_at FROM customers_customerevent
WHERE source = %(source)s AND external_id = ANY(%(keys)s) AND occurred_at BETWEEN %(first)s AND %(last)s
UNION ALL
SELECT external_id, occurred_at FROM customers_heldevent
WHERE source = %(source)s AND external_id = ANY(%(keys)s) AND occurred_at BETWEEN %(first)s AND %(last)s"""

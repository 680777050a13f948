"""How staged lines are divided into parts: by whom they are about, or events by their time.

A part of events that held whole people would lie all over the months, and so write to every page of every index of the log, the
next part to all of them again: ten times the events cost twenty-four times the time. A part of a stretch of time writes to the
indexes of its months and to no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from customers.ingest.copying import Cursor, staging
from customers.ingest.records.cleaning import STAGED

from . import stages
from .stages import Stage

#: What the tables of a stage are divided by. Of events a month lies in one table, so that a part need not look for its lines
#: in all of them.
_MONTH: Final = "date_trunc('month', at AT TIME ZONE 'UTC')"
STAGE_KEYS: Final = {"products": "product", "events": f"({_MONTH})"}


def cut_by_time(cursor: Cursor, lines: str) -> tuple[str, ...]:
    """The edges of the parts, rising, in ISO 8601: each part is from one of them, included, up to the next. They lie on the hour:
    events of one hour are one part, whatever their number. Empty where there are no lines."""
    cursor.execute(f"SELECT count(*) FROM {lines}")
    size = max(stages.PART_LINES, -(-cursor.fetchone()[0] // stages.MOST_PARTS))
    cursor.execute(_CUT.format(lines=lines, size=size))
    edges: list[dt.datetime] = [row[0] for row in cursor.fetchall() if row[0] is not None]
    return tuple(edge.astimezone(dt.UTC).isoformat() for edge in edges)


@contextmanager
def taking_part(cursor: Cursor, stage: Stage, cuts: Sequence[str], number: int) -> Iterator[str]:
    """The name of a table with the lines of the part `number`, from 0; of events it is gone afterwards.

    Of events the newest come first: what a rule asks of the last days is whole as soon as it begins to be there.
    """
    if not cuts:
        yield stage.part(number)
        return
    first, following = cuts[-2 - number], cuts[-1 - number]
    with staging(STAGED["events"]) as (_same, part):
        cursor.execute(
            f"INSERT INTO {part} SELECT * FROM {stage.lines} WHERE at >= %s AND at < %s AND {_MONTH} = ANY(%s::timestamp[])",
            [first, following, _months_of(first, following)],
        )
        yield part


def _months_of(first: str, following: str) -> list[str]:
    """The first days of the months from one moment, included, up to another."""
    month, end = (dt.datetime.fromisoformat(edge).replace(tzinfo=None) for edge in (first, following))
    month = month.replace(day=1, hour=0)
    months = []
    while month < end:
        months.append(month.isoformat())
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return months


# Hours in their order, each in the part that the lines before it have filled; after the last one the end.
_CUT: Final = """
WITH hours AS MATERIALIZED (SELECT date_trunc('hour', at, 'UTC') AS hour, count(*) AS lines FROM {lines} GROUP BY 1),
placed AS (SELECT hour, (sum(lines) OVER (ORDER BY hour) - lines)::bigint / {size} AS part FROM hours)
SELECT min(hour) AS edge FROM placed GROUP BY part
UNION ALL SELECT max(hour) + interval '1 hour' FROM hours
ORDER BY edge
"""

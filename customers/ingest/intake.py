"""Counts what came in and what was refused, by day, entrance and source: so that nobody has to ask whether something was lost."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from customers.models import Entrance

MOST_EXAMPLES: Final = 3
#: An id that names nobody: no address, no name with blanks, no telephone with its +.
_PLAIN_KEY = re.compile(r"[\w.:/#-]{1,80}", re.ASCII)
_PLACE = re.compile(r"\[\d+\]")
#: What a sentence says back of what was sent; and what a path of a field cannot hold: the sender chose both.
_QUOTED = re.compile(r"[“\"'‘][^”\"'’]*[”\"'’]")
_ODD = re.compile(r"[^\w.\[\]-]+", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """Why one item was not taken. `reason` is a name that does not change with the language; `key` the shop's id of the item."""

    reason: str
    message: str = ""
    kind: str = ""
    field: str = ""
    key: str = ""


def note_intake(
    entrance: Entrance,
    source: str,
    *,
    accepted: int,
    refusals: Iterable[Refusal] = (),
    refused: int = 0,
    now: dt.datetime,
) -> None:
    """Add to the day's figures. `refused` is how many items that were, where one item has several faults.

    Call it after what was accepted has been committed: a figure too few is better than rows that wait for each other.
    """
    rows = _gather(refusals, now)
    if not accepted and not rows and not refused:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO customers_intakeday AS kept ("on", entrance, source, accepted, refused, last_at)'
            f" SELECT %s, %s, %s, %s, %s, %s{'' if connection.in_atomic_block else _UNHURRIED}"
            ' ON CONFLICT ("on", entrance, source) DO UPDATE SET'
            " accepted = kept.accepted + EXCLUDED.accepted, refused = kept.refused + EXCLUDED.refused,"
            " last_at = greatest(kept.last_at, EXCLUDED.last_at)",
            [now.date(), entrance.value, source[:40], accepted, refused or sum(row["count"] for row in rows), now],
        )
        if rows:
            cursor.execute(_REFUSED, [now.date(), entrance.value, source[:40], json.dumps(rows)])


def mask_key(key: str) -> str:
    """An id as it may be shown: one that could be an address or a telephone number is not kept."""
    return key if _PLAIN_KEY.fullmatch(key) else "…"


def _gather(refusals: Iterable[Refusal], now: dt.datetime) -> list[dict[str, Any]]:
    """One row for each reason, in one order, so that two requests never wait for each other crosswise."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in refusals:
        field, reason = (_ODD.sub("…", _PLACE.sub("[]", text)) for text in (one.field, one.reason))
        kind, field, reason = one.kind[:20], field[:120], reason[:60]
        message = _QUOTED.sub("“…”", one.message.replace("\0", "").encode(errors="replace").decode())
        row = found.setdefault(
            (kind, field, reason),
            {"kind": kind, "field": field, "reason": reason, "message": message[:300], "count": 0, "examples": []},
        )
        row["count"] += 1
        if len(row["examples"]) < MOST_EXAMPLES:
            row["examples"].append({"at": now.isoformat(timespec="seconds"), "key": mask_key(one.key)})
    return [found[name] for name in sorted(found)]


#: A figure need not be on the disk before the answer goes out: what was accepted is, in a transaction of its own.
_UNHURRIED = " FROM set_config('synchronous_commit', 'off', true)"
_REFUSED = """
INSERT INTO customers_refuseditem AS kept ("on", entrance, source, kind, field, reason, message, count, examples)
SELECT %s, %s, %s, row.kind, row.field, row.reason, row.message, row.count, row.examples
FROM jsonb_to_recordset(%s::jsonb)
     AS row (kind text, field text, reason text, message text, count bigint, examples jsonb)
ORDER BY kind, field, reason
ON CONFLICT ("on", entrance, source, kind, field, reason) DO UPDATE SET
    count = kept.count + EXCLUDED.count, message = EXCLUDED.message,
    examples = (SELECT coalesce(jsonb_agg(example), '[]') FROM (
        SELECT example FROM jsonb_array_elements(kept.examples || EXCLUDED.examples) AS example LIMIT 3) AS first)
"""

"""From the database to the files outside it: a line is a row of the transaction that says it, until it stands on disk.

So nothing lies between the commit and the line: whoever writes next, or the sweep a minute later, writes what a crash left.
Each line gets `at`, the moment of its row by the database's clock. A crash between the disk and the commit writes a line twice,
with the same `at`; readers go by it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from customers.models import OutsideLine

from .outside import append_lines

#: One writer at a time, on whichever machine: lines that contradict each other stand in the order in which they were said.
WRITING_LOCK: Final = 0x5E50
#: So long a person's answer waits for another writer; then the sweep writes their line.
PATIENCE_MS: Final = 5_000
OVERDUE: Final = dt.timedelta(minutes=5)
_AT_ONCE: Final = 100
_ERASURES: Final = OutsideLine.File.ERASURES


def keep_outside(file: OutsideLine.File, line: Mapping[str, Any]) -> None:
    """Have the line stand outside once the caller's transaction has committed. A file that cannot be written is in the log; what
    the person said holds all the same, and the line waits."""
    OutsideLine.objects.create(file=file, line=dict(line))
    transaction.on_commit(write_waiting_lines, robust=True)


def note_objection_outside(hashes: Sequence[str], *, objects: bool, now: dt.datetime) -> None:
    """The newest line of a person counts; `objects` False: they no longer do."""
    keep_outside(_ERASURES, {"said_at": now.isoformat(), "objects": objects, "people": list(hashes)})


def note_scheduled_outside(hashes: Sequence[str], runs_at: dt.datetime) -> None:
    """A person has confirmed that they want to be erased at `runs_at`."""
    keep_outside(_ERASURES, {"scheduled": list(hashes), "runs_at": runs_at.isoformat()})


def note_spared_outside(hashes: Sequence[str], runs_at: dt.datetime, *, why: str) -> None:
    """The erasure of that moment does not run: `why` is the state that its request has since."""
    keep_outside(_ERASURES, {"spared": list(hashes), "runs_at": runs_at.isoformat(), "why": why})


def write_waiting_lines() -> int:
    """Write what has committed and stands in no file yet, oldest first; returns how many lines. Safe to run twice and at once."""
    written = 0
    while some := _write_some():
        written += some
    return written


def count_unwritten(now: dt.datetime) -> int:
    """Lines that wait for so long that the file cannot be written: a sweep has tried them."""
    return OutsideLine.objects.filter(created_at__lt=now - OVERDUE).count()


@transaction.atomic
def _write_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS}")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITING_LOCK])
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    rows = list(OutsideLine.objects.order_by("pk")[:_AT_ONCE])
    for file in sorted({row.file for row in rows}):
        append_lines(_tell([row for row in rows if row.file == file]), to=_path_of(file))
    OutsideLine.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _tell(rows: Sequence[OutsideLine]) -> list[dict[str, Any]]:
    return [{**row.line, "at": row.created_at.isoformat()} for row in rows]


def _path_of(file: str) -> str:
    return str(settings.WISHES_FILE if file == OutsideLine.File.WISHES else settings.ERASURE_FILE)

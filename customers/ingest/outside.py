"""What a restored backup must not undo, kept outside the database: a line of JSON each in ERASURE_FILE, with keyed hashes of the
person's identities and never a value.

Of an erasure the hashes stand under `identities`, of an objection to profiling under `people`, so that neither is taken for the
other.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def append_line(line: Mapping[str, Any]) -> None:
    """Add one line, synced to disk before this returns."""
    path = Path(settings.ERASURE_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(name: str) -> Iterator[dict[str, Any]]:
    """The lines that have a list of hashes under `name`, oldest first; one that a crash cut off is passed over."""
    path = Path(settings.ERASURE_FILE)
    if not path.exists():
        return
    for text in path.read_text().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            log.warning("erasure_line_unreadable")
            continue
        if isinstance(line, dict) and isinstance(line.get(name), list):
            yield line


def note_objection_outside(hashes: Sequence[str], *, objects: bool, now: dt.datetime) -> None:
    """The newest line of a person counts; `objects` False: they no longer do."""
    append_line({"said_at": now.isoformat(), "objects": objects, "people": list(hashes)})


def list_noted_objections() -> dict[str, dt.datetime]:
    """Of those whose newest line says that they object: when they said it, by hash."""
    found: dict[str, dt.datetime] = {}
    for line in read_lines("people"):
        for person in line["people"]:
            if line.get("objects"):
                found[person] = dt.datetime.fromisoformat(line["said_at"])
            else:
                found.pop(person, None)
    return found

"""What a restored backup must not undo, kept outside the database: a line of JSON each in ERASURE_FILE, with keyed hashes of the
person's identities and never a value.

Of an erasure the hashes stand under `identities`, of an objection to profiling under `people`, of an erasure that a person has
confirmed and that runs later under `scheduled`, and under `spared` where it will not run after all, so that none is taken for
another. What people say by the thousand is in another file (`wishes`).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def append_line(line: Mapping[str, Any], *, to: str = "") -> None:
    """Add one line to ERASURE_FILE or the file `to`, synced to disk before this returns.

    Workers of one machine wait for each other. A line that a crash cut off is ended first, so that it takes no other with it.
    """
    path = Path(to or settings.ERASURE_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        is_cut = False
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            is_cut = file.read(1) != b"\n"
        file.write(b"\n" * is_cut + json.dumps(line).encode() + b"\n")
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


def note_scheduled_outside(hashes: Sequence[str], runs_at: dt.datetime) -> None:
    """A person has confirmed that they want to be erased at `runs_at`."""
    append_line({"scheduled": list(hashes), "runs_at": runs_at.isoformat()})


def note_spared_outside(hashes: Sequence[str], runs_at: dt.datetime, *, why: str) -> None:
    """The erasure of that moment does not run: `why` is the state that its request has since."""
    append_line({"spared": list(hashes), "runs_at": runs_at.isoformat(), "why": why})


def list_noted_spared() -> dict[tuple[str, dt.datetime], str]:
    """Erasures that are not to run, as (hash, moment), and why."""
    lines = list(read_lines("spared"))
    return {(one, dt.datetime.fromisoformat(line["runs_at"])): line["why"] for line in lines for one in line["spared"]}


def list_noted_scheduled() -> dict[str, dt.datetime]:
    """The erasures that people have confirmed and that are to run: the moment of the newest, by hash."""
    found = {
        one: dt.datetime.fromisoformat(line["runs_at"]) for line in read_lines("scheduled") for one in line["scheduled"]
    }
    spared = list_noted_spared()
    return {one: moment for one, moment in found.items() if (one, moment) not in spared}


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

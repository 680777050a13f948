"""What a restored backup must not undo, kept outside the database: a line of JSON each in ERASURE_FILE, with keyed hashes of the
person's identities and never a value. `outside_queue` brings them there.

Of an erasure the hashes stand under `identities`, of an objection to profiling under `people`, of an erasure that a person has
confirmed and that runs later under `scheduled`, and under `spared` where it will not run after all, so that none is taken for
another. What people say by the thousand is in another file (`wishes`).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def append_lines(lines: Sequence[Mapping[str, Any]], *, to: str) -> None:
    """Add lines to the file `to`, synced to disk before this returns.

    Workers of one machine wait for each other. A line that a crash cut off is ended first, so that it takes no other with it.
    """
    path = Path(to)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        is_cut = False
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            is_cut = file.read(1) != b"\n"
        file.write(b"\n" * is_cut + b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def read_lines(name: str) -> list[dict[str, Any]]:
    """The lines that have a list of hashes under `name`, in the order in which they were said; one that a crash cut off is passed
    over. Those of before lines had a moment stand first."""
    path = Path(settings.ERASURE_FILE)
    if not path.exists():
        return []
    found = []
    for text in path.read_text().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            log.warning("erasure_line_unreadable")
            continue
        if isinstance(line, dict) and isinstance(line.get(name), list):
            found.append(line)
    return sorted(found, key=lambda line: str(line.get("at", "")))


def list_noted_spared() -> dict[tuple[str, dt.datetime], str]:
    """Erasures that are not to run, as (hash, moment), and why."""
    return {
        (one, dt.datetime.fromisoformat(line["runs_at"])): line["why"]
        for line in read_lines("spared")
        for one in line["spared"]
    }


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

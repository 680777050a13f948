"""Remembers how far our own cluster has come, so that a start does not ask Django each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .postgres import Postgres
from .state import ROOT, State

MIGRATED = "migrated"
FILLED = "filled"


def is_noted(milestone: str, state: State, postgres: Postgres | None) -> bool:
    """Whether this very cluster reached the milestone with exactly the migrations that are here now.

    Always False for a database that the user brings: others may have changed it.
    """
    if postgres is None or postgres.is_new:
        return False
    try:
        return (state.folder / milestone).read_text() == _describe(postgres)
    except OSError:
        return False


def note(milestone: str, state: State, postgres: Postgres | None) -> None:
    """Call after the work succeeded."""
    if postgres is not None:
        postgres.is_new = False
        (state.folder / milestone).write_text(_describe(postgres))


def forget(milestone: str, state: State) -> None:
    """Call before a command that may undo the work."""
    (state.folder / milestone).unlink(missing_ok=True)


def fingerprint_migrations(root: Path = ROOT) -> str:
    """A hash of our migrations' names and contents, and of the lock, which names Django's and other apps'."""
    digest = hashlib.sha256((root / "requirements" / "dev.txt").read_bytes())
    for path in sorted(root.glob("[a-z]*/migrations/*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _describe(postgres: Postgres) -> str:
    """PG_VERSION is written once in a cluster's life, so its time tells one cluster from the next."""
    born = (postgres.data / "PG_VERSION").stat().st_mtime_ns
    return f"{postgres.database} {born} {fingerprint_migrations()}"

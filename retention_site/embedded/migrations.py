"""Remembers which migrations our own cluster has, so that a start does not ask Django each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .postgres import Postgres
from .state import ROOT, State


def is_migrated(state: State, postgres: Postgres) -> bool:
    """Whether this very cluster was migrated with exactly the migrations that are here now."""
    try:
        return not postgres.is_new and _stamp(state).read_text() == _describe(postgres)
    except OSError:
        return False


def note_migrated(state: State, postgres: Postgres) -> None:
    """Call after a migration that succeeded."""
    postgres.is_new = False
    _stamp(state).write_text(_describe(postgres))


def forget_migrated(state: State) -> None:
    """Call before a command that may change the tables."""
    _stamp(state).unlink(missing_ok=True)


def fingerprint_migrations(root: Path = ROOT) -> str:
    """A hash of our migrations' names and contents, and of the lock, which names Django's and other apps'."""
    digest = hashlib.sha256((root / "requirements" / "dev.txt").read_bytes())
    for path in sorted(root.glob("[a-z]*/migrations/*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _stamp(state: State) -> Path:
    return state.folder / "migrated"


def _describe(postgres: Postgres) -> str:
    """PG_VERSION is written once in a cluster's life, so its time tells one cluster from the next."""
    born = (postgres.data / "PG_VERSION").stat().st_mtime_ns
    return f"{postgres.database} {born} {fingerprint_migrations()}"

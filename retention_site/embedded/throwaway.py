"""PostgreSQL and Valkey for one test run, benchmark or fault test; nothing of them is left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .leftovers import read_birth
from .postgres import Postgres
from .valkey import Valkey

PREFIX = "rk-"


@dataclass(frozen=True)
class ThrowAwayEngines:
    """A running pair in a folder of its own."""

    folder: Path
    postgres: Postgres
    valkey: Valkey

    @property
    def environment(self) -> dict[str, str]:
        """What the settings read."""
        return {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "BROKER_URL": self.valkey.broker_url,
            "REKINDLE_VAR": str(self.folder / "var"),
        }

    def discard(self) -> None:
        """Stop both and remove their files. Safe to call twice."""
        self.valkey.discard()
        self.postgres.discard()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_throwaway_engines(*, durable: bool = False) -> ThrowAwayEngines:
    """Start both in a new temporary folder; the caller discards them.

    `durable=True` is for fault tests and benchmarks: fsync on and an append-only file, as in production.
    """
    sweep_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    (folder / "owner").write_text(f"{os.getpid()} {read_birth(os.getpid())}")
    folder.chmod(0o755)  # as root, PostgreSQL's user has to pass through
    engines = ThrowAwayEngines(
        folder, Postgres(folder / "postgres", durable=durable), Valkey(folder / "valkey", durable=durable)
    )
    try:
        engines.postgres.start()
        engines.valkey.start()
        (folder / "var" / "static").mkdir(parents=True)
    except BaseException:
        engines.discard()
        raise
    return engines


def sweep_abandoned(parent: Path) -> None:
    """Remove the folders of runs that were killed; their engines ended with them."""
    for note in parent.glob(f"{PREFIX}*/owner"):
        try:
            pid, _, birth = note.read_text().partition(" ")
            is_abandoned = note.stat().st_uid == os.geteuid() and birth and read_birth(int(pid)) != birth
        except (OSError, ValueError):
            continue
        if is_abandoned:
            shutil.rmtree(note.parent, ignore_errors=True)


@contextmanager
def throwaway_engines(*, durable: bool = False) -> Iterator[ThrowAwayEngines]:
    """The same as a context manager."""
    engines = start_throwaway_engines(durable=durable)
    try:
        yield engines
    finally:
        engines.discard()

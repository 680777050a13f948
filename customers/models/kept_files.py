"""Files that people sent, beside the database: below ATTACHMENT_DIR, which no web server serves, under random names.

A file is written before the row that names it is committed, and removed after the row is gone. What a crash leaves
between the two
is a file that no row names: `remove_strays` finds it.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

#: Younger than this, a file may belong to a row that is not committed yet.
STRAY_AFTER_S = 3600.0
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class KeptFiles:
    """Says of a table that the rows' `column` names such files. The privacy rooms export and remove them with the rows."""

    column: str = "stored_as"


def write_file(content: bytes) -> str:
    """Keep a file; returns its name. On disk before this returns."""
    name = secrets.token_hex(16)
    path = _path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return name


def find_file(name: str) -> Path | None:
    """Where a file is; None where it is not there, or the name is none of ours."""
    path = _path(name) if _NAME.fullmatch(name) else None
    return path if path is not None and path.is_file() else None


def remove_files(names: Collection[str]) -> None:
    """Remove them; those that are gone already are passed over."""
    for name in names:
        if _NAME.fullmatch(name):
            _path(name).unlink(missing_ok=True)


def list_files() -> Iterator[Path]:
    folder = Path(settings.ATTACHMENT_DIR)
    if folder.is_dir():
        yield from (path for path in folder.glob("??/*") if _NAME.fullmatch(path.name))


def remove_strays(known: Collection[str]) -> int:
    """Remove files that no row names and that are older than STRAY_AFTER_S; returns how many. Safe to run twice."""
    oldest = time.time() - STRAY_AFTER_S
    strays = [path for path in list_files() if path.name not in known and path.stat().st_mtime < oldest]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _path(name: str) -> Path:
    return Path(settings.ATTACHMENT_DIR) / name[:2] / name

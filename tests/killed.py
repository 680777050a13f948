"""A process that forks workers for a test to kill: it works on the test's own database, and is spoken to line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def serving(module: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m module`, once it has said "ready"; it ends when its input does."""
    base, _slash, rest = os.environ["DATABASE_URL"].rpartition("/")
    database = f"{base}/{connection.settings_dict['NAME']}" + (f"?{rest.partition('?')[2]}" if "?" in rest else "")
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "retention_site.settings"}
    with subprocess.Popen(
        [sys.executable, "-m", module],
        env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()

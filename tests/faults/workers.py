"""The processes of a fault run: a worker group that is killed and replaced, and beat."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class WorkerGroup:
    """One Celery worker with its children, in a session of its own, so that kill -9 takes all of them at once."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.standby_worker"],
                cwd=ROOT, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True,
                start_new_session=True,
            )  # fmt: skip

    def go(self) -> None:
        """Let it start, once it has imported everything."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdout.readline()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """kill -9 of the whole group. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask_to_end(self, seconds: float) -> bool:
        """SIGTERM to the worker; True when it ended in time."""
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def start_beat(environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "beat.log").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "retention_site", "beat", "--loglevel", "WARNING",
             "--schedule", os.fspath(folder / "schedule")],
            cwd=ROOT, env=dict(environment), stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip

"""The processes of a fault run: worker groups that are killed and replaced, and beat."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class WorkerGroup:
    """One Celery worker with its children, in a session of its own, so that kill -9 takes all of them at once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def is_running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """kill -9 of the whole group. Safe to call twice."""
        for kill in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError):
                kill(self.pid, signal.SIGKILL)
        while self.is_running:
            time.sleep(0.002)


class Nursery:
    """Makes worker groups, each within milliseconds of being asked for."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.standby_worker"],
                cwd=ROOT, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True,
                start_new_session=True,
            )  # fmt: skip
        self._is_ready = False

    def start_worker(self) -> WorkerGroup:
        assert self._process.stdin is not None and self._process.stdout is not None
        if not self._is_ready:
            self._process.stdout.readline()
            self._is_ready = True
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return WorkerGroup(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End it and every worker that is still there."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def start_beat(
    environment: Mapping[str, str], folder: Path, *, module: str = "", level: str = "WARNING"
) -> subprocess.Popen[bytes]:
    """Celery's beat, or a module that runs it, with its log and its memory in `folder`."""
    command = [module] if module else ["celery", "-A", "retention_site", "beat"]
    with (folder / "beat.log").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *command, "--loglevel", level, "--schedule", os.fspath(folder / "schedule")],
            cwd=ROOT, env=dict(environment), stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip

"""Our own Python programs (web, worker, beat) as children whose output we show."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .console import Console
from .process import end_with_parent
from .state import ROOT

RESTARTS_ALLOWED = 5
RESTART_WINDOW_S = 600


@dataclass
class Program:
    """`arguments` go to our Python. `patience_s` is how long it may take to end in order."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    console: Console
    patience_s: float = 20
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    last_lines: collections.deque[str] = field(default_factory=lambda: collections.deque(maxlen=15))
    restarts: list[float] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Call from the main thread only (see `end_with_parent`)."""
        process = subprocess.Popen(
            [sys.executable, *self.arguments],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            start_new_session=True,
            pass_fds=self.pass_fds,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        self.process = process
        self.reader = threading.Thread(target=self._show_output, args=(process,), daemon=True)
        self.reader.start()

    def restart_within_budget(self, now: float, stopping: threading.Event) -> bool:
        """Start again after a death, a little later each time; False after 5 in 10 minutes. `now` is monotonic."""
        self.restarts = [at for at in self.restarts if now - at < RESTART_WINDOW_S]
        if len(self.restarts) >= RESTARTS_ALLOWED:
            return False
        if not stopping.wait(0.5 * 2 ** len(self.restarts) - 0.5):
            self.restarts.append(now)
            self.start()
        return True

    def stop(self, hurry: threading.Event) -> None:
        """Ask it to end; kill it and whatever it started when its patience is over or somebody is in a hurry."""
        process = self.process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
        end = time.monotonic() + self.patience_s
        while process.poll() is None and time.monotonic() < end and not hurry.is_set():
            time.sleep(0.05)
        kill_group(process.pid)
        process.wait()
        self.finish()
        self.process = None

    def finish(self) -> None:
        """Show what a program that ended has said last."""
        if self.reader is not None:
            self.reader.join(timeout=5)

    def _show_output(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.last_lines.append(line.rstrip())
            self.console.print(self.name, line.rstrip())


def kill_group(leader: int) -> None:
    """End what is left of a program and of the processes that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)

"""Lines of several programs in one terminal, each with the name of who said it."""

from __future__ import annotations

import contextlib
import sys
import threading

WIDTH = 10
COLOURS = {"rekindle": "33", "web": "36", "worker": "32", "beat": "35", "set-up": "34"}


class Console:
    """Prints `name | line`. A terminal that has gone away must not keep anybody from stopping in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last_line = ""
        self._coloured = sys.stdout.isatty()

    def print(self, name: str, line: str) -> None:
        self.last_line = line
        label = name.ljust(WIDTH)
        if self._coloured:
            label = f"\033[{COLOURS.get(name, '37')}m{label}\033[0m"
        with self._lock, contextlib.suppress(OSError, ValueError):
            print(f"{label}| {line}", flush=True)

    def say(self, line: str) -> None:
        """A line of our own."""
        self.print("rekindle", line)

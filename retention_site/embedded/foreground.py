"""Run a program in the user's terminal, and let it decide what Ctrl-C means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from .process import end_with_parent
from .state import ROOT


def run_python(arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> int:
    """Our Python with these arguments; returns its exit code (128 + n for signal n, as a shell does)."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=dict(environment),
        cwd=folder,
        preexec_fn=end_with_parent(signal.SIGTERM),
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT:  # Ctrl-C reaches the program by itself: it shares our terminal
            process.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        code = process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def run_manage(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """`manage.py` with these arguments, in the folder where the user stands: file names are theirs."""
    return run_python([os.fspath(ROOT / "manage.py"), *arguments], environment)


def warn(text: str) -> None:
    """Progress and complaints go to stderr: stdout belongs to the command's own output."""
    print(f"rekindle: {text}", file=sys.stderr, flush=True)

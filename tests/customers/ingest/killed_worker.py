"""Workers that are killed in the middle of an import: each line on standard input, `RUN STEPS`, forks one that does the run.

It prints its process id; then it stops for good, in the transaction of its step number STEPS and before the commit, and prints
`stopped`, so that it can be killed there. Where it finishes before, it prints `done`. Parts and batches are small.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

PART_LINES, BLOCK_BYTES = 60, 4_000


def main() -> None:
    django.setup()
    from customers.ingest import reading, runs
    from customers.ingest.resuming import marks, stages, steps

    stages.PART_LINES, reading.BLOCK_BYTES = PART_LINES, BLOCK_BYTES  # type: ignore[misc]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while order := sys.stdin.readline().split():
        if os.fork():
            continue
        print(os.getpid(), flush=True)
        stop_at, numbers = int(order[1]), itertools.count(1)

        def stopping(work: Callable[..., Any], at: int = stop_at, numbers: Any = numbers) -> Callable[..., Any]:
            def do(*arguments: Any, **named: Any) -> Any:
                result = work(*arguments, **named)
                if next(numbers) == at:
                    print("stopped", flush=True)
                    signal.pause()
                return result

            return do

        marks.Mark.save = stopping(marks.Mark.save)  # type: ignore[method-assign]
        steps.finish_run = stopping(steps.finish_run)
        runs.run_import(int(order[0]), now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
        print("done", flush=True)
        os._exit(0)


if __name__ == "__main__":
    main()

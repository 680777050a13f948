"""Workers that are killed while somebody leaves: each line on standard input, `PLACE CUSTOMER`, forks one that withdraws.

It prints its process id; then it stops for good after the commit, `before` the line is on disk or `after` it and before its row
is gone, and prints `stopped`, so that it can be killed there.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from typing import Any

import django


def main() -> None:
    django.setup()
    from customers.ingest import outside_queue
    from customers.ingest.consent import withdraw_consent
    from customers.models import Customer

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    write = outside_queue.append_lines
    while order := sys.stdin.readline().split():
        if os.fork():
            continue
        print(os.getpid(), flush=True)

        def stop(lines: Any, *, to: str, after: bool = order[0] == "after") -> None:
            if after:
                write(lines, to=to)
            print("stopped", flush=True)
            signal.pause()

        outside_queue.append_lines = stop  # type: ignore[attr-defined]
        now = dt.datetime(2026, 11, 20, 13, tzinfo=dt.UTC)
        withdraw_consent(Customer.objects.get(pk=int(order[1])), source="unsubscribe", now=now)
        os._exit(0)


if __name__ == "__main__":
    main()

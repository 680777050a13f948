"""Imports everything once; every line on its standard input then forks one Celery worker, whose process id it prints.

Python's imports take most of a worker's start: so a fault run can kill many workers in little time. It ends, and its
workers with it, when its standard input is closed.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys

import django

from retention_site.embedded.shared_memory import choose_pool

#: What a Celery worker loads only when it starts.
LOADED_AT_START = (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "kombu.transport.redis",
)


def main() -> None:
    django.setup()
    from retention_site.celery import app

    app.loader.import_default_modules()
    for module in LOADED_AT_START:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who ended is gone at once, and can be told from who runs
    print("ready", flush=True)
    started = []
    while sys.stdin.readline():
        child = os.fork()
        if not child:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.dup2(2, 1)  # Celery's banner is no answer of ours
            app.worker_main(
                ["worker", "--concurrency=2", *choose_pool(), "--queues=celery,sending", "--loglevel=ERROR",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"]
            )  # fmt: skip
            return
        started.append(child)
        print(child, flush=True)
    for child in started:
        for kill in (os.kill, os.killpg):  # the second for its children, the first in case it was forked just now
            with contextlib.suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()

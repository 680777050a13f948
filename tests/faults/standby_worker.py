"""A Celery worker that has imported everything and starts when a line arrives on its standard input.

Python's imports take most of a worker's start; doing them beforehand lets a fault run kill many workers in little time.
"""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    import campaigns.tasks  # noqa: F401
    from retention_site.celery import app

    print("ready", flush=True)
    if sys.stdin.readline().strip() == "go":
        app.worker_main(
            ["worker", "--concurrency=2", "--queues=celery,sending", "--loglevel=ERROR", "--without-gossip",
             "--without-mingle", "--without-heartbeat"]
        )  # fmt: skip


if __name__ == "__main__":
    main()

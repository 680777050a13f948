"""Beat as it is, but for the seconds between two looks for due campaigns and two sweeps: a test waits for both often."""

from __future__ import annotations

import sys

import django

QUICK_S = 0.5


def main() -> None:
    django.setup()
    from retention_site.celery import app

    for name in ("start-due-campaigns", "send-queued-messages"):
        app.conf.beat_schedule[name]["schedule"] = QUICK_S
    app.start(["beat", *sys.argv[1:]])


if __name__ == "__main__":
    main()

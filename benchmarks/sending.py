"""Sending from the outbox against a bare loop over smtplib: same sink, same number of connections, same run.

The bare loop's messages are rendered beforehand; ours are rendered, checked, marked with a synced commit, and settled.
`page_p95_ms` is null: the pages are not measured here yet.
"""

from __future__ import annotations

import argparse
import json
import os
import smtplib
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.sink import count_arrivals, running_sink

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

CONNECTIONS = 8
CONTENT = b"Subject: hello\r\nMessage-ID: <bare@fernweh.test>\r\n\r\n" + (b"x" * 70 + b"\r\n") * 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench sending", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3,000 messages instead of 30,000")
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    size = 3_000 if options.quick else 30_000
    with tempfile.TemporaryDirectory() as folder, running_sink(Path(folder) / "sink.log") as port:
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        os.environ.setdefault("LOG_LEVEL", "ERROR")
        bare = size / send_bare(port, size)
        ours = size / send_ours(size)
        arrived = count_arrivals(Path(folder) / "sink.log")
    figures = {
        "seed": options.seed,
        "size": size,
        "connections": CONNECTIONS,
        "arrived": arrived - size,
        "bare_per_second": round(bare, 1),
        "per_second": round(ours, 1),
        "vs_bare_loop": round(ours / bare, 3),
        "page_p95_ms": None,
    }
    for name, value in figures.items():
        print(f"  {name:<16} {value}")
    print(json.dumps(figures))


def send_bare(port: int, size: int) -> float:
    """Seconds for `size` ready messages over CONNECTIONS threads."""

    def loop(count: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, "localhost") as server:
            for number in range(count):
                server.sendmail("hello@fernweh.test", f"c{number}@shopper.test", CONTENT)

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(loop, [size // CONNECTIONS] * CONNECTIONS))
    return time.perf_counter() - began


def send_ours(size: int) -> float:
    """Seconds from the first claim to the last settled row, in one process with CONNECTIONS threads."""
    import django

    django.setup()
    from django.utils import timezone

    from campaigns.delivery.sender import send_waiting_messages
    from tests.campaigns import arrange

    now = timezone.now()
    cast = arrange.make_cast()
    people = arrange.make_customers(size, now=now)
    arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    began = time.perf_counter()
    run = send_waiting_messages(seconds=3600, connections=CONNECTIONS)
    assert run.counts == {"accepted": size}, run.counts
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

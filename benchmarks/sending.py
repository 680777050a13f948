"""Sending from the outbox against a bare loop over smtplib: same sink, same messages, same number of connections, same run.

The bare loop's messages are rendered beforehand; ours are rendered, checked, marked with a synced commit, and settled. Both
are one process with a thread for each connection. They take turns, and the ratio is the median of the turns, so that what else
the machine does falls on both; `processor_us` says what a message costs in processor time, which others' work hardly changes.
The bare loop comes close to what the sink can do: `sink_busy` is the share of the time in which the sink worked.

A sink answers at once; a mail server first keeps the message safe (RFC 5321, 6.1), or is a network away. So there is a turn
against a sink that takes SERVER_TAKES_S for a message as well. At last a campaign is sent while a person's browser asks for
pages and lists of the API, one after the other.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._processor_time import ProcessorClock
from tests.faults.sink import count_arrivals, sink_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

#: Postfix lets one client have 50.
CONNECTIONS = 16
ROUNDS = 3
WARM_UP = 50
SERVER_TAKES_S = 0.05
#: What is asked for while messages go out; {campaign} is the one that is being sent.
PAGES = ("/", "/campaigns/{campaign}/live/", "/customers/", "/outbox/", "/api/v1/customers/", "/api/v1/campaigns/")
THINK_S = 0.05
AT_REST_S = 5

Wire = tuple[str, str, bytes]


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench sending", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3,000 messages instead of 30,000")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--ask", nargs="+", help=argparse.SUPPRESS)  # the browser's process: cookie, addresses
    options = parser.parse_args()
    if options.ask:
        ask_for_pages(options.ask[0], options.ask[1:])
        return
    size = 3_000 if options.quick else 30_000
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    figures: dict[str, Any] = {"seed": options.seed, "size": size, "connections": options.connections}
    with tempfile.TemporaryDirectory() as folder:
        fast, slow = Path(folder) / "fast.log", Path(folder) / "slow.log"
        with sink_process(fast) as (port, sink):
            set_up(port)
            figures |= measure(port, sink, size, options.connections) | measure_pages(size, options.connections)
        with sink_process(slow, "tests.faults.sink", "--takes", str(SERVER_TAKES_S)) as (port, _sink):
            point_at(port)
            figures |= measure_slow_server(port, size, options.connections)
        sent = WARM_UP + (2 * ROUNDS + 1) * size + 2 * size
        figures["lost"] = sent - count_arrivals(fast) - count_arrivals(slow)
    for name, value in figures.items():
        print(f"  {name:<24} {value}")
    print(json.dumps(figures))


def set_up(port: int) -> None:
    """Django, with a mail server that is the sink, and what is made at first use."""
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    import django

    django.setup()
    start_campaign("warm", WARM_UP)
    send_ours(WARM_UP, 2)


def point_at(port: int) -> None:
    from django.conf import settings

    settings.EMAIL_PORT = port


def measure(port: int, sink: int, size: int, connections: int) -> dict[str, Any]:
    """The bare loop and ours in turn, each over all connections."""
    clock, bare, ours, costs, busy = ProcessorClock(sink), list[float](), list[float](), list[dict[str, int]](), []
    for turn in range(ROUNDS):
        ready = render_all(start_campaign(f"turn-{turn}", size))
        began = clock.read()
        bare.append(send_bare(port, ready, connections))
        between = clock.read()
        ours.append(send_ours(size, connections))
        costs.append(clock.read().since(between, size) | {"bare_python": between.since(began, size)["python"]})
        busy.append((between.sink - began.sink) / bare[-1])
    return {
        "bare_per_second": round(size / statistics.median(bare), 1),
        "per_second": round(size / statistics.median(ours), 1),
        "vs_bare_loop": round(statistics.median(map(operator.truediv, bare, ours)), 3),
        "processor_us": {name: round(statistics.median(cost[name] for cost in costs)) for name in costs[0]},
        "sink_busy": round(statistics.median(busy), 2),
    }


def measure_slow_server(port: int, size: int, connections: int) -> dict[str, Any]:
    """One turn against a server that takes its time."""
    ready = render_all(start_campaign("slow", size))
    bare, ours = send_bare(port, ready, connections), send_ours(size, connections)
    return {"slow_server_per_second": round(size / ours, 1), "vs_bare_loop_slow_server": round(bare / ours, 3)}


def measure_pages(size: int, connections: int) -> dict[str, Any]:
    """Ours while pages are read, and the pages alone: what they take where nothing is sent is the machine's share."""
    from django.conf import settings

    campaign = start_campaign("pages", size)
    with asking(campaign) as at_rest_ms:
        time.sleep(AT_REST_S)
    with asking(campaign) as durations_ms:
        os.nice(settings.WORKER_NICENESS)  # as a worker does, and not the web that was started above
        seconds = send_ours(size, connections)
    return {
        "per_second_with_pages": round(size / seconds, 1),
        "page_p95_ms": find_p95(durations_ms),
        "page_p95_ms_at_rest": find_p95(at_rest_ms),
        "pages_read": len(durations_ms),
    }


def find_p95(durations: Sequence[float]) -> float:
    return round(sorted(durations)[int(len(durations) * 0.95)], 1)


def start_campaign(name: str, size: int) -> int:
    from django.utils import timezone

    from tests.campaigns import arrange

    now = timezone.now()
    cast = arrange.make_cast()
    people = arrange.make_customers(size, prefix=name, now=now)
    draft = arrange.make_campaign(cast.marketer, people, name=name, send_at=now, now=now)
    return int(arrange.start(draft, cast, now=now).pk)


def render_all(campaign_id: int) -> list[Wire]:
    """Every message of a campaign as it will go over the wire: sender, recipient, content."""
    from django.utils import timezone

    from campaigns.delivery import outbox
    from campaigns.delivery.copies import make_copy, prepare_batch
    from campaigns.models import Campaign

    campaign, ready = Campaign.objects.get(pk=campaign_id), []
    messages = outbox.claim_batch("bare", campaign_id=campaign_id, size=1_000_000)
    batch = prepare_batch(campaign, messages, now=timezone.now())
    for message in messages:
        envelope = make_copy(batch, message).envelope
        ready.append((envelope.sender, envelope.recipient, envelope.content))
    outbox.release_claims("bare")
    return ready


def send_bare(port: int, messages: Sequence[Wire], connections: int) -> float:
    """Seconds for ready messages, one smtplib connection per thread."""

    def loop(share: Sequence[Wire]) -> None:
        with smtplib.SMTP("127.0.0.1", port, "localhost") as server:
            for sender, recipient, content in share:
                server.sendmail(sender, recipient, content)

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(loop, [messages[first::connections] for first in range(connections)]))
    return time.perf_counter() - began


def send_ours(size: int, connections: int) -> float:
    """Seconds from the first claim to the last settled row, in one process with one thread per connection."""
    from campaigns.delivery.sender import send_waiting_messages

    began = time.perf_counter()
    run = send_waiting_messages(seconds=3600, connections=connections)
    assert run.counts == {"accepted": size}, run.counts
    return time.perf_counter() - began


@contextmanager
def asking(campaign_id: int) -> Iterator[list[float]]:
    """Serve the site as `./rekindle run` does and read pages meanwhile; filled with milliseconds at the end."""
    durations_ms: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base, number = f"http://127.0.0.1:{listener.getsockname()[1]}", listener.fileno()
        addresses = [base + page.format(campaign=campaign_id) for page in PAGES]
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "retention_site.wsgi", "--bind", f"fd://{number}", "--preload",
             "--log-level", "error", "--workers", "2", "--threads", "4"],
            pass_fds=(number,),
        )  # fmt: skip
        try:
            command = [sys.executable, "-m", "benchmarks.sending", "--ask", log_in(), *addresses]
            browser = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert browser.stdout is not None
            browser.stdout.readline()  # every page was read once: what is made at first use is there
            yield durations_ms
            durations_ms += json.loads(browser.communicate("stop\n")[0])
        finally:
            web.terminate()
            web.wait()


def log_in() -> str:
    """The session cookie of the marketer."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from tests.campaigns import arrange

    user, session = arrange.make_cast().marketer, SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"sessionid={session.session_key}"


def ask_for_pages(cookie: str, addresses: Sequence[str]) -> None:
    """In a process of its own, so that the sender's threads do not slow the clock: until a line arrives."""
    import select

    def read(address: str) -> float:
        began = time.perf_counter()
        request = urllib.request.Request(address, headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()
            assert "/login" not in answer.geturl(), answer.geturl()
        return 1000 * (time.perf_counter() - began)

    for address in [*addresses, *addresses]:
        read(address)
    print("ready", flush=True)
    durations_ms: list[float] = []
    while not select.select([sys.stdin], [], [], THINK_S)[0]:
        durations_ms.append(read(addresses[len(durations_ms) % len(addresses)]))
    print(json.dumps(durations_ms))


if __name__ == "__main__":
    main()

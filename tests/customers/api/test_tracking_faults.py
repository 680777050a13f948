"""Segment's unmodified Python client on a bad line: cut, slow, refused for now, or answered by nobody. Each event lands once."""

from __future__ import annotations

import datetime as dt
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from segment.analytics import request as segment_request
from segment.analytics.client import Client as SegmentClient

from customers.api.authentication import issue_api_key
from customers.models import Customer, CustomerEvent

EVENTS, PEOPLE, TIMEOUT_S = 1_000, 40, 2
#: cut: nobody hears it. lost: it is taken, and the answer lost. late: it is taken, and the answer comes after the client gave up.
HARMS = ("cut", "lost", "late", "429", "500", "503")


class BadLine:
    """Passes posts on to the server; each harm strikes some of the first posts, in an order drawn from a seed."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        plan = [*HARMS, *HARMS, *[""] * 6]
        random.Random(20261129).shuffle(plan)
        self._plan, self._lock = iter(plan), threading.Lock()
        self.struck: Counter[str] = Counter()
        line = self

        class Handler(_Handler):
            bad_line = line

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def next_harm(self) -> str:
        with self._lock:
            harm = next(self._plan, "")
            self.struck[harm] += 1
        return harm

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()  # waits for the threads that still answer


class _Handler(BaseHTTPRequestHandler):
    bad_line: BadLine

    def log_message(self, *_args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        harm = self.bad_line.next_harm()
        if harm in {"429", "500", "503"}:
            return self._answer(int(harm), b'{"detail": "not now"}')
        if harm != "cut":
            status, answer = self._pass_on(body)
            if harm == "late":
                time.sleep(TIMEOUT_S + 0.5)
            if harm != "lost":
                return self._answer(status, answer)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        return self.connection.close()

    def _pass_on(self, body: bytes) -> tuple[int, bytes]:
        target = self.bad_line.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=120)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        connection.request("POST", self.path, body, headers | {"Connection": "close"})
        response = connection.getresponse()
        try:
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # the client gave up
            self.close_connection = True


@pytest.fixture
def line(live_server: Any) -> Iterator[BadLine]:
    bad = BadLine(live_server.url)
    yield bad
    segment_request._session.close()
    bad.close()


@pytest.mark.django_db(transaction=True)
def test_on_a_bad_line_every_event_of_the_unmodified_client_lands_once(line: BadLine, site_admin: User) -> None:
    failed: list[Any] = []
    client = SegmentClient(
        issue_api_key(site_admin, "segment")[1], host=line.url, gzip=True, upload_size=50, upload_interval=0.05,
        timeout=TIMEOUT_S, thread=4, max_queue_size=2 * EVENTS, max_retries=20,
        on_error=lambda error, _items: failed.append(error),
    )  # fmt: skip
    began = timezone.now() - dt.timedelta(days=1)
    for number in range(EVENTS):
        who, at = f"u{number % PEOPLE}", began + dt.timedelta(seconds=number)
        client.track(who, "Product Viewed", {"n": number}, timestamp=at, message_id=f"m{number}")
    client.shutdown()

    assert failed == []
    assert {harm: line.struck[harm] for harm in HARMS} == dict.fromkeys(HARMS, 2), "each harm was done"
    assert CustomerEvent.objects.count() == EVENTS
    assert CustomerEvent.objects.values("external_id").distinct().count() == EVENTS
    assert Customer.objects.count() == PEOPLE

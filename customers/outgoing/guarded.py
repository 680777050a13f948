"""One POST to a machine of the open net. Its name is resolved once, and what was looked at is what is connected to.

So a name that leads elsewhere the second time it is asked for (DNS rebinding) deceives nobody, and nothing inside the house
even sees a connection. Redirects are not followed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from .addresses import find_fault, is_open

#: Of an answer so much is kept for the log; more is not read.
LONGEST_ANSWER: Final = 1_000
#: Numeric addresses of a name and port, the best first. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


class ForbiddenAddress(OSError):
    """The name leads into our own network; nothing was connected to."""


@dataclass(frozen=True)
class Answer:
    """What came back: a code and the beginning of the text, or none and what went wrong. `took_ms` of the whole."""

    code: int | None
    text: str
    error: str
    took_ms: int
    retry_after: str = ""


def resolve_name(host: str, port: int) -> list[str]:
    """As the system resolves it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    may_be_loopback: bool = False,
    resolve: Resolve = resolve_name,
) -> Answer:
    """Send once, on a connection of its own; never raises for what the other side or the way to it is wrong with."""
    began = time.monotonic()
    try:
        code, text, asked = _exchange(url, body, headers, timeout_s, may_be_loopback, resolve)
    except (HTTPError, OSError, ValueError) as error:  # ValueError: an address or an answer that is none
        reason = str(error) or type(error).__name__
        return Answer(None, "", reason.replace("\0", "")[:200], _since(began))
    return Answer(code, text, "", _since(began), asked)


def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, may_be_loopback: bool, resolve: Resolve
) -> tuple[int, str, str]:
    fault = find_fault(url, may_be_loopback=may_be_loopback)
    if fault is not None:
        raise ForbiddenAddress(f"the address must not be used: {fault.value}")
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool = _make_pool(
        parts.scheme, host, port, timeout_s, lambda: _connect(host, port, timeout_s, may_be_loopback, resolve)
    )
    with pool:
        answer: Any = pool.urlopen(
            "POST", target, body=body, headers=dict(headers), retries=False, redirect=False, preload_content=False
        )
        try:
            return answer.status, _read_text(answer, timeout_s), answer.headers.get("Retry-After", "")
        finally:
            answer.close()


def _connect(host: str, port: int, timeout_s: float, may_be_loopback: bool, resolve: Resolve) -> socket.socket:
    """A connection to one of the addresses of a name. All of them have to be of the open net: one that is not is a trap."""
    addresses = list(dict.fromkeys(resolve(host, port)))
    if not addresses or not all(is_open(address, may_be_loopback=may_be_loopback) for address in addresses):
        raise ForbiddenAddress("the address leads into an internal network")
    end, trouble = time.monotonic() + timeout_s, OSError("no address answered")
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, port), timeout=max(end - time.monotonic(), 0.1))
        except OSError as error:
            trouble = error
    raise trouble


def _make_pool(
    scheme: str, host: str, port: int, timeout_s: float, connect: Callable[[], socket.socket]
) -> HTTPConnectionPool:
    """A pool whose connections are made by `connect`, and whose certificates are checked for the name."""

    class GuardedConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect()

    class GuardedTlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect()

    options: dict[str, Any] = {"timeout": timeout_s, "maxsize": 1}
    pool: Any
    if scheme == "https":
        pool = HTTPSConnectionPool(host, port, ssl_context=_tls(), **options)
        pool.ConnectionCls = GuardedTlsConnection
    else:
        pool = HTTPConnectionPool(host, port, **options)
        pool.ConnectionCls = GuardedConnection
    made: HTTPConnectionPool = pool
    return made


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _read_text(answer: HTTPResponse, timeout_s: float) -> str:
    """The code settles it: what goes wrong with the rest of the answer, or how long it lasts, no longer matters."""
    raw, end = b"", time.monotonic() + timeout_s
    try:
        while len(raw) < LONGEST_ANSWER and time.monotonic() < end:
            piece = answer.read1(LONGEST_ANSWER)
            if not piece:
                break
            raw += piece
    except (HTTPError, OSError):
        pass
    return raw[:LONGEST_ANSWER].decode("utf-8", "replace").replace("\0", "")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

"""Follows an HTTP request step by step, so that it is always known whether its last byte went out.

`requests` raises the same exceptions before and after that. A server acts on a request once it has all of it (RFC 9112, 6):
while a byte is missing, nothing was sent; from then on only an answer settles it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from . import Phase


class Progress:
    """How far the request under way has come."""

    def __init__(self) -> None:
        self.phase = Phase.CONNECT


class ForbiddenPeer(OSError):
    """The machine at the other end is none that we may talk to; nothing was said to it."""


#: Raises ForbiddenPeer for the numeric address of a machine that a connection was made to.
Guard = Callable[[str], None]


def follow_requests(session: requests.Session, progress: Progress, guard: Guard | None = None) -> None:
    """Have every request of the session note its phase; it keeps one connection and follows no redirect.

    `guard` is asked of each new connection before a byte goes over it, by the address that it really has: a name that
    leads elsewhere the second time it is asked for deceives nobody.
    """
    adapter = _FollowedAdapter(progress, guard)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Where a redirect leads the message would be sent a second time, with our key.
    session.max_redirects = 0


def connect_ahead(session: requests.Session, url: str, *, timeout_s: float) -> None:
    """Make sure that the session has a live connection to the host of `url` before anything is to be sent over it.

    Raises urllib3's HTTPError or OSError. Behind a proxy it does nothing: there only a request shows who is well.
    """
    surroundings = session.merge_environment_settings(url, {}, None, None, None)
    adapter = session.get_adapter(url)
    if surroundings["proxies"] or not isinstance(adapter, HTTPAdapter):
        return
    request = requests.Request("POST", url).prepare()
    pool = adapter.get_connection_with_tls_context(request, surroundings["verify"], cert=surroundings["cert"])
    connection: Any = pool._get_conn()  # a kept one that the server has closed is closed here too
    try:
        if connection.sock is None:
            connection.timeout = timeout_s
            connection.connect()
    finally:
        pool._put_conn(connection)


class _FollowedAdapter(HTTPAdapter):
    """An adapter whose connections are ours. It tries nothing twice."""

    def __init__(self, progress: Progress, guard: Guard | None) -> None:
        self._progress, self._guard = progress, guard
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _make_pools(self._progress, self._guard)

    def send(self, *args: Any, **options: Any) -> requests.Response:
        self._progress.phase = Phase.CONNECT
        return super().send(*args, **options)


def _make_pools(progress: Progress, guard: Guard | None) -> dict[str, Any]:
    """Pools as urllib3 has them, whose connections note the phase and look whom they reached."""

    class FollowedConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _look_at(super()._new_conn(), guard)

        def request(self, *args: Any, **options: Any) -> None:
            _note_request(self, progress, super().request, *args, **options)

    class FollowedTlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _look_at(super()._new_conn(), guard)

        def request(self, *args: Any, **options: Any) -> None:
            _note_request(self, progress, super().request, *args, **options)

    class FollowedPool(HTTPConnectionPool):
        ConnectionCls = FollowedConnection

    class FollowedTlsPool(HTTPSConnectionPool):
        ConnectionCls = FollowedTlsConnection

    return {"http": FollowedPool, "https": FollowedTlsPool}


def _look_at(sock: socket.socket, guard: Guard | None) -> socket.socket:
    if guard is not None:
        try:
            guard(str(sock.getpeername()[0]))
        except ForbiddenPeer:
            sock.close()
            raise
    return sock


def _note_request(connection: HTTPConnection, progress: Progress, request: Any, *args: Any, **options: Any) -> None:
    if connection.sock is None:
        connection.connect()  # request() would do it too, and could not be told apart from sending
    progress.phase = Phase.BODY
    request(*args, **options)
    progress.phase = Phase.DOT

"""Follows an HTTP request step by step, so that it is always known whether its last byte went out.

`requests` raises the same exceptions before and after that. A server acts on a request once it has all of it (RFC 9112, 6):
while a byte is missing, nothing was sent; from then on only an answer settles it.
"""

from __future__ import annotations

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


def follow_requests(session: requests.Session, progress: Progress) -> None:
    """Have every request of the session note its phase; it keeps one connection and follows no redirect."""
    adapter = _FollowedAdapter(progress)
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

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _make_pools(self._progress)

    def send(self, *args: Any, **options: Any) -> requests.Response:
        self._progress.phase = Phase.CONNECT
        return super().send(*args, **options)


def _make_pools(progress: Progress) -> dict[str, Any]:
    """Pools as urllib3 has them, whose connections note the phase."""

    class FollowedConnection(HTTPConnection):
        def request(self, *args: Any, **options: Any) -> None:
            _note_request(self, progress, super().request, *args, **options)

    class FollowedTlsConnection(HTTPSConnection):
        def request(self, *args: Any, **options: Any) -> None:
            _note_request(self, progress, super().request, *args, **options)

    class FollowedPool(HTTPConnectionPool):
        ConnectionCls = FollowedConnection

    class FollowedTlsPool(HTTPSConnectionPool):
        ConnectionCls = FollowedTlsConnection

    return {"http": FollowedPool, "https": FollowedTlsPool}


def _note_request(connection: HTTPConnection, progress: Progress, request: Any, *args: Any, **options: Any) -> None:
    if connection.sock is None:
        connection.connect()  # request() would do it too, and could not be told apart from sending
    progress.phase = Phase.BODY
    request(*args, **options)
    progress.phase = Phase.DOT

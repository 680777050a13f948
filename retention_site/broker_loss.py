"""Keeps a worker alive when its broker goes away while it holds a task."""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Transport


class RememberingTransport(Transport):
    """kombu's own for Redis, but it never forgets which connection, and so which address, it belongs to.

    kombu (5.7.0) drops that when a connection is lost, and then wants to hand the tasks that a worker holds back to the
    broker, and later to acknowledge them when they end, over a new connection: AttributeError, which Celery expects at
    neither place and which ends the worker with all that it does. With the address both work as soon as the broker is
    back, and while it is not they are connection errors, which Celery outlasts.
    """

    @property
    def client(self) -> Any:
        """The `kombu.Connection` that this transport was made for."""
        return self._owner

    @client.setter
    def client(self, connection: Any) -> None:
        if connection is not None:
            self._owner = connection


def remember_broker_addresses() -> None:
    """Use this transport for redis://, rediss:// and redis+socket:// in this process. Safe to call twice."""
    name = f"{__name__}:{RememberingTransport.__name__}"
    TRANSPORT_ALIASES.update(redis=name, rediss=name)

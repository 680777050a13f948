"""Several threads that do something at the same moment, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
#: How long the machine may take to start the threads, and each to end, seconds: it may be a slow one.
PATIENCE_S = 300


def do_at_once(*calls: Callable[[], T]) -> list[T | Exception]:
    """What each call gave, or the error it raised, in the order of the calls."""
    gate = threading.Barrier(len(calls))

    def act(call: Callable[[], T]) -> T | Exception:
        try:
            gate.wait(PATIENCE_S)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(PATIENCE_S) for future in [pool.submit(act, call) for call in calls]]

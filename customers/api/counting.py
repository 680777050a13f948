"""Counts what is asked for by windows of the clock in the key-value server, which many processes share."""

from __future__ import annotations

import time

from django.core.cache import cache


def count_within(name: str, window_s: int) -> int:
    """Count one more of `name` in this window of `window_s` seconds; returns how many there were with it.

    0 where the server forgot the count in between: nobody is turned away for that.
    """
    key = f"{name}:{_number_window(window_s)}"
    cache.add(key, 0, timeout=2 * window_s)
    try:
        return int(cache.incr(key))
    except ValueError:  # forgotten between the two: the server was emptied
        return 0


def _number_window(window_s: int) -> int:
    return int(time.time() // window_s)

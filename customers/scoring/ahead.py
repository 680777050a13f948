"""Work on the next item while the caller is still busy with the one before."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import Full, Queue
from typing import TypeVar

from django.db import connections

Item = TypeVar("Item")

_LOOK_UP_S = 0.1


@dataclass(frozen=True)
class _Failure:
    cause: BaseException


_END = object()


def run_ahead(items: Generator[Item, None, None]) -> Iterator[Item]:
    """The items in their order, made in a thread of its own: one is worked on and one waits at the most.

    What the generator raises is raised here. A caller who stops early closes the generator.
    """
    waiting: Queue[object] = Queue(1)
    is_over = threading.Event()
    thread = threading.Thread(target=_make_items, args=(items, waiting, is_over), name="run-ahead")
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.cause
            yield item  # type: ignore[misc]
    finally:
        is_over.set()
        thread.join()


def _make_items(items: Generator[object, None, None], waiting: Queue[object], is_over: threading.Event) -> None:
    try:
        for item in items:
            if not _put(waiting, item, is_over):
                return
        _put(waiting, _END, is_over)
    except BaseException as cause:
        _put(waiting, _Failure(cause), is_over)
    finally:
        items.close()
        connections.close_all()  # those that Django opened for this thread


def _put(waiting: Queue[object], item: object, is_over: threading.Event) -> bool:
    """Whether the item could be handed over before the caller went away."""
    while not is_over.is_set():
        try:
            waiting.put(item, timeout=_LOOK_UP_S)
        except Full:
            continue
        return True
    return False

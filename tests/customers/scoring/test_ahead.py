from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from customers.scoring.ahead import run_ahead


def count_to(last: int, ended: list[str]) -> Generator[int, None, None]:
    try:
        yield from range(1, last + 1)
    finally:
        ended.append(threading.current_thread().name)


def test_items_come_in_order_from_a_thread_that_ends() -> None:
    ended: list[str] = []

    assert list(run_ahead(count_to(50, ended))) == list(range(1, 51))
    assert ended == ["run-ahead"]
    assert "run-ahead" not in [thread.name for thread in threading.enumerate()]


def test_what_the_work_raises_is_raised_here() -> None:
    def fail() -> Generator[int, None, None]:
        yield 1
        raise ValueError("no such part")

    items = run_ahead(fail())
    assert next(items) == 1
    with pytest.raises(ValueError, match="no such part"):
        next(items)


def test_who_stops_early_ends_the_work() -> None:
    ended: list[str] = []
    items = run_ahead(count_to(1_000, ended))

    assert next(items) == 1
    items.close()  # type: ignore[attr-defined]

    assert ended == ["run-ahead"]


def test_no_more_is_made_than_one_in_work_and_one_in_waiting() -> None:
    made: list[int] = []

    def note() -> Generator[int, None, None]:
        for number in range(10):
            made.append(number)
            yield number

    for number in run_ahead(note()):
        assert len(made) <= number + 3

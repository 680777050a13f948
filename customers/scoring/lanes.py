"""Work that does not depend on one another, side by side: XGBoost, NumPy, SciPy and Polars let Python's other thread run
while they count.

There are always two lanes, and what runs in them is seeded by itself: a machine with more cores or fewer, or a busier
one, gives the same figures. BLAS stays at one thread meanwhile: threads that wait for a shared core cost more than they bring.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

LANES = 2

T = TypeVar("T")


def run_in_lanes(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What each job returns, in the order of the jobs; the first failure in that order is raised.

    A job runs in the caller's language, and must not use the database: a thread would open a connection of its own.
    """
    if len(jobs) < 2:
        return [job() for job in jobs]
    with hold_blas(), ThreadPoolExecutor(LANES) as pool:
        begun = [pool.submit(contextvars.copy_context().run, job) for job in jobs]
        return [each.result() for each in begun]


def hold_blas() -> AbstractContextManager[Any]:
    """BLAS on one thread for the time of the block. Blocks may lie inside one another."""
    limit: AbstractContextManager[Any] = _find_pools().limit(limits=1)
    return limit


@functools.cache
def _find_pools() -> Any:
    """The pools of threads of all libraries that count; to look for them takes longer than some fits."""
    import sklearn.linear_model  # noqa: F401
    import threadpoolctl  # type: ignore[import-untyped]

    return threadpoolctl.ThreadpoolController()

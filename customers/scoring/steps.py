"""How long each step of scoring took, for the log and the benchmark."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STEPS = ("read", "features", "predict", "explain", "write")


@dataclass
class Steps:
    """Seconds by step, summed over parts. Steps of two threads run at once, so that the sum may exceed the whole."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] += time.perf_counter() - started

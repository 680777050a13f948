"""A worker process of the scoring benchmark: it stands ready, as a worker of Celery does, scores when it is told to on its
standard input, and answers in a line of JSON. Its memory is its own. No benchmark by itself, hence the name.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.frame import measure, peak_mb
from customers.scoring.steps import Steps


class Worker:
    """The process, seen from the benchmark."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks._score_worker"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_until_ready(self) -> None:
        """Until everything is imported, so that nobody is measured beside it."""
        self.read_answer()

    def begin(self, *, as_of: dt.datetime, index: int = 0, count: int = 1) -> None:
        """Have it score one of `count` partitions."""
        assert self._process.stdin is not None
        told = {"as_of": as_of.isoformat(), "index": index, "count": count}
        print(json.dumps(told), file=self._process.stdin, flush=True)

    def read_answer(self) -> Any:
        """What `score_once` returned; ends the benchmark where the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process of the benchmark ended with {self._process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class WatchedSteps(Steps):
    """Steps, and the process's memory in MB each time that a part is about to be written."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: list[float] = []

    def measure(self, step: str) -> Any:
        if step == "write":
            self.memory.append(present_mb())
        return super().measure(step)


def score_once(*, as_of: dt.datetime, index: int, count: int) -> dict[str, Any]:
    """Seconds of the whole and of its steps, and memory, for one of `count` workers."""
    from customers.features.reader import Partition
    from customers.scoring.runner import MOST_EXPLAINED, score_everybody
    from customers.scoring.working import read_champion

    model = read_champion()
    steps = WatchedSteps()
    with measure() as timing:
        partition = Partition(index, count) if count > 1 else None
        changed = score_everybody(model, as_of=as_of, partition=partition, steps=steps)
    return {
        "seconds": timing.seconds, "steps": steps.seconds, "changed": changed, "explained": MOST_EXPLAINED // count,
        "peak_mb": peak_mb(), "growth": tell_growth(steps.memory),
    }  # fmt: skip


def tell_growth(memory: list[float]) -> float:
    """The peak in the second half of the readings over the one in the first; 1 where there are too few to say."""
    if len(memory) < 4:
        return 1.0
    half = len(memory) // 2
    return max(memory[half:]) / max(memory[:half])


def present_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_mb()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def serve() -> None:
    """Answer each line of the standard input, until there is none."""
    import django

    django.setup()
    for name in (
        "xgboost",
        "sklearn.linear_model",
        "customers.scoring.runner",
    ):  # what is imported at first use is there
        importlib.import_module(name)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        answer = score_once(as_of=dt.datetime.fromisoformat(told.pop("as_of")), **told)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()

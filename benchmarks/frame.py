"""What every benchmark shares: arguments, Django on the throw-away engines, and the JSON object in the last line.

`./rekindle bench NAME [--quick]` starts the engines and runs `python -m benchmarks.NAME` with their addresses in the
environment. A benchmark parses its arguments, calls `set_up_django()` before it imports anything of ours, measures a
peer and our own way in the same run, and ends with `print_result`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENGINES = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Arguments:
    """`quick` is the smaller size of bar.md; `seed` makes all data; `more` is what one benchmark alone is given."""

    quick: bool
    seed: int
    more: argparse.Namespace = field(default_factory=argparse.Namespace)


@dataclass
class Timing:
    """Seconds that a block took."""

    seconds: float = field(default=0.0)


def parse_arguments(description: str, add: Callable[[argparse.ArgumentParser], object] | None = None) -> Arguments:
    """--quick and --seed, and what `add` adds to the parser."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="the smaller size, within 50 seconds on 2 cores")
    parser.add_argument("--seed", type=int, default=20260301)
    if add is not None:
        add(parser)
    given = parser.parse_args()
    return Arguments(given.quick, given.seed, given)


def set_up_django() -> None:
    """Load Django on the engines of the environment and migrate. Exits in words where there are none."""
    if missing := [name for name in ENGINES if not os.environ.get(name)]:
        sys.exit(f"{', '.join(missing)} not set. Start benchmarks by ./rekindle bench NAME, never on data of a shop.")
    os.environ.setdefault("SECRET_KEY", "for-benchmarks-only")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ["DJANGO_SETTINGS_MODULE"] = "retention_site.settings"
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(
        executor.loader.graph.leaf_nodes()
    ):  # `./rekindle bench` has done it; to look is quicker
        call_command("migrate", verbosity=0)


@contextmanager
def measure() -> Iterator[Timing]:
    """Time a block by the wall clock."""
    timing = Timing()
    started = time.perf_counter()
    try:
        yield timing
    finally:
        timing.seconds = time.perf_counter() - started


def median(values: list[float]) -> float:
    """The middle of several rounds: a busy machine makes some of them slow."""
    return statistics.median(values)


def peak_mb() -> float:
    """The most memory this process ever had, in MB.

    From /proc where there is one: ru_maxrss outlives exec, so a child would report what its parent had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024 if sys.platform != "darwin" else used / 1024 / 1024


def print_table(title: str, rows: Mapping[str, Any]) -> None:
    """A table for people."""
    print(title, flush=True)
    for name, value in rows.items():
        print(f"  {name:<44}{value:>14,.3f}" if isinstance(value, float) else f"  {name:<44}{value!s:>14}", flush=True)


def print_result(arguments: Arguments, *, size: Any, **keys: Any) -> None:
    """The last line: one JSON object with the seed, the size and the keys of bar.md."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in keys.items()}
    print(json.dumps({"seed": arguments.seed, "size": size, **rounded}, ensure_ascii=False), flush=True)

"""`./rekindle faults [--quick]`: the fault table of sending, on real engines, workers and sinks; docs/faults.md explains it.

The whole table without a switch; `--quick` kills, flushes and restarts in 2,000 messages; `--rows` chooses. The last line is
one JSON object: what the first row measured, the sums of all rows, and each row under its name.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .caps import measure_caps
from .events import measure_events
from .kills import measure_kills
from .launches import measure_launches
from .nights import measure_nights
from .pauses import measure_pauses
from .restore import measure_restore
from .stage import ROOT, Stage, open_stage
from .unsubscribes import measure_unsubscribes

Figures = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """How much is sent, and what is done to it on the way."""

    messages: int
    kills: int
    flushes: int
    restarts: int
    paused: int
    pauses: int
    stops: int
    launched: int
    launches: int
    left: int
    unsubscribes: int
    told: int
    people: int
    days: int
    restored: int
    ways: int


FULL = Sizes(10_000, 20, 3, 5, 5_000, 50, 10, 500, 50, 10_000, 1_000, 100, 3_334, 30, 3_000, 2)
QUICK = replace(FULL, messages=2_000, kills=5, flushes=1, restarts=1)
#: What the tests of the project run.
SMALL = Sizes(400, 1, 1, 5, 400, 50, 2, 60, 50, 400, 60, 4, 30, 5, 900, 1)

ROWS: dict[str, Callable[[Stage, Sizes], Figures]] = {
    "kills": lambda stage, sizes: measure_kills(stage, sizes.messages, sizes.kills, sizes.flushes, sizes.restarts),
    "calm": lambda stage, sizes: measure_kills(stage, sizes.messages, 0, 0, 0, name="calm"),
    "pauses": lambda stage, sizes: measure_pauses(stage, sizes.paused, sizes.pauses, sizes.stops),
    "launches": lambda stage, sizes: measure_launches(stage, sizes.launched, sizes.launches),
    "unsubscribes": lambda stage, sizes: measure_unsubscribes(stage, sizes.left, sizes.unsubscribes),
    "events": lambda stage, sizes: measure_events(stage, sizes.told),
    "caps": lambda stage, sizes: measure_caps(stage, sizes.people, sizes.days),
    "nights": lambda stage, sizes: measure_nights(stage, sizes.people, sizes.days),
    "restore": lambda stage, sizes: measure_restore(stage, sizes.restored, sizes.ways),
}
#: In a process of its own, because settings say once by which door mail leaves.
PROVIDER = "provider"


def main(arguments: Sequence[str]) -> int:
    options = read_options(arguments)
    sizes, rows = choose_sizes(options), choose_rows(options)
    warnings.filterwarnings("ignore", module="anymail")
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that all processes are ended
    print(f"seed {options.seed}: {', '.join(rows)}", flush=True)
    measured: dict[str, Figures] = {}
    if rows != [PROVIDER]:
        with open_stage(options.seed, uses_provider=options.provider) as stage:
            try:
                for row in rows:
                    if row != PROVIDER:
                        measured[row] = measure_row(stage, row, sizes)
            finally:
                if kept := os.environ.get("REKINDLE_FAULT_LOGS"):
                    shutil.copytree(stage.folder, kept, dirs_exist_ok=True)
    if PROVIDER in rows:
        measured[PROVIDER] = measure_by_provider(arguments)
    figures = sum_up(options.seed, measured)
    print(json.dumps(figures))
    return 1 if figures["failed"] else 0


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./rekindle faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 messages, 5 kills, 1 flush, 1 restart")
    parser.add_argument("--small", action="store_true", help="the sizes of the project's tests")
    parser.add_argument("--rows", help=f"some of {', '.join([*ROWS, PROVIDER])}, with commas; or all")
    parser.add_argument("--provider", action="store_true", help="by a provider's HTTP API with idempotency keys")
    parser.add_argument("--seed", type=int, default=20261123)
    for name in ("messages", "kills", "flushes", "restarts"):
        parser.add_argument(f"--{name}", type=int, help="of the row kills")
    return parser.parse_args(arguments)


def choose_sizes(options: argparse.Namespace) -> Sizes:
    sizes = SMALL if options.small else QUICK if options.quick else FULL
    given = {name: getattr(options, name) for name in ("messages", "kills", "flushes", "restarts")}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


def choose_rows(options: argparse.Namespace) -> list[str]:
    """All of them at full size; the first where the size is less or the door another, unless some are named."""
    known = [*ROWS, PROVIDER]
    if options.rows in {None, "all"}:
        is_whole = options.rows == "all" or not (options.quick or options.provider)
        return known if is_whole and not options.provider else known[:1]
    asked: list[str] = options.rows.split(",")
    if unknown := set(asked) - set(known):
        sys.exit(f"There is no row {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    return [row for row in known if row in asked]


def measure_row(stage: Stage, row: str, sizes: Sizes) -> Figures:
    """One row on a stage without a worker; prints a table for people."""
    print(f"{row}:", flush=True)
    began, stage.worker_restarts = time.monotonic(), 0
    try:
        figures = ROWS[row](stage, sizes)
    finally:
        stage.stop_worker()
    figures = {**figures, "seconds": round(time.monotonic() - began, 1)}
    print_table(figures)
    return figures


def measure_by_provider(arguments: Sequence[str]) -> Figures:
    """The row kills once more, by a door that knows what it was given: then nothing may stay unknown either."""
    print(f"{PROVIDER}:", flush=True)
    command = [sys.executable, "-m", "tests.faults.run", *arguments, "--provider", "--rows", "kills"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print("".join(done.stdout.splitlines(keepends=True)[:-1]), end="", flush=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])["rows"]["kills"]
    return figures


def sum_up(seed: int, measured: dict[str, Figures]) -> Figures:
    """The keys of bar.md from the first row, with the harm of all of them; `failed` names the rows that were not right."""
    first = next(iter(measured.values()))
    return {
        "seed": seed,
        **{name: value for name, value in first.items() if name != "is_right"},
        **{name: sum(int(str(row.get(name, 0))) for row in measured.values()) for name in ("doubled", "lost")},
        "failed": [name for name, row in measured.items() if not row["is_right"]],
        "rows": measured,
    }


def print_table(figures: Figures) -> None:
    for name, value in figures.items():
        print(f"  {name:<24} {value}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

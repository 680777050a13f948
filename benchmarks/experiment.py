"""`manage measure` on a CSV of 1,000,000 people in three arms with seven covariates: seconds and the most memory it had.

The floor reads the same file with Polars and takes the mean of the outcome by arm. Each is a process of its own, so that each
has its own peak.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.frame import peak_mb

COVARIATES = ("orders", "paid", "days_since", "visits", "country", "channel", "is_member")
#: What the two arms do to the share who order.
EFFECTS = (0.0, 0.01, 0.03)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench experiment", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 people instead of 1,000,000")
    parser.add_argument("--people", type=int, default=0, help="so many people")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", choices=["floor", "effects", "whole"], help="one part, in this process")
    parser.add_argument("--file", type=Path, help="the file of that part")
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(options.run, options.file)))
        return
    people = options.people or (100_000 if options.quick else 1_000_000)
    figures: dict[str, Any] = {"seed": options.seed, "size": people}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.csv"
        write_file(path, people, seed=options.seed)
        for part in ("floor", "effects", "whole"):
            command = [sys.executable, "-m", "benchmarks.experiment", "--run", part, "--file", str(path)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            figures |= {f"{part}_{name}": value for name, value in json.loads(told.splitlines()[-1]).items()}
    for name, value in figures.items():
        print(f"  {name:<20} {value}")
    print(json.dumps(figures))


def write_file(path: Path, people: int, *, seed: int) -> None:
    """Whether somebody orders hangs on what they did before, and a little on their arm."""
    random = np.random.default_rng(seed)
    arm = random.integers(0, len(EFFECTS), people)
    orders = random.poisson(2.0, people)
    base = 0.05 + 0.04 * np.minimum(orders, 5)
    columns = {
        "arm": np.array(["none", "note", "offer"])[arm],
        "ordered": (random.random(people) < base + np.array(EFFECTS)[arm]).astype(int),
        "orders": orders,
        "paid": (orders * random.lognormal(3.5, 0.7, people)).round(2),
        "days_since": random.integers(0, 720, people),
        "visits": random.poisson(5.0, people),
        "country": np.array(["Scotland", "Ireland", "France", "Norway", "Spain"])[random.integers(0, 5, people)],
        "channel": np.array(["search", "friend", "advert", "shop"])[random.integers(0, 4, people)],
        "is_member": np.array(["yes", "no"])[random.integers(0, 2, people)],
    }
    pl.DataFrame(columns).write_csv(path)


def _run(part: str, path: Path) -> dict[str, float]:
    begun, before = time.perf_counter(), os.times()
    if part == "floor":
        pl.read_csv(path).group_by("arm").agg(pl.col("ordered").mean())
    else:
        _measure(path, effects_only=part == "effects")
    after = os.times()
    return {
        "s": round(time.perf_counter() - begun, 1),
        "cpu_s": round(after.user + after.system - before.user - before.system, 1),
        "peak_mb": round(peak_mb()),
    }


def _measure(path: Path, *, effects_only: bool) -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")
    django.setup()
    call_command(
        "measure", str(path), arm="arm", control="none", outcome="ordered", covariates=",".join(COVARIATES),
        effects_only=effects_only, json=True, stdout=sys.stderr,
    )  # fmt: skip


if __name__ == "__main__":
    main()

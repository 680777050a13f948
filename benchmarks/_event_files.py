"""Files of events for measurements, and their import by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet

from benchmarks._events import CUSTOMERS, make_events

SLICE = 100_000
#: Imports one file of events in a process of its own: prints its seconds, and the most memory it had.
IMPORT_ALONE = """
import sys, time
import django
django.setup()
from django.core.management import call_command
columns = "customer=customer,kind=kind,at=occurred_at,event=external_id,properties=properties"
started = time.perf_counter()
choices = {"kind": "events", "columns": columns, "source": "bench", "currency": "EUR", "timezone": "UTC", "json": True}
call_command("import_orders", sys.argv[1], **choices)
print(time.perf_counter() - started)
from benchmarks.frame import peak_mb
print(peak_mb())
"""


def make_slices(rng: np.random.Generator, count: int, tag: str) -> Iterator[pl.DataFrame]:
    """`count` events, some at a time."""
    for first in range(0, count, SLICE):
        yield make_events(rng, min(SLICE, count - first), f"{tag}-{first}", CUSTOMERS)


def write_file(rng: np.random.Generator, count: int, path: Path, *, tag: str) -> None:
    """A file of `count` events, written slice by slice: Parquet or CSV, as it is called."""
    if path.suffix == ".parquet":
        write_parquet(make_slices(rng, count, tag), path)
        return
    with path.open("wb") as file:
        for number, events in enumerate(make_slices(rng, count, tag)):
            events.write_csv(file, include_header=not number, datetime_format="%Y-%m-%dT%H:%M:%SZ")


def write_parquet(frames: Iterator[pl.DataFrame], path: Path) -> None:
    """Frames of one shape, each a row group of the file."""
    first = next(frames).to_arrow()
    with pyarrow.parquet.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for frame in frames:
            writer.write_table(frame.to_arrow())


def import_alone(path: Path) -> tuple[float, float]:
    """Seconds of the import, and its peak memory in MB."""
    done = subprocess.run([sys.executable, "-c", IMPORT_ALONE, str(path)], check=True, capture_output=True, text=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)

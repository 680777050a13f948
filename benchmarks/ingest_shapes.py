"""Whether files of orders cost the same in every shape: 1,000,000 lines (`--quick` 100,000) as a shop exports them, all of one
customer (guests under one id), each of another customer, and the lines of each order scattered over the file.

An import keeps a customer whole in one transaction, and nothing is written before all is staged, so each shape is the worst for
another step. The peer is COPY and one upsert a table of the same lines, as in `ingest`; `worst_vs_copy` is its time over ours in
the worst shape, `worst_vs_usual` the time of the worst shape over that of the usual one, `peak_mb` the most memory of any.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.frame import parse_arguments, print_result, print_table, set_up_django
from benchmarks.ingest import copy_lines, import_alone, make_lines, settle

USUAL = "as exported"


def make_shapes(rng: np.random.Generator, count: int) -> dict[str, pl.DataFrame]:
    """Lines of orders by what their file is like; no two files name an article of each other."""
    usual, guests, strangers, scattered = (make_lines(rng, count, tag) for tag in "ugex")
    each = pl.int_range(strangers.height, eager=True).cast(pl.String)
    return {
        USUAL: usual,
        "all of one customer": guests.with_columns(customer=pl.lit("guest"), country=pl.lit("France")),
        "each of another customer": strangers.with_columns(customer="c" + each, order="e" + each),
        "scattered": scattered.sample(fraction=1, shuffle=True, seed=1),
    }


def main() -> None:
    """Measure all shapes, print a table, and one object in the last line."""
    arguments = parse_arguments(__doc__ or "", _add_count)
    set_up_django()
    count = arguments.more.count or (100_000 if arguments.quick else 1_000_000)
    shapes = make_shapes(np.random.default_rng(arguments.seed), count)
    ours, ratios, peaks = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="rk-shapes-") as folder:
        path = Path(folder) / "orders.csv"
        for number, (name, lines) in enumerate(shapes.items()):
            lines.write_csv(path)
            settle()
            peer = copy_lines(lines, f"peer{number}")
            settle()
            (ours[name],), peaks[name] = import_alone((path, f"ours{number}"))
            ratios[name] = peer / ours[name]
            print(f"{name}: peer {peer:.1f} s, import {ours[name]:.1f} s, {peaks[name]:.0f} MB", flush=True)
    print_table(
        f"Files of {count:,} lines of orders",
        {f"{name}, s": seconds for name, seconds in ours.items()}
        | {f"{name}: ratio to COPY and upserts": ratio for name, ratio in ratios.items()}
        | {f"{name}: peak memory, MB": peak for name, peak in peaks.items()},
    )
    print_result(
        arguments,
        size=count,
        worst_vs_copy=min(ratios.values()),
        worst_vs_usual=max(ours.values()) / ours[USUAL],
        peak_mb=max(peaks.values()),
        seconds={name: round(seconds, 2) for name, seconds in ours.items()},
    )


def _add_count(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=0, help="lines of each file")


if __name__ == "__main__":
    main()

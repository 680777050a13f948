"""Whether cost stays linear in the number of events: 100,000, 1,000,000 and 10,000,000 of them by file, 1,000,000 by the API.

Each size is a file of its own, imported by a process of its own into the same, growing table, and beside it the peer: COPY of
the same rows and one INSERT. `growth` is the time at ten times the rows over ten times the time, the worst of all steps, and
`growth_by_step` each of them; `peer_growth` is that of the peer, because a larger table costs both. The second size comes once
more as Parquet (`parquet_vs_copy`). The events of the API are sent in tenths: `api_growth` is the last tenth's time over the
first's. Rows are made in slices, so that memory does not grow with the size.

`--sizes 100000,1000000 --api 200000` takes other sizes. The full size takes some 40 minutes on two idle cores and 25 GB of disk.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks._event_files import import_alone, make_slices, write_file
from benchmarks.frame import parse_arguments, peak_mb, print_result, print_table, set_up_django
from benchmarks.ingest import copy_events, make_bodies, open_client, post_events


def measure_files(
    rng: np.random.Generator, sizes: list[int], kind: str = "csv"
) -> dict[int, tuple[float, float, float]]:
    """By size: seconds of the peer, seconds of the import, and its peak memory in MB."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="rk-growth-") as folder:
        path = Path(folder) / f"events.{kind}"
        for count in sizes:
            peer = sum(copy_events(events) for events in make_slices(rng, count, f"p{kind}{count}"))
            write_file(rng, count, path, tag=f"f{kind}{count}")
            seconds, peak = import_alone(path)
            path.unlink()
            found[count] = (peer, seconds, peak)
            print(f"{count:,} events by {kind}: peer {peer:.1f} s, import {seconds:.1f} s, {peak:.0f} MB", flush=True)
    return found


def measure_api(rng: np.random.Generator, count: int) -> tuple[float, list[float]]:
    """Seconds of the peer, and those of each tenth of the events by requests of 1,000."""
    client = open_client()
    peer = sum(copy_events(events) for events in make_slices(rng, count, "api-peer"))
    tenths = []
    for number in range(10):
        slices = make_slices(rng, max(1, count // 10), f"api{number}")
        tenths.append(sum(post_events(client, make_bodies(events)) for events in slices))
    return peer, tenths


def growth_by_step(seconds: list[tuple[int, float]]) -> dict[str, float]:
    """Of the steps from one size to the next: 1 is linear, less is better."""
    return {
        f"{some:,} to {more:,}": round((later / first) / (more / some), 4)
        for (some, first), (more, later) in pairwise(seconds)
    }


def main() -> None:
    """Measure files and API, print a table, and the object of bar.md in the last line."""
    arguments = parse_arguments(__doc__ or "", _add_sizes)
    set_up_django()
    rng = np.random.default_rng(arguments.seed)
    sizes = arguments.more.sizes or ([10_000, 100_000] if arguments.quick else [100_000, 1_000_000, 10_000_000])
    by_api = arguments.more.api or (50_000 if arguments.quick else 1_000_000)
    api_peer, tenths = measure_api(rng, by_api)
    files = measure_files(rng, sizes[:2])
    parquet_size, (parquet_peer, parquet, parquet_peak) = measure_files(rng, sizes[:2][-1:], "parquet").popitem()
    files |= measure_files(rng, sizes[2:])
    peer_growth = growth_by_step([(count, peer) for count, (peer, _ours, _peak) in files.items()])
    file_growth = growth_by_step([(count, ours) for count, (_peer, ours, _peak) in files.items()])
    api_growth = tenths[-1] / tenths[0]
    rows: dict[str, object] = {f"file of {count:,} events, s": ours for count, (_peer, ours, _peak) in files.items()}
    rows |= {f"COPY and INSERT of {count:,} events, s": peer for count, (peer, _ours, _peak) in files.items()}
    rows |= {f"file: growth, {step}": step_growth for step, step_growth in file_growth.items()}
    rows |= {f"COPY: growth, {step}": step_growth for step, step_growth in peer_growth.items()}
    rows |= {
        f"Parquet of {parquet_size:,} events, s": parquet,
        "Parquet: ratio to COPY and INSERT": parquet_peer / parquet,
        f"API: {by_api:,} events, s": sum(tenths),
        "API: events a second": by_api / sum(tenths),
        "API: last tenth over first": api_growth,
    }
    print_table("Growth", rows)
    print_result(
        arguments,
        size={"files": sizes, "api": by_api},
        growth=max(file_growth.values(), default=1.0),
        growth_by_step=file_growth,
        peer_growth=max(peer_growth.values(), default=1.0),
        api_growth=api_growth,
        api_vs_copy=api_peer / sum(tenths),
        csv_vs_copy={str(count): round(peer / ours, 4) for count, (peer, ours, _peak) in files.items()},
        csv_peak_mb=max(peak for _peer, _ours, peak in files.values()),
        parquet_vs_copy=parquet_peer / parquet,
        parquet_peak_mb=parquet_peak,
        bench_peak_mb=peak_mb(),
    )


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=_read_sizes, default=[], help="sizes of the files, rising: 100000,1000000")
    parser.add_argument("--api", type=int, default=0, help="events by the API")


def _read_sizes(text: str) -> list[int]:
    sizes = [int(part) for part in text.split(",")]
    if sizes != sorted(set(sizes)) or sizes[0] < 1:
        raise argparse.ArgumentTypeError("sizes rise")
    return sizes


if __name__ == "__main__":
    main()

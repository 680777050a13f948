"""The arithmetic of the growth of an import."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks._event_files import SLICE, write_file
from benchmarks.ingest_growth import _read_sizes, growth_by_step


def test_each_step_is_told_and_linear_is_one() -> None:
    assert growth_by_step([(100, 1.0), (1_000, 10.0), (10_000, 200.0)]) == {"100 to 1,000": 1.0, "1,000 to 10,000": 2.0}
    assert growth_by_step([(100, 1.0), (1_000, 5.0)]) == {"100 to 1,000": 0.5}
    assert growth_by_step([(100, 1.0)]) == {}


def test_sizes_rise() -> None:
    assert _read_sizes("10,100") == [10, 100]
    for wrong in ("100,10", "5,5", "0,10"):
        with pytest.raises(argparse.ArgumentTypeError):
            _read_sizes(wrong)


def test_a_file_is_written_in_slices_and_names_each_event_once(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    write_file(np.random.default_rng(1), SLICE + 10, path, tag="t")
    written = pl.read_csv(path)
    assert written.height == SLICE + 10 == written["external_id"].n_unique()
    assert written.columns == ["external_id", "customer", "kind", "occurred_at", "properties"]

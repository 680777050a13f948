"""The arithmetic of the growth of an import."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks._event_files import SLICE, write_file
from benchmarks.ingest_growth import _read_sizes, growth


def test_the_worst_step_counts_and_linear_is_one() -> None:
    assert growth([(100, 1.0), (1_000, 10.0), (10_000, 100.0)]) == 1.0
    assert growth([(100, 1.0), (1_000, 5.0), (10_000, 100.0)]) == 2.0
    assert growth([(100, 1.0)]) == 1.0


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

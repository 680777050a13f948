"""The fault table at a small size: real engines, workers, beats and sinks; `./rekindle faults` runs it at its full one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from .workers import ROOT

Figures = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> Figures:
    """Every row once, one after the other on one stage."""
    asked = "kills,pauses,launches,unsubscribes,events,caps,nights,restore"
    command = [sys.executable, "-m", "tests.faults.run", "--small", "--rows", asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    assert said and said[-1].startswith("{"), done.stdout + done.stderr
    print(done.stdout, done.stderr)  # what pytest shows of a row that is not right
    figures: Figures = json.loads(said[-1])
    assert (figures["doubled"], figures["lost"]) == (0, 0)
    return dict(figures["rows"])


@pytest.mark.slow
def test_a_killed_worker_a_flushed_broker_and_five_restarts_of_the_database_double_and_lose_nothing(
    rows: Figures,
) -> None:
    row = rows["kills"]
    assert (row["kills"], row["flushes"], row["restarts"]) == (1, 1, 5)
    assert (row["doubled"], row["lost"]) == (0, 0)
    assert row["unknown"] <= row["connections"] * (row["kills"] + row["restarts"])
    assert row["broker_resumed_s"] <= 60 and row["database_resumed_s"] <= 30, "bar.md's limits, ten times what it takes"
    assert row["is_right"]


@pytest.mark.slow
def test_fifty_pauses_and_stopped_workers_go_on_exactly_where_they_stopped(rows: Figures) -> None:
    row = rows["pauses"]
    assert (row["pauses"], row["stops"]) == (50, 2)
    assert (row["doubled"], row["lost"], row["unknown"], row["sent_in_pauses"]) == (0, 0, 0, 0)
    assert row["is_right"], "drained within 25 s"


@pytest.mark.slow
def test_two_beats_fifty_launches_and_a_double_click_are_one_run(rows: Figures) -> None:
    row = rows["launches"]
    assert (row["launches"], row["beats"], len(row["clicks"])) == (50, 2, 2)
    assert (row["runs"], row["runs_by_beats"]) == (1, 1)
    assert (row["doubled"], row["lost"]) == (0, 0) and row["is_right"]


@pytest.mark.slow
def test_nobody_is_written_to_later_than_a_second_after_unsubscribing(rows: Figures) -> None:
    row = rows["unsubscribes"]
    assert row["late"] == 0 and row["refused"] == 0
    assert row["spared"] + row["written_to_before"] == row["unsubscribes"] == 60
    assert row["is_right"]


@pytest.mark.slow
def test_copies_of_a_provider_s_events_count_once_and_take_nothing_back(rows: Figures) -> None:
    row = rows["events"]
    assert row["copies"] > row["events"] > 0
    assert (row["counted_twice"], row["missing"], row["wrong_states"], row["steps_back"]) == (0, 0, 0, 0)
    assert row["is_right"]


@pytest.mark.slow
def test_overlapping_campaigns_exceed_nobody_s_cap(rows: Figures) -> None:
    row = rows["caps"]
    assert row["exceeded"] == 0 and row["capped"] > 0 and row["is_right"]


@pytest.mark.slow
def test_a_restored_dump_sends_nothing_before_a_person_confirms_and_then_the_rest(rows: Figures) -> None:
    row = rows["restore"]
    assert (row["before_confirmation"], row["doubled"], row["lost"], row["again"]) == (0, 0, 0, 0)
    assert row["sent_since_dump"] > 0 and row["rest"] > 0
    assert row["is_right"]


@pytest.mark.slow
def test_nobody_is_written_to_in_their_quiet_hours_or_after_their_window(rows: Figures) -> None:
    row = rows["nights"]
    assert (row["in_quiet_hours"], row["late"], row["exceeded"], row["doubled"]) == (0, 0, 0, 0)
    assert row["waited_for_morning"] > 0 and row["missed"] > 0 and row["is_right"]

"""The stability index and the judgement of past scores, against plain computations and known truths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from customers.scoring.drift import BINS, MOVED_FROM, judge_past_scores, measure_shift


def plain_index(then: list[float], now: list[float]) -> float:
    """The index once more, value by value, for samples with at most ten different values that are all known."""
    values = sorted(set(then) | set(now))
    total = 0.0
    for value in values:
        before = (then.count(value) + 0.5) / (len(then) + 0.5 * len(values))
        after = (now.count(value) + 0.5) / (len(now) + 0.5 * len(values))
        total += (after - before) * math.log(after / before)
    return total


def test_few_values_agree_with_the_sum_written_out() -> None:
    rng = np.random.default_rng(1)
    then, now = rng.integers(0, 5, 400).astype(float), rng.integers(0, 4, 300).astype(float)
    now[:10] = 4.0
    assert measure_shift(then, now).psi == pytest.approx(plain_index(list(then), list(now)), abs=5e-5)


def test_the_same_sample_has_not_moved_at_all() -> None:
    values = np.random.default_rng(2).normal(size=500)
    shift = measure_shift(values, values)
    assert (shift.psi, shift.verdict) == (0.0, "steady")


def test_noise_is_what_two_samples_of_one_population_stay_below_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    shifts = [measure_shift(rng.normal(size=2_000), rng.normal(size=1_500)) for _ in range(400)]
    below = sum(shift.psi < shift.noise for shift in shifts) / 400
    assert 0.92 < below < 0.98


def test_a_shift_of_a_whole_deviation_is_called_moved() -> None:
    rng = np.random.default_rng(4)
    shift = measure_shift(rng.normal(size=3_000), rng.normal(1.0, size=3_000))
    # Analytically the index of two normals one deviation apart is 1; ten bins see a little less of it.
    assert 0.8 < shift.psi < 1.0
    assert shift.verdict == "moved"


def test_a_small_sample_needs_more_than_the_usual_limit() -> None:
    rng = np.random.default_rng(5)
    shifts = [measure_shift(rng.normal(size=60), rng.normal(size=40)) for _ in range(100)]
    assert sum(shift.psi >= MOVED_FROM for shift in shifts) > 20
    assert sum(shift.verdict != "steady" for shift in shifts) < 20


def test_values_that_became_unknown_are_a_shift() -> None:
    known = np.random.default_rng(6).normal(size=1_000)
    lost = np.where(np.arange(1_000) < 600, np.nan, known)
    assert measure_shift(known, lost).verdict == "moved"
    assert measure_shift(np.full(1_000, np.nan), np.full(900, np.nan)).psi == 0


def test_an_empty_bin_gives_a_finite_figure() -> None:
    shift = measure_shift(np.zeros(500), np.ones(500))
    assert math.isfinite(shift.psi)
    assert shift.verdict == "steady" or shift.psi > MOVED_FROM


def test_a_constant_that_changes_is_seen() -> None:
    assert measure_shift(np.repeat([0.0, 1.0], [999, 1]), np.repeat([0.0, 1.0], [500, 500])).verdict == "moved"


def test_nobody_has_not_moved() -> None:
    assert measure_shift(np.empty(0), np.ones(5)).verdict == "steady"


def test_scores_that_came_true_are_as_said() -> None:
    rng = np.random.default_rng(7)
    p = rng.uniform(size=5_000)
    judged = judge_past_scores(p, (rng.uniform(size=5_000) < p).astype(float))
    assert judged is not None
    assert judged.verdict == "as_said"
    assert judged.low < judged.expected < judged.high
    assert judged.calibration_error < 0.03
    assert sum(int(row["customers"]) for row in judged.bins) == 5_000
    assert len(judged.bins) == BINS


def test_scores_that_said_too_little_are_off() -> None:
    rng = np.random.default_rng(8)
    p = rng.uniform(0.1, 0.6, size=2_000)
    judged = judge_past_scores(p, (rng.uniform(size=2_000) < p + 0.15).astype(float))
    assert judged is not None
    assert judged.verdict == "off"
    assert judged.observed - judged.expected == pytest.approx(0.15, abs=0.04)


def test_a_few_people_prove_nothing() -> None:
    assert judge_past_scores(np.full(29, 0.5), np.ones(29)) is None

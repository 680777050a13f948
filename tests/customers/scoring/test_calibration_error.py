"""The interval of the calibration error holds the truth: a shop whose true error is known, drawn again and again."""

from __future__ import annotations

import numpy as np
import pytest

from customers.scoring.calibration_error import bound_error, place_in_bins, sum_errors
from customers.scoring.evaluation import draw_resamples, evaluate_predictions

SHOPS = 120


def to_probability(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def find_true_error(shift: float) -> float:
    """Of predictions that are off by `shift` in log-odds, on very many customers."""
    logit = np.random.default_rng(9).normal(size=200_000)
    said, true = to_probability(logit), to_probability(logit + shift)
    return float(sum_errors(true, said, np.ones((1, len(said))))[0]) / len(said)


@pytest.mark.parametrize(("customers", "shift"), [(3_000, 0.0), (3_000, 0.1), (3_000, 0.3), (400, 0.0), (400, 0.4)])
def test_nineteen_of_twenty_intervals_hold_the_true_error(customers: int, shift: float) -> None:
    truth, rng = find_true_error(shift), np.random.default_rng(3)
    held = 0
    for shop in range(SHOPS):
        logit = rng.normal(size=customers)
        p, y = to_probability(logit), (rng.random(customers) < to_probability(logit + shift)).astype(float)
        error = float(sum_errors(y, p, np.ones((1, customers)))[0]) / customers
        resamples = draw_resamples(y, seed=shop, replicates=60)
        drawn = np.concatenate([sum_errors(y, p, weights) / customers for weights in resamples])

        low, high = bound_error(error, drawn, p, seed=shop)

        assert 0 <= low <= error <= high
        held += low <= truth <= high
    assert held / SHOPS >= 0.9


def test_the_interval_that_is_shown_holds_the_figure() -> None:
    """With percentiles of resamples alone it did not."""
    rng = np.random.default_rng(1)
    p = rng.uniform(size=500)
    y = (rng.random(500) < p).astype(float)

    shown = evaluate_predictions(y, {"right": p}, baseline="right", seed=0, replicates=50)["right"].figures["ece"]

    assert shown.low == 0
    assert shown.low <= shown.value <= shown.high


def test_predictions_that_are_alike_share_a_bin() -> None:
    place = place_in_bins(np.array([0.2] * 9 + [0.7]))

    assert len(set(place[:9])) == 1
    assert place[9] > place[0]
    assert len(set(place_in_bins(np.full(50, 0.3)))) == 1

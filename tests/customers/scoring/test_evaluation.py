from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from customers.scoring.evaluation import (
    METRICS,
    bin_calibration,
    bin_scores,
    evaluate_predictions,
    judge_predictions,
    normalised_gini,
    roc_auc,
    tell_gain,
)


def simulate(n: int = 900, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.clip(np.round(rng.beta(1.5, 1.0, n), 2), 0.01, 0.99)
    return (rng.random(n) < p).astype(float), p


def test_figures_agree_with_scikit_learn() -> None:
    y, p = simulate()

    figures = evaluate_predictions(y, {"p": p}, baseline="p", seed=1, replicates=20)["p"].figures

    assert figures["auc"].value == pytest.approx(roc_auc_score(y, p))
    assert figures["pr_auc"].value == pytest.approx(average_precision_score(y, p))
    assert figures["log_loss"].value == pytest.approx(log_loss(y, p))
    assert figures["brier"].value == pytest.approx(brier_score_loss(y, p))
    assert roc_auc(y, p) == figures["auc"].value


def test_a_resample_is_measured_like_the_rows_it_repeats() -> None:
    from customers.scoring.evaluation import _measure

    y, p = simulate(200)
    picks = np.random.default_rng(0).integers(0, 200, 200)
    weights = np.bincount(picks, minlength=200).astype(float)[None, :]

    weighted = _measure(y, p, weights)

    assert weighted["auc"][0] == pytest.approx(roc_auc_score(y[picks], p[picks]))
    assert weighted["pr_auc"][0] == pytest.approx(average_precision_score(y[picks], p[picks]))
    assert weighted["brier"][0] == pytest.approx(brier_score_loss(y[picks], p[picks]))


def test_capture_in_the_top_tenth_of_a_perfect_ranking() -> None:
    y = np.array([1.0] * 30 + [0.0] * 70)
    p = np.linspace(1, 0, 100)

    lift = evaluate_predictions(y, {"p": p}, baseline="p", seed=1, replicates=5)["p"].figures["lift10"]

    assert lift.value == pytest.approx(1 / 0.3)


def test_ties_at_the_border_of_the_top_tenth_are_split_evenly() -> None:
    y = np.array([1.0, 0.0] * 50)

    lift = evaluate_predictions(y, {"p": np.full(100, 0.5)}, baseline="p", seed=1, replicates=5)["p"].figures["lift10"]

    assert lift.value == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_intervals() -> None:
    y, p = simulate()
    predictions = {"p": p, "rule": np.round(p, 1)}

    first = evaluate_predictions(y, predictions, baseline="rule", seed=5, replicates=50)
    second = evaluate_predictions(y, predictions, baseline="rule", seed=5, replicates=50)

    assert first == second


def test_intervals_contain_the_figure_and_shrink_with_more_customers() -> None:
    widths = []
    for n in (300, 5_000):
        y, p = simulate(n)
        figures = evaluate_predictions(y, {"p": p}, baseline="p", seed=2, replicates=100)["p"].figures
        for metric in ("auc", "pr_auc", "log_loss", "brier", "lift10"):
            assert figures[metric].low <= figures[metric].value <= figures[metric].high
        widths.append(figures["auc"].high - figures["auc"].low)
    assert widths[1] < widths[0] / 2


def test_intervals_of_auc_cover_the_truth_about_95_times_in_100() -> None:
    """Truth: P(leaver ranks above stayer) of a very large draw from the same distribution."""
    truth = roc_auc(*simulate(200_000, seed=99))
    covered = 0
    for seed in range(100):
        y, p = simulate(400, seed=seed)
        auc = evaluate_predictions(y, {"p": p}, baseline="p", seed=seed, replicates=100)["p"].figures["auc"]
        covered += auc.low <= truth <= auc.high

    assert covered >= 88


def test_noise_does_not_beat_the_baseline() -> None:
    y, p = simulate()
    noisy = np.clip(p + np.random.default_rng(0).normal(0, 0.02, len(p)), 0.01, 0.99)

    found = evaluate_predictions(y, {"rule": p, "noisy": noisy}, baseline="rule", seed=1, replicates=200)

    assert not found["noisy"].beats_baseline
    assert not found["rule"].beats_baseline


def test_one_outcome_alone_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="left and customers who stayed"):
        evaluate_predictions(np.ones(50), {"p": np.full(50, 0.5)}, baseline="p", seed=1)


def test_json_has_every_metric_with_its_interval() -> None:
    y, p = simulate(200)
    told = evaluate_predictions(y, {"p": p}, baseline="p", seed=1, replicates=10)["p"].to_json()

    assert all(metric in told and len(told["intervals"][metric]) == 2 for metric in METRICS)


def test_bins_count_everybody_once() -> None:
    y, p = simulate(500)
    p[0], p[1] = 1.0, 0.0

    scores, calibration = bin_scores(y, p), bin_calibration(y, p)

    assert sum(row["leavers"] for row in scores) == y.sum()
    assert sum(row["leavers"] + row["stayers"] for row in scores) == len(y)
    assert sum(row["customers"] for row in calibration) == len(y)
    assert all(row["low"] <= row["observed"] <= row["high"] for row in calibration)


def test_a_gain_is_a_win_a_tie_or_a_loss_by_its_paired_interval() -> None:
    y, p = simulate()
    noise = np.random.default_rng(1).random(len(y))
    said = {"good": p, "same": p * 0.5, "noise": noise}

    _, gains = judge_predictions(y, said, baseline="same", chosen="good", seed=0, replicates=100)
    _, losses = judge_predictions(y, said, baseline="same", chosen="noise", seed=0, replicates=100)

    assert gains.keys() == {"same", "noise"}
    assert [tell_gain(gains["noise"]), tell_gain(gains["same"]), tell_gain(losses["good"])] == ["win", "tie", "loss"]
    assert gains["noise"].value == pytest.approx(roc_auc(y, p) - roc_auc(y, noise))
    single = evaluate_predictions(y, said, baseline="noise", seed=0, replicates=100)["good"].auc_gain
    assert gains["noise"] == single


def test_the_normalised_gini_is_one_for_the_best_order_and_nought_for_chance() -> None:
    rng = np.random.default_rng(0)
    spent = rng.gamma(0.5, 100, 5_000) * (rng.random(5_000) < 0.4)

    assert normalised_gini(spent, spent) == 1
    assert normalised_gini(spent, np.sqrt(spent) + 3) == 1
    assert normalised_gini(spent, rng.random(5_000)) == pytest.approx(0, abs=0.05)
    assert normalised_gini(spent, -spent) < -0.5
    assert normalised_gini(np.zeros(10), rng.random(10)) == 0

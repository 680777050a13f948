"""Qini and uplift among the best, against a plain loop over people, and on scores whose worth is known."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.outcomes.experiment.ranking import judge_rankings


def _loop_over_people(score: np.ndarray, y: np.ndarray, treated: np.ndarray) -> tuple[float, float]:
    """Qini with a step for each person, and uplift@30%, without any of the arrays of the other implementation."""
    order = sorted(range(len(y)), key=lambda i: -score[i])
    n1 = n0 = y1 = y0 = area = before = 0.0
    whole = float(treated.sum())
    for i in order:
        n1, y1 = n1 + treated[i], y1 + treated[i] * y[i]
        n0, y0 = n0 + (not treated[i]), y0 + (not treated[i]) * y[i]
        now = (y1 - (y0 * n1 / n0 if n0 else y1 * 0)) / whole
        area, before = area + (now + before) / 2 / len(y), now
    best = order[: round(0.3 * len(y))]
    top1, top0 = [y[i] for i in best if treated[i]], [y[i] for i in best if not treated[i]]
    return area - before / 2, float(np.mean(top1) - np.mean(top0))


def _draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those with a high x are moved by up to 0.4, those with a low one not at all."""
    random = np.random.default_rng(seed)
    x, treated = random.random(n), random.random(n) < 0.5
    y = (random.random(n) < 0.2 + 0.4 * treated * np.clip(2 * x - 1, 0, 1)).astype(float)
    return x, y, treated


def test_agrees_with_a_loop_over_people() -> None:
    x, y, treated = _draw(2000, 1)
    found = judge_rankings({"response": x}, y, treated, seed=0, replicates=2)["response"]
    qini, uplift = _loop_over_people(x, y, treated)
    assert found.qini.value == pytest.approx(qini, abs=2e-4)
    assert found.uplift_at_30.value == pytest.approx(uplift, abs=1e-12)


def test_a_good_score_is_worth_something_a_random_one_nothing_and_a_turned_one_less() -> None:
    x, y, treated = _draw(20_000, 2)
    scores = {"response": x, "random": np.random.default_rng(9).random(20_000), "turned": -x}
    found = judge_rankings(scores, y, treated, seed=0)
    assert found["response"].qini.low > 0
    assert found["random"].qini.low < 0 < found["random"].qini.high
    assert found["turned"].qini.high < 0
    assert found["random"].against_response.high < 0
    # Among the best 30 % (x above 0.7) the true effect is 0.4 x (2 x 0.85 - 1).
    top = found["response"].uplift_at_30
    assert top.low < 0.28 < top.high


def test_scores_that_are_all_the_same_are_a_random_order() -> None:
    _x, y, treated = _draw(5000, 3)
    found = judge_rankings({"response": np.zeros(5000)}, y, treated, seed=0, replicates=50)["response"]
    assert abs(found.qini.value) < 0.01


def test_the_interval_covers_what_the_score_is_worth() -> None:
    """Over many experiments with the same score: the mean of all is what it is worth."""
    runs = []
    for seed in range(150):
        x, y, treated = _draw(1500, 100 + seed)
        runs.append(judge_rankings({"response": x}, y, treated, seed=seed, replicates=60)["response"])
    for figure in ("qini", "uplift_at_30"):
        intervals = [getattr(run, figure) for run in runs]
        worth = np.mean([each.value for each in intervals])
        assert np.mean([each.low <= worth <= each.high for each in intervals]) > 0.88

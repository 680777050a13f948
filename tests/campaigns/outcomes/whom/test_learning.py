"""What is learned from a pool ranks people it has not seen, can be kept, and says no more than it knows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campaigns.outcomes.experiment.fitted import Constant, load_curve
from campaigns.outcomes.experiment.pairs import find_penalty, fit_slopes, learn_basis
from campaigns.outcomes.whom.learning import Learned, Ranker, learn_pool
from tests.campaigns.outcomes.whom.pools import draw_pool


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn_pool(draw_pool(3000, seed=1)[0], replicates=40)


def test_it_ranks_people_whom_it_has_not_seen(learned: Learned) -> None:
    others, moved = draw_pool(3000, seed=2)
    score = learned.ranker.score(others.x)
    assert learned.figures["learner"] != "response"
    assert moved[score >= learned.ranker.cuts[0]].mean() > 0.2
    assert moved[score < learned.ranker.cuts[-1]].mean() < 0
    assert json.loads(json.dumps(learned.figures)) == learned.figures
    effect = learned.figures["effect"]
    assert effect["low"] < draw_pool(3000, seed=1)[1].mean() < effect["high"]


def test_what_is_kept_says_the_same(learned: Learned) -> None:
    again = Ranker.from_bytes(learned.ranker.to_bytes())
    x = draw_pool(500, seed=3)[0].x
    assert np.allclose(again.score(x), learned.ranker.score(x))
    assert (again.names, again.cuts) == (learned.ranker.names, learned.ranker.cuts)
    with pytest.raises(ValueError, match="learn again"):
        Ranker.from_bytes(b"nonsense")
    with pytest.raises(ValueError, match="no curve"):
        load_curve({"something": 1})


def test_the_regression_finds_what_only_a_product_says() -> None:
    random = np.random.default_rng(8)
    x = np.column_stack([random.integers(1, 3, 3000), random.integers(1, 5, 3000), random.normal(size=3000)]).astype(
        float
    )
    both = (x[:, 0] == 2) & np.isin(x[:, 1], (1, 3))
    y = (random.random(3000) < np.where(both, 0.4, 0.1)).astype(float)
    penalty, loss = find_penalty(x, y, np.ones(3000), is_logistic=True, folds=4, seed=0)
    basis = learn_basis(x)
    slopes = fit_slopes(basis.expand(x), y, np.ones(3000), penalty=penalty, is_logistic=True)
    said = 1 / (1 + np.exp(-(slopes[0] + basis.expand(x) @ slopes[1:])))
    assert said[both].mean() == pytest.approx(0.4, abs=0.05) and said[~both].mean() == pytest.approx(0.1, abs=0.03)
    assert loss < -(y.mean() * np.log(y.mean()) + (1 - y.mean()) * np.log(1 - y.mean()))


def test_slopes_are_where_the_loss_is_least() -> None:
    random = np.random.default_rng(5)
    z = random.normal(size=(400, 3))
    y = (random.random(400) < 1 / (1 + np.exp(2 - z[:, 0]))).astype(float)
    weight = random.random(400) + 0.5
    slopes = fit_slopes(z, y, weight, penalty=10.0, is_logistic=True)
    said = 1 / (1 + np.exp(-(slopes[0] + z @ slopes[1:])))
    assert weight @ (said - y) == pytest.approx(0, abs=1e-3)
    assert (weight * (said - y)) @ z + 10 * slopes[1:] == pytest.approx(np.zeros(3), abs=1e-3)


def test_where_too_little_is_known_everybody_is_the_same() -> None:
    assert (load_curve(Constant(0.4).to_dict())(np.zeros((3, 2))) == 0.4).all()

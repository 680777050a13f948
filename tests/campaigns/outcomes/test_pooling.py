"""The mean over campaigns: against the published figures of the thirteen trials of BCG vaccine, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from campaigns.outcomes.pooling import pool_effects

#: Cases and non-cases, vaccinated and not (Colditz et al., JAMA 271, 1994).
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip


def test_the_bcg_trials_give_the_published_figures() -> None:
    effects = [math.log(a / (a + b) / (c / (c + d))) for a, b, c, d in BCG]
    errors = [math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)) for a, b, c, d in BCG]
    found = pool_effects(effects, errors)
    assert found is not None
    assert found.effect == pytest.approx(-0.7141, abs=5e-5)
    assert found.tau**2 == pytest.approx(0.3088, abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-4)
    assert found.i_squared == pytest.approx(0.9212, abs=5e-5)
    assert found.low < -0.7141 - 1.96 * 0.17 < found.effect < found.high < 0
    assert found.next_low is not None
    assert found.next_low < found.low


def test_campaigns_that_agree_differ_by_nothing_but_chance() -> None:
    found = pool_effects([2.0, 2.1, 1.9], [1.0, 1.2, 0.9])
    assert found is not None
    assert (found.tau, found.i_squared) == (0.0, 0.0)
    assert found.error == pytest.approx(1 / math.sqrt(1 + 1 / 1.2**2 + 1 / 0.9**2))


def test_one_campaign_is_no_group_and_an_effect_without_doubt_is_refused() -> None:
    assert pool_effects([1.0], [0.5]) is None
    with pytest.raises(ValueError, match="standard error"):
        pool_effects([1.0, 2.0], [0.5, 0.0])


def test_the_interval_covers_the_mean_of_few_and_different_campaigns() -> None:
    rng, covered = np.random.default_rng(11), 0
    for _shop in range(1_000):
        errors = rng.uniform(0.5, 2.0, 6)
        effects = rng.normal(1.5, 1.0, 6) + rng.normal(0, errors)
        found = pool_effects(effects.tolist(), errors.tolist())
        covered += found is not None and found.low <= 1.5 <= found.high
    assert covered / 1_000 >= 0.93

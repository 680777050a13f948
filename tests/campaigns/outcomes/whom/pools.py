"""Pools of people whose truth is known."""

from __future__ import annotations

import numpy as np

from campaigns.outcomes.whom.pool import Pool


def draw_pool(n: int, *, seed: int, effect: float = 0.3, harm: float = -0.2) -> tuple[Pool, np.ndarray]:
    """Three campaigns that held out a half, a third and a fifth; the pool and each person's true effect.

    Of the covariates the first says who gains (above 0.6) and who loses (below 0.2), the second who orders anyhow.
    """
    random = np.random.default_rng(seed)
    x = random.random((n, 3))
    stratum = random.integers(0, 3, n)
    treated = random.random(n) < np.array([0.5, 2 / 3, 0.8])[stratum]
    moved = np.where(x[:, 0] > 0.6, effect, np.where(x[:, 0] < 0.2, harm, 0.0))
    base = 0.2 + 0.4 * (x[:, 1] > 0.5) + 0.05 * stratum
    kept = (random.random(n) < base + moved * treated).astype(float)
    gross = kept * random.gamma(4, 15, n)
    discount = np.where(treated, 0.2 * gross, 0.0)
    # Two rows each, so that a customer is in more than one campaign.
    pool = Pool(("gains", "orders", "noise"), x, treated, stratum, np.arange(n) // 2, kept, gross, discount, np.ones(n))
    return pool, moved

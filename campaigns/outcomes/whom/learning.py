"""Learns from a pool whom a message moves, and judges what was learned on people it has not seen. No Django here."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from campaigns.outcomes.experiment.crossfit import FOLDS, cross_fit
from campaigns.outcomes.experiment.effects import winsorise
from campaigns.outcomes.experiment.fitted import Curve, load_curve
from campaigns.outcomes.experiment.learners import fit_models
from campaigns.outcomes.lift import CONFIDENCE

from .bands import bound_mean, compare_halves, make_bands
from .judging import choose_learner, judge_learners
from .pool import Array, Pool, find_gains, find_rates
from .profit import sum_profit

FORMAT = 1


@dataclass(frozen=True)
class Learned:
    """What ranks people, and what is known of how well. `figures` is JSON."""

    ranker: Ranker
    figures: dict[str, Any]


@dataclass(frozen=True)
class Ranker:
    """Scores people by their covariates, in the order of `names`: the higher, the more is gained by writing to them.

    `cuts` are the scores from which on somebody is in each band, the first band first and without the last one's.
    """

    names: tuple[str, ...]
    score: Curve
    cuts: tuple[float, ...]

    def to_bytes(self) -> bytes:
        """Compressed JSON: reading it runs no code."""
        stored = {"format": FORMAT, "names": self.names, "score": self.score.to_dict(), "cuts": self.cuts}
        return zlib.compress(json.dumps(stored).encode())

    @classmethod
    def from_bytes(cls, artifact: bytes) -> Ranker:
        """Raises ValueError for bytes of another format."""
        try:
            stored = json.loads(zlib.decompress(artifact))
        except zlib.error as broken:
            raise ValueError(f"this artifact cannot be read ({broken}): learn again") from broken
        if stored.get("format") != FORMAT:
            raise ValueError(f"this artifact has format {stored.get('format')!r}, not {FORMAT}: learn again")
        return cls(tuple(stored["names"]), load_curve(stored["score"]), tuple(stored["cuts"]))


def learn_pool(pool: Pool, *, seed: int = 0, replicates: int = 200) -> Learned:
    """Cross-fitted by customer; both arms need people who ordered and people who did not."""
    arm = pool.treated.astype(np.int64)
    share = pool.find_propensity()
    propensity = np.where(pool.treated, share, 1 - share) / pool.weight
    fold = pool.draw_folds(FOLDS)
    fit = cross_fit(pool.x, pool.kept, arm, 2, seed=seed, drawn=[fold], propensity=propensity)
    gains = find_gains(pool, pool.kept, fit.outcomes)
    scores = {name: values[:, 0] for name, values in fit.scores.items()}
    judged = judge_learners(pool, gains, scores, seed=seed, replicates=replicates)
    learner = choose_learner(judged)
    models = fit_models(pool.x, pool.kept, arm, 2, sizes=dict(fit.sizes), seed=seed, propensity=propensity)
    curve = models.scores[learner][0]
    rates = find_rates(pool, pool.kept, fit.outcomes[:, 0])
    bands = make_bands(pool, scores[learner], gains, rates, curve(pool.x))
    gross, cap = _cut_amounts(pool.gross)
    sums = sum_profit(
        pool, scores[learner], find_gains(pool, gross), find_gains(pool, np.minimum(pool.discount, gross.max())), fold
    )
    everybody = np.ones(pool.n, dtype=np.bool_)
    figures = {
        "rows": pool.n,
        "customers": len(np.unique(pool.customer)),
        "treated": int(pool.treated.sum()),
        "held_out": int((~pool.treated).sum()),
        "effect": asdict(bound_mean(pool, gains, everybody, CONFIDENCE)),
        "rate": asdict(bound_mean(pool, rates, everybody, CONFIDENCE)),
        "learners": {name: asdict(each) for name, each in judged.items()},
        "learner": learner,
        "halves": {"difference": asdict(compare_halves(pool, scores[learner], gains))},
        "bands": [band.to_json() | {"cut": band.cut if np.isfinite(band.cut) else None} for band in bands],
        "cap": cap,
        "profit": sums,
        "sizes": {name: list(size) for name, size in fit.sizes.items()},
    }
    ranker = Ranker(pool.names, curve, tuple(band.cut for band in bands[:-1]))
    return Learned(ranker, figures)


def _cut_amounts(amounts: Array) -> tuple[Array, float | None]:
    """Large amounts cut, as everywhere: a single order of a wholesaler must not decide whom to write to."""
    found = winsorise(amounts)
    return (amounts, None) if found is None else (found.y, found.cap)

"""Shares of texts that shift to what works, and an honest comparison of texts that were given in such shares. No Django here.

Thompson sampling in batches (Thompson, Biometrika 25, 1933; Chapelle and Li, NIPS 2011): each text is given with the
probability that it is the best one, by Beta posteriors of the shares that ordered, mixed with a floor. The floor keeps every
text in play and every probability away from nought, which the comparison needs.

Adding up who ordered per text would compare people of different weeks: a text that was given more in good weeks looks better.
So each person is weighted by one over the probability that was written down when they were drawn (Horvitz and Thompson, JASA
47, 1952), after taking off what was expected of them before their batch: each batch's sum is then right on average whatever
came before, a martingale, to which the sequences of `audience.any_look` apply as they stand (Waudby-Smith et al. 2024).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from campaigns.audience.any_look import LEAST_EVENTS, Look, Plan, bound_at_any_look, share_confidence

from .lift import CONFIDENCE
from .text_standing import Standing, TextArm

#: No text is given with a smaller probability (of more than five texts: half of an even share).
FLOOR = 0.1
_SAMPLES = 4_000


@dataclass(frozen=True)
class Batch:
    """The people of one batch of draws: for each text with which probability it was given, and who got it."""

    shares: Sequence[float]
    arms: Sequence[TextArm]


def find_shares(arms: Sequence[TextArm], *, seed: str) -> list[float]:
    """With which probability each text is to be given next; they add up to 1. The same evidence and seed give the same shares."""
    count = len(arms)
    random = np.random.default_rng(int(hashlib.sha256(seed.encode()).hexdigest()[:16], 16))
    samples = np.column_stack([random.beta(1 + arm.ordered, 1 + arm.people - arm.ordered, _SAMPLES) for arm in arms])
    best = np.bincount(samples.argmax(axis=1), minlength=count) / _SAMPLES
    floor = min(FLOOR, 0.5 / count)
    return [round(float(floor + (1 - count * floor) * each), 6) for each in best]


def compare_batches(batches: Sequence[Batch], *, planned: int, expected_share: float, pairs: int = 0) -> Standing:
    """The leader by the weighted shares, and by how much it is ahead, at any look. `planned` people and `expected_share` are from
    before the start and only say where the sequences are tightest; `pairs` as in `compare_texts`."""
    if not batches or len(batches[0].arms) < 2:
        return Standing()
    count = len(batches[0].arms)
    totals = [sum(batch.arms[place].ordered for batch in batches) for place in range(count)]
    if min(totals) < LEAST_EVENTS:
        return Standing()
    ahead = {
        (i, j): estimate_pair(batches, i, j, expected_share=expected_share)
        for i in range(count)
        for j in range(count)
        if i != j
    }
    leader = max(range(count), key=lambda i: sum(ahead[(i, j)][0] for j in range(count) if j != i))
    confidence = share_confidence(CONFIDENCE, max(pairs, math.comb(count, 2)))
    people = sum(arm.people for batch in batches for arm in batch.arms)
    spread = 2 * expected_share * (1 - expected_share) * count
    plan = Plan(math.sqrt(max(spread, 1e-6) / max(planned, 1)), max(planned, 1))
    bounds = {
        j: bound_at_any_look(Look(*ahead[(leader, j)], people), plan, confidence=confidence)
        for j in range(count)
        if j != leader
    }
    second = min(bounds, key=lambda j: ahead[(leader, j)][0])
    low, high = bounds[second]
    return Standing(leader, all(each[0] > 0 for each in bounds.values()), low, high)


def estimate_pair(batches: Sequence[Batch], first: int, second: int, *, expected_share: float) -> tuple[float, float]:
    """By how much more people order after the first text than after the second (-1 to 1), and its standard error."""
    total = squares = 0.0
    people = ordered = 0
    for batch in batches:
        # Of those before this batch alone; ten people's worth of what was expected keeps the first batches from being wild.
        centre = (ordered + 10 * expected_share) / (people + 10)
        for place, sign in ((first, 1), (second, -1)):
            arm, share = batch.arms[place], batch.shares[place]
            for number, outcome in ((arm.ordered, 1.0), (arm.people - arm.ordered, 0.0)):
                value = sign * (outcome - centre) / share
                total += number * value
                squares += number * value**2
        people += sum(arm.people for arm in batch.arms)
        ordered += sum(arm.ordered for arm in batch.arms)
    if people < 2:
        return 0.0, math.inf
    mean = total / people
    return mean, math.sqrt(max(squares - people * mean**2, 0.0) / (people - 1) / people)

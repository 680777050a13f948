"""Which text of an archetype does best, said only once there is enough evidence for it, however often one looks. No Django here.

Each person got one text by a stable draw, so the texts of one archetype share people who are alike. The leader is the text with
the largest share of people who ordered; it has won when its sequence against every other leaves nought out, with each pair of
texts of all archetypes counted in the correction (Bonferroni), because which ones lead is known only afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.audience.any_look import LEAST_EVENTS, Look, bound_at_any_look, plan_share, share_confidence

from .lift import CONFIDENCE


@dataclass(frozen=True)
class TextArm:
    """One text: how many people have it, and how many of them ordered."""

    people: int
    ordered: int

    @property
    def share(self) -> float:
        return self.ordered / self.people if self.people else 0.0


@dataclass(frozen=True)
class Standing:
    """`leader` is the place of the best text (None: too few people to say anything). `low` and `high` bound by how much it is
    ahead of the next best, shares from -1 to 1. `has_won` is said of it alone."""

    leader: int | None = None
    has_won: bool = False
    low: float = 0.0
    high: float = 0.0


def compare_texts(
    arms: Sequence[TextArm], *, planned: Sequence[int], expected_share: float, pairs: int = 0
) -> Standing:
    """Of two texts or more. `planned` is how many people each was to get and `expected_share` (0 to 1) how many of them were
    expected to order, both from before the start: a wrong guess costs width alone. `pairs` of texts are compared in the whole
    campaign (0: these alone)."""
    if len(arms) < 2 or any(min(arm.ordered, arm.people - arm.ordered) < LEAST_EVENTS for arm in arms):
        return Standing()
    confidence = share_confidence(CONFIDENCE, max(pairs, math.comb(len(arms), 2)))
    leader, second, *_rest = sorted(range(len(arms)), key=lambda place: -arms[place].share)
    bounds = {
        place: _bound(arms[leader], arms[place], (planned[leader], planned[place]), expected_share, confidence)
        for place in range(len(arms))
        if place != leader
    }
    low, high = bounds[second]
    return Standing(leader, all(each[0] > 0 for each in bounds.values()), low, high)


def _bound(
    first: TextArm, other: TextArm, planned: tuple[int, int], expected_share: float, confidence: float
) -> tuple[float, float]:
    error = math.sqrt(sum(arm.share * (1 - arm.share) / (arm.people - 1) for arm in (first, other)))
    people = first.people + other.people
    look = Look(first.share - other.share, error, people, (first.ordered + other.ordered) / people)
    plan = plan_share(max(planned[0], 1), max(planned[1], 1), expected_share)
    return bound_at_any_look(look, plan, confidence=confidence)

"""How customers come to want, tire of and leave the shop, and the probability of an order that follows from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .crowd import MOOD_SPREAD, Bools, Crowd, Floats, Ints
from .rhythm import Span

_MOOD_DAYS = 60.0  # memory of the mood
_UNHAPPY_DAYS = 80.0  # how long a bad experience is felt
_RETURN_HAZARD = 0.0007  # a customer who is gone comes back, per day


def order_intensity(rate: Floats, mood: Floats, gone: Bools, quiet: Bools) -> Floats:
    """Orders per average day now. The mean over moods is `rate` for a customer without bad experiences."""
    return np.asarray(rate * np.exp(mood - MOOD_SPREAD**2 / 2) * ~(gone | quiet))


def advance_mood(
    mood: Floats, unhappy: Floats, gone: Bools, leave_rate: Floats, days: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Bools]:
    """Mood, unhappiness and being gone after `days`: a mean-reverting mood that bad experiences pull down, and a
    hazard of leaving that grows with low mood and unhappiness. Steps of any length agree in distribution for the mood.
    """
    memory = np.exp(-days / _MOOD_DAYS)
    noise = rng.normal(0, MOOD_SPREAD * np.sqrt(1 - memory**2), len(mood))
    goal = -0.45 * np.minimum(unhappy, 2.5)
    moved = goal + (mood - goal) * memory + noise
    hazard = leave_rate * np.exp(np.clip(1.6 * np.minimum(unhappy, 2.5) - 1.0 * mood, -3, 4))
    chance = rng.random(len(mood))
    leaves = ~gone & (chance < 1 - np.exp(-hazard * days))
    returns = gone & (chance < 1 - np.exp(-_RETURN_HAZARD * days))
    return moved, unhappy * np.exp(-days / _UNHAPPY_DAYS), (gone | leaves) & ~returns


def order_probability(
    crowd: Crowd, rows: Ints, spans: Sequence[Span], rng: np.random.Generator, repeats: int = 24
) -> Floats:
    """P(at least one order within `spans`) of each of `rows` when nobody writes to them, from their present state.

    Until a customer's first order nothing they do changes their intensity, so that the probability is exactly the
    mean of 1 - exp(-integrated intensity) over paths of mood and leaving; `repeats` paths are averaged.
    """
    traits = crowd.traits
    who = np.tile(rows, repeats)
    mood, unhappy, gone = crowd.mood[who], crowd.unhappy[who], crowd.gone[who]
    expected = np.zeros(len(who))
    for span in spans:
        quiet = crowd.quiet_until[who] > span.start
        expected += order_intensity(traits.rate[who], mood, gone, quiet) * span.exposure[traits.zone[who]]
        mood, unhappy, gone = advance_mood(mood, unhappy, gone, traits.leave_rate[who], span.days, rng)
    return np.asarray((1 - np.exp(-expected)).reshape(repeats, len(rows)).mean(axis=0))

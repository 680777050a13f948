"""The demo shop's customers as columns: what each is like for good, and what changes from week to week."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .catalogue import CATEGORIES
from .names import NAME_POOLS, PLACES, ZONES
from .rhythm import DAY_US, SEASON
from .tape import Tape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CHUNK = 20_000  # customers simulated together; part of what a seed means, so never a setting
KINDS: tuple[str, ...] = ("sure_thing", "persuadable", "lost_cause", "sleeping_dog")
SURE_THING, PERSUADABLE, LOST_CAUSE, SLEEPING_DOG = range(4)

_PLACE_SHARES = np.array([place.share for place in PLACES])
PLACE_ZONE: Ints = np.array([ZONES.index(place.time_zone) for place in PLACES], dtype=np.int64)
PLACE_TROUBLE: Floats = np.array([place.trouble for place in PLACES])
PLACE_CHINESE: Bools = np.array([place.language != "en" for place in PLACES])


@dataclass
class Traits:
    """What never changes. Arrays of shape (customers,) but for `category_cum`, (customers, categories)."""

    place: Ints
    zone: Ints
    first_name: Ints
    last_name: Ints
    joined: Ints  # microseconds
    orders_at_joining: Bools
    rate: Floats  # orders per average day while in a neutral mood and not gone
    leave_rate: Floats  # hazard per day of giving the shop up, in a neutral mood
    visits_per_order: Floats
    open_share: Floats
    discount_love: Floats
    basket: Floats
    category_cum: Floats
    kind: Ints
    gain: Floats  # chance that a message brings an order that would not have come (persuadables)
    harm: Floats  # chance that a message puts the customer off until the window is over (sleeping dogs)


@dataclass
class Crowd:
    """Up to `CHUNK` customers: their traits, their present state and what they did that is not yet handed out."""

    number: int
    first: int
    traits: Traits
    consented_at_joining: Bools
    consent: Bools
    withdrawn_at: Ints
    gone: Bools
    mood: Floats
    unhappy: Floats
    quiet_until: Ints
    has_ordered: Bools
    orders_made: int = 0
    events_made: int = 0
    tickets_made: int = 0
    orders: Tape = field(default_factory=lambda: Tape("number", "customer", "is_return", "code", "discount", "total"))
    lines: Tape = field(default_factory=lambda: Tape("number", "is_return", "position", "product", "quantity", "price"))
    events: Tape = field(default_factory=lambda: Tape("customer", "kind", "detail", "number"))
    consents: Tape = field(default_factory=lambda: Tape("customer", "given"))
    answers: Tape = field(default_factory=lambda: Tape("customer", "code", "percent"))

    @property
    def size(self) -> int:
        return len(self.gone)


def chunk_sizes(customers: int) -> list[int]:
    """How many customers each chunk holds."""
    return [min(CHUNK, customers - first) for first in range(0, customers, CHUNK)]


def make_crowd(seed: int, number: int, size: int, start: int, joining_until: int) -> Crowd:
    """Chunk `number`: two fifths are customers since before `start`, the others join until `joining_until`."""
    rng = np.random.default_rng([seed, 2, number])
    traits = _draw_traits(rng, size, start, joining_until)
    consent = rng.random(size) < 0.84
    crowd = Crowd(
        number=number,
        first=number * CHUNK,
        traits=traits,
        consented_at_joining=consent.copy(),
        consent=consent,
        withdrawn_at=np.zeros(size, dtype=np.int64),
        gone=np.zeros(size, dtype=bool),
        mood=rng.normal(0, MOOD_SPREAD, size),
        unhappy=np.zeros(size),
        quiet_until=np.zeros(size, dtype=np.int64),
        has_ordered=traits.joined < start,
    )
    crowd.consents.add(traits.joined[consent], customer=np.flatnonzero(consent), given=1)
    return crowd


MOOD_SPREAD = 0.95  # standard deviation of the log of how much a customer feels like shopping


def _draw_traits(rng: np.random.Generator, size: int, start: int, joining_until: int) -> Traits:
    place = rng.choice(len(PLACES), size, p=_PLACE_SHARES / _PLACE_SHARES.sum())
    rate = np.maximum(rng.gamma(1.8, 0.017 / 1.8, size), 0.0012)
    openness, thrift = rng.normal(size=size), rng.normal(size=size)
    kind = _draw_kinds(rng, np.log(rate), openness, thrift)
    tastes = rng.gamma(0.45, 1.0, (size, len(CATEGORIES))) + 0.01
    joined = _draw_joining(rng, size, start, joining_until)
    pools = [NAME_POOLS[place.names] for place in PLACES]
    return Traits(
        place=place,
        zone=PLACE_ZONE[place],
        first_name=(rng.random(size) * np.array([len(pool[0]) for pool in pools])[place]).astype(np.int64),
        last_name=(rng.random(size) * np.array([len(pool[1]) for pool in pools])[place]).astype(np.int64),
        joined=joined,
        orders_at_joining=(rng.random(size) < 0.92) & (joined >= start),
        rate=rate,
        leave_rate=rng.gamma(1.2, 1 / 1.2 / 1900, size),
        visits_per_order=rng.lognormal(1.05, 0.3, size),
        open_share=1 / (1 + np.exp(0.75 - 0.9 * openness)),
        discount_love=1 / (1 + np.exp(1.6 - 1.1 * thrift)),
        basket=rng.gamma(2.0, 0.55, size),
        category_cum=np.cumsum(tastes / tastes.sum(axis=1, keepdims=True), axis=1).astype(np.float32),
        kind=kind,
        gain=np.where(kind == PERSUADABLE, rng.uniform(0.09, 0.16, size), 0.0),
        harm=np.where(kind == SLEEPING_DOG, rng.uniform(0.10, 0.20, size), 0.0),
    )


def _draw_kinds(rng: np.random.Generator, log_rate: Floats, openness: Floats, thrift: Floats) -> Ints:
    """Latent kinds lean on what can be seen (rate, opening of mails, love of discounts) and stay noisy."""
    pace = (log_rate - log_rate.mean()) / log_rate.std()
    leaning = np.stack(
        [0.2 + 1.0 * pace, 0.55 + 0.7 * openness + 0.8 * thrift, 0.2 - 0.8 * pace - 0.5 * openness,
         -0.9 - 0.7 * openness - 0.4 * thrift]
    )  # fmt: skip
    return np.asarray((leaning + rng.gumbel(size=leaning.shape)).argmax(axis=0), dtype=np.int64)


def _draw_joining(rng: np.random.Generator, size: int, start: int, joining_until: int) -> Ints:
    days = max(1, (joining_until - start) // DAY_US)
    dates = (start // DAY_US + np.arange(days)).astype("datetime64[D]")
    day_of_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    weights = SEASON[day_of_year] * np.linspace(0.9, 1.1, days)
    day = rng.choice(days, size, p=weights / weights.sum())
    within = start + ((day + rng.random(size)) * (joining_until - start) / days).astype(np.int64)
    before = start - 1 - (rng.random(size) * 730 * DAY_US).astype(np.int64)
    return np.where(rng.random(size) < 0.4, before, within)

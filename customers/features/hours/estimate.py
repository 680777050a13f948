"""The hour at which a person tends to read, estimated with the hours of their time zone as a prior. No framework.

Opens and clicks of a person are draws from their own distribution over the 24 hours, which is itself a draw from
Dirichlet(concentration x the distribution of all in their zone): one open moves it little, twenty move it much. The
concentration is the one under which the opens of all people together are the most likely (empirical Bayes; Minka, Estimating a
Dirichlet distribution, 2000). Where people do not differ in their hours it is large, and everybody's hour is their zone's.

By zone, because opens follow the hour of sending: mail that leaves London at nine is read in the evening in Shanghai, and the
people there would else look as if each had an hour of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

HOURS: Final = 24
#: Hours in which a shop writes; what somebody reads at night waits for the morning anyway.
FIRST_HOUR, LAST_HOUR = 8, 20
#: Orders and visits say when somebody has time, not when they read mail.
WEAK_WEIGHT: Final = 0.25
#: Below so many opens, with the weaker signs by their weight, nothing is said of a person.
LEAST_EVIDENCE: Final = 3.0
#: How much of what happened in an hour counts for each of its neighbours: eight o'clock is near 19:55.
SPILL: Final = 0.25
#: A zone with fewer opens than this is taken together with the whole shop.
LEAST_OPENS: Final = 200
CONCENTRATIONS: Final = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)


@dataclass(frozen=True)
class ReadingModel:
    """What is known of all: the share of each hour, and how much people are like each other."""

    shares: tuple[float, ...]
    concentration: float

    @property
    def best_hour(self) -> int:
        """The shop's hour: the daytime hour in which most is read, with its neighbours."""
        return int(choose_hours(spread(np.array([self.shares])))[0])


@dataclass(frozen=True)
class ShopModel:
    """Of the whole shop, and of each time zone of which enough is known."""

    shop: ReadingModel
    zones: Mapping[str, ReadingModel] = field(default_factory=dict)

    def model_of(self, zone: str) -> ReadingModel:
        return self.zones.get(zone, self.shop)

    def usual_hours(self, zones: NDArray[Any]) -> NDArray[np.int64]:
        """One hour for everybody of a zone."""
        return np.array([self.model_of(zone).best_hour for zone in zones], dtype=np.int64)


def fit_shop(zones: NDArray[Any], opens: Counts) -> ShopModel:
    """`zones` are the names of the rows' time zones."""
    several = [zone for zone in np.unique(zones) if opens[zones == zone].sum() >= LEAST_OPENS]
    return ShopModel(fit_model(opens), {str(zone): fit_model(opens[zones == zone]) for zone in several})


def estimate_readers(
    model: ShopModel, zones: NDArray[Any], opens: Counts, weak: Counts
) -> tuple[NDArray[np.int64], Counts]:
    """`estimate_hours` of each row by the model of its zone."""
    hours, shares = np.full(len(zones), -1, dtype=np.int64), np.zeros(len(zones))
    for zone in np.unique(zones):
        rows = zones == zone
        hours[rows], shares[rows] = estimate_hours(model.model_of(str(zone)), opens[rows], weak[rows])
    return hours, shares


def fit_model(opens: Counts) -> ReadingModel:
    """From a matrix of people by hours. Without any open: every hour alike, and nobody differs."""
    totals = opens.sum(axis=0) + 1.0 / HOURS
    shares = totals / totals.sum()
    several = opens[opens.sum(axis=1) >= 2]
    best = max(CONCENTRATIONS, key=lambda kappa: _log_likelihood(several, kappa * shares)) if len(several) else 5000.0
    return ReadingModel(tuple(float(share) for share in shares), best)


def estimate_hours(model: ReadingModel, opens: Counts, weak: Counts) -> tuple[NDArray[np.int64], Counts]:
    """The hour of each row, -1 where too little is known, and the share of what they read in it and its two neighbours."""
    evidence = opens + WEAK_WEIGHT * weak
    posterior = evidence + model.concentration * np.array(model.shares)
    posterior /= posterior.sum(axis=1, keepdims=True)
    near = spread(posterior)
    hours = np.where(evidence.sum(axis=1) >= LEAST_EVIDENCE, choose_hours(near), -1)
    around = posterior + np.roll(posterior, 1, axis=1) + np.roll(posterior, -1, axis=1)
    return hours, around[np.arange(len(hours)), np.maximum(hours, 0)]


def spread(shares: Counts) -> Counts:
    """Each hour with a part of its neighbours; midnight follows eleven."""
    return (1 - 2 * SPILL) * shares + SPILL * (np.roll(shares, 1, axis=1) + np.roll(shares, -1, axis=1))


def choose_hours(shares: Counts) -> NDArray[np.int64]:
    """The best daytime hour of each row; the earlier of two that are equal."""
    return np.asarray(FIRST_HOUR + np.argmax(shares[:, FIRST_HOUR : LAST_HOUR + 1], axis=1))


def _log_likelihood(counts: Counts, alpha: Any) -> float:
    """Of a Dirichlet-multinomial, but for what does not depend on alpha."""
    from scipy.special import gammaln  # not at the top: it costs more than the rest of a worker's start

    whole = float(alpha.sum())
    people = gammaln(whole) - gammaln(counts.sum(axis=1) + whole)
    return float(people.sum() + (gammaln(counts + alpha) - gammaln(alpha)).sum())

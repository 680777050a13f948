"""What both arms did and what was known of them before, as means and covariances counted in one pass of SQL.

A million people become a few dozen numbers in the database: nobody is carried out of it one by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection

from campaigns.models import Arm, Campaign, Offer
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY

from .counting import counting_cursor
from .cuped import CAP_QUANTILE, LEAST_AMOUNTS, ArmMoments
from .keeping import is_large
from .offer_use import read_code
from .per_person import (
    COLUMNS,
    COVARIATE_PLACES,
    COVARIATES,
    OUTCOMES,
    PAIRS,
    PAST_DAYS,
    PAST_PLACES,
    RISKS,
    SPENT_PLACES,
    sums_sql,
)
from .spread import Spread, merge_spreads, read_spread
from .windows import DRAWN, Window, people_sql, window_params
from .worth import ArmSpending

__all__ = ["COVARIATES", "NOBODY", "PAST_DAYS", "ArmSums", "Sums", "count_people", "count_sums"]

_NOTHING = Spread(0, np.zeros(len(COLUMNS)), np.zeros((len(COLUMNS), len(COLUMNS))))
_KEPT, _ORDERS, _PAID = (COLUMNS.index(name) for name in ("kept", "orders", "whole_paid"))


@dataclass(frozen=True)
class ArmSums:
    """One arm, of the campaign or of one archetype in it. Money among the outcomes is cut at the cap of both arms.

    `past` is the variance per person of orders and money in the year before, as they were: what was to be expected before
    anything was sent.
    """

    spread: Spread
    past: Mapping[str, float] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return self.spread.n

    @property
    def kept(self) -> int:
        """People who ordered."""
        return self._count(_KEPT)

    @property
    def orders(self) -> int:
        """The number of all orders."""
        return self._count(_ORDERS)

    @property
    def paid_mean(self) -> float:
        """Of what was paid as it is."""
        return float(self.spread.means[_PAID])

    @property
    def paid_variance(self) -> float:
        return float(self.spread.covariance[_PAID, _PAID])

    @cached_property
    def moments(self) -> Mapping[str, ArmMoments]:
        """By outcome, with all that was known before; {} for nobody."""
        if not self.n:
            return {}
        known, means, whole = COVARIATE_PLACES, self.spread.means, self.spread.covariance
        return {
            outcome: ArmMoments(
                self.n,
                float(means[place]),
                float(whole[place, place]),
                means[known],
                whole[np.ix_(known, known)],
                whole[place, known],
            )
            for place, outcome in enumerate(OUTCOMES)
        }

    @property
    def spending(self) -> ArmSpending:
        places = SPENT_PLACES
        covariance = self.spread.covariance[np.ix_(places, places)]
        return ArmSpending(self.n, self.spread.means[places].tolist(), covariance.tolist())

    def _count(self, place: int) -> int:
        return round(self.n * float(self.spread.means[place]))


NOBODY = ArmSums(_NOTHING)


@dataclass(frozen=True)
class Sums:
    """Both arms (empty ones too), the same by archetype, by how likely people were to leave when they were drawn (a key of RISKS;
    who had no prediction is in none), and by the places of `Campaign.looks` (people may be in several), and the cap of amounts
    in the shop's currency (None: not cut)."""

    treated: ArmSums
    holdout: ArmSums
    by_archetype: Mapping[int, tuple[ArmSums, ArmSums]]
    by_risk: Mapping[str, tuple[ArmSums, ArmSums]]
    by_look: Mapping[int, tuple[ArmSums, ArmSums]]
    cap: float | None


def count_sums(campaign: Campaign, window: Window, *, as_of: dt.datetime, currency: str) -> Sums:
    """Everybody in their arm. Orders in another currency than the shop's count as orders; their amounts are left out rather
    than added to something else. Returns are no orders, and lower what was paid. Orders count for the id under which they
    came, whether or not it was merged since. Which of them used the campaign's offer is said by `offer_use`.
    """
    offer = Offer.objects.filter(campaign=campaign).first()
    params = window_params(campaign, window, as_of=as_of)
    orders_first = not campaign.is_live and is_large(campaign) and _holds_most_customers(campaign)
    return count_people(people_sql(campaign), params, currency=currency, offer=offer, orders_first=orders_first)


def count_people(
    people: str,
    window: Mapping[str, Any],
    *,
    currency: str,
    offer: Offer | None = None,
    orders_first: bool = False,
) -> Sums:
    """The same for any query of people with the columns of `windows.PEOPLE_SQL`; `window` holds its parameters, `start` and `end`
    among them. `orders_first`, where these are most customers and all have that window: `per_person.sums_sql`."""
    params = {
        **window, "currency": currency, "past": PAST_DAYS, "quantile": CAP_QUANTILE, "least": LEAST_AMOUNTS,
        "at_risk": AT_RISK, "likely_to_stay": LIKELY_TO_STAY, "code": read_code(offer),
    }  # fmt: skip
    with counting_cursor() as cursor:
        cursor.execute(sums_sql(people, offer, orders_first=orders_first), params)
        rows = cursor.fetchall()
    parts = [
        _Part(archetype, risk, looks, arm, _read_arm(n, rest)) for archetype, risk, looks, arm, _cap, n, *rest in rows
    ]
    archetypes = sorted({part.archetype for part in parts if part.archetype is not None})
    return Sums(
        *_pair(parts),
        {place: _pair(part for part in parts if part.archetype == place) for place in archetypes},
        {risk: _pair(part for part in parts if part.risk == risk) for risk in RISKS},
        {
            place: _pair(part for part in parts if part.looks >> place & 1)
            for place in range(max((part.looks for part in parts), default=0).bit_length())
        },
        rows[0][4] if rows else None,
    )


def _holds_most_customers(campaign: Campaign) -> bool:
    """As far as the database knows without counting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'customers_customer'::regclass")
        (customers,) = cursor.fetchone()
    return bool(2 * sum((campaign.audience_counts or {}).get(arm, 0) for arm in DRAWN) >= customers > 0)


@dataclass(frozen=True)
class _Part:
    archetype: int | None
    risk: str
    looks: int
    arm: str
    sums: ArmSums


def _pair(parts: Iterable[_Part]) -> tuple[ArmSums, ArmSums]:
    parts = list(parts)
    treated, holdout = ([part.sums for part in parts if part.arm == arm] for arm in (Arm.TREATMENT, Arm.HOLDOUT))
    return _add_up(treated), _add_up(holdout)


def _read_arm(n: int, numbers: Sequence[float]) -> ArmSums:
    spread = read_spread(n, numbers, len(COLUMNS), PAIRS)
    variances = (float(spread.covariance[place, place]) for place in PAST_PLACES)
    return ArmSums(spread, dict(zip(("orders", "paid"), variances, strict=True)))


def _add_up(parts: Sequence[ArmSums]) -> ArmSums:
    """An arm from its parts."""
    if not parts:
        return NOBODY
    spread = merge_spreads([part.spread for part in parts])
    # Within the parts alone: it only says where a sequence of intervals is tightest.
    past = {name: sum(part.n * part.past[name] for part in parts) / spread.n for name in ("orders", "paid")}
    return ArmSums(spread, past)

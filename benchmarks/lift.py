"""What the product says of campaigns, on simulated shops whose truth is known.

Each shop has people who order more or less often (gamma frailty), a past of theirs, and campaigns that make the treated order
more often by a known factor; both arms are looked at every day until the window closes. Printed: how often the 95 % interval at
the planned end covers the truth, how often the sequences (of the share, of orders, of money) cover it at all looks at once, how
often they find an effect where there is none, and how much narrower CUPED makes the interval, beside what theory promises for
the correlation.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from campaigns.audience.any_look import LEAST_EVENTS, Look, bound_at_any_look, plan_amount, plan_share
from campaigns.outcomes.cuped import CAP_QUANTILE, LEAST_AMOUNTS, ArmMoments, estimate_adjusted, take_moments
from campaigns.outcomes.lift import LEAST_PER_ARM, estimate_lift

Array = npt.NDArray[np.float64]

DAYS = 30
#: Factors on how often the treated order: one campaign in three does nothing.
FACTORS = (1.0, 1.1, 1.4)
CAMPAIGNS = 12
#: Of the logarithm of what an order brings.
SPREAD = 0.8
#: People of whom the cut of the largest amounts is worked out, for each campaign that does something.
REFERENCE = 20_000
#: Mean orders of a person in the past that CUPED is told of, in windows of the campaign's length.
PAST_WINDOWS = 6


@dataclass
class Tally:
    """Counts over all campaigns; narrowings are shares of the interval's width."""

    campaigns: int = 0
    covered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("share", "share_cuped", "orders_cuped"), 0))
    sequences: int = 0
    sequences_covered: int = 0
    amount_sequences: int = 0
    amount_nil: int = 0
    amounts_covered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("orders", "paid"), 0))
    amount_alarms: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("orders", "paid"), 0))
    nil: int = 0
    alarms: int = 0
    daily_alarms: int = 0
    narrowings: list[float] = field(default_factory=list)
    promises: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Shop:
    """`rate` is the mean number of orders in a window, `frailty` the shape of its gamma spread among people (small: unequal)."""

    people: int
    holdout: float
    rate: float
    frailty: float

    def find_share(self, factor: float, days: Array) -> Array:
        """P(at least one order by each day): the Laplace transform of the gamma."""
        return 1 - (1 + factor * self.rate * days / DAYS / self.frailty) ** -self.frailty

    @property
    def correlation(self) -> float:
        """Of orders in the window with orders in the past, both Poisson given the same frailty."""
        now, past = self.rate, self.rate * PAST_WINDOWS
        spread = 1 / self.frailty
        return now * past * spread / math.sqrt((now + now**2 * spread) * (past + past**2 * spread))


@dataclass(frozen=True)
class Arm:
    """One arm of one campaign: orders before and during, and the day of the first order (DAYS + 1: none). `person` and `day` are
    of each order, `amount` is what it brought."""

    past: Array
    orders: Array
    first_day: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    amount: Array


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench lift", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 shops instead of 500")
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    begun, shops = time.monotonic(), 100 if options.quick else 500
    random, tally = np.random.default_rng(options.seed), Tally()
    for _shop in range(shops):
        run_shop(random, tally)
    figures = {
        "seed": options.seed,
        "size": shops,
        **tell_figures(tally),
        "seconds": round(time.monotonic() - begun, 1),
    }
    for name, value in figures.items():
        print(f"  {name:<22} {value}")
    print(json.dumps(figures))


def run_shop(random: np.random.Generator, tally: Tally) -> None:
    """One shop with its campaigns, each with an audience and a hold-out of its own."""
    shop = Shop(
        people=int(10 ** random.uniform(2.7, 4.3)),
        holdout=random.uniform(0.1, 0.5),
        rate=random.uniform(0.1, 1.0),
        frailty=random.uniform(0.5, 3.0),
    )
    for number in range(CAMPAIGNS):
        factor = FACTORS[number % len(FACTORS)]
        held = int(shop.people * shop.holdout)
        arms = draw_arm(random, shop, shop.people - held, factor), draw_arm(random, shop, held, 1.0)
        judge_campaign(random, shop, factor, *arms, tally, looks_at_amounts=number < len(FACTORS))


def draw_arm(random: np.random.Generator, shop: Shop, people: int, factor: float) -> Arm:
    """Orders come as a Poisson process at the person's own rate."""
    rates = shop.rate * random.gamma(shop.frailty, 1 / shop.frailty, people)
    orders = random.poisson(factor * rates)
    # Given how many, orders lie evenly in the window.
    person = np.repeat(np.arange(people), orders)
    day = random.integers(1, DAYS + 1, len(person))
    first_day = np.full(people, DAYS + 1)
    np.minimum.at(first_day, person, day)
    past = random.poisson(rates * PAST_WINDOWS).astype(np.float64)
    return Arm(past, orders.astype(np.float64), first_day, person, day, draw_amounts(random, len(person)))


def draw_amounts(random: np.random.Generator, orders: int) -> Array:
    """What an order brings: a mean of 1, and a few large ones."""
    return random.lognormal(-(SPREAD**2) / 2, SPREAD, orders)


def judge_campaign(
    random: np.random.Generator,
    shop: Shop,
    factor: float,
    treated: Arm,
    held: Arm,
    tally: Tally,
    *,
    looks_at_amounts: bool,
) -> None:
    """What the product would have said at the end and at every look, against the truth."""
    days = np.arange(1, DAYS + 1, dtype=np.float64)
    truths = shop.find_share(factor, days) - shop.find_share(1.0, days)
    if min(len(treated.past), len(held.past)) < LEAST_PER_ARM:
        return
    tally.campaigns += 1
    kept = [int((arm.first_day <= DAYS).sum()) for arm in (treated, held)]
    lift = estimate_lift(len(treated.past), kept[0], len(held.past), kept[1])
    tally.covered["share"] += lift.low <= 100 * truths[-1] <= lift.high
    moments = [look_daily(arm) for arm in (treated, held)]
    share = estimate_adjusted(moments[0][-1], moments[1][-1])
    tally.covered["share_cuped"] += share.adjusted.low <= truths[-1] <= share.adjusted.high
    orders = estimate_adjusted(*(take_moments(arm.orders, arm.past[:, None]) for arm in (treated, held)))
    truth = (factor - 1) * shop.rate
    tally.covered["orders_cuped"] += orders.adjusted.low <= truth <= orders.adjusted.high
    if factor == 1.0:
        tally.narrowings.append(orders.narrowing)
        tally.promises.append(1 - math.sqrt(1 - shop.correlation**2))
    judge_looks(shop, factor, moments, truths, tally)
    if looks_at_amounts:
        judge_amount_looks(random, shop, factor, (treated, held), moments, tally)


def look_daily(arm: Arm) -> list[ArmMoments]:
    """The moments of “has ordered by now” and the past, at the end of each day."""
    n = len(arm.past)
    mean, variance = arm.past.mean(), arm.past.var(ddof=1)
    people = np.cumsum(np.bincount(arm.first_day, minlength=DAYS + 2)[1 : DAYS + 1])
    pasts = np.cumsum(np.bincount(arm.first_day, weights=arm.past, minlength=DAYS + 2)[1 : DAYS + 1])
    shares = people / n
    return [
        ArmMoments(
            n, float(p), float(p * (1 - p) * n / (n - 1)), np.array([mean]), np.array([[variance]]),
            np.array([(total - n * p * mean) / (n - 1)]),
        )
        for p, total in zip(shares, pasts, strict=True)
    ]  # fmt: skip


def judge_looks(shop: Shop, factor: float, moments: list[list[ArmMoments]], truths: Array, tally: Tally) -> None:
    """The sequence that is shown day by day. The plan knows the shop's rate only roughly: half as much again."""
    n, m = moments[0][0].n, moments[1][0].n
    plan = plan_share(n, m, min(0.95, 1.5 * float(shop.find_share(1.0, np.array([float(DAYS)]))[0])))
    shown = False
    is_covered, is_alarm, is_daily_alarm = True, False, False
    for treated, held, truth in zip(*moments, truths, strict=True):
        counts = [arm.n * arm.mean for arm in (treated, held)] + [arm.n * (1 - arm.mean) for arm in (treated, held)]
        if min(counts) < LEAST_EVENTS:
            continue
        found = estimate_adjusted(treated, held)
        share = (n * treated.mean + m * held.mean) / (n + m)
        low, high = bound_at_any_look(Look(found.adjusted.effect, found.adjusted.error, n + m, share), plan)
        shown = True
        is_covered &= low <= truth <= high
        is_alarm |= low > 0 or high < 0
        is_daily_alarm |= found.adjusted.low > 0 or found.adjusted.high < 0
    tally.sequences += shown
    tally.sequences_covered += shown and is_covered
    if factor == 1.0 and shown:
        tally.nil += 1
        tally.alarms += is_alarm
        tally.daily_alarms += is_daily_alarm


def judge_amount_looks(
    random: np.random.Generator,
    shop: Shop,
    factor: float,
    arms: tuple[Arm, Arm],
    kept: list[list[ArmMoments]],
    tally: Tally,
) -> None:
    """Orders and money of the first campaign of each kind, day by day, as the page shows them: money cut at the 99 % quantile of
    what is not 0 so far, both arms together, the past taken out. The truth of cut money is that of all people like these, cut at
    the same amount."""
    shown = [day for day in range(DAYS) if min(_count_events(arm[day]) for arm in kept) >= LEAST_EVENTS]
    if not shown:
        return
    n, m = (len(arm.past) for arm in arms)
    # Both from the past, as the page has them: its variance, shortened to the window.
    spread = float(np.concatenate([arm.past for arm in arms]).var(ddof=1)) / PAST_WINDOWS
    plans = {"orders": plan_amount(n, m, spread), "paid": plan_amount(n, m, spread * math.exp(SPREAD**2))}
    sums = {
        "orders": [_Running(arm, np.ones(len(arm.person))) for arm in arms],
        "paid": [_Running(arm, arm.amount) for arm in arms],
    }
    references = [] if factor == 1.0 else [_Running(draw_arm(random, shop, REFERENCE, each)) for each in (factor, 1.0)]
    is_covered, is_alarm = dict.fromkeys(sums, True), dict.fromkeys(sums, False)
    for day in range(DAYS):
        for each in (*sums["orders"], *sums["paid"], *references):
            each.go_on(day + 1)
        if day not in shown:
            continue
        cap = find_cap(np.concatenate([each.total for each in sums["paid"]]))
        truth = (factor - 1) * shop.rate * (day + 1) / DAYS
        cut = [float(np.maximum(each.total - cap, 0).mean()) for each in references] or [0.0, 0.0]
        for name, running in sums.items():
            top, true = (cap, truth - (cut[0] - cut[1])) if name == "paid" else (math.inf, truth)
            found = estimate_adjusted(*(each.take(top) for each in running)).adjusted
            low, high = bound_at_any_look(Look(found.effect, found.error, n + m), plans[name])
            is_covered[name] &= low <= true <= high
            is_alarm[name] |= low > 0 or high < 0
    tally.amount_sequences += 1
    tally.amount_nil += factor == 1.0
    for name in sums:
        tally.amounts_covered[name] += is_covered[name]
        tally.amount_alarms[name] += factor == 1.0 and is_alarm[name]


def find_cap(paid: Array) -> float:
    """As `campaigns.outcomes.sums` cuts."""
    some = paid[paid > 0]
    return float(np.quantile(some, CAP_QUANTILE)) if len(some) >= LEAST_AMOUNTS else math.inf


def _count_events(arm: ArmMoments) -> float:
    return arm.n * min(arm.mean, 1 - arm.mean)


class _Running:
    """What each person of an arm has come to, day by day."""

    def __init__(self, arm: Arm, amounts: Array | None = None) -> None:
        order = np.argsort(arm.day, kind="stable")
        self.past, self.total = arm.past[:, None], np.zeros(len(arm.past))
        self._person, self._amount = arm.person[order], (arm.amount if amounts is None else amounts)[order]
        self._ends = np.searchsorted(arm.day[order], np.arange(DAYS + 1), side="right")

    def go_on(self, day: int) -> None:
        part = slice(self._ends[day - 1], self._ends[day])
        np.add.at(self.total, self._person[part], self._amount[part])

    def take(self, cap: float) -> ArmMoments:
        return take_moments(np.minimum(self.total, cap), self.past)


def tell_figures(tally: Tally) -> dict[str, float]:
    """`coverage` is the mean of the three intervals at the planned end; `false_alarms` of the sequence over all looks, and
    `fixed_false_alarms` what plain 95 % intervals would have found by looking as often."""
    shares = {f"coverage_{name}": round(count / tally.campaigns, 4) for name, count in tally.covered.items()}
    return {
        "campaigns": tally.campaigns,
        "coverage": round(sum(tally.covered.values()) / 3 / tally.campaigns, 4),
        **shares,
        "sequence_coverage": round(tally.sequences_covered / tally.sequences, 4),
        **{
            f"sequence_coverage_{name}": round(n / tally.amount_sequences, 4)
            for name, n in tally.amounts_covered.items()
        },
        "false_alarms": round(tally.alarms / tally.nil, 4),
        **{f"false_alarms_{name}": round(n / tally.amount_nil, 4) for name, n in tally.amount_alarms.items()},
        "fixed_false_alarms": round(tally.daily_alarms / tally.nil, 4),
        "cuped_narrowing": round(float(np.mean(tally.narrowings)), 4),
        "cuped_theory": round(float(np.mean(tally.promises)), 4),
    }


if __name__ == "__main__":
    main()

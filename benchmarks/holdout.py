"""Whether a hold-out of all customers should be stratified by risk and value, or drawn by a plain hash.

Simulated shops as in `lift`: people who order more or less often, whose risk and value are known as well as a score knows
them. The same people are held out once by chance alone and once in equal shares of each of nine strata (three of risk by three
of value). Printed: by how much the stratified draw changes the spread of the estimate over many draws, of the plain difference
and of the one with the past taken out, which is what the page shows.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from campaigns.outcomes.cuped import estimate_adjusted, take_moments

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

PEOPLE, SHARE, PAST_WINDOWS = 4_000, 0.1, 4


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench holdout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 shops instead of 100")
    parser.add_argument("--seed", type=int, default=20261129)
    options = parser.parse_args()
    begun, shops = time.monotonic(), 10 if options.quick else 100
    random = np.random.default_rng(options.seed)
    spreads = [spread_of_shop(random, draws=150) for _shop in range(shops)]
    figures: dict[str, float] = {"seed": options.seed, "size": shops}
    for outcome in ("kept", "orders", "paid"):
        for kind in ("plain", "cuped"):
            ratios = [each[f"{outcome}_{kind}_stratified"] / each[f"{outcome}_{kind}_hash"] for each in spreads]
            figures[f"{outcome}_{kind}"] = round(float(np.mean(ratios)), 4)
            figures[f"{outcome}_{kind}_doubt"] = round(1.96 * float(np.std(ratios, ddof=1)) / len(ratios) ** 0.5, 4)
    figures["seconds"] = round(time.monotonic() - begun, 1)
    print("  spread of the estimate, stratified over plain hash (1: no gain), and the half-width of its 95 % interval")
    for name, value in figures.items():
        print(f"  {name:<22} {value}")
    print(json.dumps(figures))


def spread_of_shop(random: np.random.Generator, *, draws: int) -> dict[str, float]:
    """The standard deviation of each estimate over many draws of the same people, by draw and estimator."""
    rates = random.uniform(0.2, 1.0) * random.gamma(1.0, 1.0, PEOPLE)
    past, orders = random.poisson(rates * PAST_WINDOWS).astype(float), random.poisson(rates).astype(float)
    size = random.lognormal(3.5, 0.7, PEOPLE)
    paid, past_paid = orders * size, past * size
    # As a score knows it: the true chance of no order, blurred.
    risk = np.clip(np.exp(-rates) + random.normal(0, 0.1, PEOPLE), 0, 1)
    outcomes = {
        "kept": (orders > 0).astype(float),
        "orders": orders,
        "paid": np.minimum(paid, np.quantile(paid[paid > 0], 0.99)),
    }
    covariates = np.column_stack([np.log1p(past), np.log1p(past_paid), risk])
    strata = 3 * _thirds(risk) + _thirds(past_paid)
    draw: dict[str, Callable[[], Mask]] = {
        "hash": lambda: random.random(PEOPLE) < SHARE,
        "stratified": lambda: _draw_stratified(random, strata),
    }
    found: dict[str, float] = {}
    for name, hold_out in draw.items():
        effects: dict[str, list[float]] = {}
        for _draw in range(draws):
            held = hold_out()
            for outcome, y in outcomes.items():
                each = estimate_adjusted(*(take_moments(y[arm], covariates[arm]) for arm in (~held, held)))
                effects.setdefault(f"{outcome}_plain_{name}", []).append(each.plain.effect)
                effects.setdefault(f"{outcome}_cuped_{name}", []).append(each.adjusted.effect)
        found |= {key: float(np.std(values, ddof=1)) for key, values in effects.items()}
    return found


def _thirds(values: Array) -> npt.NDArray[np.int64]:
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values).astype(np.int64)


def _draw_stratified(random: np.random.Generator, strata: npt.NDArray[np.int64]) -> Mask:
    held = np.zeros(PEOPLE, dtype=bool)
    for stratum in np.unique(strata):
        people = np.flatnonzero(strata == stratum)
        held[random.permutation(people)[: round(SHARE * len(people))]] = True
    return held


if __name__ == "__main__":
    main()

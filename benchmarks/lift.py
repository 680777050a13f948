"""Intervals of lift on simulated shops whose true effect is known: how often they cover it, how often they cry wolf.

CUPED is not built yet: its keys are null.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from campaigns.outcomes.lift import estimate_lift

EFFECTS = (0.0, 0.01, 0.03, 0.06)
LOOKS_PER_SHOP = 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench lift", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 shops instead of 500")
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    shops = 100 if options.quick else 500
    random = np.random.default_rng(options.seed)
    covered = looks = nil_looks = alarms = 0
    for number in range(shops):
        people, base, effect = int(random.integers(500, 20_000)), random.uniform(0.05, 0.5), EFFECTS[number % 4]
        holdout = int(people * random.uniform(0.05, 0.3))
        treated = people - holdout
        for _look in range(LOOKS_PER_SHOP):
            kept = random.binomial(treated, base + effect), random.binomial(holdout, base)
            lift = estimate_lift(treated, int(kept[0]), holdout, int(kept[1]))
            covered += lift.low <= 100 * effect <= lift.high
            looks += 1
            if effect == 0:
                nil_looks += 1
                alarms += lift.verdict in {"positive", "negative"}
    figures = {
        "seed": options.seed,
        "size": shops,
        "campaigns": looks,
        "coverage": round(covered / looks, 4),
        "false_alarms": round(alarms / nil_looks, 4),
        "cuped_narrowing": None,
        "cuped_theory": None,
    }
    for name, value in figures.items():
        print(f"  {name:<16} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

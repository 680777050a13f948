"""Whom to send a promotion, learned on the training file of a public experiment and judged on its test file.

The data is the promotion experiment of `../shared/data/starbucks_promo`: one random half got a promotion that costs 0.15, a
purchase brings 10. The share of people is chosen on the training file alone, by the procedure of
`./rekindle manage measure --test`; the test file only answers what that rule would have brought. Published for comparison:
send to all -1,132.20 and a course's reference 188.95.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

COVARIATES = [f"V{number}" for number in range(1, 8)]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "starbucks_promo"
VALUE, COST = 10.0, 0.15
COURSE_REFERENCE = 188.95


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench targeting", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of cross-fitting instead of five")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of training.parquet and test.parquet")
    options = parser.parse_args()
    begun = time.monotonic()
    told = measure_files(options.data, seed=options.seed, rounds=1 if options.quick else 5)
    figures = {
        "seed": options.seed,
        "size": told["size"],
        **tell_figures(told),
        "seconds": round(time.monotonic() - begun),
    }
    for name, value in figures.items():
        print(f"  {name:<26} {value}")
    print(json.dumps(figures))


def measure_files(folder: Path, *, seed: int, rounds: int) -> dict[str, Any]:
    """What `manage measure` says of both files."""
    django.setup()
    from campaigns.outcomes.experiment.policy import Prices
    from campaigns.outcomes.experiment.report import Wishes, describe_experiment
    from campaigns.outcomes.experiment.table import read_experiment

    columns = {"arm": "Promotion", "control": "No", "outcome": "purchase"}
    training = read_experiment(folder / "training.parquet", covariates=COVARIATES, **columns)
    test = read_experiment(folder / "test.parquet", covariates=COVARIATES, like=training, **columns)
    return describe_experiment(training, Wishes(seed=seed, prices=Prices(VALUE, COST), rounds=rounds), test=test)


def tell_figures(told: dict[str, Any]) -> dict[str, Any]:
    """The net on the test file, and what the training file said of learners and of CUPED."""
    learners = told["uplift"]["Yes"]
    net, everybody = told["test"]["net_incremental"], told["test"]["net_incremental_everybody"]["Yes"]
    return {
        "rule": told["policy"]["rule"],
        "net_incremental_revenue": round(net["value"], 2),
        "interval": [round(net["low"], 2), round(net["high"], 2)],
        "send_to_all": round(everybody["value"], 2),
        "course_reference": COURSE_REFERENCE,
        "picked": told["test"]["picked"]["Yes"],
        "qini": {name: round(found["qini"]["value"], 6) for name, found in learners.items()},
        "beats_response": [name for name, found in learners.items() if found["qini_against_response"]["low"] > 0],
        "cuped_narrowing": round(told["effects"][0]["narrowing"], 4),
    }


if __name__ == "__main__":
    main()

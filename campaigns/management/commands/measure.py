"""`measure FILE --arm COLUMN --control VALUE --outcome COLUMN --covariates A,B,C`: no database is touched."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.outcomes.cuped import CAP_QUANTILE
from campaigns.outcomes.experiment.policy import Prices
from campaigns.outcomes.experiment.report import Wishes, describe_experiment
from campaigns.outcomes.experiment.table import Experiment, read_experiment
from campaigns.outcomes.experiment.tabulating import tabulate_report
from customers.ingest.schema import FileProblem


class Command(BaseCommand):
    help = "Measure an experiment in a file: what each arm did, for whom it did most, and whom to treat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or Parquet, one row per person")
        parser.add_argument("--arm", required=True, help="the column that says in which arm a person was")
        parser.add_argument("--control", required=True, help="its value for those who got nothing")
        parser.add_argument(
            "--outcome", required=True, help="the column of what came of it: 0 or 1, yes or no, or an amount"
        )
        parser.add_argument("--covariates", default="", help="columns of what was known before, A,B,C")
        parser.add_argument("--customer", default="", help="the column that says whose a row is: nobody may have two")
        parser.add_argument("--shares", default="", help="what part of the people each arm was meant to have, control first, then"
                            " the others by name: 0.1,0.9")  # fmt: skip
        parser.add_argument("--value", type=float, default=1.0, help="what one unit of the outcome is worth")
        parser.add_argument("--cost", type=float, default=0.0, help="what treating one person costs")
        parser.add_argument("--winsorise", type=float, default=CAP_QUANTILE,
                            help="cut amounts at this quantile of those that are not 0; 1 for never")  # fmt: skip
        parser.add_argument(
            "--test", type=Path, help="a second file, on which the rule chosen on the first one is tried"
        )
        parser.add_argument(
            "--rounds", type=int, default=0, help="how often to cross-fit; 0 for 3, or 1 with many rows"
        )
        parser.add_argument("--replicates", type=int, default=200, help="bootstrap samples for the intervals")
        parser.add_argument("--effects-only", action="store_true", help="no models, no policy")
        parser.add_argument("--encoding", default="")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        wishes = _read_wishes(options)
        for path in filter(None, (options["file"], options["test"])):
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        try:
            experiment = _read_file(options["file"], options, None)
            test = _read_file(options["test"], options, experiment) if options["test"] else None
            told = describe_experiment(experiment, wishes, test=test)
        except (FileProblem, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(json.dumps(told, allow_nan=False) if options["json"] else tabulate_report(told))


def _read_wishes(options: dict[str, Any]) -> Wishes:
    if options["seed"] < 0 or options["rounds"] < 0 or options["replicates"] < 2:
        raise CommandError("--seed and --rounds have to be 0 or more, --replicates at least 2.")
    if not 0.5 <= options["winsorise"] <= 1:
        raise CommandError("--winsorise is a quantile from 0.5 to 1.")
    if not (math.isfinite(options["value"]) and math.isfinite(options["cost"])):
        raise CommandError("--value and --cost have to be numbers.")
    return Wishes(
        seed=options["seed"],
        prices=Prices(options["value"], options["cost"]),
        shares=_read_shares(options["shares"]),
        winsor_quantile=options["winsorise"],
        rounds=options["rounds"],
        replicates=options["replicates"],
        models=not options["effects_only"],
    )


def _read_shares(text: str) -> tuple[float, ...] | None:
    if not text:
        return None
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise CommandError(f"--shares are numbers such as 0.1,0.9, not “{text}”.") from error
    if not all(math.isfinite(share) and share > 0 for share in shares):
        raise CommandError("--shares have to be above 0.")
    return shares


def _read_file(path: Path, options: dict[str, Any], like: Experiment | None) -> Experiment:
    return read_experiment(
        path,
        arm=options["arm"],
        control=options["control"],
        outcome=options["outcome"],
        covariates=[name.strip() for name in options["covariates"].split(",") if name.strip()],
        customer=options["customer"],
        like=like,
        encoding=options["encoding"],
    )

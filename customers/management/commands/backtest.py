"""`backtest FILE --columns customer=…,at=…,amount=… --cutoff 1997-12-31 --horizon-days 180`: no database is touched."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.ingest.schema import FileProblem, ImportOptions, parse_columns
from customers.scoring.backtest import Backtest, run_backtest
from customers.scoring.evaluation import METRICS
from customers.scoring.history import History, read_history
from customers.scoring.sequence import is_torch_installed
from customers.scoring.snapshots import NotEnoughHistory

#: A hundred years: past them a calendar ends sooner than a shop's history begins.
MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Judge every estimator on a file of orders: trained before the cutoff, tested on the horizon after it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or Parquet")
        parser.add_argument(
            "--columns",
            required=True,
            help="customer=…,at=…,amount=… (or price=…,quantity=…), also order=, product=, name=",
        )
        parser.add_argument(
            "--cutoff", required=True, type=_read_date, help="the day as of which is predicted, 1997-12-31"
        )
        parser.add_argument("--horizon-days", type=int, default=90)
        parser.add_argument("--time-zone", "--timezone", default="UTC")
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--encoding", default="")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--replicates", type=int, default=200, help="bootstrap samples for the intervals")
        parser.add_argument(
            "--sequence",
            action="store_true",
            default=settings.SEQUENCE_MODEL,
            help="also try a self-attention model over orders and events; needs PyTorch and takes minutes",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["horizon_days"] < 1 or options["replicates"] < 2 or options["seed"] < 0:
            raise CommandError("--horizon-days has to be at least 1, --replicates at least 2, --seed at least 0.")
        if options["horizon_days"] > MOST_DAYS or options["cutoff"].year > dt.MAXYEAR - MOST_DAYS // 365:
            raise CommandError(
                f"--horizon-days may be {MOST_DAYS} at the most, and --cutoff no further ahead than that."
            )
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        if options["sequence"] and not is_torch_installed():
            self.stderr.write("The self-attention model is not tried: PyTorch is not installed (pip install torch).")
        try:
            chosen = ImportOptions(
                columns=parse_columns(options["columns"]),
                currency=options["currency"],
                time_zone=options["time_zone"],
                encoding=options["encoding"],
            )
            history = read_history(options["file"], chosen, now=timezone.now())
        except FileProblem as problem:
            raise CommandError(str(problem)) from problem
        try:
            found = run_backtest(
                history.shop,
                cutoff=options["cutoff"],
                horizon_days=options["horizon_days"],
                seed=options["seed"],
                replicates=options["replicates"],
                sequence=options["sequence"],
            )
        except NotEnoughHistory as problem:
            raise CommandError(f"{problem} {_tell_lines(history)}") from problem
        if options["json"]:
            self.stdout.write(json.dumps(describe_run(history, found, seed=options["seed"])))
        else:
            self.stdout.write(tabulate_run(history, found))


def describe_run(history: History, found: Backtest, *, seed: int) -> dict[str, Any]:
    """The back-test as JSON, with what was read of the file."""
    read = {"lines_read": history.lines_read, "left_out": history.left_out, "orders": history.shop.orders.height}
    return {"seed": seed, "size": found.test.height, **read, **found.to_json()}


def tabulate_run(history: History, found: Backtest) -> str:
    """The same for people: one row per estimator, each figure with its 95 % interval."""
    rows = [
        _tell_lines(history),
        f"{found.test.height} customers with an order before {found.cutoff.date()}; {found.churned.mean():.1%} placed none"
        f" in the {found.horizon_days} days after it",
        f"trained on {found.train.rows.height} rows of {len(found.train.dates)} earlier dates,"
        f" the last of them {found.train.dates[0].date()}",
        "",
        "estimator".ljust(16) + "".join(metric.ljust(24) for metric in METRICS) + "AUC against the rule",
    ]
    for name, evaluation in found.evaluations.items():
        figures = (f"{f.value:.4f} ({f.low:.4f}-{f.high:.4f})".ljust(24) for f in evaluation.figures.values())
        gain = evaluation.auc_gain
        rows.append(name.ljust(16) + "".join(figures) + f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})")
    verdict = "beats the plain rule beyond doubt" if found.beats_rule else "does not beat the plain rule beyond doubt"
    rows += ["", f"{found.champion} {verdict} (no order in {found.threshold_days:.0f} days)", *found.warnings]
    return "\n".join(rows)


def _tell_lines(history: History) -> str:
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(history.left_out.items())) or "none"
    return f"{history.lines_read} lines, {history.shop.orders.height} orders; left out: {left_out}"


def _read_date(text: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), tzinfo=dt.UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}” is no day; write it as 1997-12-31") from error

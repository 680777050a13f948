"""How well each estimator predicts who leaves, on real shops, against the plain rule on the same people.

`./rekindle bench prediction [--quick]`. Time splits, nothing of the test window seen in training; seeded. The last line
is one JSON object: per data set and estimator auc, pr_auc, log_loss, brier, ece, lift10 and their 95 % intervals, and
the champion that was chosen on the training rows alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")
django.setup()

from customers.ingest.schema import ImportOptions, parse_columns  # noqa: E402
from customers.scoring.backtest import Backtest, run_backtest  # noqa: E402
from customers.scoring.evaluation import METRICS  # noqa: E402
from customers.scoring.history import read_history  # noqa: E402

SEED = 0
SHARED = Path(os.environ.get("REKINDLE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Shop:
    """A file of orders, the days as of which is predicted, and for how many days ahead."""

    path: Path
    columns: str
    cutoffs: tuple[str, ...]
    horizon_days: int = 90


UCI = Shop(
    SHARED / "online_retail_uci" / "online_retail.parquet",
    "order=InvoiceNo,product=StockCode,name=Description,quantity=Quantity,at=InvoiceDate,price=UnitPrice,customer=CustomerID",
    ("2011-09-10", "2011-08-10"),
)
CDNOW = Shop(
    SHARED / "cdnow" / "cdnow_master.parquet",
    "customer=customer_id,at=date,amount=dollar_value,quantity=number_of_cds",
    ("1998-04-01", "1998-01-15"),
)
QUICK = {"uci": UCI, "cdnow": CDNOW}
FULL = {
    "uci": Shop(UCI.path, UCI.columns, ("2011-09-10", "2011-09-09", "2011-08-10", "2011-07-10")),
    "cdnow": CDNOW,
    "cdnow_180": Shop(CDNOW.path, CDNOW.columns, ("1997-12-31",), 180),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two cutoffs of each shop, fewer bootstrap samples")
    options = parser.parse_args(arguments)
    shops = QUICK if options.quick else FULL
    missing = [str(shop.path) for shop in shops.values() if not shop.path.is_file()]
    if missing:
        print(
            f"These data sets are missing: {', '.join(missing)}. Set REKINDLE_SHARED_DATA to their folder.",
            file=sys.stderr,
        )
        return 1
    replicates = 100 if options.quick else 1000
    print(f"seed {SEED}, {replicates} bootstrap samples")
    results = {name: _judge_shop(name, shop, replicates) for name, shop in shops.items()}
    flat = {f"{name}_{cutoff}": found for name, by_cutoff in results.items() for cutoff, found in by_cutoff.items()}
    print(
        json.dumps(
            {
                "seed": SEED,
                "size": {name: found["customers"] for name, found in flat.items()},
                "quick": options.quick,
                "replicates": replicates,
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "champion": {name: found["champion"] for name, found in flat.items()},
                "datasets": flat,
            }
        )
    )
    return 0


def _judge_shop(name: str, shop: Shop, replicates: int) -> dict[str, dict[str, Any]]:
    options = ImportOptions(columns=parse_columns(shop.columns), currency="GBP", time_zone="UTC")
    history = read_history(shop.path, options, now=dt.datetime.now(dt.UTC))
    found = {}
    for cutoff in shop.cutoffs:
        began = time.perf_counter()
        as_of = dt.datetime.combine(dt.date.fromisoformat(cutoff), dt.time(), tzinfo=dt.UTC)
        backtest = run_backtest(
            history.shop, cutoff=as_of, horizon_days=shop.horizon_days, seed=SEED, replicates=replicates
        )
        took_s = time.perf_counter() - began
        _print_table(name, backtest, took_s)
        found[cutoff] = {**backtest.to_json(), "seconds": round(took_s, 1)}
    return found


def _print_table(name: str, backtest: Backtest, took_s: float) -> None:
    print(
        f"\n{name} {backtest.cutoff.date()}, {backtest.horizon_days} days: {backtest.test.height} customers,"
        f" {backtest.churned.mean():.1%} left; trained on {backtest.train.rows.height} rows in {took_s:.1f} s"
    )
    print(
        "estimator".ljust(16)
        + "".join(metric.rjust(10) for metric in METRICS)
        + "   AUC 95 %          gain on the rule"
    )
    for estimator, evaluation in backtest.evaluations.items():
        figures = "".join(f"{evaluation.figures[metric].value:10.4f}" for metric in METRICS)
        auc, gain = evaluation.figures["auc"], evaluation.auc_gain
        mark = " <- champion" if estimator == backtest.champion else ""
        print(
            f"{estimator:<16}{figures}   {auc.low:.4f}-{auc.high:.4f}"
            f"   {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}){mark}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

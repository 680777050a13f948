"""How well each estimator predicts who leaves, on real shops, against the plain rule on the same people.

`./rekindle bench prediction [--quick]`. Time splits, nothing of the test window seen in training; seeded. The last line
is one JSON object: per data set and estimator auc, pr_auc, log_loss, brier, ece, lift10 and their 95 % intervals; the
champion that was chosen on the training rows alone, and `gains`, its AUC less that of each other on the same resamples
(win, tie or loss); `orders`, which are gated on normalised Gini and bias; `published`, the fits of BG/NBD, Pareto/NBD and
Gamma-Gamma to the CDNOW sample beside those in print. `sequence` says whether the self-attention model was tried: where
PyTorch is installed and there is time, so not with --quick.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")
django.setup()

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

from customers.features.builder import ShopData, build_features  # noqa: E402
from customers.ingest.schema import ImportOptions, parse_columns  # noqa: E402
from customers.scoring.backtest import Backtest, run_backtest  # noqa: E402
from customers.scoring.buy_till_you_die import BgNbd, GammaGamma, ParetoNbd, read_histories  # noqa: E402
from customers.scoring.evaluation import METRICS, normalised_gini, tell_gain  # noqa: E402
from customers.scoring.expectations import OrderModel  # noqa: E402
from customers.scoring.history import read_history  # noqa: E402
from customers.scoring.labels import build_labels  # noqa: E402
from customers.scoring.process_columns import ORDERS_COLUMN  # noqa: E402
from customers.scoring.projection import project_orders  # noqa: E402
from customers.scoring.sequence import is_torch_installed  # noqa: E402

SEED = 0
WORKERS = 2
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
    ("2011-09-09", "2011-08-10"),
)
CDNOW = Shop(
    SHARED / "cdnow" / "cdnow_master.parquet",
    "customer=customer_id,at=date,amount=dollar_value,quantity=number_of_cds",
    ("1998-04-01", "1998-01-15"),
)
SAMPLE = Shop(SHARED / "cdnow" / "cdnow_sample_1_10.parquet", CDNOW.columns, ("1997-10-01",), 39 * 7)
#: Fader, Hardie and Lee 2005 (both papers): parameters, log-likelihood, correlation in weeks 40 to 78.
PUBLISHED = {
    "bg_nbd": ((0.243, 4.414, 0.793, 2.426), -9582.4, 0.626),
    "pareto_nbd": ((0.553, 10.578, 0.606, 11.669), -9595.0, 0.630),
    "gamma_gamma": ((6.25, 3.74, 15.44), None, None),
}
QUICK = {"cdnow": CDNOW, "uci": UCI}
FULL = {
    "cdnow": CDNOW,
    "uci": Shop(UCI.path, UCI.columns, ("2011-09-10", "2011-09-09", "2011-08-10", "2011-07-10")),
    "cdnow_180": Shop(CDNOW.path, CDNOW.columns, ("1997-12-31",), 180),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two cutoffs of each shop, fewer bootstrap samples")
    options = parser.parse_args(arguments)
    shops = QUICK if options.quick else FULL
    missing = [str(shop.path) for shop in (*shops.values(), SAMPLE) if not shop.path.is_file()]
    if missing:
        print(
            f"These data sets are missing: {', '.join(missing)}. Set REKINDLE_SHARED_DATA to their folder.",
            file=sys.stderr,
        )
        return 1
    replicates = 100 if options.quick else 1000
    sequence = "tried"
    if options.quick or not is_torch_installed():
        why = "PyTorch is not installed" if not is_torch_installed() else "it takes longer than --quick allows"
        sequence = f"not tried: {why}"
    print(f"seed {SEED}, {replicates} bootstrap samples; self-attention model {sequence}")
    flat, published = _judge_windows(shops, replicates, sequence == "tried")
    print(
        json.dumps(
            {
                "seed": SEED,
                "size": {name: found["customers"] for name, found in flat.items()},
                "quick": options.quick,
                "sequence": sequence,
                "replicates": replicates,
                "peak_mb": max(found["peak_mb"] for found in flat.values()),
                "published": published,
                "champion": {name: found["champion"] for name, found in flat.items()},
                "datasets": flat,
            }
        )
    )
    return 0


def _judge_windows(shops: dict[str, Shop], replicates: int, sequence: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every window of every shop and the published fits, two at a time; printed in order."""
    windows = [(name, shop, cutoff) for name, shop in shops.items() for cutoff in shop.cutoffs]
    found = {}
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_judge_window, name, shop, cutoff, replicates, sequence) for name, shop, cutoff in windows]
        last = pool.submit(_repeat_published)
        for (name, _, cutoff), job in zip(windows, jobs, strict=True):
            table, found[f"{name}_{cutoff}"] = job.result()
            print(table, flush=True)
        published = last.result()
    _print_published(published)
    return found, published


def _judge_window(name: str, shop: Shop, cutoff: str, replicates: int, sequence: bool) -> tuple[str, dict[str, Any]]:
    data = _read(shop)
    began = time.perf_counter()
    as_of = dt.datetime.combine(dt.date.fromisoformat(cutoff), dt.time(), tzinfo=dt.UTC)
    backtest = run_backtest(
        data, cutoff=as_of, horizon_days=shop.horizon_days, seed=SEED, replicates=replicates, sequence=sequence
    )
    orders = _judge_orders(backtest)
    took_s = time.perf_counter() - began
    table = f"{_tabulate(name, backtest, took_s)}\n{_tell_orders(orders)}"
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return table, {**backtest.to_json(), "orders": orders, "seconds": round(took_s, 1), "peak_mb": round(peak_mb)}


def _read(shop: Shop) -> ShopData:
    options = ImportOptions(columns=parse_columns(shop.columns), currency="GBP", time_zone="UTC")
    return read_history(shop.path, options, now=dt.datetime.now(dt.UTC)).shop


def _judge_orders(backtest: Backtest) -> dict[str, dict[str, float]]:
    """Normalised Gini and bias of expected orders and value, beside what Pareto/NBD expects."""
    rows, test = backtest.train.rows, backtest.test
    leaving = backtest.fitted[backtest.champion].predict_proba(rows)[:, 1]
    model = OrderModel(backtest.columns, horizon_days=backtest.horizon_days, random_state=SEED).fit(rows, leaving)
    expected = model.hold_level(test, backtest.predictions[backtest.champion]).predict(
        test, backtest.predictions[backtest.champion]
    )
    orders, value = test["orders"].to_numpy(), test["value"].to_numpy()
    told = {"orders": (orders, expected.orders), "value": (value, expected.value)}
    told["pareto_nbd"] = (orders, test[ORDERS_COLUMN].to_numpy())
    return {
        name: {
            "gini": round(normalised_gini(actual, said), 4),
            "bias": round(float(said.sum() / actual.sum() - 1), 4),
        }
        for name, (actual, said) in told.items()
    }


def _repeat_published() -> dict[str, Any]:
    """The published fits again on the tenth of CDNOW, 39 weeks to fit and 39 to judge, and our total of expected orders."""
    data = _read(SAMPLE)
    as_of = dt.datetime(1997, 10, 1, tzinfo=dt.UTC)
    features = build_features(data.orders, as_of=as_of)
    later = build_labels(data.orders, as_of=as_of, horizon_days=SAMPLE.horizon_days)["orders"].to_numpy()
    histories = read_histories(features)
    found: dict[str, Any] = {}
    for kind in (BgNbd, ParetoNbd):
        model = kind().fit_histories(histories)
        expected = model.expected_orders(histories, SAMPLE.horizon_days)
        found[kind.name] = {
            "theta": [round(float(value), 3) for value in model.theta_],
            "log_likelihood": round(model.log_likelihood_, 1),
            "correlation": round(float(np.corrcoef(expected, later)[0, 1]), 3),
            "total": round(float(expected.sum() / later.sum() - 1), 4),
        }
    found["gamma_gamma"] = {"theta": [round(float(value), 2) for value in _fit_repeat_values(data, as_of).theta_]}
    projected = project_orders(data, as_of=as_of, horizon_days=SAMPLE.horizon_days, seed=SEED)
    found["projected"] = {"total": round(float(projected.orders.sum() / later.sum() - 1), 4)}
    found["projected"]["correlation"] = round(float(np.corrcoef(projected.orders, later)[0, 1]), 3)
    return found


def _fit_repeat_values(data: ShopData, as_of: dt.datetime) -> GammaGamma:
    """Gamma-Gamma on the mean value of the repeat orders, as in the paper."""
    days = (
        data.orders.filter(pl.col("ordered_at") < as_of)
        .group_by("customer_id", day=pl.col("ordered_at").dt.date())
        .agg(value=pl.col("total").sum())
        .sort("customer_id", "day")
    )
    repeats = days.group_by("customer_id").agg(orders=pl.len() - 1, value=pl.col("value").slice(1).mean())
    repeats = repeats.filter(pl.col("orders") > 0)
    return GammaGamma().fit(repeats["orders"].to_numpy().astype(float), repeats["value"].to_numpy())


def _print_published(found: dict[str, Any]) -> None:
    print("\nCDNOW sample, 39 weeks to fit and 39 to judge: ours, and what is published")
    for name, (theta, log_likelihood, correlation) in PUBLISHED.items():
        ours = found[name]
        print(f"  {name:<12} {ours['theta']} LL {ours.get('log_likelihood')} corr {ours.get('correlation')}", end="")
        print(f"   published {list(theta)} LL {log_likelihood} corr {correlation}")
    totals = {name: f"{found[name]['total']:+.1%}" for name in ("bg_nbd", "pareto_nbd", "projected")}
    print(f"  total of expected orders against 1,882 seen: {totals}")


def _tabulate(name: str, backtest: Backtest, took_s: float) -> str:
    heads = "".join(metric.rjust(10) for metric in METRICS)
    rows = [
        f"\n{name} {backtest.cutoff.date()}, {backtest.horizon_days} days: {backtest.test.height} customers,"
        f" {backtest.churned.mean():.1%} left; trained on {backtest.train.rows.height} rows in {took_s:.1f} s",
        f"{'estimator':<16}{heads}   AUC 95 %          gain on the rule               champion against it",
    ]
    for estimator, evaluation in backtest.evaluations.items():
        figures = "".join(f"{evaluation.figures[metric].value:10.4f}" for metric in METRICS)
        auc, gain = evaluation.figures["auc"], evaluation.auc_gain
        mark = " <- champion" if estimator == backtest.champion else ""
        rows.append(
            f"{estimator:<16}{figures}   {auc.low:.4f}-{auc.high:.4f}"
            f"   {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}){mark}{_tell_gain(backtest, estimator)}"
        )
    return "\n".join(rows)


def _tell_gain(backtest: Backtest, estimator: str) -> str:
    gain = backtest.gains.get(estimator)
    if gain is None:
        return ""
    return f"   {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) {tell_gain(gain)}"


def _tell_orders(orders: dict[str, dict[str, float]]) -> str:
    told = (f"{name} gini {figures['gini']:.3f} bias {figures['bias']:+.1%}" for name, figures in orders.items())
    return "expected " + "; ".join(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Scoring a whole shop, against the least that anybody would have to do for it.

The shop is the demo simulator's: 1,000,000 customers with 21 events and 8 orders each over two years. A model is trained on
a part of it, as the product does. Then, in turns and in processes of their own:

- **the floor**: read all events of the shop as Arrow (customer, kind, moment; ADBC, no condition but the date, as it comes
  off the wire), let the same model predict everything that a score says on a matrix that is ready (features, and what the
  buy-till-you-die models say of each customer, stand in memory), and write the rows of Score and ScoreHistory by COPY straight
  into the empty tables, with their indexes and foreign keys. No orders and no lines are read, no feature is built,
  nothing is explained, nothing compared with what is there, one step after the other.
- **the product**: `score_everybody`, from the database and into it, with reasons for the 50,000 likeliest leavers.

`ratio` is the product's time over the floor's. The floor reads every event, as the bar says; the product those of the last
181 days, and all orders and lines besides. `ratio_to_rows_read` is the ratio to a floor that reads exactly the rows which
the product reads, orders and lines included. Steps of the product run at once in two threads, so their seconds add up to
more than the whole; `rows_per_s` is customers by the second of each step. `peak_mb` is the most memory of the product's process,
`growth` its peak in the second half of the parts over the one in the first. `explain_per_s` is the rate of exact reasons
for an audience.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks._shop import TABLES, copy_rows, fill_shop, settle
from benchmarks.frame import (
    Arguments,
    measure,
    median,
    parse_arguments,
    peak_mb,
    print_result,
    print_table,
    set_up_django,
)
from customers.scoring.steps import Steps

TODAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
SCORES = ("customers_score", "customers_scorehistory")
AUDIENCE = 20_000
HORIZON_DAYS = 90
SNAPSHOTS = 3
#: Scores in a process of its own, so that its memory is its own too, and prints what it took.
ALONE = """
import json, sys, django
django.setup()
from benchmarks.scoring import work_product
print(json.dumps(work_product(int(sys.argv[1]), int(sys.argv[2]))))
"""


def train(customers: int, *, seed: int) -> Any:
    """A champion in the registry, fitted to about `customers` of the shop's: the blend, as training would fit it once more
    after its back-tests, which are left out."""
    from customers.features.reader import read_shop, split_customers
    from customers.models import Customer, ModelVersion
    from customers.scoring.estimators import Blend
    from customers.scoring.snapshots import plan_dates, take_snapshots
    from customers.scoring.training import _fit_model

    shop = read_shop(before=TODAY, partition=split_customers(Customer.objects.count(), most=customers)[0])
    first_at = shop.orders["ordered_at"].min()
    dates = plan_dates(first_at, TODAY, horizon_days=HORIZON_DAYS, customers=customers)[:SNAPSHOTS]
    snapshots = take_snapshots(shop, dates, horizon_days=HORIZON_DAYS)
    model = _fit_model(shop, snapshots, Blend.name, until=TODAY, horizon_days=HORIZON_DAYS, seed=seed)
    return ModelVersion.objects.create(
        version=1, estimator=Blend.name, status=ModelVersion.Status.CHAMPION, horizon_days=HORIZON_DAYS,
        trained_at=TODAY, data_from=first_at, data_until=TODAY, artifact=model.to_bytes(),
    )  # fmt: skip


def prepare_matrix(trained: Any, customers: int) -> list[pl.DataFrame]:
    """What the floor has for nothing: everybody's features, with what the buy-till-you-die models say beside them."""
    from customers.features.builder import build_features
    from customers.features.parts import read_parts
    from customers.features.reader import events_needed_since

    ready = []
    for part in read_parts(before=TODAY, events_since=events_needed_since(TODAY), parts=-(-customers // 50_000)):
        shop = part.shop
        features = build_features(shop.orders, shop.lines, shop.events, as_of=TODAY, popularity=trained.popularity)
        ready.append(trained.describe(features))
    return ready


def run_floor(model_id: int, trained: Any, ready: list[pl.DataFrame]) -> dict[str, float]:
    """Seconds to read all events, to read instead the rows that the product reads, to predict and to write."""
    from django.db import connection

    with measure() as reading:
        _read_rows(with_orders=False)
    with measure() as reading_rows:
        _read_rows(with_orders=True)
    with measure() as predicting:
        frames = [_predict_ready(trained, matrix, model_id) for matrix in ready]
    with measure() as writing, connection.cursor() as cursor:
        for frame in frames:
            for table in SCORES:
                copy_rows(cursor, table, frame)
    spent = {"read": reading, "read_rows": reading_rows, "predict": predicting, "write": writing}
    return {step: timing.seconds for step, timing in spent.items()}


def explain_audience(trained: Any, ready: list[pl.DataFrame]) -> float:
    """Customers a second whose exact reasons are found, for an audience whose features are at hand."""
    from customers.scoring.explain import explain_customers

    audience = pl.concat(ready[:2]).head(AUDIENCE)
    with measure() as timing:
        explain_customers(trained, audience)
    return audience.height / timing.seconds


def work_product(index: int, count: int) -> dict[str, Any]:
    """Seconds of the whole and of its steps, and memory, for one of `count` workers."""
    from customers.features.reader import Partition
    from customers.scoring.runner import MOST_EXPLAINED, score_everybody
    from customers.scoring.working import read_champion

    importlib.import_module("xgboost")  # what is imported at first use is there
    model = read_champion()
    steps = WatchedSteps()
    with measure() as timing:
        partition = Partition(index, count) if count > 1 else None
        changed = score_everybody(model, as_of=TODAY, partition=partition, steps=steps)
    return {
        "seconds": timing.seconds, "steps": steps.seconds, "changed": changed, "explained": MOST_EXPLAINED // count,
        "peak_mb": peak_mb(), "growth": tell_growth(steps.memory),
    }  # fmt: skip


def tell_growth(memory: list[float]) -> float:
    """The peak in the second half of the readings over the one in the first; 1 where there are too few to say."""
    if len(memory) < 4:
        return 1.0
    half = len(memory) // 2
    return max(memory[half:]) / max(memory[:half])


def tell_rates(customers: int, seconds: Mapping[str, float], explained: int) -> dict[str, float]:
    """Rows a second by step: customers, and of the step "explain" those who are explained."""
    rows = {step: explained if step == "explain" else customers for step in seconds}
    return {step: round(rows[step] / spent) for step, spent in seconds.items() if spent}


class WatchedSteps(Steps):
    """Steps, and the process's memory in MB each time that a part is about to be written."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: list[float] = []

    def measure(self, step: str) -> Any:
        if step == "write":
            self.memory.append(present_mb())
        return super().measure(step)


def _read_rows(*, with_orders: bool) -> None:
    from customers.features import reader

    since = reader.events_needed_since(TODAY) if with_orders else None
    queries = [reader.query_events(TODAY, since, None)]
    if with_orders:
        queries += [reader.query_orders(TODAY, None), reader.query_bare_lines()]
    for query in queries:
        with reader.adbc.connect(reader._conninfo()) as session, session.cursor() as cursor:
            cursor.execute(reader._select(query))
            cursor.fetch_arrow_table()


def _predict_ready(trained: Any, matrix: pl.DataFrame, model_id: int) -> pl.DataFrame:
    """The model's own figures on a matrix that is ready, as rows of Score; interests and reasons are left empty."""
    from customers.scoring import runner

    told = runner.tell_figures(trained, matrix, trained.predict_churn(matrix), as_of=TODAY)
    return told.with_columns(
        pl.lit(model_id).alias("model_id"),
        pl.lit(TODAY).cast(pl.Datetime("us", "UTC")).alias("as_of"),
        pl.lit("").alias("interest"), pl.lit("").alias("main_reason"), pl.lit("[]").alias("reasons"),
    )  # fmt: skip


def present_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_mb()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _start_product(index: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", ALONE, str(index), str(count)], stdout=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> Any:
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a process of the benchmark ended with {process.returncode}")
    return json.loads(out.splitlines()[-1])


def _empty_scores() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(SCORES)}")
    settle()


def run_workers(count: int) -> float:
    """Seconds until the slowest of `count` processes has scored its share, all begun at once."""
    _empty_scores()
    return max(_finish(process)["seconds"] for process in [_start_product(i, count) for i in range(count)])


def main() -> None:
    """Measure, print a table, and the object of bar.md in the last line."""
    arguments = parse_arguments(__doc__ or "")
    set_up_django()
    from customers.scoring.artifact import TrainedModel

    size, sample, rounds = (100_000, 3_000, 1) if arguments.quick else (1_000_000, 100_000, 3)
    with measure() as filling:
        shop = fill_shop(size, seed=arguments.seed, today=TODAY)
        settle(*TABLES)
    with measure() as training:
        model = train(sample, seed=arguments.seed)
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    ready = prepare_matrix(trained, shop.customers)
    explain_per_s = explain_audience(trained, ready)
    print(
        f"{shop.customers:,} customers, {shop.orders:,} orders, {shop.lines:,} lines, {shop.events:,} events in"
        f" {filling.seconds:.0f} s; {model.estimator} trained in {training.seconds:.0f} s",
        flush=True,
    )
    floors, ours = [], []
    for _round in range(rounds):
        _empty_scores()
        floors.append(run_floor(model.pk, trained, ready))
        _empty_scores()
        ours.append(_finish(_start_product(0, 1)))
    report(arguments, shop, floors, ours, explain_per_s, None if arguments.quick else run_workers(2))


def report(
    arguments: Arguments,
    shop: Any,
    floors: list[dict[str, float]],
    ours: list[dict[str, Any]],
    explain_per_s: float,
    two_workers_s: float | None,
) -> None:
    """The table, and the last line; figures of several rounds are their medians."""
    floor = {step: median([each[step] for each in floors]) for step in floors[0]}
    steps = {step: median([each["steps"][step] for each in ours]) for step in ours[0]["steps"]}
    total = median([each["seconds"] for each in ours])
    shared = floor["predict"] + floor["write"]
    found: dict[str, Any] = {
        "floor_s": floor["read"] + shared,
        "total_s": total,
        "ratio": total / (floor["read"] + shared),
        "ratio_to_rows_read": total / (floor["read_rows"] + shared),
        "rows_per_s": tell_rates(shop.customers, steps, ours[0]["explained"]),
        "peak_mb": max(each["peak_mb"] for each in ours),
        "growth": max(each["growth"] for each in ours),
        "explain_per_s": explain_per_s,
    }
    if two_workers_s is not None:
        found |= {"two_workers_s": two_workers_s, "two_workers_speedup": total / two_workers_s}
    print_table("Floor, seconds", floor)
    print_table("Ours, seconds by step (two threads)", steps)
    print_table("Scoring", {name: value for name, value in found.items() if name != "rows_per_s"})
    print_table("Rows a second", found["rows_per_s"])
    print_result(arguments, size={"customers": shop.customers, "events": shop.events, "rounds": len(ours)}, **found)


if __name__ == "__main__":
    main()

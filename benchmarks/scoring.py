"""Scoring a whole shop, against the least that anybody would have to do for it.

The shop is the demo simulator's: 1,000,000 customers with 21 events and 8 orders each over two years. A model is trained on
a part of it, as the product does. Then, in turns and in processes of their own:

- **the floor**: read all events of the shop as Arrow (customer, kind, moment; ADBC, no condition but the date, as it comes
  off the wire), let the same model predict everything that a score says on a matrix that is ready (features, and what the
  buy-till-you-die models say of each customer, stand in memory), and write the rows of Score and ScoreHistory by COPY straight
  into the empty tables, with their indexes, checks and foreign keys. No orders and no lines are read, no feature is built,
  nothing is explained, nothing compared with what is there, one step after the other.
- **the product**: `score_everybody`, from the database and into it, with reasons for the 50,000 likeliest leavers.

`ratio` is the product's time over the floor's, the median of rounds in which both had their turn. The floor reads every
event, as the bar says; the product those of the last 181 days, and all orders and lines besides. `ratio_to_rows_read` is the
ratio to a floor that reads exactly the rows which the product reads, orders and lines included. Steps of the product run at
once in two threads, so their seconds add up to more than the whole; `rows_per_s` is customers by the second of each step.
`peak_mb` is the most memory of the product's process, `growth` its peak in the second half of the parts over the one in the
first. `explain_per_s` is the rate of exact reasons for an audience.

Without --quick, or with --processes N: N workers with a partition each (`workers_s`, `workers_speedup` over one in this
run), and whether they write the same scores to the last digit (`workers_same_scores`). Without --quick also the night after, when
everybody has a score of the day before (`next_night_s`, `next_night_rows` changed). --customers takes another size.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import polars as pl

from benchmarks._score_worker import Worker
from benchmarks._shop import TABLES, copy_rows, fill_shop, settle
from benchmarks.frame import (
    Arguments,
    measure,
    median,
    parse_arguments,
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
#: With --quick a second round begins no later than so many seconds after the command.
QUICK_S = 30.0
#: Room on the disk for a customer's rows with their indexes, the log of the database and the parts on their way, in bytes.
ROOM_PER_CUSTOMER = 16_000


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

    steps = Steps(dict.fromkeys(("read", "read_rows", "predict", "write"), 0.0))
    with steps.measure("read"):
        _read_rows(with_orders=False)
    with steps.measure("read_rows"):
        _read_rows(with_orders=True)
    for matrix in ready:
        with steps.measure("predict"):
            frame = _predict_ready(trained, matrix, model_id)
        with steps.measure("write"), connection.cursor() as cursor:
            for table in SCORES:
                copy_rows(cursor, table, frame)
    return steps.seconds


def explain_audience(trained: Any, ready: list[pl.DataFrame]) -> float:
    """Customers a second whose exact reasons are found, for an audience whose features are at hand."""
    from customers.scoring.explain import explain_customers

    audience = pl.concat(ready[:2]).head(AUDIENCE)
    with measure() as timing:
        explain_customers(trained, audience)
    return audience.height / timing.seconds


def tell_rates(customers: int, seconds: Mapping[str, float], explained: int) -> dict[str, float]:
    """Rows a second by step: customers, and of the step "explain" those who are explained."""
    rows = {step: explained if step == "explain" else customers for step in seconds}
    return {step: round(rows[step] / spent) for step, spent in seconds.items() if spent}


def _read_rows(*, with_orders: bool) -> None:
    from customers.features import reader

    since = reader.events_needed_since(TODAY) if with_orders else None
    queries = [reader.query_events(TODAY, since, None)]
    if with_orders:
        queries += [reader.query_orders(TODAY, None), reader.query_bare_lines()]
    for query in queries:
        with reader._open_stream(query) as stream:
            for _batch in stream:
                pass


def _predict_ready(trained: Any, matrix: pl.DataFrame, model_id: int) -> pl.DataFrame:
    """The model's own figures on a matrix that is ready, as rows of Score; interests and reasons are left empty."""
    from customers.scoring import runner

    told = runner.tell_figures(trained, matrix, trained.predict_churn(matrix), as_of=TODAY)
    return told.with_columns(
        pl.lit(model_id).alias("model_id"),
        pl.lit(TODAY).cast(pl.Datetime("us", "UTC")).alias("as_of"),
        pl.lit("").alias("interest"), pl.lit("").alias("main_reason"), pl.lit("[]").alias("reasons"),
    )  # fmt: skip


def _empty_scores() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(SCORES)}")
    settle()


def has_time_for_more(rounds: int, arguments: Arguments, spent_s: float) -> bool:
    """Whether another round is measured: three of them, with --quick two where a busy machine leaves time for the second."""
    if arguments.quick:
        return rounds == 0 or (rounds == 1 and spent_s < QUICK_S)
    return rounds < 3


def run_workers(workers: list[Worker]) -> float:
    """Seconds until the slowest of them has scored its share, all begun at once."""
    _empty_scores()
    for index, worker in enumerate(workers):
        worker.begin(as_of=TODAY, index=index, count=len(workers))
    return float(max(worker.read_answer()["seconds"] for worker in workers))


def sum_scores() -> tuple[Any, ...]:
    """How many scores there are, and a sum over every digit of them; reasons are left out, which each share has its own of."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(hashtextextended(ROW(customer_id, model_id, as_of, status, churn_probability,"
            " expected_orders, expected_value, next_order_on, next_order_from, next_order_until, recency_days,"
            " interest)::text, 0)) FROM customers_score"
        )
        return tuple(cursor.fetchone())


def check_room(customers: int) -> None:
    """Ends the benchmark in words where the disk is too small for such a shop."""
    for folder in (os.environ.get("REKINDLE_VAR") or tempfile.gettempdir(), tempfile.gettempdir()):
        free, needed = shutil.disk_usage(folder).free, customers * ROOM_PER_CUSTOMER
        if free < needed:
            sys.exit(
                f"{folder} has {free / 1e9:.0f} GB free, {needed / 1e9:.0f} are needed. Set TMPDIR to a larger disk."
            )


def main() -> None:
    """Measure, print a table, and the object of bar.md in the last line."""
    arguments = parse_arguments(__doc__ or "", _add_arguments)
    set_up_django()
    from customers.scoring.artifact import TrainedModel

    started = time.perf_counter()
    size = arguments.more.customers or (100_000 if arguments.quick else 1_000_000)
    check_room(size)
    count = arguments.more.processes or (1 if arguments.quick else 2)
    workers = [Worker() for _ in range(count)]
    with measure() as filling:
        shop = fill_shop(size, seed=arguments.seed, today=TODAY)
        settle(*TABLES)
    with measure() as training:
        model = train(3_000 if arguments.quick else size // 10, seed=arguments.seed)
    trained = TrainedModel.from_bytes(bytes(model.artifact))
    ready = prepare_matrix(trained, shop.customers)
    explain_per_s = explain_audience(trained, ready)
    for worker in workers:
        worker.wait_until_ready()
    print(
        f"{shop.customers:,} customers, {shop.orders:,} orders, {shop.lines:,} lines, {shop.events:,} events in"
        f" {filling.seconds:.0f} s; {model.estimator} trained in {training.seconds:.0f} s",
        flush=True,
    )
    floors, ours = [], []
    while has_time_for_more(len(floors), arguments, time.perf_counter() - started):
        _empty_scores()
        floors.append(run_floor(model.pk, trained, ready))
        _empty_scores()
        workers[0].begin(as_of=TODAY)
        ours.append(workers[0].read_answer())
        print(f"round: floor {_sum_floor(floors[-1]):.2f} s, ours {ours[-1]['seconds']:.2f} s", flush=True)
    more: dict[str, Any] = {}
    if not arguments.quick:
        more |= measure_next_night(workers[0])
    if count > 1:
        more |= measure_workers(workers, median([each["seconds"] for each in ours]))
    for worker in workers:
        worker.end()
    report(arguments, shop, floors, ours, {"explain_per_s": explain_per_s, **more})


def measure_next_night(worker: Worker) -> dict[str, Any]:
    """The night after, when everybody has a score of the day before."""
    settle(*SCORES)
    worker.begin(as_of=TODAY + dt.timedelta(days=1))
    answer = worker.read_answer()
    return {"next_night_s": answer["seconds"], "next_night_rows": answer["changed"]}


def measure_workers(workers: list[Worker], alone_s: float) -> dict[str, Any]:
    """All workers at once against one, and whether what they write is the same."""
    _empty_scores()
    workers[0].begin(as_of=TODAY)
    workers[0].read_answer()
    alone = sum_scores()
    seconds = run_workers(workers)
    return {
        "workers": len(workers),
        "workers_s": seconds,
        "workers_speedup": alone_s / seconds,
        "workers_same_scores": sum_scores() == alone,
    }


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--customers", type=int, help="another size than 100,000 with --quick and 1,000,000 without")
    parser.add_argument("--processes", type=int, help="so many workers at once; default: 2, with --quick none")


def _sum_floor(floor: Mapping[str, float]) -> float:
    return floor["read"] + floor["predict"] + floor["write"]


def report(
    arguments: Arguments,
    shop: Any,
    floors: list[dict[str, float]],
    ours: list[dict[str, Any]],
    more: dict[str, Any],
) -> None:
    """The table, and the last line; figures of several rounds are their medians."""
    floor = {step: median([each[step] for each in floors]) for step in floors[0]}
    steps = {step: median([each["steps"][step] for each in ours]) for step in ours[0]["steps"]}
    rounds = list(zip(floors, ours, strict=True))
    found: dict[str, Any] = {
        "floor_s": median([_sum_floor(each) for each in floors]),
        "total_s": median([each["seconds"] for each in ours]),
        "ratio": median([own["seconds"] / _sum_floor(each) for each, own in rounds]),
        "ratio_to_rows_read": median(
            [own["seconds"] / (_sum_floor(each) - each["read"] + each["read_rows"]) for each, own in rounds]
        ),
        "rows_per_s": tell_rates(shop.customers, steps, ours[0]["explained"]),
        "peak_mb": max(each["peak_mb"] for each in ours),
        "growth": max(each["growth"] for each in ours),
        **more,
    }
    print_table("Floor, seconds", floor)
    print_table("Ours, seconds by step (two threads)", steps)
    print_table("Scoring", {name: value for name, value in found.items() if name != "rows_per_s"})
    print_table("Rows a second", found["rows_per_s"])
    print_result(arguments, size={"customers": shop.customers, "events": shop.events, "rounds": len(ours)}, **found)


if __name__ == "__main__":
    main()

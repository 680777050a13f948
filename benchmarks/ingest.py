"""How fast data comes in: the bulk event API and the import of files, against COPY and one set-based upsert.

The peer is what a database person would write by hand for clean data: COPY the rows into a temporary table and upsert
from there into the same tables, with all their indexes and constraints, in one transaction. It checks nothing, reports
nothing and resolves no duplicates. Both work on the same rows in the same run; each round has keys of its own, so that
every row is new. `api_vs_copy`, `batch_vs_copy` (the mixed request), `events_vs_copy` (a file of events), `csv_vs_copy` (one of
orders) and `parquet_vs_copy` (as many lines of orders in Parquet) are the peer's time over ours (1 is as fast, 0.5 takes twice
as long).
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import _event_files
from benchmarks._events import CUSTOMERS, DAYS, START, make_events
from benchmarks.frame import measure, median, parse_arguments, print_result, print_table, set_up_django

REQUEST_ITEMS = 1_000
LINES_PER_ORDER = 5
LINES_PER_CUSTOMER = 50
COLUMNS = "order=order,product=product,name=name,quantity=quantity,at=at,price=price,customer=customer,country=country"
#: Runs imports in a process of its own: prints the seconds of each, and the most memory it had.
IMPORT_ALONE = """
import sys, time
import django
django.setup()
from django.core.management import call_command
columns, *files = sys.argv[1:]
for path, source in zip(files[::2], files[1::2]):
    started = time.perf_counter()
    call_command("import_orders", path, columns=columns, source=source, currency="EUR", timezone="Europe/London", json=True)
    print("seconds", time.perf_counter() - started)
from benchmarks.frame import peak_mb
print("peak", peak_mb())
"""


def make_bodies(events: pl.DataFrame) -> list[bytes]:
    """The same events as requests of 1,000."""
    bodies = []
    for part in events.iter_slices(REQUEST_ITEMS):
        rows = part.with_columns(pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts()
        items = [{**row, "properties": json.loads(row["properties"])} for row in rows]
        bodies.append(json.dumps({"source": "bench", "events": items}).encode())
    return bodies


def make_lines(rng: np.random.Generator, count: int, tag: str) -> pl.DataFrame:
    """Clean lines of orders, in the order of time, as a shop exports them."""
    orders = max(1, count // LINES_PER_ORDER)
    order = np.sort(rng.integers(0, orders, count))
    owner = rng.integers(0, max(1, count // LINES_PER_CUSTOMER), orders)
    at = START + np.sort(rng.integers(0, DAYS * 86_400, orders)).astype("timedelta64[s]")
    article = rng.integers(0, 2_000, count)
    prices = np.round(rng.gamma(2.0, 8.0, 2_000) + 0.5, 2)
    return pl.DataFrame(
        {
            "order": [f"{tag}{number}" for number in order],
            "product": [f"{tag}{10_000 + number}" for number in article],
            "name": [f"Article number {number} of the catalogue" for number in article],
            "quantity": rng.integers(1, 5, count),
            "at": at[order].astype("datetime64[us]"),
            "price": prices[article],
            "customer": [f"{number}" for number in owner[order]],
            "country": [("United Kingdom", "France", "Germany")[number % 3] for number in owner[order]],
        }
    ).unique(maintain_order=True)


def copy_events(events: pl.DataFrame) -> float:
    """The peer of the API: COPY, one INSERT ... SELECT, commit. Returns seconds."""
    from django.db import connection, transaction

    with measure() as timing, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE peer (external_id varchar(160), customer varchar(120), kind varchar(40),"
            " occurred_at timestamptz, properties jsonb) ON COMMIT DROP"
        )
        _copy(cursor, "peer", events)
        cursor.execute(
            "INSERT INTO customers_customerevent (source, external_id, occurred_at, customer_id, kind, properties)"
            " SELECT 'bench', p.external_id, p.occurred_at, c.id, p.kind, p.properties FROM peer p"
            " JOIN customers_customer c ON c.source = 'bench' AND c.external_id = p.customer ON CONFLICT DO NOTHING"
        )
    return timing.seconds


def as_batch(body: bytes) -> bytes:
    """The same events as items of the mixed request."""
    read = json.loads(body)
    items = [{"type": "event", **event} for event in read["events"]]
    return json.dumps({"source": read["source"], "items": items}).encode()


def post_events(client: Any, bodies: list[bytes], path: str = "/api/v1/events/") -> float:
    """Our way: authenticated requests through the whole site. Returns seconds."""
    with measure() as timing:
        for body in bodies:
            response = client.post(path, body, content_type="application/json")
            assert response.status_code == 200, response.content[:300]
    return timing.seconds


def copy_lines(lines: pl.DataFrame, source: str) -> float:
    """The peer of the import: COPY, then one upsert for each table, commit. Returns seconds."""
    from django.db import connection, transaction

    with measure() as timing, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMPORARY TABLE peer ("order" varchar(120), product varchar(80), name varchar(250),'
            " quantity integer, at timestamptz, price numeric(14,4), customer varchar(120), country varchar(80),"
            " line bigint) ON COMMIT DROP"
        )
        _copy(cursor, "peer", lines.with_row_index("line"))
        cursor.execute("ANALYZE peer")
        for statement in PEER_UPSERTS:
            cursor.execute(statement, {"source": source})
    return timing.seconds


def import_alone(*files: tuple[Path, str]) -> tuple[list[float], float]:
    """Our way, in a process of its own: the seconds of each file, and the peak memory in MB."""
    arguments = [str(part) for file in files for part in file]
    command = [sys.executable, "-c", IMPORT_ALONE, COLUMNS, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    printed = [line.split() for line in done.stdout.splitlines()]
    seconds = [float(value) for name, value in (row for row in printed if len(row) == 2) if name == "seconds"]
    return seconds, float(printed[-1][1])


def settle() -> None:
    """Let the database write out what earlier rounds left, so that neither side pays for the other."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def open_client() -> Any:
    """The people of the events, the months that they lie in, and a client with a key; both ways are warm then."""
    from django.contrib.auth.models import User
    from rest_framework.test import APIClient

    from customers.api.authentication import issue_api_key
    from customers.ingest.customers import upsert_customers
    from customers.models import ensure_event_partitions

    upsert_customers(pl.DataFrame({"external_id": [f"c{number}" for number in range(CUSTOMERS)]}), source="bench")
    first = START.astype("datetime64[D]").item()
    ensure_event_partitions(first, (START + np.timedelta64(DAYS, "D")).astype("datetime64[D]").item())
    client = APIClient()
    _row, key = issue_api_key(User.objects.create_superuser("bench"), "bench")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}", HTTP_HOST="localhost")
    rng = np.random.default_rng(0)
    post_events(client, make_bodies(make_events(rng, 2_000, "warm", CUSTOMERS)))
    copy_events(make_events(rng, 2_000, "warm-peer", CUSTOMERS))
    return client


def bench_events(rng: np.random.Generator, count: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round for the peer, the API of events, the mixed one, and the first with a tenth of the events."""
    customers = CUSTOMERS
    client = open_client()
    times: dict[str, list[float]] = {"peer": [], "ours": [], "mixed": [], "tenth": []}
    for number in range(rounds):
        before, after = (make_bodies(make_events(rng, count // 10, f"{tag}{number}", customers)) for tag in "st")
        bodies = make_bodies(make_events(rng, count, f"a{number}", customers))
        mixed = [as_batch(body) for body in make_bodies(make_events(rng, count, f"m{number}", customers))]
        events = make_events(rng, count, f"p{number}", customers)
        first = post_events(client, before)
        for name, run in (
            ("peer", lambda e=events: copy_events(e)),
            ("ours", lambda b=bodies: post_events(client, b)),
            ("mixed", lambda b=mixed: post_events(client, b, "/api/v1/batch")),
        ):
            settle()
            times[name].append(run())
        times["tenth"].append((first + post_events(client, after)) / 2)  # before and after: a machine's load drifts
    return times


def bench_lines(rng: np.random.Generator, count: int, rounds: int) -> tuple[dict[str, list[float]], float]:
    """The same for files of `count` lines, and the peak memory of an import."""
    times: dict[str, list[float]] = {"peer": [], "ours": [], "tenth": [], "parquet": []}
    peak = 0.0
    with tempfile.TemporaryDirectory(prefix="rk-bench-") as folder:
        small, large, parquet = (Path(folder) / name for name in ("small.csv", "large.csv", "large.parquet"))
        for number in range(rounds):
            make_lines(rng, count // 10, f"s{number}").write_csv(small)
            make_lines(rng, count, f"o{number}").write_csv(large)
            make_lines(rng, count, f"q{number}").write_parquet(parquet)
            lines = make_lines(rng, count, f"p{number}")
            settle()
            times["peer"].append(copy_lines(lines, f"p{number}"))
            settle()
            seconds, used = import_alone((small, f"s{number}"), (large, f"o{number}"), (parquet, f"q{number}"))
            for name, taken in zip(("tenth", "ours", "parquet"), seconds, strict=True):
                times[name].append(taken)
            peak = max(peak, used)
    return times, peak


def bench_event_files(rng: np.random.Generator, count: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round for the peer and for the import of a file of events, and its peak memory in MB."""
    found: dict[str, list[float]] = {"peer": [], "ours": [], "peak": []}
    with tempfile.TemporaryDirectory(prefix="rk-bench-") as folder:
        path = Path(folder) / "events.csv"
        for number in range(rounds):
            _event_files.write_file(rng, count, path, tag=f"f{number}")
            settle()
            slices = _event_files.make_slices(rng, count, f"fp{number}")
            found["peer"].append(sum(copy_events(events) for events in slices))
            settle()
            seconds, peak = _event_files.import_alone(path)
            found["ours"].append(seconds)
            found["peak"].append(peak)
    return found


def main() -> None:
    """Measure both, print a table, and the object of bar.md in the last line."""
    arguments = parse_arguments(__doc__ or "", _add_count)
    set_up_django()
    rng = np.random.default_rng(arguments.seed)
    count, rounds = (100_000, 1) if arguments.quick else (1_000_000, 3)
    if arguments.more.count:
        count, rounds = arguments.more.count, 1
    events = {name: median(values) for name, values in bench_events(rng, count, rounds).items()}
    files = {name: median(values) for name, values in bench_event_files(rng, count, rounds).items()}
    timed_lines, peak = bench_lines(rng, count, rounds)
    lines = {name: median(values) for name, values in timed_lines.items()}
    growth = {name: times["ours"] / (10 * times["tenth"]) for name, times in (("api", events), ("csv", lines))}
    rows = {
        f"COPY and upsert of {count:,} events, s": events["peer"],
        f"API, {REQUEST_ITEMS:,} events a request, s": events["ours"],
        "events a second by the API": count / events["ours"],
        f"mixed API, {REQUEST_ITEMS:,} items a request, s": events["mixed"],
        f"COPY and INSERT of {count:,} events again, s": files["peer"],
        "import of a file of as many events, s": files["ours"],
        "peak memory of that, MB": files["peak"],
        f"COPY and upserts of {count:,} lines, s": lines["peer"],
        "import of the same file, s": lines["ours"],
        "import of as many lines of Parquet, s": lines["parquet"],
        "lines a second": count / lines["ours"],
        "peak memory of the import, MB": peak,
        "API: time at 10 n over 10 x time at n": growth["api"],
        "CSV: time at 10 n over 10 x time at n": growth["csv"],
    }
    print_table("Data in", rows)
    print_result(
        arguments,
        size={"events": count, "lines": count, "rounds": rounds},
        api_vs_copy=events["peer"] / events["ours"],
        batch_vs_copy=events["peer"] / events["mixed"],
        csv_vs_copy=lines["peer"] / lines["ours"],
        csv_peak_mb=peak,
        parquet_vs_copy=lines["peer"] / lines["parquet"],
        events_vs_copy=files["peer"] / files["ours"],
        events_peak_mb=files["peak"],
        growth=max(growth.values()),
        growth_api=growth["api"],
        growth_csv=growth["csv"],
    )


def _add_count(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--count", type=int, default=0, help="so many events and lines, once: 10000000 for a year of a large shop"
    )


def _copy(cursor: Any, table: str, frame: pl.DataFrame) -> None:
    names = ", ".join(f'"{name}"' for name in frame.columns)
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(buffer.getbuffer())


PEER_UPSERTS = (
    """
    INSERT INTO customers_customer
        (source, external_id, email, first_name, last_name, language, time_zone, country, attributes, joined_at)
    SELECT %(source)s, customer, '', '', '', 'en', 'Europe/London', max(country), '{}', min(at) FROM peer GROUP BY customer
    ON CONFLICT (source, external_id) DO UPDATE SET country = EXCLUDED.country
    """,
    """
    INSERT INTO customers_product (sku, name, names, category, price, currency, url, is_charge)
    SELECT product, max(name), '{}', '', max(price), 'EUR', '', false FROM peer GROUP BY product
    ON CONFLICT (sku) DO UPDATE SET name = EXCLUDED.name
    """,
    """
    INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount, discount_code,
                                 is_return)
    SELECT %(source)s, "order", c.id, at, 'EUR', total, 0, '', is_return
    FROM (SELECT "order", min(customer) AS customer, min(at) AS at, sum(quantity * price) AS total,
                 bool_and(quantity < 0) AS is_return FROM peer GROUP BY "order") o
    JOIN customers_customer c ON c.source = %(source)s AND c.external_id = o.customer
    ON CONFLICT (source, external_id) DO UPDATE SET total = EXCLUDED.total
    """,
    """
    INSERT INTO customers_orderline (order_id, position, product_id, quantity, unit_price)
    SELECT o.id, row_number() OVER (PARTITION BY o.id ORDER BY l.line), p.id, l.quantity, l.price FROM peer l
    JOIN customers_order o ON o.source = %(source)s AND o.external_id = l."order"
    JOIN customers_product p ON p.sku = l.product
    ON CONFLICT (order_id, position) DO UPDATE SET quantity = EXCLUDED.quantity, unit_price = EXCLUDED.unit_price
    """,
)


if __name__ == "__main__":
    main()

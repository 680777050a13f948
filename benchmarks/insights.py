"""Seconds for all figures of the Retention page, against reading the same orders and counting nothing.

Orders are the demo simulator's (two years), each customer of them put in several times to make a large shop. The floor is
the read of the very rows that the figures need. `vs_read` is the whole over the floor; `page_s` is the page a second time,
when the figures are kept.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import polars as pl

from benchmarks.frame import Timing, measure, median, parse_arguments, peak_mb, print_result, print_table, set_up_django

TODAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def fill_shop(customers: int, copies: int, seed: int) -> None:
    """Simulated customers and orders by COPY, then the same again `copies` - 1 times."""
    from django.db import connection

    from retention_site.demo.simulator import ShopSettings, iter_shop

    settings = ShopSettings(tracked_share=0.01, newsletter_days=700)  # events are not read here
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE people (external_id text, country text);"
            " CREATE TEMPORARY TABLE bought (external_id text, customer text, ordered_at timestamptz, currency text,"
            " total numeric, is_return boolean)"
        )
        for part in iter_shop(customers=customers, seed=seed, today=TODAY, settings=settings):
            _copy(cursor, "people", part.customers.select("external_id", "country"))
            columns = ("external_id", "customer_external_id", "ordered_at", "currency", "total", "is_return")
            _copy(cursor, "bought", part.orders.select(columns))
        cursor.execute(
            "INSERT INTO customers_customer"
            " (source, external_id, country, attributes, email, first_name, last_name, language, time_zone)"
            " SELECT 'copy' || n, external_id, country, '{}', '', '', '', 'en', 'UTC'"
            " FROM people, generate_series(1, %s) n",
            [copies],
        )
        cursor.execute("ANALYZE customers_customer, bought")
        cursor.execute(
            "INSERT INTO customers_order"
            " (source, external_id, customer_id, ordered_at, currency, total, is_return, discount_code)"
            " SELECT c.source, b.external_id, c.id, b.ordered_at, b.currency, b.total, b.is_return, ''"
            " FROM bought b JOIN customers_customer c ON c.external_id = b.customer"
        )
        cursor.execute("ANALYZE customers_order")


def measure_shop(rounds: int) -> dict[str, Any]:
    """Seconds of the floor, of each figure, of all of them, and of the page."""
    from django.contrib.auth.models import User
    from django.test import Client

    from customers.features.reader import read_rows
    from customers.insights import report
    from customers.insights.churn import build_cohort_churn, build_group_churn
    from customers.insights.cohorts import build_cohort_table
    from customers.insights.history import build_history
    from customers.insights.intervals import build_intervals
    from customers.insights.rfm import build_rfm_map
    from customers.insights.value import build_value_distribution

    columns, source = report.name_query(TODAY, "EUR")
    reads, wholes = [], []
    for _ in range(rounds):
        with measure() as read:
            orders = read_rows(columns, source)
        with measure() as whole:
            report.measure_insights(as_of=TODAY, zone="Europe/London", currency="EUR", model_days=None)
        reads.append(read.seconds)
        wholes.append(whole.seconds)
    with measure() as gathering:
        history = build_history(orders, as_of=TODAY, zone="Europe/London", currency="EUR")
    with measure() as grouping:
        country, _channel = report.read_groups()
    parts = {
        "gather_s": gathering,
        "read_customers_s": grouping,
        "horizon_s": _time(lambda: report.propose_days(orders, history)),
        "cohorts_month_s": _time(lambda: build_cohort_table(history, "month")),
        "cohorts_week_s": _time(lambda: build_cohort_table(history, "week")),
        "intervals_s": _time(lambda: build_intervals(history, horizon_days=90)),
        "rfm_s": _time(lambda: build_rfm_map(history)),
        "value_s": _time(lambda: build_value_distribution(history)),
        "churn_s": _time(lambda: build_cohort_churn(history, "week", horizon_days=90)),
        "churn_by_country_s": _time(lambda: build_group_churn(history, country, horizon_days=90)),
    }
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("bench"))
    pages = [_time(lambda: client.get("/retention/")) for _ in range(4)]
    return {
        "customers": history.customers.height,
        "orders": orders.height,
        "read_s": median(reads),
        "all_figures_s": median(wholes),
        "vs_read": median(wholes) / median(reads),
        **{name: timing.seconds for name, timing in parts.items()},
        "first_page_s": pages[0].seconds,
        "page_s": median([page.seconds for page in pages[1:]]),
        "peak_mb": peak_mb(),
    }


def _time(run: Any) -> Timing:
    with measure() as timing:
        run()
    return timing


def _copy(cursor: Any, target: str, frame: pl.DataFrame) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
        out = io.BytesIO()
        frame.write_csv(out, include_header=False)
        copy.write(out.getvalue())


def main() -> None:
    arguments = parse_arguments(__doc__ or "")
    set_up_django()
    customers, copies = (20_000, 2) if arguments.quick else (200_000, 5)
    with measure() as filling:
        fill_shop(customers, copies, arguments.seed)
    found = measure_shop(rounds=3)
    print_table(f"Retention figures (filled in {filling.seconds:.0f} s)", found)
    print_result(arguments, size=customers * copies, **found)


if __name__ == "__main__":
    main()

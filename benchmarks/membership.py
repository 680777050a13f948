"""Seconds to keep the membership of ten segments up to date, against asking everybody each time.

The demo simulator's shop. `recount_s` asks everybody in all segments, `idle_s` is a sweep with nothing new, `changed_s` one
after orders of `changed` customers, `hour_s` one an hour later with nothing new, where people cross borders of time alone.
Each is held against `count_s`, which counts the same rules and records nothing. After each, recorded membership must
equal the rules: `disagreements`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from benchmarks.frame import measure, parse_arguments, print_result, print_table, set_up_django

TODAY = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CHANGED = 200
MINUTE = dt.timedelta(minutes=1)
RULES: list[Any] = [
    {"field": "country", "op": "is", "value": "Germany"},
    {"field": "recency_days", "op": "gte", "value": 60},
    {"field": "recency_days", "op": "between", "value": [20, 40]},
    {"field": "orders_count", "op": "gte", "value": 5},
    {"did": "ordered", "op": "gte", "times": 2, "within_days": 90},
    {"did": "viewed_product", "op": "gte", "times": 3, "within_days": 14},
    {"did": "opened_email", "op": "lte", "times": 0, "within_days": 60},
    {"match": "all", "rules": [{"field": "recency_days", "op": "gte", "value": 45},
                               {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 30}]},
    {"match": "any", "rules": [{"field": "customer_for_days", "op": "lte", "value": 30},
                               {"field": "total_spent", "op": "gte", "value": 1000}]},
    {"match": "all", "rules": [{"match": "any", "rules": [{"field": "country", "op": "is", "value": "Norway"},
                                                          {"field": "country", "op": "is", "value": "France"}]},
                               {"did": "ordered", "op": "gte", "times": 1, "within_days": 180}]},
]  # fmt: skip


def make_segments() -> list[Any]:
    from customers.models import Segment
    from customers.segments.rules import dump_rule, parse_rule

    return [
        Segment.objects.create(name=f"segment {place}", rule=dump_rule(parse_rule(rule)))
        for place, rule in enumerate(RULES)
    ]


def add_orders(number: int, at: dt.datetime) -> None:
    """An order each for `number` customers all over the table, by as many statements as an API call makes: one."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount_code)"
            " SELECT 'bench', 'b' || id, id, %s, 'EUR', 80, '' FROM customers_customer"
            " WHERE id %% (SELECT max(id) / %s FROM customers_customer) = 1",
            [at, number],
        )


def count_disagreements(segments: list[Any], as_of: dt.datetime) -> int:
    from customers.models import SegmentCount
    from customers.segments.preview import count_matching
    from customers.segments.rules import parse_rule

    sizes = dict(SegmentCount.objects.values_list("segment_id", "size"))
    exact = {segment.pk: count_matching(parse_rule(segment.rule), as_of=as_of) for segment in segments}
    recorded = {segment.pk: segment.members.count() for segment in segments}
    return sum(exact[key] != sizes[key] or exact[key] != recorded[key] for key in exact)


def measure_sweeps(segments: list[Any]) -> dict[str, Any]:
    """Seconds of each kind of sweep, people looked at, and disagreements over all of them."""
    from customers.ingest.clock import read_shop_clock
    from customers.models import TouchedCustomer
    from customers.segments.preview import count_matching
    from customers.segments.rules import parse_rule
    from customers.segments.sweep import sweep_segments

    now = read_shop_clock(TODAY)
    TouchedCustomer.objects.all().delete()
    with measure() as counting:
        for segment in segments:
            count_matching(parse_rule(segment.rule), as_of=now)
    found: dict[str, Any] = {"count_s": counting.seconds}
    wrong = 0
    steps = [
        ("first", dt.timedelta(0), 0), ("idle", MINUTE, 0), ("changed", MINUTE, CHANGED), ("hour", 60 * MINUTE, 0),
        ("recount", dt.timedelta(days=1), 0),
    ]  # fmt: skip
    for name, pause, orders in steps:
        now += pause
        if orders:
            add_orders(orders, now)
        with measure() as sweeping:
            done = sweep_segments(now)
        wrong += count_disagreements(segments, now)
        found |= {f"{name}_s": sweeping.seconds, f"{name}_looked_at": done.looked_at}
        found |= {f"{name}_changes": done.entered + done.left}
    return found | {"changed_vs_count": found["changed_s"] / counting.seconds, "disagreements": wrong}


def main() -> None:
    arguments = parse_arguments(__doc__ or "")
    set_up_django()
    from benchmarks._shop import TABLES, fill_shop, settle

    customers = 20_000 if arguments.quick else 100_000
    with measure() as filling:
        filled = fill_shop(customers, seed=arguments.seed, today=TODAY)
        settle(*TABLES)
    found = measure_sweeps(make_segments())
    print_table(f"Membership of {len(RULES)} segments (filled in {filling.seconds:.0f} s)", found)
    print_result(arguments, size=filled.customers, events=filled.events, changed=CHANGED, **found)


if __name__ == "__main__":
    main()

"""Ten rules of growing depth, counted by the compiled SQL and by SQL written by hand for each, over the demo simulator's shop.

Both run in turn in the same database; the counts have to agree. `worst_ratio` is the worst of the ten; `preview_p95_ms` is
what the page waits for a count and a sample, over all rules and rounds, `preview_cpu_p95_ms` what that takes of the processor,
which is the figure to look at on a machine that does much else. A count that takes too long is shown as an estimate from
some customers: `estimated` names the rules, `exact_p95_ms` is what exact counts with a sample take, and
`outside` how many estimates of rules (each is made once whatever the page does) miss the exact count by their 95 % interval.

The full size takes about half an hour, 20 GB of disk and 4 GB of memory on two cores; `--customers 300000` is a size between.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
from typing import Any

from benchmarks._processor_time import ProcessorClock
from benchmarks._segment_rules import CASES, NAMED_SEGMENT, Case
from benchmarks._shop import TABLES, fill_shop, settle
from benchmarks.frame import measure, median, parse_arguments, print_result, set_up_django

TODAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
#: A statement of a few milliseconds is run again until it took so long in all: one pause of the machine must not decide.
SHORTEST_S, MOST_ROUNDS = 0.3, 40
MORE_TABLES = ("customers_score", "customers_consentrecord")


def main() -> None:
    arguments = parse_arguments(__doc__ or "", _add_options)
    set_up_django()
    size = arguments.more.customers or (100_000 if arguments.quick else 1_000_000)
    with measure() as filling:
        shop = fill_shop(size, seed=arguments.seed, today=TODAY)
        _add_scores_and_consents()
        settle(*TABLES, *MORE_TABLES)
    print(f"{shop.customers:,} customers, {shop.events:,} events, filled in {filling.seconds:.0f} s", flush=True)
    print(f"  {'rule':<58}{'people':>10}{'by hand':>10}{'compiled ms':>13}{'by hand ms':>12}{'ratio':>8}", flush=True)
    rows = [_measure_case(case, arguments.more.rounds) for case in CASES]
    clock = ProcessorClock(sink=0)
    rounds = range(arguments.more.rounds)
    previews = [_measure_preview(case, shop.customers, clock) for case in CASES for _round in rounds]
    _print_previews(previews)
    estimates = [_judge_estimate(case, row["people"], shop.customers) for case, row in zip(CASES, rows, strict=True)]
    exact = [_measure_exact(case) for case in CASES]  # once: at the full size some take long
    print_result(
        arguments,
        size={"customers": shop.customers, "orders": shop.orders, "events": shop.events, "rules": len(CASES)},
        worst_ratio=max(row["ratio"] for row in rows),
        median_ratio=median([row["ratio"] for row in rows]),
        preview_p95_ms=_p95([row["ms"] for row in previews]),
        preview_cpu_p95_ms=_p95([row["cpu_ms"] for row in previews]),
        exact_p95_ms=_p95(exact),
        estimate_p95_ms=_p95([row["ms"] for row in estimates]),
        estimated=sorted({row["rule"] for row in previews if row["is_estimate"]}),
        outside=sum(not row["holds"] for row in estimates),
        disagreements=sum(row["people"] != row["by_hand"] for row in rows),
        filled_s=filling.seconds,
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--customers", type=int, help="another size than 100,000 with --quick and 1,000,000 without")
    parser.add_argument("--rounds", type=int, default=3, help="how often each statement runs (default 3)")


def _measure_case(case: Case, rounds: int) -> dict[str, Any]:
    """Both statements in turn, the quicker of their rounds: what else the machine does makes some of them slow."""
    from django.db import connection

    from customers.segments.compiler import compile_rule
    from customers.segments.rules import parse_rule

    query = compile_rule(parse_rule(case.rule), as_of=TODAY)
    by_hand = case.by_hand.replace("{now}", TODAY.isoformat()).replace("{currency}", "EUR")
    ours, theirs, people, expected = [], [], 0, 0
    with connection.cursor() as cursor:
        while len(ours) < rounds or (sum(ours) < SHORTEST_S and len(ours) < MOST_ROUNDS):
            with measure() as timing:
                cursor.execute(f"SELECT count(*) FROM ({query.sql}) m", query.params)
                people = cursor.fetchone()[0]
            ours.append(timing.seconds)
            with measure() as timing:
                cursor.execute(by_hand)
                expected = cursor.fetchone()[0]
            theirs.append(timing.seconds)
    ratio = min(ours) / min(theirs)
    print(
        f"  {case.name[:57]:<58}{people:>10,}{expected:>10,}{1000 * min(ours):>13,.0f}{1000 * min(theirs):>12,.0f}{ratio:>8.2f}",
        flush=True,
    )
    return {"people": people, "by_hand": expected, "ratio": ratio}


def _measure_preview(case: Case, total: int, clock: ProcessorClock) -> dict[str, Any]:
    """Milliseconds from the JSON of a rule to its sentence, warnings, count and sample, as the page shows them, by the wall's
    clock and of the processor, ours and the database's."""
    from customers.segments.checking import check_rule
    from customers.segments.compiler import compile_rule
    from customers.segments.estimating import Estimate, preview_quickly
    from customers.segments.rules import parse_rule
    from customers.segments.wording import describe_rule

    before = clock.read()
    with measure() as timing:
        rule = parse_rule(case.rule)
        describe_rule(rule)
        check_rule(rule, as_of=TODAY)
        found = preview_quickly(compile_rule(rule, as_of=TODAY), total=total)
    after = clock.read()
    cpu_s = after.python - before.python + after.postgres - before.postgres
    is_estimate = isinstance(found, Estimate)
    return {"rule": case.name, "ms": 1000 * timing.seconds, "cpu_ms": 1000 * cpu_s, "is_estimate": is_estimate}


def _print_previews(previews: list[dict[str, Any]]) -> None:
    """Of each rule the middle of its rounds: nobody waits for the end of a run of half an hour to see them."""
    print(f"  {'preview of':<58}{'ms':>10}{'processor ms':>14}", flush=True)
    for name in dict.fromkeys(row["rule"] for row in previews):
        rows = [row for row in previews if row["rule"] == name]
        took, spent = median([row["ms"] for row in rows]), median([row["cpu_ms"] for row in rows])
        how = "estimated" if any(row["is_estimate"] for row in rows) else "exact"
        print(f"  {name[:57]:<58}{took:>10,.0f}{spent:>14,.0f}  {how}", flush=True)


def _measure_exact(case: Case) -> float:
    """Milliseconds of the same where somebody asks for the exact count."""
    from customers.segments.preview import preview_rule
    from customers.segments.rules import parse_rule

    with measure() as timing:
        preview_rule(parse_rule(case.rule), as_of=TODAY)
    return 1000 * timing.seconds


def _judge_estimate(case: Case, people: int, total: int) -> dict[str, Any]:
    """How long an estimate takes, and whether its interval holds the exact count."""
    from customers.segments.compiler import compile_rule
    from customers.segments.estimating import estimate_query
    from customers.segments.rules import parse_rule

    query = compile_rule(parse_rule(case.rule), as_of=TODAY)
    with measure() as timing:
        found = estimate_query(query, total=total)
    print(
        f"  {case.name[:57]:<58}{people:>10,}, estimated {found.low:,} to {found.high:,} in {1000 * timing.seconds:,.0f} ms",
        flush=True,
    )
    return {"ms": 1000 * timing.seconds, "holds": found.low <= people <= found.high}


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def _add_scores_and_consents() -> None:
    """A score for everybody by their number, a consent for nine of ten, of whom one in twenty took it back, a tier of the
    shop's own for one in ten, and the segment that a rule names."""
    from django.db import connection

    from customers.models import ModelVersion, Segment

    model = ModelVersion.objects.create(
        version=1, estimator="bench", horizon_days=90, trained_at=TODAY, data_from=TODAY, data_until=TODAY, artifact=b""
    )
    Segment.objects.create(pk=1, name="Slipping", rule=NAMED_SEGMENT)
    draw = "(('x' || left(md5(id::text || '%s'), 8))::bit(32)::bigint::float8 / 4294967296)"
    consent = (
        "INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, recorded_at)"
        " SELECT id, 'email', '{status}', 'consent', 'bench', %s::timestamptz - interval '{days} days'"
        " FROM customers_customer WHERE {who}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_score (customer_id, model_id, as_of, churn_probability, expected_value, expected_orders)"
            f" SELECT id, %s, %s, {draw % 'p'}, round((200 * {draw % 'v'})::numeric, 2), 1 FROM customers_customer",
            [model.pk, TODAY],
        )
        cursor.execute(consent.format(status="given", days=300, who="id %% 10 > 0"), [TODAY])
        cursor.execute(consent.format(status="withdrawn", days=20, who="id %% 20 = 1"), [TODAY])
        cursor.execute(
            "UPDATE customers_customer SET attributes = jsonb_build_object('tier', CASE WHEN id % 30 = 0 THEN 'gold'"
            " ELSE 'blue' END) WHERE id % 10 = 0"
        )


if __name__ == "__main__":
    main()

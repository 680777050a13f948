"""How long it takes to measure a campaign of 1,000,000 people, and all that stands on it.

The floor joins the same people with their orders in the window and counts those who ordered, by arm. Ours adds a year of their
past, three outcomes, four covariates, all their covariances, and the same by archetype; and beside the lift what was spent,
contamination and how messages ended. Then a live campaign with as many entries, the Thompson update of its texts, the global
hold-out, each report, and what is learned of whom to write to, with the most memory that the process had in each step.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks._measured_shop import ORDERS_EACH, MeasuredShop, fill_measured_shop
from benchmarks._processor_time import ProcessorClock
from benchmarks.frame import peak_mb, set_up_django

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench measuring", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 people instead of 1,000,000")
    parser.add_argument("--people", type=int, default=0, help="so many people")
    options = parser.parse_args()
    people = options.people or (100_000 if options.quick else 1_000_000)
    set_up_django()
    from django.utils import timezone

    now = timezone.now()
    shop = fill_measured_shop(people, now=now)
    figures: dict[str, Any] = {"seed": 0, "size": people, "orders": people * ORDERS_EACH}
    for name, value in figures.items():
        print(f"  {name:<24} {value}", flush=True)
    clock = ProcessorClock(os.getpid())
    for name, value in _measure_lift(shop, now, clock) + _measure_rest(shop, now, clock) + _measure_whom(now, clock):
        figures[name] = value
    print(json.dumps(figures))


def _measure_lift(shop: MeasuredShop, now: Any, clock: ProcessorClock) -> list[tuple[str, float]]:
    """Seconds of the floor, of the lift query (people first: as it is asked for few people of a shop) and of all figures of a
    campaign, the best of three each, in turn."""
    from django.db import connection

    from campaigns.models import Offer
    from campaigns.outcomes.attribution import measure_campaign
    from campaigns.outcomes.sums import count_people, count_sums
    from campaigns.outcomes.windows import people_sql, read_window, window_params

    offer = Offer.objects.get(campaign=shop.finished)
    window = read_window(shop.finished, as_of=now)
    assert window is not None

    def count_floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT arm, count(*), count(*) FILTER (WHERE orders > 0)"
                " FROM (SELECT m.arm, m.customer_id, count(o.id) AS orders"
                " FROM campaigns_audiencemember m LEFT JOIN customers_order o ON o.customer_id = m.customer_id"
                " AND o.ordered_at >= %s AND o.ordered_at < %s WHERE m.campaign_id = %s GROUP BY m.arm, m.customer_id) p"
                " GROUP BY arm",
                [window.start, window.closes, shop.finished.pk],
            )
            cursor.fetchall()

    steps: dict[str, Callable[[], object]] = {
        "floor": count_floor,
        "people_first": lambda: count_people(
            people_sql(shop.finished), window_params(shop.finished, window, as_of=now), currency="EUR", offer=offer
        ),
        "lift": lambda: count_sums(shop.finished, window, as_of=now, currency="EUR"),
        "measure": lambda: measure_campaign(shop.finished, as_of=now),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in steps}
    for _round in range(ROUNDS):
        for name, step in steps.items():
            taken[name].append(_time(step, clock))
    best = {name: Taken(*map(min, zip(*rounds, strict=True))) for name, rounds in taken.items()}
    told = [each for name, least in best.items() for each in _tell_taken(name, least)]
    return [*told, _tell("vs_floor", round(best["measure"].wall_s / best["floor"].wall_s, 2))]


def _measure_rest(shop: MeasuredShop, now: Any, clock: ProcessorClock) -> list[tuple[str, float]]:
    from campaigns.outcomes.global_effect import measure_round
    from campaigns.outcomes.reports.cost import read_cost_report
    from campaigns.outcomes.reports.fairness import count_groups, read_fairness_report
    from campaigns.outcomes.reports.lift import read_lift_report
    from campaigns.outcomes.reports.retention import read_retention_report
    from campaigns.outcomes.rollup import store_result
    from campaigns.outcomes.text_shares import shift_shares
    from campaigns.outcomes.texts import compare_all, count_texts

    steps: list[tuple[str, Callable[[], object]]] = [
        ("store_finished", lambda: store_result(shop.finished, now=now)),
        ("store_live", lambda: store_result(shop.live, now=now)),
        ("thompson", lambda: shift_shares(shop.live, now=now)),
        ("global_holdout", lambda: measure_round(shop.round, as_of=now)),
        ("fairness_count", lambda: count_groups("country", now=now)),
        ("retention_first", lambda: read_retention_report(now)),
        ("retention", lambda: read_retention_report(now)),
        ("lift_report", read_lift_report),
        ("cost", read_cost_report),
        ("fairness", lambda: read_fairness_report(now)),
        ("texts", lambda: compare_all(shop.finished, count_texts(shop.finished, as_of=now), now=now)),
        ("texts_live", lambda: compare_all(shop.live, count_texts(shop.live, as_of=now), now=now)),
    ]
    return [each for name, step in steps for each in _tell_taken(name, _time(step, clock))]


def _measure_whom(now: Any, clock: ProcessorClock) -> list[tuple[str, float]]:
    """What the hourly task does, learned anew, and then once more with nothing new."""
    from campaigns.models import UpliftKind
    from campaigns.outcomes.whom.placing import place_all
    from campaigns.outcomes.whom.study import study_kind

    found: list[tuple[str, float]] = []
    for name, step in (
        ("whom_learn", lambda: study_kind(UpliftKind.OFFER, now=now)),
        ("whom_place", lambda: place_all(now=now)),
        ("whom_again", lambda: (study_kind(UpliftKind.OFFER, now=now), place_all(now=now))),
    ):
        _forget_peak()
        found += _tell_taken(name, _time(step, clock))
        found.append(_tell(f"{name}_peak_mb", round(peak_mb())))
    return found


class Taken(NamedTuple):
    """Seconds that something took."""

    wall_s: float
    cpu_s: float


def _time(act: Callable[[], object], clock: ProcessorClock) -> Taken:
    begun, before = time.perf_counter(), clock.read()
    act()
    after = clock.read()
    spent = after.python + after.postgres - before.python - before.postgres
    return Taken(round(time.perf_counter() - begun, 2), round(spent, 2))


def _tell_taken(name: str, taken: Taken) -> list[tuple[str, float]]:
    return [_tell(f"{name}_s", taken.wall_s), _tell(f"{name}_cpu_s", taken.cpu_s)]


def _tell(name: str, value: float) -> tuple[str, float]:
    print(f"  {name:<24} {value}", flush=True)
    return name, value


def _forget_peak() -> None:
    """So that each step tells its own peak; where the system has no such switch the whole run's is told."""
    gc.collect()
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5")


if __name__ == "__main__":
    main()

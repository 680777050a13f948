"""The figures of retention a second time: plain Python, one customer after the other, exact fractions."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class PlainOrder:
    customer_id: int
    ordered_at: dt.datetime
    is_return: bool
    cents: int | None


@dataclass(frozen=True)
class PlainCustomer:
    purchases: list[dt.datetime]
    days: list[dt.date]
    cents: int
    is_seen: bool


def gather(orders: Iterable[PlainOrder], as_of: dt.datetime, zone: str) -> dict[int, PlainCustomer]:
    """Customers with a purchase before `as_of`."""
    mine: dict[int, list[PlainOrder]] = defaultdict(list)
    for order in orders:
        if order.ordered_at < as_of:
            mine[order.customer_id].append(order)
    found = {}
    for customer, theirs in mine.items():
        purchases = sorted(order.ordered_at for order in theirs if not order.is_return)
        if purchases:
            days = sorted({moment.astimezone(ZoneInfo(zone)).date() for moment in purchases})
            found[customer] = PlainCustomer(
                purchases,
                days,
                sum(order.cents or 0 for order in theirs),
                any(order.cents is not None for order in theirs),
            )
    return found


def begin(day: dt.date, unit: str) -> dt.date:
    return day.replace(day=1) if unit == "month" else day - dt.timedelta(days=day.weekday())


def follow(start: dt.date, unit: str) -> dt.date:
    days = calendar.monthrange(start.year, start.month)[1] if unit == "month" else 7
    return start + dt.timedelta(days=days)


def count_cohorts(
    customers: Mapping[int, PlainCustomer], as_of: dt.datetime, zone: str, unit: str
) -> list[tuple[dt.date, int, list[int]]]:
    """(beginning, customers, [how many ordered in the periods after it that are over])."""
    today = as_of.astimezone(ZoneInfo(zone)).date()
    cohorts: dict[dt.date, list[PlainCustomer]] = defaultdict(list)
    for customer in customers.values():
        cohorts[begin(customer.days[0], unit)].append(customer)
    rows = []
    for start in sorted(cohorts):
        ordered, period = [], follow(start, unit)
        while (end := follow(period, unit)) <= today:
            ordered.append(sum(any(period <= day < end for day in one.days) for one in cohorts[start]))
            period = end
        rows.append((start, len(cohorts[start]), ordered))
    return rows


def describe_step(
    customers: Mapping[int, PlainCustomer], last_day: dt.date, number: int, last_step: int
) -> tuple[int, int, list[int], int | None]:
    """(reached, again, percentiles, Kaplan-Meier median) of a step; 0 means all of them."""
    waits: list[tuple[int, bool]] = []
    for customer in customers.values():
        for place, day in enumerate(customer.days, 1):
            if number not in (0, min(place, last_step)):
                continue
            is_again = place < len(customer.days)
            until = customer.days[place] if is_again else last_day
            waits.append(((until - day).days, is_again))
    came = sorted(days for days, is_again in waits if is_again)
    percentiles = [came[math.ceil(Fraction(p * len(came), 100)) - 1] for p in (10, 25, 50, 75, 90)] if came else []
    return len(waits), len(came), percentiles, _survive_half(waits)


def _survive_half(waits: list[tuple[int, bool]]) -> int | None:
    survival = Fraction(1)
    for day in sorted({days for days, _ in waits}):
        awaited = sum(days >= day for days, _ in waits)
        survival *= 1 - Fraction(sum(is_again and days == day for days, is_again in waits), awaited)
        if survival <= Fraction(1, 2):
            return day
    return None


def cut_fifths(values: list[int]) -> list[list[int]]:
    """Values in up to five bands: each takes whole values until it holds its part of those that are left."""
    values, bands = sorted(values), []
    while values:
        wanted = math.ceil(Fraction(len(values), 5 - len(bands)))
        highest = values[wanted - 1]
        bands.append([value for value in values if value <= highest])
        values = [value for value in values if value > highest]
    return bands


def map_rfm(customers: Mapping[int, PlainCustomer], as_of: dt.datetime) -> dict[tuple[int, int], tuple[int, int]]:
    """(recency band, frequency band) to (customers, cents)."""
    recency = {key: (as_of - one.purchases[-1]).days for key, one in customers.items()}
    frequency = {key: len(one.purchases) for key, one in customers.items()}
    r_bands, f_bands = cut_fifths(list(recency.values())), cut_fifths(list(frequency.values()))
    counts: Counter[tuple[int, int]] = Counter()
    cents: Counter[tuple[int, int]] = Counter()
    for key, one in customers.items():
        cell = (
            next(i for i, band in enumerate(r_bands) if recency[key] in band),
            next(i for i, band in enumerate(f_bands) if frequency[key] in band),
        )
        counts[cell] += 1
        cents[cell] += one.cents
    return {cell: (counts[cell], cents[cell]) for cell in counts}


def measure_gini(cents: list[int]) -> Fraction | None:
    """Half the mean absolute difference of all pairs, over the mean."""
    paid = [max(0, value) for value in cents]
    if not sum(paid):
        return None
    differences = sum(abs(a - b) for a in paid for b in paid)
    return Fraction(differences, 2 * len(paid) * sum(paid))


def sum_tenths(cents: list[int]) -> list[tuple[int, int]]:
    """(customers, cents) of each tenth, the best first."""
    ranked = sorted(cents, reverse=True)
    tenths = [[value for place, value in enumerate(ranked) if place * 10 // len(ranked) == n] for n in range(10)]
    return [(len(values), sum(values)) for values in tenths]


def count_left(
    customers: Mapping[int, PlainCustomer], as_of: dt.datetime, zone: str, unit: str, horizon_days: int
) -> list[tuple[dt.date, int, int | None]]:
    """(beginning, customers, how many of them left); None while the cohort is too young."""
    since = as_of - dt.timedelta(days=horizon_days)
    cohorts: dict[dt.date, list[PlainCustomer]] = defaultdict(list)
    for customer in customers.values():
        cohorts[begin(customer.days[0], unit)].append(customer)
    rows: list[tuple[dt.date, int, int | None]] = []
    for start, members in sorted(cohorts.items()):
        is_old = follow(start, unit) <= since.astimezone(ZoneInfo(zone)).date()
        left = sum(not any(since <= moment for moment in one.purchases) for one in members)
        rows.append((start, len(members), left if is_old else None))
    return rows

"""How many customers stay: the retention rate and the cohorts by first order."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from customers.scoring.proportion import newcombe_interval

#: From one date of the rate over time to the next.
STEP_DAYS = 30


@dataclass(frozen=True)
class RetentionRate:
    """Of `customers` who bought in the `window_days` before the last `window_days`, `kept` bought again within them.

    `tie` is the correlation of this rate with the one STEP_DAYS before: many customers are in both (0 where there is none)."""

    as_of: dt.datetime
    window_days: int
    customers: int
    kept: int
    tie: float = field(default=0.0, compare=False)

    @property
    def rate(self) -> float | None:
        return self.kept / self.customers if self.customers else None


@dataclass(frozen=True)
class RateChange:
    """The newest rate less the one `days` before, with its 95 % interval; in shares."""

    value: float
    low: float
    high: float
    days: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves nought out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Cohort:
    """Customers by the month of their first order; `shares[m]` ordered in the m-th month after (0 to 1; all in month 0), for
    all months that are over: one that still runs would be counted too low."""

    month: dt.date
    customers: int
    shares: tuple[float, ...]


def measure_retention(as_of: dt.datetime, *, window_days: int = 90) -> RetentionRate:
    """The share of the buyers of one window who bought again in the next, which ends at `as_of`."""
    (rate,) = retention_over_time(as_of, window_days=window_days, points=1)
    return rate


def retention_over_time(as_of: dt.datetime, *, window_days: int = 90, points: int = 7) -> list[RetentionRate]:
    """The retention rate at `points` dates STEP_DAYS apart, oldest first, from one pass over the orders."""
    window = dt.timedelta(days=window_days)
    ends = [as_of - dt.timedelta(days=STEP_DAYS * step) for step in reversed(range(points))]
    bounds = sorted({end - times * window for end in ends for times in range(3)})
    seen = _count_by_spans(bounds, "ordered_at >= %(first)s AND ordered_at < %(last)s")
    return read_rates(seen, bounds, ends, window_days=window_days)


def read_rates(
    seen: Mapping[int, int], bounds: Sequence[dt.datetime], ends: Sequence[dt.datetime], *, window_days: int
) -> list[RetentionRate]:
    """The rates at `ends`, STEP_DAYS apart, from how many customers bought in which spans between `bounds` (bit n: from bound n,
    the first being 1, to the next one)."""
    window = dt.timedelta(days=window_days)
    rates: list[RetentionRate] = []
    masks = [(_cover(bounds, end - 2 * window, end - window), _cover(bounds, end - window, end)) for end in ends]
    for place, (end, (before, after)) in enumerate(zip(ends, masks, strict=True)):
        customers = sum(number for spans, number in seen.items() if spans & before)
        kept = sum(number for spans, number in seen.items() if spans & before and spans & after)
        rate = RetentionRate(end, window_days, customers, kept)
        tie = _find_tie(seen, (rates[-1], masks[place - 1]), (rate, masks[place])) if rates else 0.0
        rates.append(replace(rate, tie=tie))
    return rates


def find_change(rates: Sequence[RetentionRate]) -> RateChange | None:
    """Between the last two dates, by the interval of Newcombe for two shares of which many people are in both: taken as of
    different people it would be too wide. None where either has no rate: after a pause of the shop an older change would stand
    there as that of today."""
    if len(rates) < 2 or not all(rate.customers for rate in rates[-2:]):
        return None
    old, new = rates[-2:]
    low, high = newcombe_interval(new.kept, new.customers, old.kept, old.customers, correlation=new.tie)
    return RateChange(new.kept / new.customers - old.kept / old.customers, low, high, (new.as_of - old.as_of).days)


def build_cohorts(as_of: dt.datetime, *, months: int = 6) -> list[Cohort]:
    """The last `months` cohorts of the shop's calendar, oldest first, in the months after that are over. From one pass over the
    orders."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    today = as_of.astimezone(zone).date()
    firsts = [_add_months(today.replace(day=1), step - months + 1) for step in range(months)]
    bounds = [dt.datetime.combine(month, dt.time(), zone).astimezone(dt.UTC) for month in firsts]
    counts: dict[dt.date, dict[int, int]] = {}
    for spans, number in _count_by_spans(bounds, "ordered_at <= %(as_of)s", as_of=as_of).items():
        if spans & 1:  # bought before the first of these months
            continue
        active = [place for place in range(months) if spans >> (place + 1) & 1]
        cohort = counts.setdefault(firsts[active[0]], {})
        for place in active:
            cohort[place - active[0]] = cohort.get(place - active[0], 0) + number
    return [_make_cohort(month, found, today) for month, found in sorted(counts.items())]


def _count_by_spans(bounds: Sequence[dt.datetime], when: str, **params: dt.datetime) -> dict[int, int]:
    """How many customers bought in which spans of time: bit n is set of who bought from bound n (the first is 1) to the next one,
    bit 0 of who did before the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT spans, count(*) FROM (
                SELECT bit_or(1 << width_bucket(ordered_at, %(bounds)s::timestamptz[])) AS spans
                FROM customers_order WHERE NOT is_return AND {when} GROUP BY customer_id
            ) customers GROUP BY spans
            """,
            {"bounds": list(bounds), "first": bounds[0], "last": bounds[-1], **params},
        )
        return dict(cursor.fetchall())


def _find_tie(seen: Mapping[int, int], *both: tuple[RetentionRate, tuple[int, int]]) -> float:
    """The correlation of two rates: their covariance comes from the customers who are in both."""
    (old, (old_before, old_after)), (new, (new_before, new_after)) = both
    if old.rate is None or new.rate is None:
        return 0.0
    products = sum(
        number * (bool(spans & old_after) - old.rate) * (bool(spans & new_after) - new.rate)
        for spans, number in seen.items()
        if spans & old_before and spans & new_before
    )
    spreads = math.prod(rate.kept * (rate.customers - rate.kept) / rate.customers for rate in (old, new))
    return min(max(products / math.sqrt(spreads), -1.0), 1.0) if spreads > 0 else 0.0


def _cover(bounds: Sequence[dt.datetime], start: dt.datetime, end: dt.datetime) -> int:
    """The bits of the spans from one bound to another."""
    return sum(1 << place for place in range(bounds.index(start) + 1, bounds.index(end) + 1))


def _add_months(month: dt.date, months: int) -> dt.date:
    years, place = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=place + 1)


def _make_cohort(month: dt.date, counts: dict[int, int], today: dt.date) -> Cohort:
    size = counts[0]
    lived = (today.year - month.year) * 12 + today.month - month.month
    return Cohort(month, size, tuple(counts.get(after, 0) / size for after in range(max(lived, 1))))

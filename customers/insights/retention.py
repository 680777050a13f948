"""How many customers stay: the retention rate and the cohorts by first order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection


@dataclass(frozen=True)
class RetentionRate:
    """Of `customers` who bought in the `window_days` before the last `window_days`, `kept` bought again within them."""

    as_of: dt.datetime
    window_days: int
    customers: int
    kept: int

    @property
    def rate(self) -> float | None:
        return self.kept / self.customers if self.customers else None


@dataclass(frozen=True)
class Cohort:
    """Customers by the month of their first order; `shares[m]` ordered in the m-th month after (0 to 1; all in month 0), for
    all months that are over: one that still runs would be counted too low."""

    month: dt.date
    customers: int
    shares: tuple[float, ...]


def measure_retention(as_of: dt.datetime, *, window_days: int = 90) -> RetentionRate:
    """The share of the buyers of one window who bought again in the next, which ends at `as_of`."""
    middle = as_of - dt.timedelta(days=window_days)
    first = middle - dt.timedelta(days=window_days)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH before AS (
                SELECT DISTINCT customer_id FROM customers_order
                WHERE NOT is_return AND ordered_at >= %s AND ordered_at < %s
            )
            SELECT count(*), count(*) FILTER (WHERE EXISTS (
                SELECT 1 FROM customers_order o WHERE o.customer_id = b.customer_id AND NOT o.is_return
                AND o.ordered_at >= %s AND o.ordered_at < %s))
            FROM before b
            """,
            [first, middle, middle, as_of],
        )
        customers, kept = cursor.fetchone()
    return RetentionRate(as_of, window_days, customers, kept)


def retention_over_time(as_of: dt.datetime, *, window_days: int = 90, points: int = 7) -> list[RetentionRate]:
    """The retention rate at `points` dates 30 days apart, oldest first."""
    dates = [as_of - dt.timedelta(days=30 * step) for step in reversed(range(points))]
    return [measure_retention(date, window_days=window_days) for date in dates]


def build_cohorts(as_of: dt.datetime, *, months: int = 6) -> list[Cohort]:
    """The last `months` cohorts of the shop's calendar, oldest first, in the months after that are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH firsts AS (
                SELECT customer_id, date_trunc('month', min(ordered_at) AT TIME ZONE %(zone)s) AS month
                FROM customers_order WHERE NOT is_return AND ordered_at <= %(as_of)s GROUP BY customer_id
            ), recent AS (
                SELECT * FROM firsts
                WHERE month > date_trunc('month', %(as_of)s::timestamptz AT TIME ZONE %(zone)s)
                    - make_interval(months => %(months)s)
            ), active AS (
                SELECT DISTINCT r.month, r.customer_id,
                    (extract(year FROM age(date_trunc('month', o.ordered_at AT TIME ZONE %(zone)s), r.month)) * 12
                     + extract(month FROM age(date_trunc('month', o.ordered_at AT TIME ZONE %(zone)s), r.month))
                    )::int AS after
                FROM recent r JOIN customers_order o
                  ON o.customer_id = r.customer_id AND NOT o.is_return AND o.ordered_at <= %(as_of)s
            )
            SELECT month::date, after, count(*) FROM active GROUP BY 1, 2 ORDER BY 1, 2
            """,
            {"as_of": as_of, "months": months, "zone": settings.SHOP_TIME_ZONE},
        )
        rows = cursor.fetchall()
    counts: dict[dt.date, dict[int, int]] = {}
    for month, after, number in rows:
        counts.setdefault(month, {})[after] = number
    today = as_of.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    return [_make_cohort(month, found, today) for month, found in sorted(counts.items())]


def _make_cohort(month: dt.date, counts: dict[int, int], today: dt.date) -> Cohort:
    size = counts[0]
    lived = (today.year - month.year) * 12 + today.month - month.month
    return Cohort(month, size, tuple(counts.get(after, 0) / size for after in range(max(lived, 1))))

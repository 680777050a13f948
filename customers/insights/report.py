"""All figures of the Retention page in one go: the orders are read once, counted at once, and the result is kept."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max

from customers.features.reader import Columns, read_rows
from customers.ingest.clock import read_shop_clock
from customers.ingest.country_spellings import country_sql
from customers.ingest.currency import read_shop_currency
from customers.models import Customer, ModelVersion, Order
from customers.scoring.labels import propose_horizon

from .churn import CohortChurn, GroupChurn, build_cohort_churn, build_group_churn, measure_churn
from .cohorts import CohortTable, build_cohort_table
from .history import UNITS, History, Unit, build_history
from .intervals import IntervalTable, build_intervals
from .rfm import RfmMap, build_rfm_map
from .shares import Share
from .value import ValueDistribution, build_value_distribution

KEPT_S = 24 * 3600
COUNTING_S = 600
MOST_CUSTOMERS_PROPOSED_FROM = 100_000
#: Changes whenever the counting does, so that no figure of an older version is shown.
_VERSION = 3


@dataclass(frozen=True)
class Reading:
    """What was counted: everything before `as_of`, days of `zone`, money in `currency`.

    `other_currency` orders count as orders, but their money is left out. `query` is the SQL that read the orders.
    """

    as_of: dt.datetime
    zone: str
    currency: str
    customers: int
    purchases: int
    returns: int
    other_currency: int
    first_on: dt.date
    last_on: dt.date
    query: str


@dataclass(frozen=True)
class Insights:
    """The figures. `horizon_days` is the model's in use, or where there is none `proposed_days`, from the shop's gaps."""

    reading: Reading
    horizon_days: int
    proposed_days: int
    has_model: bool
    cohorts: dict[Unit, CohortTable]
    left: Share | None
    churn: dict[Unit, tuple[CohortChurn, ...]]
    churn_by_country: tuple[GroupChurn, ...]
    churn_by_channel: tuple[GroupChurn, ...]
    intervals: IntervalTable
    rfm: RfmMap
    value: ValueDistribution


def read_insights(now: dt.datetime) -> Insights | None:
    """The figures as of the last complete day; None while nobody has bought anything by then.

    Kept for a day per (as_of, newest order before it, horizon, currency, zone), because reading a million customers takes
    seconds. An order that is changed without a new one (through the API) shows the day after.
    """
    wanted = _find_wanted(now)
    if wanted is None:
        return None
    kept = cache.get(wanted.key)
    return kept if isinstance(kept, Insights) else _count(wanted)


def warm_insights(now: dt.datetime) -> bool:
    """Count the figures before anybody opens the page; whether there was anything to count. Safe to run twice: figures that
    are kept stay as they are, and while one worker counts, a second one leaves it to it."""
    wanted = _find_wanted(now)
    if wanted is None or cache.get(wanted.key) is not None:
        return False
    if not cache.add(f"{wanted.key}:counting", 1, COUNTING_S):
        return False
    try:
        return _count(wanted) is not None
    finally:
        cache.delete(f"{wanted.key}:counting")


def choose_insights_as_of(now: dt.datetime) -> dt.datetime:
    """The beginning of today in the shop's zone, so that only complete days are counted; in a shop whose data ended long
    ago, just after its last order (decision 0001)."""
    clock = read_shop_clock(now)
    if clock < now:
        return clock
    today = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.astimezone(dt.UTC)


def measure_insights(*, as_of: dt.datetime, zone: str, currency: str, model_days: int | None) -> Insights | None:
    """Count everything from the orders before `as_of`; None where there is no purchase among them."""
    columns, source = name_query(as_of, currency)
    orders = read_rows(columns, source)
    history = build_history(orders, as_of=as_of, zone=zone, currency=currency)
    if history.customers.is_empty():
        return None
    proposed = propose_days(orders, history)
    horizon = model_days or proposed
    country, channel = read_groups()
    return Insights(
        reading=_describe(orders, history, f"SELECT {', '.join(sql for _n, sql, _t in columns)} {source}"),
        horizon_days=horizon,
        proposed_days=proposed,
        has_model=model_days is not None,
        cohorts={unit: build_cohort_table(history, unit) for unit in UNITS},
        left=measure_churn(history, horizon_days=horizon),
        churn={unit: build_cohort_churn(history, unit, horizon_days=horizon) for unit in UNITS},
        churn_by_country=build_group_churn(history, country, horizon_days=horizon),
        churn_by_channel=build_group_churn(history, channel, horizon_days=horizon),
        intervals=build_intervals(history, horizon_days=horizon),
        rfm=build_rfm_map(history),
        value=build_value_distribution(history),
    )


def propose_days(orders: pl.DataFrame, history: History) -> int:
    """The horizon that training would propose; of a very large shop from every n-th customer, as training does."""
    parts = math.ceil(history.customers.height / MOST_CUSTOMERS_PROPOSED_FROM)
    return propose_horizon(orders.filter(pl.col("customer_id") % parts == 0) if parts > 1 else orders)


def name_query(as_of: dt.datetime, currency: str) -> tuple[Columns, str]:
    """The one query that every figure is counted from, as `read_rows` takes it."""
    ours = currency.replace("'", "''")
    columns = (
        ("customer_id", "o.customer_id", pl.Int64),
        ("ordered_at", "o.ordered_at", pl.Datetime("us", "UTC")),
        ("is_return", "o.is_return", pl.Boolean),
        ("cents", f"CASE WHEN o.currency = '{ours}' THEN (o.total * 100)::bigint END", pl.Int64),
    )
    return columns, f"FROM customers_order o WHERE o.ordered_at < '{as_of.isoformat()}'::timestamptz"


def read_groups() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each customer's country, and the channel through which they came where the shop sends one (attributes.channel)."""
    has_channel = Customer.objects.filter(attributes__has_key="channel").exists()
    columns = (
        ("customer_id", "c.id", pl.Int64),
        ("country", country_sql(), pl.String),
        ("channel", "coalesce(c.attributes->>'channel', '')" if has_channel else "''", pl.String),
    )
    people = read_rows(columns, "FROM customers_customer c")
    return people.select("customer_id", name="country"), people.select("customer_id", name="channel")


@dataclass(frozen=True)
class _Wanted:
    """What is to be counted, and under which key it is kept."""

    key: str
    as_of: dt.datetime
    zone: str
    currency: str
    model_days: int | None


def _find_wanted(now: dt.datetime) -> _Wanted | None:
    as_of = choose_insights_as_of(now)
    newest = Order.objects.filter(ordered_at__lt=as_of).aggregate(newest=Max("pk"))["newest"]
    if newest is None:
        return None
    model_days = _read_model_horizon()
    currency, zone = read_shop_currency(), settings.SHOP_TIME_ZONE
    database = connection.settings_dict["NAME"]
    key = ":".join(
        map(str, ("customers.insights", _VERSION, database, as_of.timestamp(), newest, model_days, currency, zone))
    ).replace(" ", "_")
    return _Wanted(key, as_of, zone, currency, model_days)


def _count(wanted: _Wanted) -> Insights | None:
    found = measure_insights(
        as_of=wanted.as_of, zone=wanted.zone, currency=wanted.currency, model_days=wanted.model_days
    )
    if found is not None:
        cache.set(wanted.key, found, KEPT_S)
    return found


def _read_model_horizon() -> int | None:
    champion = ModelVersion.objects.in_use()
    return champion.values_list("horizon_days", flat=True).first()


def _describe(orders: pl.DataFrame, history: History, query: str) -> Reading:
    returns = int(orders["is_return"].sum())
    return Reading(
        as_of=history.as_of,
        zone=history.zone,
        currency=history.currency,
        customers=history.customers.height,
        purchases=orders.height - returns,
        returns=returns,
        other_currency=orders["cents"].null_count(),
        first_on=history.days["day"].min(),  # type: ignore[arg-type]
        last_on=history.days["day"].max(),  # type: ignore[arg-type]
        query=query,
    )

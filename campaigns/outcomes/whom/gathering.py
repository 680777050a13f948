"""The pool of a kind's finished campaigns out of the database: who was in which arm, what they did, what was known before.

What was known is rebuilt as of the day on which people were drawn (their entry, in a live campaign), by the builder that scoring
uses, from rows before that moment alone; the probabilities and values are those that stood in the frozen audience. How common a
product is, and what the buy-till-you-die models say, depend on a training that may be later, and are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from django.db import connection

from campaigns.models import Arm, Campaign
from campaigns.outcomes.windows import people_sql, window_params
from customers.features.builder import build_features
from customers.features.catalogue import FEATURE_KEYS
from customers.features.reader import SomeCustomers, events_needed_since, read_shop
from customers.ingest.clock import read_shop_clock
from customers.ingest.currency import read_shop_currency
from customers.ingest.merged import order_join_sql

from .kinds import Finished
from .pool import Pool

#: All campaigns together, the newest first: some hundred megabytes with their features.
MOST_ROWS = 150_000
#: A campaign of which fewer would be drawn is left out.
LEAST_ROWS = 1_000
#: Customers whose orders and events are in memory at once.
MOST_AT_ONCE = 20_000
#: Measured on a training that may be later than the campaign, or told of other people.
_NOT_OF_THE_DAY = {"product_popularity"}
KNOWN_THEN = ("churn_probability", "expected_value")
COLUMNS = (*(key for key in FEATURE_KEYS if key not in _NOT_OF_THE_DAY), *KNOWN_THEN)


def gather_pool(campaigns: Sequence[Finished], *, now: dt.datetime) -> Pool:
    """`campaigns` newest first. Memory is bounded by MOST_ROWS and MOST_AT_ONCE, whatever the size of the audiences."""
    left, frames = MOST_ROWS, []
    for stratum, finished in enumerate(campaigns):
        if left < LEAST_ROWS:  # a sample of a few has one arm, or nobody
            break
        people = _read_people(finished, most=left, now=now)
        left -= people.height
        frames.append(_join_features(finished.campaign, people).with_columns(stratum=pl.lit(stratum, pl.Int64)))
    whole = pl.concat(frames)
    return Pool(
        names=COLUMNS,
        x=to_matrix(whole),
        treated=(whole["arm"] == Arm.TREATMENT.value).to_numpy(),
        stratum=whole["stratum"].to_numpy(),
        customer=whole["customer_id"].to_numpy(),
        kept=whole["kept"].to_numpy(),
        gross=whole["gross"].to_numpy(),
        discount=whole["discount"].to_numpy(),
        weight=whole["weight"].to_numpy(),
    )


def _read_people(finished: Finished, *, most: int, now: dt.datetime) -> pl.DataFrame:
    """A sample of both arms, the smaller one whole where it fits: by a hash, so that the same people come out again."""
    campaign, counts = finished.campaign, finished.counts
    held_out = min(counts.held_out, most // 2)
    treated = min(counts.treated, most - held_out)
    params: dict[str, Any] = window_params(campaign, finished.window, as_of=now) | {
        "currency": read_shop_currency(),
        "explore": campaign.explore_share,
        "treated": treated / max(counts.treated, 1),
        "held_out": held_out / max(counts.held_out, 1),
    }
    draw = "('x' || left(md5('whom:' || p.customer_id::text), 8))::bit(32)::bigint::float8 / 4294967296.0::float8"
    sql = f"""
SELECT m.customer_id, m.arm, m.churn_probability, m.expected_value::float8, m.opens_at,
       (count(o.id) FILTER (WHERE NOT o.is_return) > 0)::int::float8,
       coalesce(sum(o.total + o.discount) FILTER (WHERE o.currency = %(currency)s), 0)::float8,
       coalesce(sum(o.discount) FILTER (WHERE o.currency = %(currency)s AND NOT o.is_return), 0)::float8,
       CASE WHEN bool_or(f.is_explored) THEN 1 / %(explore)s::float8 ELSE 1 END
FROM (SELECT p.* FROM ({people_sql(campaign)}) p
      WHERE {draw} < CASE p.arm WHEN 'treatment' THEN %(treated)s ELSE %(held_out)s END) m
LEFT JOIN campaigns_audiencemember f ON f.campaign_id = %(campaign)s AND f.customer_id = m.customer_id
{order_join_sql("m.customer_id")} AND o.ordered_at >= m.opens_at AND o.ordered_at < m.closes_at
GROUP BY m.customer_id, m.arm, m.churn_probability, m.expected_value, m.opens_at
ORDER BY m.customer_id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    names = ("customer_id", "arm", "churn_probability", "expected_value", "at", "kept", "gross", "discount", "weight")
    kinds = (
        pl.Int64,
        pl.String,
        pl.Float64,
        pl.Float64,
        pl.Datetime("us", "UTC"),
        pl.Float64,
        pl.Float64,
        pl.Float64,
        pl.Float64,
    )
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _join_features(campaign: Campaign, people: pl.DataFrame) -> pl.DataFrame:
    """What was known of each on their day; of those who were erased or object since, or had no order then, nothing is."""
    parts = []
    for moment, some in _group_by_moment(campaign, people):
        for batch in some.iter_slices(MOST_AT_ONCE):
            features = read_features(tuple(batch["customer_id"].to_list()), as_of=moment)
            parts.append(batch.join(features, on="customer_id", how="left"))
    return pl.concat(parts)


def read_features(customer_ids: tuple[int, ...], *, as_of: dt.datetime) -> pl.DataFrame:
    """customer_id and the features of COLUMNS that the builder makes, as of a moment: nothing at or after it is looked at."""
    shop = read_shop(before=as_of, events_since=events_needed_since(as_of), partition=SomeCustomers(customer_ids))
    features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of, popularity=NO_POPULARITY)
    return features.select("customer_id", *(name for name in COLUMNS if name not in KNOWN_THEN))


def _group_by_moment(campaign: Campaign, people: pl.DataFrame) -> Iterator[tuple[dt.datetime, pl.DataFrame]]:
    """One for all where the audience was frozen; in a live campaign the midnight before each person's entry."""
    if not campaign.is_live:
        assert campaign.audience_as_of is not None
        yield read_shop_clock(campaign.audience_as_of), people
        return
    by_day = people.with_columns(day=pl.col("at").dt.truncate("1d"))
    for (day,), some in by_day.partition_by("day", as_dict=True, include_key=False, maintain_order=True).items():
        yield day, some


#: Given, so that the builder does not measure it on a part of the customers.
NO_POPULARITY = pl.DataFrame(schema={"product_id": pl.Int64, "popularity": pl.Float64})


def to_matrix(frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A frame with the columns of COLUMNS as numbers (n, p); what is not known is not a number."""
    return frame.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in COLUMNS).to_numpy()

"""Everybody's interests as of a date, one row per customer: for the customer's page and for segments."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl
import structlog
from django.db import connection, transaction
from django.db.models import Max

from customers.features.reader import Partition, read_customer_ids, read_objectors, split_customers
from customers.ingest.clock import choose_as_of
from customers.ingest.copying import Column, Target, copy_frame, merge_stage, staging
from customers.models import Customer, InterestProfile, note_everybody

from .affinity import build_affinities
from .brands import build_brand_affinities
from .favourite import label_products
from .prices import build_price_levels, rank_products
from .reading import read_acts, read_catalogue, read_priced_lines, read_prices
from .searches import find_unanswered_searches, find_unbought_views, match_queries
from .spoken import read_topics

MOST_CATEGORIES: Final = 12
MOST_BRANDS: Final = 8
MOST_SEARCHES: Final = 5
MOST_VIEWS: Final = 5
MOST_CUSTOMERS_IN_MEMORY: Final = 200_000

logger = structlog.get_logger(__name__)


def build_profiles(
    catalogue: pl.DataFrame, prices: pl.DataFrame, lines: pl.DataFrame, events: pl.DataFrame, *, as_of: dt.datetime
) -> pl.DataFrame:
    """One row per customer about whom anything is known: the columns of InterestProfile, lists as JSON, without topics.

    Frames as in `reading`. Nothing at or after `as_of` is looked at, but for `prices`, which must end before it.
    """
    labels = label_products(catalogue).filter(pl.col("interest") != "")
    matches = match_queries(events["query"], catalogue, labels)
    overall, by_category = build_price_levels(lines, rank_products(prices, labels), labels, as_of=as_of)
    categories = build_affinities(lines, events, labels, matches, as_of=as_of).join(
        by_category, on=["customer_id", "category"], how="left", maintain_order="left"
    )
    acts = ("ordered", "carts", "searched", "viewed")
    shown = ("category", "share", *acts, "price_level", "price_band")
    brands = build_brand_affinities(lines, events, catalogue, as_of=as_of)
    searches = find_unanswered_searches(events, lines, labels, matches, as_of=as_of)
    views = find_unbought_views(events, lines, as_of=as_of)
    parts = [
        _list_as_json(
            categories.with_columns(pl.col("price_band").fill_null("")), "categories", shown, MOST_CATEGORIES
        ),
        _list_as_json(brands, "brands", ("brand", "share", *acts), MOST_BRANDS),
        _list_as_json(searches, "searches", ("query", "category", "times", "last_at"), MOST_SEARCHES),
        _list_as_json(views, "viewed", ("product_id", "times", "last_at"), MOST_VIEWS),
        overall,
    ]
    everyone = pl.concat([part.select("customer_id") for part in parts]).unique().sort("customer_id")
    for part in parts:
        everyone = everyone.join(part, on="customer_id", how="left", maintain_order="left")
    return everyone.with_columns(
        pl.col("categories", "brands", "searches", "viewed").fill_null("[]"),
        pl.col("price_band").fill_null(""),
        pl.col("price_lines").fill_null(0),
    )


def refresh_profiles(*, as_of: dt.datetime) -> int:
    """Write the profile of every customer as of a date; returns how many rows changed. Safe to run twice."""
    catalogue, prices = read_catalogue(), read_prices(before=as_of)
    parts = split_customers(Customer.objects.count(), most=MOST_CUSTOMERS_IN_MEMORY)
    changed = sum(_refresh_part(catalogue, prices, as_of=as_of, partition=part) for part in parts)
    if changed:
        note_everybody()
    return changed


def are_old(now: dt.datetime) -> bool:
    """Whether there are customers whose profiles are not of the current day, or of the shop's last one."""
    newest = InterestProfile.objects.aggregate(newest=Max("as_of"))["newest"]
    return Customer.objects.exists() and (newest is None or newest < choose_as_of(now))


def refresh_for_today(now: dt.datetime) -> int:
    """`refresh_profiles` as of the current day; 0 at once while another worker does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('customers.interests.refresh'))")
        if not cursor.fetchone()[0]:
            return 0
        try:
            return refresh_profiles(as_of=choose_as_of(now))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('customers.interests.refresh'))")


def _refresh_part(
    catalogue: pl.DataFrame, prices: pl.DataFrame, *, as_of: dt.datetime, partition: Partition | None
) -> int:
    profiles = build_profiles(
        catalogue,
        prices,
        read_priced_lines(before=as_of, partition=partition),
        read_acts(before=as_of, partition=partition),
        as_of=as_of,
    )
    topics = read_topics(as_of=as_of, partition=partition).sort(
        ["customer_id", "times", "topic"], descending=[False, True, False]
    )
    told = _list_as_json(topics, "topics", ("topic", "times"), MOST_CATEGORIES)
    frame = (
        read_customer_ids(partition)
        .join(read_objectors(), on="customer_id", how="anti")
        .join(profiles, on="customer_id", how="left")
        .join(told, on="customer_id", how="left")
        .with_columns(
            pl.lit(as_of).cast(pl.Datetime("us", "UTC")).alias("as_of"),
            pl.col("categories", "brands", "searches", "viewed", "topics").fill_null("[]"),
            pl.col("price_band").fill_null(""),
            pl.col("price_lines").fill_null(0),
        )
        .sort("customer_id")
    )
    with transaction.atomic():
        changed = _merge(frame)
    logger.info("interests_refreshed", as_of=as_of.isoformat(), customers=frame.height, rows=changed)
    return changed


def _list_as_json(frame: pl.DataFrame, name: str, columns: tuple[str, ...], most: int) -> pl.DataFrame:
    """The first `most` rows of each customer as one JSON list, in the order of the frame."""
    moments = [
        pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
        for column, kind in frame.schema.items()
        if column in columns and isinstance(kind, pl.Datetime)
    ]
    item = pl.struct(columns).struct.json_encode()
    return (
        frame.with_columns(moments)
        .group_by("customer_id", maintain_order=True)
        .head(most)
        .select("customer_id", item=item)
        .group_by("customer_id", maintain_order=True)
        .agg(pl.format("[{}]", pl.col("item").str.join(",")).alias(name))
    )


_PROFILES = Target(
    "customers_interestprofile",
    ("customer_id",),
    (
        Column("customer_id", "bigint"),
        Column("as_of", "timestamptz"),
        Column("categories", "jsonb", "'[]'"),
        Column("brands", "jsonb", "'[]'"),
        Column("price_level", "float8"),
        Column("price_band", "varchar(4)", "''"),
        Column("price_lines", "integer", "0"),
        Column("searches", "jsonb", "'[]'"),
        Column("viewed", "jsonb", "'[]'"),
        Column("topics", "jsonb", "'[]'"),
    ),
)


def _merge(frame: pl.DataFrame) -> int:
    names = [column.name for column in _PROFILES.columns]
    with staging(_PROFILES.types(names)) as (cursor, stage):
        copy_frame(cursor, stage, frame.select(names))
        counts = merge_stage(cursor, stage, _PROFILES, names)
    return counts.created + counts.updated

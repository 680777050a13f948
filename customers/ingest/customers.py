"""Customers from frames: COPY into staging and one upsert by (source, external_id)."""

from __future__ import annotations

import dataclasses

import polars as pl
import structlog
from django.conf import settings
from django.db import transaction

from customers.models.customer import zone_names

from .copying import Column, OnUpdate, Target, UpsertCounts, copy_frame, merge_stage, staging, with_rules
from .emails import normalise_emails
from .erased import drop_erased
from .merged import lay_on_survivors
from .phones import normalise_phones

log = structlog.get_logger(__name__)

CUSTOMERS = Target(
    table="customers_customer",
    key=("source", "external_id"),
    columns=(
        Column("source", "varchar(40)", "'shop'"),
        Column("external_id", "varchar(120)"),
        Column("email", "varchar(254)", "''"),
        Column("phone", "varchar(16)", "''"),
        Column("first_name", "varchar(120)", "''"),
        Column("last_name", "varchar(120)", "''"),
        Column("language", "varchar(12)", "'en'"),
        Column("time_zone", "varchar(64)", "'UTC'"),
        Column("country", "varchar(80)", "''"),
        Column("attributes", "jsonb", "'{}'::jsonb"),
        Column("joined_at", "timestamptz"),
    ),
    touch={"updated_at": "statement_timestamp()"},
)


def upsert_customers(frame: pl.DataFrame, *, source: str = "shop") -> UpsertCounts:
    """Create or change customers by (source, external_id); columns that the frame lacks stay as they are.

    Columns: external_id, and any of source, email, phone (read as of the country), first_name, last_name, language, time_zone,
    country, attributes (JSON text), joined_at (UTC). A null means blank. Where a key stands twice, its last row counts. New
    rows without a time zone get the shop's. People who were erased are passed over; what is
    said of an id that was merged into another person is said of that person. Raises ValueError for a column that
    customers do not have.
    """
    frame = with_source(frame, source).unique(CUSTOMERS.key, keep="last", maintain_order=True)
    return merge_customers(_replace_bad_zones(normalise_emails(normalise_phones(frame))))


@transaction.atomic
def merge_customers(frame: pl.DataFrame) -> UpsertCounts:
    """The same for a frame that has its source and each key once."""
    check_columns(frame, CUSTOMERS)
    with staging(CUSTOMERS.types(frame.columns)) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        drop_erased(cursor, stage)
        lay_on_survivors(cursor, stage, noted=frame.columns)
        return merge_stage(cursor, stage, in_shop_zone(CUSTOMERS), frame.columns)


def _replace_bad_zones(frame: pl.DataFrame) -> pl.DataFrame:
    """What is no time zone becomes the shop's, and the log says how many: one bad cell holds nobody up."""
    if "time_zone" not in frame.columns or frame["time_zone"].dtype != pl.String:
        return frame
    zones = frame["time_zone"]
    is_bad = find_bad_zones(zones)
    if not is_bad.any():
        return frame
    log.warning("time_zones_replaced", customers=int(is_bad.sum()))
    return frame.with_columns(zones.set(is_bad, settings.SHOP_TIME_ZONE))


def find_bad_zones(zones: pl.Series) -> pl.Series:
    """Which of these texts are no time zone; a blank or null is none given, and not bad."""
    return zones.is_not_null() & (zones != "") & ~zones.is_in(sorted(zone_names()))


def in_shop_zone(target: Target, **on_update: OnUpdate) -> Target:
    """`target` with the shop's time zone for new rows, and with other rules for the columns named."""
    zone = "'" + settings.SHOP_TIME_ZONE.replace("'", "") + "'"
    zoned = (
        dataclasses.replace(column, default=zone if column.name == "time_zone" else column.default)
        for column in target.columns
    )
    return with_rules(dataclasses.replace(target, columns=tuple(zoned)), **on_update)


def with_source(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """`frame` with a column source: its own, and `source` where it has none."""
    given = pl.col("source").fill_null(source) if "source" in frame.columns else pl.lit(source)
    return frame.with_columns(given.alias("source"))


def check_columns(frame: pl.DataFrame, target: Target) -> None:
    """Raise ValueError where the frame lacks a column of the key or has one that the table does not know."""
    known = {column.name for column in target.columns}
    strange = sorted(set(frame.columns) - known)
    missing = [name for name in target.key if name not in frame.columns]
    if strange or missing:
        raise ValueError(f"{target.table}: unknown columns {strange}, missing columns {missing}")

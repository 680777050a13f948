"""Products from frames: COPY into staging and one upsert by sku."""

from __future__ import annotations

import polars as pl
from django.db import transaction

from .copying import Column, OnUpdate, Target, UpsertCounts, copy_frame, merge_stage, staging, with_rules
from .customers import check_columns

PRODUCTS = Target(
    table="customers_product",
    key=("sku",),
    columns=(
        Column("sku", "varchar(80)"),
        Column("name", "varchar(250)", "''"),
        Column("names", "jsonb", "'{}'::jsonb"),
        Column("category", "varchar(120)", "''"),
        Column("brand", "varchar(120)", "''"),
        Column("price", "numeric(14,2)"),
        Column("currency", "varchar(3)", "''"),
        Column("stock", "integer"),
        Column("url", "varchar(500)", "''"),
        Column("is_charge", "boolean", "false"),
    ),
    touch={"updated_at": "statement_timestamp()", "version": "target.version + 1"},
)
#: A catalogue that the shop keeps counts; what orders say of their wares only fills what it leaves blank.
_FILLED = with_rules(PRODUCTS, name=OnUpdate.FILL, category=OnUpdate.FILL)


@transaction.atomic
def upsert_products(frame: pl.DataFrame) -> UpsertCounts:
    """Create or change products by sku; columns that the frame lacks stay as they are.

    Columns: sku, and any of name, names (JSON text), category, brand, price (Decimal), currency, stock, url,
    is_charge. A change raises the product's version by one. Where a sku stands twice, its last row counts.
    """
    check_columns(frame, PRODUCTS)
    frame = frame.unique(PRODUCTS.key, keep="last", maintain_order=True)
    with staging(PRODUCTS.types(frame.columns)) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        return merge_stage(cursor, stage, PRODUCTS, frame.columns)


def fill_products(frame: pl.DataFrame) -> None:
    """Create products by sku, and give those that are there what they lack. Columns: sku, and any of name, category."""
    with staging(PRODUCTS.types(frame.columns)) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        merge_stage(cursor, stage, _FILLED, frame.columns)

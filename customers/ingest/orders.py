"""Orders and their lines from frames: COPY into staging, joined to customers and products, then upserted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import transaction

from .copying import (
    Column,
    Cursor,
    Target,
    UpsertCounts,
    copy_frame,
    count_anew_if_thought_empty,
    merge_stage,
    staging,
)
from .customers import with_source
from .merged import give_to_survivors

ORDERS = Target(
    table="customers_order",
    key=("source", "external_id"),
    columns=(
        Column("source", "varchar(40)"),
        Column("external_id", "varchar(120)"),
        Column("customer_id", "bigint"),
        Column("ordered_at", "timestamptz"),
        Column("currency", "varchar(3)"),
        Column("total", "numeric(14,2)"),
        Column("discount", "numeric(14,2)", "0"),
        Column("discount_code", "varchar(60)", "''"),
        Column("is_return", "boolean", "false"),
        Column("came_as", "bigint"),
    ),
)
LINES = Target(
    table="customers_orderline",
    key=("order_id", "position"),
    columns=(
        Column("order_id", "bigint"),
        Column("position", "integer"),
        Column("product_id", "bigint"),
        Column("quantity", "integer"),
        Column("unit_price", "numeric(14,4)"),
    ),
)
GIVEN_ORDER = {
    "customer": "varchar(120)",
    **ORDERS.types({column.name for column in ORDERS.columns} - {"customer_id", "came_as"}),
}
#: Columns of a staged order that `resolve_orders` fills.
WHOSE = ("customer_id", "came_as")
GIVEN_LINE = {
    "source": "varchar(40)",
    "order": "varchar(120)",
    "position": "integer",
    "sku": "varchar(80)",
    "quantity": "integer",
    "unit_price": "numeric(14,4)",
}
_MONEY = pl.Decimal(38, 4)
#: Frames of orders and lines, as shops tell them.
ORDER_FRAME: dict[str, Any] = {
    "source": pl.String, "external_id": pl.String, "customer": pl.String, "ordered_at": pl.Datetime("us", "UTC"),
    "currency": pl.String, "total": _MONEY, "discount": _MONEY, "discount_code": pl.String, "is_return": pl.Boolean,
}  # fmt: skip
LINE_FRAME: dict[str, Any] = {
    "source": pl.String, "order": pl.String, "position": pl.Int64, "sku": pl.String, "quantity": pl.Int64,
    "unit_price": _MONEY,
}  # fmt: skip


class UnknownReference(ValueError):
    """Orders name customers, or lines name orders or products, that are not there; nothing was written."""


@dataclass(frozen=True)
class OrderCounts:
    """What an upsert of orders did to the orders and to their lines."""

    orders: UpsertCounts
    lines: UpsertCounts
    lines_removed: int


@transaction.atomic
def upsert_orders(orders: pl.DataFrame, lines: pl.DataFrame, *, source: str = "shop") -> OrderCounts:
    """Create or change orders by (source, external_id), with all their lines: an order that is given is given whole.

    orders: external_id, customer (the shop's id, of the same source), ordered_at (UTC), currency, total (Decimal,
    the sum of the lines less the discount), and any of source, discount, discount_code, is_return.
    lines: order (external_id), position (from 1), quantity, unit_price, and any of source, sku (null: no product).
    Lines that the given orders had beyond these are removed. Raises UnknownReference; running it again changes
    nothing.
    """
    orders = with_source(orders, source).unique(("source", "external_id"), keep="last", maintain_order=True)
    lines = with_source(lines, source).unique(("source", "order", "position"), keep="last", maintain_order=True)
    given = {name: kind for name, kind in GIVEN_ORDER.items() if name in orders.columns}
    with staging(given) as (cursor, raw), staging(ORDERS.types({*given, *WHOSE})) as (_same, staged):
        copy_frame(cursor, raw, orders)
        resolve_orders(cursor, raw, staged, list(given))
        order_counts = merge_stage(cursor, staged, ORDERS, [*given, *WHOSE])
        line_counts, removed = _write_lines(cursor, staged, lines)
    return OrderCounts(order_counts, line_counts, removed)


def resolve_orders(cursor: Cursor, raw: str, staged: str, given: list[str]) -> None:
    """Fill the stage of orders from a raw one that names customers by the shop's id; raises UnknownReference."""
    kept = ", ".join(f'"{name}"' for name in given if name != "customer")
    taken = ", ".join(f'raw."{name}"' for name in given if name != "customer")
    cursor.execute(f"ANALYZE {raw}")
    cursor.execute(
        f"INSERT INTO {staged} ({kept}, customer_id) SELECT {taken}, c.id FROM {raw} raw"
        " LEFT JOIN customers_customer c ON c.source = raw.source AND c.external_id = raw.customer"
    )
    unknown = (
        f"SELECT raw.customer FROM {raw} raw JOIN {staged} s USING (source, external_id) WHERE s.customer_id IS NULL"
    )
    if give_to_survivors(cursor, staged, f"SELECT source, external_id, customer FROM {raw}"):
        _refuse_unknown(cursor, unknown, "customers")


def _write_lines(cursor: Cursor, staged_orders: str, lines: pl.DataFrame) -> tuple[UpsertCounts, int]:
    given = {name: kind for name, kind in GIVEN_LINE.items() if name in lines.columns}
    sku = "raw.sku" if "sku" in given else "NULL::varchar"
    names = [column.name for column in LINES.columns]
    with staging(given) as (_cursor, raw), staging(LINES.types(names)) as (_same, staged):
        copy_frame(cursor, raw, lines)
        cursor.execute(f"ANALYZE {raw}")
        cursor.execute(
            f"INSERT INTO {staged} SELECT o.id, raw.position, p.id, raw.quantity, raw.unit_price FROM {raw} raw"
            ' LEFT JOIN customers_order o ON o.source = raw.source AND o.external_id = raw."order"'
            f" LEFT JOIN customers_product p ON p.sku = {sku}"
        )
        unknown_orders = (
            f'SELECT raw."order" FROM {raw} raw LEFT JOIN {staged_orders} s'
            ' ON s.source = raw.source AND s.external_id = raw."order" WHERE s.external_id IS NULL'
        )
        _refuse_unknown(cursor, unknown_orders, "orders")
        unknown_products = (
            f"SELECT {sku} FROM {raw} raw LEFT JOIN customers_product p ON p.sku = {sku}"
            f" WHERE {sku} IS NOT NULL AND p.id IS NULL"
        )
        _refuse_unknown(cursor, unknown_products, "products")
        removed = remove_lines_beyond(cursor, staged_orders, staged)
        return merge_stage(cursor, staged, LINES, names), removed


def remove_lines_beyond(cursor: Cursor, staged_orders: str, staged_lines: str) -> int:
    """Delete the lines of the staged orders that the staged lines do not name; returns how many there were."""
    count_anew_if_thought_empty(cursor, ORDERS.table, LINES.table)
    cursor.execute(
        f"DELETE FROM customers_orderline l USING customers_order o, {staged_orders} s"
        " WHERE o.source = s.source AND o.external_id = s.external_id AND l.order_id = o.id AND NOT EXISTS"
        f" (SELECT 1 FROM {staged_lines} kept WHERE kept.order_id = l.order_id AND kept.position = l.position)"
    )
    removed: int = cursor.rowcount
    return removed


def _refuse_unknown(cursor: Cursor, query: str, what: str) -> None:
    cursor.execute(f"{query} LIMIT 3")
    unknown = [str(row[0]) for row in cursor.fetchall()]
    if unknown:
        raise UnknownReference(f"These {what} are not known: {', '.join(unknown)}.")

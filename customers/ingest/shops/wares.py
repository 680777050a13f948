"""The catalogue of a shop: its products as it keeps them, and the names of those that only its orders speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from customers.ingest.products import fill_products, upsert_products
from customers.models import Product, ShopConnection

from .freshness import find_names
from .told import ToldProduct, ToldSale

_DTYPES: dict[str, Any] = {"price": pl.Decimal(38, 4), "stock": pl.Int64}
_COLUMNS = ("sku", "name", "category", "brand", "price", "currency", "stock", "url")


def write_products(products: Sequence[ToldProduct], sales: Sequence[ToldSale], shop: ShopConnection) -> int:
    """Write products by sku, each row with the columns it has; returns how many changed. Safe to run twice.

    A product that is gone from the shop stays, because orders name it, but has no stock and no page.
    """
    written = 0
    shapes: dict[tuple[str, ...], dict[str, Any]] = {}
    for product in products:
        for row in product.rows:
            shapes.setdefault(tuple(name for name in _COLUMNS if name in row), {})[str(row["sku"])] = row
        if not product.rows:
            gone = Product.objects.filter(sku__in=find_names(shop, product.id))
            written += gone.exclude(stock=0, url="").update(stock=0, url="")
    for names, rows in shapes.items():
        counts = upsert_products(_frame(names, list(rows.values())))
        written += counts.created + counts.updated
    _name_wares(sales)
    return written


def _name_wares(sales: Sequence[ToldSale]) -> None:
    """Make the products that the lines of orders name."""
    wares = {
        line.sku: {"sku": line.sku, "name": line.name}
        for sale in sales
        for order in sale.orders
        for line in order.lines
        if line.sku
    }
    if not wares:
        return
    fill_products(_frame(("sku", "name"), [wares[sku] for sku in sorted(wares)]))


def _frame(names: Sequence[str], rows: Sequence[Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [pl.Series(name, [row[name] for row in rows], dtype=_DTYPES.get(name, pl.String)) for name in names]
    )

"""A small shop whose customers order at their own rates and leave at a random time: predictable, but not fully."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Model

from customers.features.builder import ShopData
from customers.ingest.copying import copy_frame
from customers.models import Customer, CustomerEvent, ModelVersion, Order, OrderLine, Product, ensure_event_partitions
from customers.scoring.training import TrainingResult

FIRST_AT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
LAST_AT = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
CATEGORIES = ("bags", "shoes", "jackets")


def simulate_shop(*, customers: int = 500, seed: int = 1) -> ShopData:
    """Orders with a line each, and a view of a product some days before most of them."""
    rng = np.random.default_rng(seed)
    days = (LAST_AT - FIRST_AT).days
    orders, lines, events = [], [], []
    for customer in range(1, customers + 1):
        rate = rng.lognormal(np.log(1 / 45), 1.3)
        day = rng.uniform(0, days * 0.6)
        end = day + rng.exponential(400)
        liked = int(rng.integers(3))
        while day < min(end, days):
            at = FIRST_AT + dt.timedelta(days=float(day))
            category = liked if rng.random() < 0.7 else int(rng.integers(3))
            total = float(np.round(rng.gamma(3, 20), 2))
            orders.append((customer, len(orders) + 1, at, total, 0.0, False))
            lines.append((customer, at, category + 1, CATEGORIES[category], 1.0, False))
            events.append((customer, "product_viewed", at - dt.timedelta(hours=30)))
            day += rng.exponential(1 / rate) + 0.5
    time = pl.Datetime("us", "UTC")
    return ShopData(
        pl.DataFrame(
            orders,
            schema={"customer_id": pl.Int64, "order_id": pl.Int64, "ordered_at": time, "total": pl.Float64,
                    "discount": pl.Float64, "is_return": pl.Boolean},
            orient="row",
        ),
        pl.DataFrame(
            lines,
            schema={"customer_id": pl.Int64, "ordered_at": time, "product_id": pl.Int64, "category": pl.String,
                    "quantity": pl.Float64, "is_charge": pl.Boolean},
            orient="row",
        ),
        pl.DataFrame(events, schema={"customer_id": pl.Int64, "kind": pl.String, "occurred_at": time}, orient="row"),
        "EUR",
    )  # fmt: skip


def take_customers(shop: ShopData, count: int) -> ShopData:
    """The same shop with its first customers only."""
    first = pl.col("customer_id") <= count
    assert shop.lines is not None
    assert shop.events is not None
    return ShopData(shop.orders.filter(first), shop.lines.filter(first), shop.events.filter(first), shop.currency)


def store_model(trained: TrainingResult, *, trained_at: dt.datetime) -> ModelVersion:
    """What a training gave, as the version in use."""
    return ModelVersion.objects.create(
        version=1, status=ModelVersion.Status.CHAMPION, estimator=trained.estimator, horizon_days=trained.horizon_days,
        trained_at=trained_at, data_from=trained.data_from, data_until=trained.data_until,
        artifact=trained.model.to_bytes(), metrics=trained.metrics, card=trained.card,
    )  # fmt: skip


def store_shop(shop: ShopData) -> None:
    """Write a simulated shop into the database. Customer n of the shop is the one whose external_id is n.

    By COPY: made one by one as objects, its twelve thousand rows took most of the time of the tests that have a shop.
    """
    assert shop.lines is not None
    assert shop.events is not None
    names = sorted({int(n) for n in shop.orders["customer_id"]})
    Customer.objects.bulk_create([Customer(external_id=str(n), email=f"c{n}@shop.test") for n in names])
    Product.objects.bulk_create([Product(sku=f"P{i}", name=c.title(), category=c) for i, c in enumerate(CATEGORIES)])
    customer_id = pl.col("customer_id").replace_strict(_read_numbers(Customer))
    ordered = {"source": "shop", "external_id": pl.col("order_id"), "customer_id": customer_id, "currency": "EUR"}
    _copy(Order, shop.orders, "ordered_at", "total", **ordered, discount_code="")
    order_id = (pl.int_range(pl.len()) + 1).replace_strict(_read_numbers(Order))
    product_id = pl.col("category").replace_strict(dict(Product.objects.values_list("category", "pk")))
    _copy(OrderLine, shop.lines, order_id=order_id, position=1, product_id=product_id, quantity=1, unit_price=1)
    ensure_event_partitions(dt.date(2023, 12, 1), LAST_AT.date())
    told = {"source": "shop", "external_id": pl.int_range(pl.len()), "customer_id": customer_id, "properties": "{}"}
    _copy(CustomerEvent, shop.events, "occurred_at", "kind", **told)


def _read_numbers(model: type[Customer | Order]) -> dict[int, int]:
    """The shop's numbers and ours."""
    return {int(external): pk for external, pk in model.objects.values_list("external_id", "pk")}


def _copy(model: type[Model], rows: pl.DataFrame, *kept: str, **columns: pl.Expr | str | int) -> None:
    """The rows with the columns that are kept, and those that are given."""
    given = {name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in columns.items()}
    with connection.cursor() as cursor:
        copy_frame(cursor, model._meta.db_table, rows.select(*kept, **given))

"""A small shop whose customers order at their own rates and leave at a random time: predictable, but not fully."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from customers.features.builder import ShopData
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
    """Write a simulated shop into the database. Customer n of the shop is the one whose external_id is n."""
    assert shop.lines is not None
    assert shop.events is not None
    names = sorted({int(n) for n in shop.orders["customer_id"]})
    Customer.objects.bulk_create([Customer(external_id=str(n), email=f"c{n}@shop.test") for n in names])
    ids = {int(external): pk for pk, external in Customer.objects.values_list("pk", "external_id")}
    Product.objects.bulk_create([Product(sku=f"P{i}", name=c.title(), category=c) for i, c in enumerate(CATEGORIES)])
    products = dict(Product.objects.values_list("category", "pk"))
    Order.objects.bulk_create(
        [
            Order(external_id=str(o["order_id"]), customer_id=ids[o["customer_id"]], ordered_at=o["ordered_at"],
                  currency="EUR", total=str(o["total"]))
            for o in shop.orders.to_dicts()
        ]
    )  # fmt: skip
    stored = {int(external): pk for pk, external in Order.objects.values_list("pk", "external_id")}
    OrderLine.objects.bulk_create(
        [
            OrderLine(
                order_id=stored[number], position=1, product_id=products[line["category"]], quantity=1, unit_price=1
            )
            for number, line in enumerate(shop.lines.to_dicts(), start=1)
        ]
    )
    ensure_event_partitions(dt.date(2023, 12, 1), LAST_AT.date())
    CustomerEvent.objects.bulk_create(
        [
            CustomerEvent(source="shop", external_id=str(i), occurred_at=e["occurred_at"],
                          customer_id=ids[e["customer_id"]], kind=e["kind"])
            for i, e in enumerate(shop.events.to_dicts())
        ]
    )  # fmt: skip

"""A shop in the database with a few shelves, and a language model on loopback that does as it is told."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from customers.features.interests.texts import switch_reading
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, Order, OrderLine, Product

from .shelves import make_catalogue

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
Say = Callable[..., None]
Buy = Callable[..., None]


@pytest.fixture
def products(db: None) -> dict[str, Product]:
    """The catalogue of `shelves` by name; Chinese names stand in `names`."""
    return {
        row["name"]: Product.objects.create(
            sku=row["sku"],
            name=row["name"],
            names={"zh-hans": row["names"][0]},
            category=row["category"],
            brand=row["brand"],
        )
        for row in make_catalogue().to_dicts()
    }


@pytest.fixture
def anna(db: None) -> Customer:
    return Customer.objects.create(
        external_id="K-77120", email="anna.lindqvist@tarnside.test", first_name="Anna", last_name="Lindqvist",
        attributes={"phone": "0044 7700 900123", "city": "Hallstatt", "plan": "gold"},
    )  # fmt: skip


@pytest.fixture
def bo(db: None) -> Customer:
    return Customer.objects.create(external_id="K-2", email="bo@tarnside.test", first_name="Bo", last_name="Nyberg")


@pytest.fixture
def say(db: None) -> Say:
    """Record an event of a customer, so many days before NOW."""
    numbers = itertools.count(1)

    def record(customer: Customer, kind: str, days_ago: float = 1, **properties: Any) -> None:
        at = NOW - dt.timedelta(days=days_ago)
        record_events([NewEvent(customer.pk, kind, at, f"e{next(numbers)}", properties)], source="shop")

    return record


@pytest.fixture
def buy(db: None) -> Buy:
    """One order with one line, so many days before NOW."""
    numbers = itertools.count(1)

    def order(customer: Customer, product: Product, days_ago: float = 1, price: float = 10, quantity: int = 1) -> None:
        made = Order.objects.create(
            external_id=f"o{next(numbers)}", customer=customer, currency="EUR", total=price * quantity,
            ordered_at=NOW - dt.timedelta(days=days_ago), is_return=quantity < 0,
        )  # fmt: skip
        OrderLine.objects.create(order=made, position=1, product=product, quantity=quantity, unit_price=price)

    return order


@pytest.fixture
def reading_is_on(site_admin: User) -> None:
    switch_reading(site_admin, is_on=True, now=NOW)

from __future__ import annotations

import datetime as dt

import adbc_driver_postgresql
import polars as pl
import pytest
from django.db import connection, transaction
from polars.testing import assert_frame_equal

from customers.features import reader
from customers.features.builder import build_features
from customers.features.reader import Partition, events_needed_since, read_customer_ids, read_products, read_shop
from customers.models import Customer, CustomerEvent, Order, OrderLine, Product, ensure_event_partitions
from tests.at_once import do_at_once

AT = dt.datetime(2025, 3, 1, 12, 30, tzinfo=dt.UTC)


@pytest.fixture
def people(transactional_db: None) -> list[Customer]:
    """Three customers: orders with and without a product, a return, events, and one with nothing."""
    people = [Customer.objects.create(external_id=f"c{i}") for i in range(3)]
    bag = Product.objects.create(sku="BAG", name="Bag, “red”", category="bags")
    post = Product.objects.create(sku="POST", name="Postage", is_charge=True)
    for i, (person, total) in enumerate([(people[0], "20.50"), (people[0], "-5.00"), (people[1], "7.00")]):
        at = AT - dt.timedelta(days=10 - i, microseconds=1)
        order = Order.objects.create(
            external_id=f"o{i}", customer=person, ordered_at=at, currency="GBP", total=total, discount="1.00",
            is_return=total.startswith("-"),
        )  # fmt: skip
        OrderLine.objects.create(order=order, position=1, product=[bag, post, None][i], quantity=2, unit_price="3.00")
    ensure_event_partitions(dt.date(2024, 1, 1), dt.date(2025, 3, 1))
    for i, days in enumerate([1, 400]):
        CustomerEvent.objects.create(
            source="shop", external_id=f"e{i}", customer=people[0], kind="product_viewed",
            occurred_at=AT - dt.timedelta(days=days),
        )  # fmt: skip
    return people


def test_orders_lines_and_events_come_as_the_builder_wants_them(people: list[Customer]) -> None:
    shop = read_shop(before=AT)

    assert shop.currency == "GBP"
    assert shop.orders["total"].sort().to_list() == [-5.0, 7.0, 20.5]
    assert shop.orders.schema["ordered_at"] == pl.Datetime("us", "UTC")
    assert shop.orders["is_return"].sum() == 1
    assert shop.orders["ordered_at"].min() == AT - dt.timedelta(days=10, microseconds=1)
    assert shop.lines is not None
    assert sorted(shop.lines["category"]) == ["", "", "bags"]
    assert shop.lines["is_charge"].sum() == 1
    assert shop.events is not None
    assert shop.events["kind"].to_list() == ["product_viewed", "product_viewed"]
    assert read_products()["name"].sort().to_list() == ["Bag, “red”", "Postage"]


def test_what_there_is_to_know_of_the_database_is_read_once_and_shared_by_threads(
    people: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes ten times as long as to connect, and pages read several frames."""
    reader._know_database.cache_clear()
    asked: list[str] = []
    connect = adbc_driver_postgresql.connect
    monkeypatch.setattr(adbc_driver_postgresql, "connect", lambda uri: asked.append(uri) or connect(uri))
    first = read_customer_ids()

    frames = do_at_once(*[read_customer_ids] * 4)

    assert first["customer_id"].sort().to_list() == [person.pk for person in people]
    for frame in frames:
        assert isinstance(frame, pl.DataFrame)
        assert_frame_equal(frame, first, check_row_order=False)
    assert len(asked) == 1


def test_money_in_another_currency_is_not_added_to_ours(people: list[Customer]) -> None:
    """9,000 yen are not 9,000 pounds."""
    Order.objects.create(
        external_id="yen", customer=people[1], ordered_at=AT - dt.timedelta(days=1), currency="JPY", total="9000.00"
    )

    ours = read_shop(before=AT)
    as_the_model_says = read_shop(before=AT, currency="JPY")

    assert ours.currency == "GBP"
    assert ours.orders["total"].sort().to_list() == [None, -5.0, 7.0, 20.5]
    assert as_the_model_says.orders["total"].drop_nulls().to_list() == [9000.0]
    row = build_features(ours.orders, as_of=AT).filter(pl.col("customer_id") == people[1].pk).row(0, named=True)
    assert (row["order_days"], row["revenue_total"], row["order_value_mean"]) == (2, 7.0, 7.0)
    assert row["order_value_last"] is None


def test_both_ways_of_reading_give_the_same_frames(people: list[Customer]) -> None:
    outside, products = read_shop(before=AT), read_products()
    with transaction.atomic():
        assert connection.in_atomic_block
        inside, products_inside = read_shop(before=AT), read_products()

    for name in ("orders", "lines", "events"):
        assert_frame_equal(getattr(inside, name), getattr(outside, name), check_row_order=False)
    assert_frame_equal(products_inside, products, check_row_order=False)


def test_an_open_transaction_sees_its_own_orders(people: list[Customer]) -> None:
    with transaction.atomic():
        Order.objects.create(
            external_id="new", customer=people[2], ordered_at=AT - dt.timedelta(days=1), currency="GBP", total=1
        )

        assert read_shop(before=AT).orders.height == 4


def test_nothing_of_the_future_is_read(people: list[Customer]) -> None:
    shop = read_shop(before=AT - dt.timedelta(days=9.5))

    assert shop.orders.height == 1
    assert shop.lines is not None and shop.lines.height == 1
    assert shop.events is not None and shop.events.height == 1


def test_only_events_that_can_matter_are_read_when_asked(people: list[Customer]) -> None:
    events = read_shop(before=AT, events_since=events_needed_since(AT)).events

    assert events is not None and events.height == 1


def test_partitions_are_disjoint_and_together_everybody(people: list[Customer]) -> None:
    parts = [Partition(i, 3) for i in range(3)]

    ids = [set(read_customer_ids(part)["customer_id"]) for part in parts]
    orders = [read_shop(before=AT, partition=part).orders for part in parts]

    assert sum(len(part) for part in ids) == 3 == len(set().union(*ids))
    assert sum(frame.height for frame in orders) == 3
    for part, frame in zip(ids, orders, strict=True):
        assert set(frame["customer_id"]) <= part


def test_a_partition_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        Partition(3, 3)


@pytest.mark.django_db
def test_an_empty_shop_gives_empty_frames() -> None:
    shop = read_shop(before=AT)

    assert shop.orders.is_empty() and shop.currency == ""
    assert shop.orders.schema["total"] == pl.Float64

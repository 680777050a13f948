from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from customers.features.parts import ShopPart, read_parts
from customers.features.reader import Partition, read_shop
from customers.models import Customer, CustomerEvent, Order, OrderLine, Product, ensure_event_partitions

AT = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
SINCE = AT - dt.timedelta(days=100)


@pytest.fixture
def people(transactional_db: None) -> list[Customer]:
    """Nine customers: the last without an order, one with an order that is still to come, lines with and without a product."""
    people = [Customer.objects.create(external_id=f"c{i}") for i in range(9)]
    bag = Product.objects.create(sku="BAG", name="Bag", category="bags")
    ensure_event_partitions(dt.date(2024, 3, 1), dt.date(2025, 3, 1))
    for i, person in enumerate(people[:-1]):
        for day in range(1, i + 2):
            at = AT - dt.timedelta(days=5 * day) if i else AT + dt.timedelta(hours=1)
            order = Order.objects.create(
                external_id=f"{i}-{day}", customer=person, ordered_at=at, currency="EUR", total=10 * day
            )
            OrderLine.objects.create(
                order=order, position=1, product=bag if day % 2 else None, quantity=i + 1, unit_price=3
            )
            CustomerEvent.objects.create(
                source="shop", external_id=f"e{i}-{day}", customer=person, kind="product_viewed",
                occurred_at=AT - dt.timedelta(days=40 * day) if i else AT,
            )  # fmt: skip
    return people


def read_all(parts: int, partition: Partition | None = None) -> list[ShopPart]:
    return list(read_parts(before=AT, events_since=SINCE, parts=parts, partition=partition))


def join_parts(parts: list[ShopPart], name: str) -> pl.DataFrame:
    frame = pl.concat([getattr(part.shop, name) for part in parts])
    frame = frame.cast({pl.Enum: pl.String}) if name == "lines" else frame  # categories are numbered in parts alone
    return frame.sort(frame.columns)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_parts_together_are_the_shop(people: list[Customer], count: int) -> None:
    parts, whole = read_all(count), read_shop(before=AT, events_since=SINCE)

    assert len(parts) == min(count, len(people))
    assert sorted(pl.concat([part.customers for part in parts])["customer_id"]) == [person.pk for person in people]
    for name in ("orders", "lines", "events"):
        expected = getattr(whole, name)
        assert expected.height
        assert_frame_equal(join_parts(parts, name), expected.sort(expected.columns))


def test_a_part_knows_its_own_customers_and_nobody_else(people: list[Customer]) -> None:
    for part in read_all(3):
        mine = set(part.customers["customer_id"])
        for name in ("orders", "lines", "events"):
            assert set(getattr(part.shop, name)["customer_id"]) <= mine


def test_money_counts_in_the_currency_of_the_model(people: list[Customer]) -> None:
    known = Order.objects.filter(ordered_at__lt=AT).order_by("pk")
    Order.objects.filter(pk=known.values("pk")[:1]).update(currency="JPY")
    in_euros = pl.concat(
        [part.shop.orders for part in read_parts(before=AT, events_since=SINCE, parts=3, currency="EUR")]
    )

    assert in_euros.height == read_shop(before=AT).orders.height
    assert in_euros["total"].null_count() == 1


def test_workers_share_the_customers(people: list[Customer]) -> None:
    shares = [read_all(2, Partition(i, 2)) for i in range(2)]

    customers = [person for parts in shares for part in parts for person in part.customers["customer_id"]]
    assert sorted(customers) == [person.pk for person in people]
    everything = [part for parts in shares for part in parts]
    assert_frame_equal(join_parts(everything, "lines"), join_parts(read_all(1), "lines"))


def test_nothing_is_left_on_the_disk_even_by_who_stops_early(
    people: list[Customer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # nobody else's

    def leftovers() -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob("rekindle-parts-*"))

    before = leftovers()
    parts = read_parts(before=AT, events_since=SINCE, parts=3)
    next(parts)
    (folder,) = set(leftovers()) - set(before)
    assert folder.stat().st_mode & 0o077 == 0
    parts.close()  # type: ignore[attr-defined]

    assert leftovers() == before

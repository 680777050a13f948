"""What WooCommerce's webhooks mean. Nothing is read or written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from customers.ingest.shops.told import ShopFacts, Told, Untranslatable
from customers.ingest.shops.woocommerce import TOPICS, translate

from .payloads import WOO_CUSTOMER, WOO_ORDER, WOO_PRODUCT, change

SHOP = ShopFacts("woo", "Tarnside", "EUR", "https://shop.tarnside.test")


def read(topic: str, payload: dict[str, Any]) -> Told:
    return translate(topic, payload, SHOP)


def totals(told: Told) -> dict[str, str]:
    return {order.id: str(order.total) for sale in told.sales for order in sale.orders}


def test_a_customer_is_read_with_the_billing_address() -> None:
    [person] = read("customer.updated", WOO_CUSTOMER).customers
    assert (person.id, person.fields["country"], person.fields["phone"]) == ("25", "DE", "030 901820")
    assert person.changed_at is not None and person.changed_at.isoformat() == "2026-09-14T11:00:00+00:00"


def test_it_says_nothing_of_consent() -> None:
    assert read("customer.created", change(WOO_CUSTOMER, is_paying_customer=True)).consents == []


def test_an_order_adds_up_to_the_cent_whatever_its_pieces_divide_to() -> None:
    told = read("order.created", WOO_ORDER)
    [order] = told.sales[0].orders
    assert order.total == Decimal("36.40") and order.discount == 5 and order.code == "five"
    assert [(one.sku, one.quantity) for one in order.lines] == [("MUG", 3), ("", 1)]
    assert order.lines[0].unit_price == Decimal("12.1667")
    assert told.customers[0].only_fills


def test_a_guest_is_known_by_the_billing_address() -> None:
    told = read("order.created", change(WOO_ORDER, customer_id=0))
    assert told.customers[0].id.startswith("guest-") and not told.customers[0].only_fills
    nobody = change(WOO_ORDER, customer_id=0, billing={"email": "not an address"})
    assert read("order.created", nobody).ignored == "names_nobody"


@pytest.mark.parametrize("status", ["pending", "checkout-draft", "auto-draft"])
def test_what_is_on_its_way_is_no_order(status: str) -> None:
    assert read("order.updated", change(WOO_ORDER, status=status)).ignored == "not_an_order_yet"


@pytest.mark.parametrize("status", ["cancelled", "failed", "wc-cancelled", "refunded"])
def test_what_was_taken_back_is_a_return_of_the_whole(status: str) -> None:
    told = read("order.updated", change(WOO_ORDER, status=status))
    assert totals(told) == {"727": "36.40", "727:cancelled": "-36.40"}
    assert [(one.sku, one.quantity) for one in told.sales[0].orders[1].lines] == [("MUG", -3), ("", -1)]


def test_an_order_that_failed_before_it_was_paid_counts_only_if_it_was_known() -> None:
    assert read("order.updated", change(WOO_ORDER, status="failed", date_paid_gmt=None)).sales[0].needs_known


def test_a_part_that_was_refunded_is_a_line_without_a_ware() -> None:
    told = read("order.updated", change(WOO_ORDER, refunds=[{"id": 99, "reason": "", "total": "-10.00"}]))
    assert totals(told) == {"727": "36.40", "727:refund:99": "-10.00"}
    assert told.sales[0].orders[1].keeps_time


def test_a_product_is_read_with_price_stock_and_page() -> None:
    [row] = read("product.updated", WOO_PRODUCT).products[0].rows
    assert row == {
        "sku": "MUG", "name": "Mug", "price": Decimal("12.1700"), "currency": "EUR", "stock": 40,
        "url": "https://shop.tarnside.test/product/mug/", "category": "Kitchen",
    }  # fmt: skip
    sold_out = change(WOO_PRODUCT, stock_quantity=None, stock_status="outofstock")
    assert read("product.updated", sold_out).products[0].rows[0]["stock"] == 0
    unmanaged = change(WOO_PRODUCT, stock_quantity=None)
    assert read("product.updated", unmanaged).products[0].rows[0]["stock"] is None


def test_a_deletion_has_nothing_but_its_number() -> None:
    assert read("order.deleted", {"id": 5}).gone_orders == ["5"]
    assert read("customer.deleted", {"id": 5}).requests[0].kind == "erasure"
    assert read("product.deleted", {"id": 5}).products[0].rows == []
    for topic in ("order.deleted", "customer.deleted", "product.deleted"):
        for payload in (WOO_ORDER, WOO_CUSTOMER, WOO_PRODUCT):
            with pytest.raises(Untranslatable):
                read(topic, payload)


def test_a_payload_is_not_believed_under_another_topic() -> None:
    payloads = {"customer": WOO_CUSTOMER, "order": WOO_ORDER, "product": WOO_PRODUCT}
    for mine, payload in payloads.items():
        for topic in TOPICS:
            if not topic.startswith(mine):
                with pytest.raises(Untranslatable):
                    read(topic, payload)

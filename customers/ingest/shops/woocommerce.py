"""What WooCommerce's webhooks and REST API say; both have the same shapes. Pure: no framework.

Customers, Orders and Products as in its REST API v3 (woocommerce.github.io/woocommerce-rest-api-docs, wc/v3), topics as in
its Webhooks section; a deletion has nothing but the id. Times are those that end in _gmt. It says nothing of consent to
marketing and has no webhook for carts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .told import ShopFacts, Told, ToldCustomer, ToldLine, ToldOrder, ToldProduct, ToldRequest, ToldSale, Untranslatable
from .values import (
    CENT,
    balance,
    money,
    name_article,
    name_guest,
    need_id,
    need_moment,
    take_count,
    take_currency,
    take_email,
    take_id,
    take_list,
    take_map,
    take_moment,
    take_money,
    take_text,
)

Payload = Mapping[str, Any]
#: An order that somebody has made; on-hold waits for a bank transfer, its goods are put aside.
BOUGHT: Final = frozenset({"processing", "on-hold", "completed", "refunded"})
TAKEN_BACK: Final = frozenset({"cancelled", "failed", "trash"})
#: Everything else is on its way to be an order: pending, checkout-draft, auto-draft.


@dataclass(frozen=True)
class Topic:
    """How a topic is read, what its payload must have, and what only something else has."""

    read: Callable[[Payload, ShopFacts], Told]
    needs: frozenset[str]
    lacks: frozenset[str] = frozenset()


def translate(topic: str, payload: Any, shop: ShopFacts) -> Told:
    """What a webhook says. Raises Untranslatable for another shape than the topic's; an unknown topic is ignored."""
    known = TOPICS.get(topic)
    if known is None:
        return Told(ignored="unused_topic")
    given = take_map(payload)
    if not known.needs <= given.keys() or known.lacks & given.keys():
        raise Untranslatable(f"the payload is not one of {topic}")
    return known.read(given, shop)


def read_customer(given: Payload, _shop: ShopFacts) -> Told:
    person = _read_person(given, take_map(given, "billing"))
    if joined_at := take_moment(given, "date_created_gmt"):
        person["joined_at"] = joined_at
    return Told(customers=[ToldCustomer(need_id(given), take_moment(given, "date_modified_gmt"), person)])


def _read_person(given: Payload, billing: Payload) -> dict[str, Any]:
    """Columns of ours: the account's own words, else those of the billing address; blank ones are not said."""
    fields: dict[str, Any] = {
        "email": take_email(given) or take_email(billing),
        "first_name": take_text(given, "first_name", 120) or take_text(billing, "first_name", 120),
        "last_name": take_text(given, "last_name", 120) or take_text(billing, "last_name", 120),
        "phone": take_text(billing, "phone", 60),
        "country": take_text(billing, "country", 2).upper(),
    }
    return {name: value for name, value in fields.items() if value}


def read_order(given: Payload, shop: ShopFacts) -> Told:
    """An order with its returns. customer_id 0 is a guest, known by the billing address."""
    number, status = need_id(given), take_text(given, "status").removeprefix("wc-")
    if status not in BOUGHT | TAKEN_BACK:
        return Told(ignored="not_an_order_yet")
    billing = take_map(given, "billing")
    email, changed_at = take_email(billing), take_moment(given, "date_modified_gmt")
    customer = take_id(given, "customer_id")
    if not customer and not email:
        return Told(ignored="names_nobody")
    # Of a customer with an account the account itself speaks; the order only fills what that leaves blank.
    has_account = bool(customer)
    customer = customer or name_guest(email)
    person = ToldCustomer(customer, None if has_account else changed_at, _read_person({}, billing), has_account)
    told = Told(customers=[person])
    told.sales.append(_read_sale(given, number, status, customer, shop))
    return told


def _read_sale(given: Payload, number: str, status: str, customer: str, shop: ShopFacts) -> ToldSale:
    currency = take_currency(given, "currency", shop.currency)
    at, changed_at = need_moment(given, "date_created_gmt"), take_moment(given, "date_modified_gmt")
    wares = [line for one in take_list(given, "line_items") if (line := _read_line(one, shop)).quantity]
    discount, total = money(given, "discount_total"), money(given, "total").quantize(CENT)
    codes = [take_text(code, "code", 60) for code in take_list(given, "coupon_lines")]
    order = ToldOrder(number, customer, at, currency, balance(wares, discount, total), discount, next(iter(codes), ""))
    refunds = _read_refunds(given, order, changed_at or at)
    left = order.total + sum((refund.total for refund in refunds), Decimal(0))
    orders, not_there = [order, *refunds], [f"{number}:cancelled"]
    if (status in TAKEN_BACK or status == "refunded") and left > 0:
        back = _take_back(order, f"{number}:cancelled", left, changed_at or at)
        orders, not_there = [*orders, back], []
    is_unpaid = status in TAKEN_BACK and not given.get("date_paid_gmt")
    return ToldSale(
        number,
        changed_at,
        orders,
        not_there,
        needs_known=is_unpaid,
        has_all_refunds=isinstance(given.get("refunds"), list),
    )


def _read_refunds(given: Payload, order: ToldOrder, heard_at: dt.datetime) -> list[ToldOrder]:
    """The order's list of refunds has no more than id, reason and total (negative); one over everything is over all lines."""
    found = []
    for one in take_list(given, "refunds"):
        amount = abs(money(one, "total")).quantize(CENT)
        if amount:
            found.append(_take_back(order, f"{order.id}:refund:{need_id(one)}", amount, heard_at))
    return found


def _take_back(order: ToldOrder, name: str, amount: Decimal, at: dt.datetime) -> ToldOrder:
    """All lines where the amount is the whole order's, else one line of that amount."""
    if amount == order.total:
        lines = [ToldLine(line.sku, line.name, -line.quantity, line.unit_price) for line in order.lines]
        discount = -order.discount
    else:
        lines, discount = [ToldLine("", "", -1, amount)], Decimal(0)
    return ToldOrder(
        name, order.customer, at, order.currency, lines, discount, is_return=True, parent=order.id, keeps_time=True
    )


def _read_line(given: Payload, shop: ShopFacts) -> ToldLine:
    """subtotal is the price of all pieces before discounts; a fraction of a piece, which some plug-ins sell, is one piece."""
    quantity, subtotal = take_count(given, "quantity"), money(given, "subtotal")
    if quantity is None:
        quantity = 1
    unit = (subtotal / quantity).quantize(Decimal("0.0001")) if quantity else Decimal(0)
    number = take_id(given, "variation_id") or take_id(given, "product_id")
    sku = take_text(given, "sku", 80) or name_article(shop.source, number)
    return ToldLine(sku, take_text(given, "name"), quantity, abs(unit))


def read_product(given: Payload, shop: ShopFacts) -> Told:
    """A product or one variation of it. What is not published has no stock and no page."""
    number = need_id(given)
    is_on_sale = take_text(given, "status") in {"", "publish"}
    stock = take_count(given, "stock_quantity")
    if not is_on_sale or take_text(given, "stock_status") == "outofstock":
        stock = 0
    row: dict[str, Any] = {
        "sku": take_text(given, "sku", 80) or name_article(shop.source, number),
        "name": take_text(given, "name"),
        "price": take_money(given, "price"),
        "currency": shop.currency,
        "stock": stock,
        "url": take_text(given, "permalink", 500) if is_on_sale else "",
    }
    for column, name in (("category", "categories"), ("brand", "brands")):
        if found := take_list(given, name):
            row[column] = take_text(found[0], "name", 120)
    return Told(products=[ToldProduct(number, take_moment(given, "date_modified_gmt"), [row])])


def _delete_customer(given: Payload, _shop: ShopFacts) -> Told:
    return Told(requests=[ToldRequest("erasure", need_id(given))])


def _delete_order(given: Payload, _shop: ShopFacts) -> Told:
    return Told(gone_orders=[need_id(given)])


def _delete_product(given: Payload, _shop: ShopFacts) -> Told:
    return Told(products=[ToldProduct(need_id(given), None, [])])


_ID = frozenset({"id"})
_MORE = frozenset({"date_created_gmt", "status", "email", "line_items", "sku"})
_CUSTOMER = Topic(read_customer, _ID | {"email", "billing", "role"})
_ORDER = Topic(read_order, _ID | {"status", "line_items", "total", "billing"})
_PRODUCT = Topic(read_product, _ID | {"name", "sku", "permalink"})
TOPICS: Final[Mapping[str, Topic]] = {
    "customer.created": _CUSTOMER,
    "customer.updated": _CUSTOMER,
    "customer.deleted": Topic(_delete_customer, _ID, _MORE),
    "order.created": _ORDER,
    "order.updated": _ORDER,
    "order.restored": _ORDER,
    "order.deleted": Topic(_delete_order, _ID, _MORE),
    "product.created": _PRODUCT,
    "product.updated": _PRODUCT,
    "product.restored": _PRODUCT,
    "product.deleted": Topic(_delete_product, _ID, _MORE),
}

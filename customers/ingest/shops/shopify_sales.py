"""Orders and refunds of Shopify as orders and returns of ours. Pure: no framework.

Order and Refund as in Shopify's REST Admin API and webhooks: total_price = line_items (price times quantity)
- total_discounts + postage + tax not in the prices; a refund has refund_line_items, each with its line_item, and
transactions of the kind "refund". A refund never changes the order that it belongs to: it is a return of its own.

Money is that of the shop (`NAME_set.shop_money`): where somebody paid in another currency, a transaction is in theirs.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .told import ShopFacts, ToldLine, ToldOrder, ToldSale
from .values import (
    CENT,
    balance,
    money,
    name_article,
    need_id,
    need_moment,
    shop_money,
    take_count,
    take_currency,
    take_id,
    take_list,
    take_map,
    take_moment,
    take_text,
)

Payload = Mapping[str, Any]
#: States of payment in which no money ever came.
UNPAID = frozenset({"pending", "voided", "expired"})


def read_sale(given: Payload, customer: str, shop: ShopFacts) -> ToldSale:
    """The order, its refunds, and what is left of it to take back where it was cancelled."""
    number, at = need_id(given), need_moment(given, "processed_at", "created_at")
    currency = take_currency(given, "currency", shop.currency)
    discount, total = shop_money(given, "total_discounts"), shop_money(given, "total_price")
    wares = [(take_id(line), _read_line(line, shop)) for line in take_list(given, "line_items")]
    wares = [(name, line) for name, line in wares if line.quantity]
    lines = balance([line for _name, line in wares], discount, total)
    codes = [take_text(code, "code", 60) for code in take_list(given, "discount_codes")]
    order = ToldOrder(number, customer, at, currency, lines, discount, next(iter(codes), ""))
    given_refunds = take_list(given, "refunds")
    refunds = [made for one in given_refunds if (made := make_refund(one, number, customer, currency, shop.source))]
    cancelled_at = take_moment(given, "cancelled_at")
    rest = _take_back_rest(order, wares, given_refunds, refunds, cancelled_at) if cancelled_at else None
    is_unpaid = bool(cancelled_at) and take_text(given, "financial_status") in UNPAID
    return ToldSale(
        number,
        take_moment(given, "updated_at"),
        [order, *refunds, *([rest] if rest else [])],
        not_there=[] if rest else [_name_cancellation(number)],
        needs_known=is_unpaid,
    )


def read_refund(given: Payload, source: str = "") -> ToldSale:
    """A refund by itself, as refunds/create tells it: whose it is, the order says that we have already."""
    number = need_id(given, "order_id")
    made = make_refund(given, number, "", _find_currency(given), source)
    # It never changes, so its own time is no state of the order: None leaves that alone.
    return ToldSale(f"{number}:refund:{need_id(given)}", None, [made] if made else [])


def make_refund(given: Payload, order: str, customer: str, currency: str, source: str) -> ToldOrder | None:
    """A return with negative lines that come to what was paid back; None where nothing came or was paid back."""
    lines = []
    for back in take_list(given, "refund_line_items"):
        line, quantity = take_map(back, "line_item"), take_count(back, "quantity") or 0
        if quantity > 0:
            lines.append(ToldLine(read_sku(line, source), _name_line(line), -quantity, shop_money(line, "price")))
    paid = _sum_paid_back(given, currency)
    if not lines and not paid:
        return None
    goods = sum((line.unit_price * -line.quantity for line in lines), Decimal(0))
    discount = min(paid - goods, Decimal(0))  # the pieces were cheaper than their price
    at: dt.datetime = need_moment(given, "processed_at", "created_at")
    return ToldOrder(
        f"{order}:refund:{need_id(given)}", customer, at, currency, balance(lines, discount, -paid), discount,
        is_return=True, parent=order,
    )  # fmt: skip


def read_sku(line: Payload, source: str) -> str:
    """The sku of a line's variant, the same as `shopify.read_product` gives it; "" for what is no article of the shop."""
    variant = take_id(line, "variant_id")
    return take_text(line, "sku", 80) or name_article(source, variant)


def _sum_paid_back(given: Payload, currency: str) -> Decimal:
    """Money of the transactions that succeeded; before they have, or where they are in the buyer's currency and not in the
    shop's, what the parts of the refund come to."""
    moved = [
        one
        for one in take_list(given, "transactions")
        if take_text(one, "kind") == "refund" and take_text(one, "status") in {"", "success"}
    ]
    if moved and all(take_currency(one, "currency", currency) == currency for one in moved if currency):
        return sum((money(one, "amount") for one in moved), Decimal(0)).quantize(CENT)
    return max(_sum_parts(given), Decimal(0)).quantize(CENT)


def _sum_parts(given: Payload) -> Decimal:
    """Goods, postage, duties and fees with their tax, less what was kept of them.

    Postage has a list of its own since 2024-10; before it was an adjustment. An adjustment is negative where more was paid back.
    """
    goods = take_list(given, "refund_line_items")
    postage = take_list(given, "refund_shipping_lines")
    adjusted = [
        one
        for one in take_list(given, "order_adjustments")
        if not (postage and take_text(one, "kind") == "shipping_refund")
    ]
    parts = [shop_money(one, name) for one in goods for name in ("subtotal", "total_tax")]
    parts += [shop_money(one, name) for one in postage for name in ("subtotal_amount", "tax_amount")]
    parts += [shop_money(given, name) for name in ("total_duties", "total_additional_fees")]
    parts += [-shop_money(one, name) for one in adjusted for name in ("amount", "tax_amount")]
    return sum(parts, Decimal(0))


def _take_back_rest(
    order: ToldOrder,
    wares: Sequence[tuple[str, ToldLine]],
    given_refunds: Sequence[Payload],
    refunds: Sequence[ToldOrder],
    at: dt.datetime,
) -> ToldOrder | None:
    """What a cancellation takes back beyond the refunds; None where they took back all of it."""
    came_back: Counter[str] = Counter()
    for refund in given_refunds:
        for back in take_list(refund, "refund_line_items"):
            came_back[take_id(back, "line_item_id")] += take_count(back, "quantity") or 0
    money_left = order.total + sum((refund.total for refund in refunds), Decimal(0))
    lines = [
        ToldLine(line.sku, line.name, -(line.quantity - came_back[name]), line.unit_price)
        for name, line in wares
        if line.quantity > came_back[name]
    ]
    if not lines and money_left <= 0:
        return None
    goods = sum((line.unit_price * -line.quantity for line in lines), Decimal(0))
    left = max(money_left, Decimal(0))
    discount = min(left - goods, Decimal(0))
    return ToldOrder(
        _name_cancellation(order.id), order.customer, at, order.currency, balance(lines, discount, -left), discount,
        is_return=True, parent=order.id,
    )  # fmt: skip


def _name_cancellation(order: str) -> str:
    return f"{order}:cancelled"


def _read_line(line: Payload, shop: ShopFacts) -> ToldLine:
    quantity = take_count(line, "quantity") or 0
    return ToldLine(read_sku(line, shop.source), _name_line(line), quantity, shop_money(line, "price"))


def _name_line(line: Payload) -> str:
    return take_text(line, "name") or take_text(line, "title")


def _find_currency(given: Payload) -> str:
    """refunds/create has no currency of its own: that of the shop stands at its sums; an older one has transactions only."""
    sums = [take_map(given, "total_duties_set")]
    sums += [take_map(line, "subtotal_set") for line in take_list(given, "refund_line_items")]
    sums += [take_map(line, "subtotal_amount_set") for line in take_list(given, "refund_shipping_lines")]
    sums += [take_map(one, "amount_set") for one in take_list(given, "order_adjustments")]
    codes = [take_text(take_map(one, "shop_money"), "currency_code", 3) for one in sums]
    codes += [take_text(one, "currency", 3) for one in take_list(given, "transactions")]
    return next((code.upper() for code in codes if code), "")

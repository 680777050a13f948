"""Orders and returns of a shop, brought into the tables of orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from customers.ingest.orders import LINE_FRAME, ORDER_FRAME, upsert_orders
from customers.ingest.schema import CURRENCIES
from customers.models import CustomerAlias, Order

from .told import ToldOrder, ToldSale, Untranslatable


class NotThere(Exception):
    """A return came before its order: it is tried again later."""


def write_sales(sales: Sequence[ToldSale], people: Mapping[str, int], *, source: str) -> int:
    """Write orders with all their lines, and drop what is not there any more. Returns how many were written.

    Raises NotThere for a return whose order is not known, Untranslatable for a currency that ISO 4217 has not.
    """
    if not sales:
        return 0
    newest = list({sale.id: sale for sale in sales}.values())
    known = _find_known(newest, source)
    newest = [sale for sale in newest if not sale.needs_known or sale.id in known]
    orders = [_complete(order, known) for sale in newest for order in sale.orders]
    if strange := {order.currency for order in orders} - CURRENCIES:
        raise Untranslatable(f"{min(strange) or 'nothing'} is no ISO currency")
    gone = [name for sale in newest for name in sale.not_there] + _find_gone_refunds(newest, source)
    Order.objects.filter(source=source, external_id__in=gone).delete()
    if not orders:
        return 0
    heads = pl.DataFrame(
        [_make_head(order, people, known, source) for order in orders], schema=ORDER_FRAME, orient="row"
    )
    lines = pl.DataFrame(list(_make_lines(orders, source)), schema=LINE_FRAME, orient="row")
    counts = upsert_orders(heads, lines, source=source)
    return counts.orders.created + counts.orders.updated


def drop_orders(numbers: Sequence[str], *, source: str) -> int:
    """Delete orders that the shop has deleted, with their returns; returns how many there were."""
    gone = 0
    for number in numbers:
        mine = Order.objects.filter(source=source)
        gone += mine.filter(external_id=number).delete()[1].get("customers.Order", 0)
        gone += mine.filter(external_id__startswith=f"{number}:").delete()[1].get("customers.Order", 0)
    return gone


def _find_known(sales: Iterable[ToldSale], source: str) -> dict[str, tuple[dt.datetime, str, str]]:
    """Time, currency and owner of the orders that are here already, of all those named."""
    names = {name for sale in sales for order in sale.orders for name in (order.id, order.parent)} - {""}
    names |= {sale.id for sale in sales if sale.needs_known}
    # A merged number still names them in this shop, whatever row they are kept in.
    merged = CustomerAlias.objects.filter(customer=OuterRef("customer"), source=source, is_visitor=False)
    own = Case(When(customer__source=source, then=F("customer__external_id")), default=Subquery(_first(merged)))
    came_as = Subquery(_first(merged.filter(came_as=OuterRef("came_as"))))
    rows = (
        Order.objects.filter(source=source, external_id__in=names)
        .annotate(owner=Coalesce(came_as, own))
        .values_list("external_id", "ordered_at", "currency", "owner")
    )
    return {name: (at, currency, owner) for name, at, currency, owner in rows}


def _find_gone_refunds(sales: Iterable[ToldSale], source: str) -> list[str]:
    """Refunds that are here and that their order tells of no more; found among the returns of who bought, which are few."""
    told = {sale.id: {order.id for order in sale.orders} for sale in sales if sale.has_all_refunds}
    buyers = Order.objects.filter(source=source, external_id__in=told).values("customer")
    returns = Order.objects.filter(source=source, customer__in=buyers, is_return=True) if told else Order.objects.none()
    names = returns.filter(external_id__contains=":refund:").values_list("external_id", flat=True)
    return [name for name in names if name not in told.get(name.partition(":refund:")[0], {name})]


def _complete(order: ToldOrder, known: Mapping[str, tuple[dt.datetime, str, str]]) -> ToldOrder:
    if not order.customer and order.parent not in known:
        raise NotThere(f"the order {order.parent} is not here yet")
    if not order.currency:
        order = replace(order, currency=known[order.parent][1] if order.parent in known else "")
    if order.keeps_time and order.id in known:
        order = replace(order, ordered_at=known[order.id][0])
    return order


def _first(aliases: QuerySet[CustomerAlias]) -> QuerySet[Any]:
    return aliases.order_by("pk").values("external_id")[:1]


def _make_head(
    order: ToldOrder,
    people: Mapping[str, int],
    known: Mapping[str, tuple[dt.datetime, str, str]],
    source: str,
) -> tuple[Any, ...]:
    owner = order.customer if order.customer in people else known[order.parent][2]
    return (
        source, order.id, owner, order.ordered_at, order.currency, order.total, order.discount, order.code[:60],
        order.is_return,
    )  # fmt: skip


def _make_lines(orders: Iterable[ToldOrder], source: str) -> Iterable[tuple[Any, ...]]:
    for order in orders:
        for place, line in enumerate(order.lines, start=1):
            yield source, order.id, place, line.sku or None, line.quantity, line.unit_price

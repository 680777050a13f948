"""Writes what a shop said into the tables: set-based, in one transaction, and never an older word over a newer one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection as database
from django.db import transaction
from django.db.models import Q

from customers.ingest.consent import withdraw_consents
from customers.ingest.erased import find_erased
from customers.ingest.identity import find_identities, find_people
from customers.models import Channel, Customer, Order, ShopConnection, ensure_event_partitions

from . import freshness
from . import merges as shop_merges
from .carts import keep_carts
from .consents import keep_consents
from .people import write_people
from .sales import NotThere, drop_orders, write_sales
from .told import Told, ToldRequest
from .wares import write_products

#: The first number of the advisory lock that one shop's words are written under; the second is the connection's.
LOCK = 7_218_002

__all__ = ["Applied", "Asked", "NotThere", "apply_told"]


@dataclass(frozen=True)
class Asked:
    """A person for whom the shop asks something, "export" or "erasure"."""

    customer: int
    kind: str


@dataclass
class Applied:
    """How many of each were new to us, and what is to be handed to the privacy room."""

    customers: int = 0
    orders: int = 0
    products: int = 0
    events: int = 0
    consents: int = 0
    stale: int = 0
    erased: int = 0
    asked: list[Asked] = field(default_factory=list)
    #: Pairs that the shop made one: the row that is gone there, and the one that it kept.
    merged: list[tuple[int, int]] = field(default_factory=list)
    merged_away: int = 0
    wants_everything_gone: bool = False


@transaction.atomic
def apply_told(told: Told, shop: ShopConnection, *, now: dt.datetime) -> Applied:
    """Write everything, or nothing. Raises NotThere where an order is not here yet. Running it again changes nothing.

    One writer per shop at a time: so that asking how new our word is and writing a newer one are one step.
    """
    done = Applied()
    if told.carts:  # a new month locks the table of customers: before anything is written
        days = [cart.at.date() for cart in told.carts]
        ensure_event_partitions(min(days), max(days))
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, shop.pk % 2**31])
    told = _without_erased(told, shop.source, done)
    fresh = freshness.take_newer(told, shop, now=now)
    done.stale = fresh.stale
    done.customers = write_people(fresh.customers, source=shop.source)
    people = find_people(shop.source, _name_everybody(told))
    done.products = write_products(fresh.products, fresh.sales, shop)
    done.orders = write_sales(fresh.sales, people, source=shop.source)
    drop_orders(told.gone_orders, source=shop.source)
    done.consents = keep_consents(told.consents, people, source=shop.source, now=now)
    if told.carts or told.links:
        identities = find_identities(shop.source, people)
        done.events = keep_carts(told.carts, told.links, identities, source=shop.source, now=now)
    done.merged = shop_merges.find_pairs(told.merges, people)
    requests = shop_merges.without_merged_away(told.requests, source=shop.source)
    done.merged_away = len(told.requests) - len(requests)
    _answer_requests(requests, people, shop, done)
    return done


def _without_erased(told: Told, source: str, done: Applied) -> Told:
    """Who was erased is not made again by a shop that goes on telling of them, nor are their orders."""
    gone = {name for _source, name in find_erased((source, name) for name in _name_everybody(told))}
    if not gone:
        return told
    sales = [sale for sale in told.sales if not any(order.customer in gone for order in sale.orders)]
    kept = Told(
        customers=[one for one in told.customers if one.id not in gone],
        consents=[one for one in told.consents if one.customer not in gone],
        sales=sales,
        gone_orders=told.gone_orders,
        products=told.products,
        carts=[one for one in told.carts if one.customer not in gone],
        links=[one for one in told.links if one.customer not in gone],
        requests=[one for one in told.requests if one.customer not in gone],
        merges=[one for one in told.merges if not {one.gone, one.kept} & gone],
    )
    done.erased = len(gone)
    return kept


def _name_everybody(told: Told) -> set[str]:
    named: set[str] = {one.id for one in told.customers} | {one.customer for one in told.consents}
    named |= {order.customer for sale in told.sales for order in sale.orders}
    named |= {cart.customer for cart in told.carts} | {link.customer for link in told.links}
    named |= {request.customer for request in told.requests}
    named |= {name for one in told.merges for name in (one.gone, one.kept)}
    return named - {""}


def _answer_requests(
    requests: Iterable[ToldRequest], people: Mapping[str, int], shop: ShopConnection, done: Applied
) -> None:
    """Hand them on; whoever is to be erased is not written to from now on, while a person looks at it."""
    leaving: list[int] = []
    for request in requests:
        if request.kind == "everything":
            done.wants_everything_gone = True
            continue
        found = _find_asked(request, people, shop.source)
        done.asked += [Asked(pk, request.kind) for pk in found]
        leaving += found if request.kind == "erasure" else []
    for channel in Channel.values:
        withdraw_consents(leaving, source=f"shop:{shop.source}", channel=channel)


def _find_asked(request: ToldRequest, people: Mapping[str, int], source: str) -> Sequence[int]:
    """By the shop's number, its guests by the address, and by the numbers of their orders: somebody may have bought all ways."""
    wanted = Q(pk=people[request.customer]) if request.customer in people else Q()
    if request.email:
        wanted |= Q(pk__in=Customer.objects.filter(source=source).with_email(request.email).values("pk"))
    if request.orders:
        theirs = Order.objects.filter(source=source, external_id__in=list(request.orders))
        wanted |= Q(pk__in=theirs.values("customer"))
    return list(Customer.objects.known().filter(wanted).values_list("pk", flat=True)) if wanted else []

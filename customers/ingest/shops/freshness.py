"""How new our word of each thing of a shop is: what is told of it counts only if it is not older."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection as database

from customers.ingest.erased import hash_identity
from customers.models import ShopConnection, ShopThing

from .told import Told, ToldCustomer, ToldProduct, ToldSale


@dataclass(frozen=True)
class Fresh:
    """What is as new as our own word or newer, and how many things were older."""

    customers: Sequence[ToldCustomer]
    sales: Sequence[ToldSale]
    products: Sequence[ToldProduct]
    stale: int


def take_newer(told: Told, shop: ShopConnection, *, now: dt.datetime) -> Fresh:
    """Note the times of all things told, and keep those that are not older than what was noted before.

    Of equal times the later delivery counts: shops cut their times to seconds, and copies were refused before. What has no
    time is taken (a refund never changes), but a thing that is gone counts from now on.
    """
    times: dict[str, dt.datetime] = {}
    names: dict[str, list[str]] = {}
    for kind, things in (("customer", told.customers), ("order", told.sales)):
        for thing in things:
            if thing.changed_at is not None:
                _note(times, _key(shop, kind, thing.id), thing.changed_at)
    for number in told.gone_orders:
        _note(times, _key(shop, "order", number), now)
    for product in told.products:
        key = _key(shop, "product", product.id)
        _note(times, key, product.changed_at or now)
        names[key] = [str(row["sku"]) for row in product.rows]
    newer = _write_times(shop, times, names)

    def is_newer(kind: str, thing: ToldCustomer | ToldSale | ToldProduct) -> bool:
        if thing.changed_at is None:
            return True
        key = _key(shop, kind, thing.id)
        return key in newer and thing.changed_at >= times[key]

    customers = [one for one in told.customers if is_newer("customer", one)]
    sales = [one for one in told.sales if is_newer("order", one)]
    products = [one for one in told.products if is_newer("product", one)]
    stale = len(told.customers) + len(told.sales) + len(told.products) - len(customers) - len(sales) - len(products)
    return Fresh(customers, sales, products, stale)


def find_names(shop: ShopConnection, product: str) -> list[str]:
    """The article numbers that a product of the shop had when it was last told of."""
    thing = ShopThing.objects.filter(connection=shop, key=_key(shop, "product", product)).first()
    return list(thing.names) if thing else []


def _note(times: dict[str, dt.datetime], key: str, at: dt.datetime) -> None:
    times[key] = max(at, times.get(key, at))


def _key(shop: ShopConnection, kind: str, number: str) -> str:
    """A keyed hash, so that nothing here names a person."""
    return hash_identity(shop.source, f"{kind}\n{number}")


def _write_times(shop: ShopConnection, times: Mapping[str, dt.datetime], names: Mapping[str, list[str]]) -> set[str]:
    if not times:
        return set()
    keys = sorted(times)
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_shopthing AS known (connection_id, key, changed_at, names)
            SELECT %(shop)s, key, at, names::jsonb
            FROM unnest(%(keys)s::text[], %(times)s::timestamptz[], %(names)s::text[]) AS told(key, at, names) ORDER BY key
            ON CONFLICT (connection_id, key) DO UPDATE
              SET changed_at = EXCLUDED.changed_at, noted_at = now(),
                  names = CASE WHEN EXCLUDED.names = '[]' THEN known.names ELSE EXCLUDED.names END
              WHERE known.changed_at <= EXCLUDED.changed_at
            RETURNING key
            """,
            {
                "shop": shop.pk,
                "keys": keys,
                "times": [times[key] for key in keys],
                "names": [json.dumps(names.get(key, [])) for key in keys],
            },
        )
        return {str(row[0]) for row in cursor.fetchall()}

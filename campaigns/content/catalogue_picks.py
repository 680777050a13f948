"""The wares that a message may name and show: of the archetype's interest, to be bought now, as the catalogue has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from django.conf import settings

from customers.models import Product

from .checks.names import is_plain_name
from .composing import Pick, is_shop_link

PRODUCTS_NAMED: Final = 6
PRODUCTS_SHOWN: Final = 3
LOOKED_THROUGH: Final = 60


def list_products(interest: str, language: str) -> list[dict[str, Any]]:
    """Some wares of the category that can be bought now, the dearest first, each with the version of its row; [] where
    the interest is no category. What `Variant.facts` keeps.

    A ware whose name is more than a name is left out: a marketplace's seller may have written it.
    """
    if not interest:
        return []
    wares = Product.objects.filter(category=interest, is_charge=False).exclude(stock=0).order_by("-price", "sku")
    key = "zh-hans" if language == "zh" else language
    return [
        {
            "sku": ware.sku,
            "name": ware.name_in(key),
            "price": None if ware.price is None else f"{ware.price.normalize():f}",
            "currency": ware.currency,
            "stock": ware.stock,
            "category": ware.category,
            "version": ware.version,
            "url": ware.url,
        }
        for ware in islice((ware for ware in wares[:LOOKED_THROUGH] if _has_plain_name(ware, key)), PRODUCTS_NAMED)
    ]


def choose_picks(products: Sequence[Mapping[str, Any]]) -> tuple[Pick, ...]:
    """The first of them as a message shows them; an address that is not the shop's own is left out."""
    return tuple(
        Pick(
            sku=str(ware["sku"]),
            name=str(ware["name"]),
            price=None if ware["price"] is None else Decimal(str(ware["price"])),
            currency=str(ware["currency"]),
            version=int(ware["version"]),
            url=_own_address(str(ware["url"])),
        )
        for ware in products[:PRODUCTS_SHOWN]
    )


def _has_plain_name(ware: Product, key: str) -> bool:
    return is_plain_name(ware.name_in(key))


def _own_address(url: str) -> str:
    return url if url and is_shop_link(url, settings.SHOP_URL, tuple(settings.SHOP_LINK_DOMAINS)) else ""

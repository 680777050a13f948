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
    plain = (ware for ware in wares[:LOOKED_THROUGH] if _has_plain_name(ware, key))
    return [_describe(ware, key) for ware in islice(plain, PRODUCTS_NAMED)]


def carry_over(
    fresh: Sequence[Mapping[str, Any]], before: Mapping[str, Any], stands_on: Mapping[str, Any], language: str
) -> list[dict[str, Any]]:
    """The wares of the facts anew: those that are `fresh`, then those of the facts `before` that the text stood on and that
    are not among them any more (sold out, dearer ones came, gone from the catalogue), so that it is still held against them.

    A ware that costs something else than before says so in `was` {"price", "currency", "version"}. One that is gone stays as
    it was last known.
    """
    known = {str(ware["sku"]): ware for ware in before.get("products") or ()}
    named = {str(row.get("sku")) for row in stands_on.get("products") or () if isinstance(row, Mapping)}
    missing = [sku for sku in known if sku in named and sku not in {ware["sku"] for ware in fresh}]
    key = "zh-hans" if language == "zh" else language
    found = {ware.sku: _describe(ware, key) for ware in Product.objects.filter(sku__in=missing)} if missing else {}
    return [_remember_price(ware, known.get(str(ware["sku"]))) for ware in fresh] + [
        _remember_price(found.get(sku, known[sku]), known[sku]) for sku in missing
    ]


def _describe(ware: Product, key: str) -> dict[str, Any]:
    return {
        "sku": ware.sku,
        "name": ware.name_in(key),
        "price": None if ware.price is None else f"{ware.price.normalize():f}",
        "currency": ware.currency,
        "stock": ware.stock,
        "category": ware.category,
        "version": ware.version,
        "url": ware.url,
    }


def _remember_price(ware: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    now = {name: value for name, value in ware.items() if name != "was"}
    if before is None:
        return now
    was = before.get("was") or {name: before.get(name) for name in ("price", "currency", "version")}
    is_other = was["price"] is not None and (was["price"], was["currency"]) != (now["price"], now["currency"])
    return {**now, "was": dict(was)} if is_other else now


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

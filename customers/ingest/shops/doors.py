"""Opens the API of a connected shop, tests it, and has it make its webhooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from django.conf import settings
from django.urls import reverse

from customers.ingest.schema import CURRENCIES
from customers.models import ShopConnection

from .asking import Found, Page, ShopTrouble
from .keys import LostKeys, ShopKeys, open_keys
from .shopify_api import ShopifyApi
from .woocommerce_api import WooCommerceApi


class ShopApi(Protocol):
    """What both shops can be asked. Every method raises ShopTrouble."""

    def close(self) -> None: ...
    def test(self) -> Found: ...
    def count(self, stage: str) -> int | None: ...
    def read_page(self, stage: str, cursor: Mapping[str, Any], since: dt.datetime | None) -> Page: ...
    def make_hooks(self, url: str) -> list[str]: ...


@contextmanager
def open_shop(shop: ShopConnection) -> Iterator[ShopApi]:
    """A session with the shop. Raises ShopTrouble where there are no keys to open it with."""
    api = _make_api(shop, _find_keys(shop))
    try:
        yield api
    finally:
        api.close()


def try_shop(shop: ShopConnection, *, now: dt.datetime) -> Found | None:
    """Ask the shop who it is, and keep what it says; None where it does not answer, with the reason in the row."""
    found: Found | None = None
    error = ""
    try:
        with open_shop(shop) as api:
            found = api.test()
        if found.missing:
            error = f"rights_missing:{', '.join(found.missing)}"
        elif found.currency not in CURRENCIES:
            error = "not_json"
    except ShopTrouble as trouble:
        error = say_trouble(trouble)
    shop.tested_at, shop.test_error = now, error
    if found and not error:
        shop.currency, shop.public_url = found.currency, found.public_url.rstrip("/")[:200]
        if shop.status == ShopConnection.Status.SETTING_UP:
            shop.status = ShopConnection.Status.CONNECTED
    shop.save(update_fields=["tested_at", "test_error", "currency", "public_url", "status"])
    return found if not error else None


def make_hooks(shop: ShopConnection, *, now: dt.datetime) -> list[str] | None:
    """Have the shop make the webhooks that are missing; their topics, or None with the reason in the row."""
    made: list[str] | None = None
    try:
        with open_shop(shop) as api:
            made = api.make_hooks(hook_url(shop))
        shop.hooks_made_at, shop.hooks_error = now, ""
    except ShopTrouble as trouble:
        shop.hooks_error = say_trouble(trouble)
    shop.save(update_fields=["hooks_made_at", "hooks_error"])
    return made


def hook_url(shop: ShopConnection) -> str:
    """The address that the shop is to call."""
    return f"{settings.SITE_URL}{reverse('customers:shop-hook', args=[shop.hook_token])}"


def say_trouble(trouble: ShopTrouble) -> str:
    """How a trouble is kept in a row; `reasons.explain_trouble` says it to people."""
    return f"{trouble.code}:{trouble.detail}" if trouble.detail else trouble.code


def _find_keys(shop: ShopConnection) -> ShopKeys:
    try:
        keys = open_keys(shop)
    except LostKeys as error:
        raise ShopTrouble("lost_keys", is_final=True) from error
    if not (keys.token or keys.key):
        raise ShopTrouble("no_keys", is_final=True)
    return keys


def _make_api(shop: ShopConnection, keys: ShopKeys) -> ShopApi:
    if shop.kind == ShopConnection.Kind.WOOCOMMERCE:
        return WooCommerceApi(shop.address, keys)
    return ShopifyApi(shop.address, keys)

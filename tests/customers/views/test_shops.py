"""Connecting a shop step by step, on the pages and through the real server that plays its API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from customers.ingest.shops.filling import run_fill
from customers.ingest.shops.keys import open_keys
from customers.models import AuditEntry, Order, ShopConnection, ShopDelivery
from tests.conftest import MakeUser
from tests.customers.ingest.shops.payloads import NOW, ORDER, change, dump, make_shop, shopify_headers
from tests.shop_server import CONSUMER_SECRET, KEY, TOKEN, ShopServer, stock_shopify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local_shops(settings: Settings) -> None:
    settings.SHOPS_MAY_BE_LOCAL = True
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The broker is not asked; the test is the worker."""
    started: list[int] = []
    monkeypatch.setattr("customers.tasks.fill_shop.delay", started.append)
    return started


@pytest.fixture
def admin(make_user: MakeUser) -> User:
    return make_user("adam", "admin")


@pytest.fixture
def page(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def server() -> Iterator[ShopServer]:
    with ShopServer() as running:
        stock_shopify(running)
        yield running


def url(name: str, *args: Any) -> str:
    return reverse(f"customers:{name}", args=args)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_a_shop_is_connected_in_four_steps(
    page: Client, server: ShopServer, django_capture_on_commit_callbacks: Any, no_worker: list[int]
) -> None:
    given = {"kind": "shopify", "address": server.address, "name": "Tarnside UK"}
    response = page.post(url("shop-new"), given)
    shop = ShopConnection.objects.get()
    assert response["Location"] == url("shop", shop.pk) and shop.source == "shopify-tarnside-uk"
    response = page.post(url("shop-keys", shop.pk), {"secret": "hush-hush", "token": TOKEN}, follow=True)
    assert "The shop answers: it is “Tarnside” and sells in GBP." in text_of(response)
    response = page.post(url("shop-webhooks", shop.pk), follow=True)
    assert "18 were missing" in text_of(response) and len(server.hooks) == 18
    with django_capture_on_commit_callbacks(execute=True):
        response = page.post(url("shop-fill", shop.pk), {"action": "begin"}, follow=True)
    assert no_worker == [shop.pk] and "hx-trigger" in text_of(response)
    assert run_fill(shop.pk, sleep=lambda _s: None)
    fragment = text_of(page.get(url("shop", shop.pk), headers={"HX-Request": "true"}))
    assert "Finished" in fragment and "hx-trigger" not in fragment
    assert Order.objects.filter(source="shopify-tarnside-uk", is_return=False).count() == 9
    actions = list(AuditEntry.objects.filter(object_kind="shop").order_by("pk").values_list("action", flat=True))
    assert actions == ["shop_connected", "shop_keys_changed", "shop_changed", "shop_hooks_made", "shop_fill_changed"]


def test_keys_are_in_no_page_audit_api_or_export(page: Client, server: ShopServer) -> None:
    shop = make_shop(address=server.address)
    secrets = ("hush-hush", TOKEN)
    page.post(url("shop-keys", shop.pk), {"secret": "hush-hush", "token": TOKEN})
    shop.refresh_from_db()
    assert open_keys(shop).token == TOKEN
    seen = [
        text_of(page.get(url("shop", shop.pk))), text_of(page.get(url("shops"))), text_of(page.get("/api/v1/shops/")),
        text_of(page.get(f"/api/v1/shops/{shop.pk}/")), str(list(AuditEntry.objects.values())), shop.sealed_keys,
        text_of(page.post(url("shop-keys", shop.pk), {"secret": "hush-hush", "token": TOKEN, "key": "x" * 500})),
    ]  # fmt: skip
    assert not [word for word in secrets for text in seen if word in text]
    assert shop.hook_token not in text_of(page.get("/api/v1/shops/"))


def test_a_field_that_is_left_blank_keeps_its_key(page: Client, server: ShopServer) -> None:
    shop = make_shop(address=server.address)
    page.post(url("shop-keys", shop.pk), {"secret": "one", "token": TOKEN})
    page.post(url("shop-keys", shop.pk), {"secret": "two"})
    shop.refresh_from_db()
    assert (open_keys(shop).secret, open_keys(shop).token) == ("two", TOKEN)


def test_woocommerce_gets_a_secret_of_ours(page: Client, server: ShopServer) -> None:
    shop = make_shop("woocommerce", address=server.address, sealed_keys="")
    ShopConnection.objects.update(sealed_keys="")
    response = page.post(url("shop-keys", shop.pk), {"key": KEY}, follow=True)
    assert response.status_code == 422 and "consumer secret" in text_of(response)
    response = page.post(url("shop-keys", shop.pk), {"key": KEY, "token": CONSUMER_SECRET}, follow=True)
    assert "it is “Tarnside Woo” and sells in EUR" in text_of(response)
    shop.refresh_from_db()
    assert len(open_keys(shop).secret) >= 32


def test_what_is_wrong_is_said_where_it_is(page: Client, server: ShopServer, settings: Settings) -> None:
    settings.SHOPS_MAY_BE_LOCAL = False
    response = page.post(url("shop-new"), {"kind": "woocommerce", "address": "https://10.0.0.1", "name": "Inside"})
    assert response.status_code == 422 and "internal network" in text_of(response)
    make_shop()
    response = page.post(
        url("shop-new"), {"kind": "shopify", "address": "x", "name": "X", "source": "shopify-tarnside"}
    )
    assert response.status_code == 422 and "Another shop has this source already." in text_of(response)
    settings.SHOPS_MAY_BE_LOCAL = True
    shop = make_shop(address=server.address, source="other")
    response = page.post(url("shop-keys", shop.pk), {"secret": "s", "token": "wrong"}, follow=True)
    assert "The shop refused the keys." in text_of(response)


def test_refused_and_failed_webhooks_are_listed_with_reason_and_retry(page: Client, client: Client) -> None:
    shop = make_shop()
    bad = dump(ORDER)
    forged = {**shopify_headers("orders/create", bad), "X-Shopify-Hmac-Sha256": "AAAA"}
    assert client.post(url("shop-hook", shop.hook_token), bad, "application/json", headers=forged).status_code == 401
    row = ShopDelivery.objects.create(
        connection=shop, topic="orders/create", digest="d", received_at=NOW, status="failed", reason="total_price is no amount",
        body=dump(change(ORDER)).decode(),
    )  # fmt: skip
    shown = text_of(page.get(url("shop", shop.pk)))
    assert "The signature does not fit" in shown and "total_price is no amount" in shown
    assert "total_price is no amount" not in text_of(page.get(url("shop", shop.pk) + "?webhooks=refused"))
    response = page.post(url("shop-retry", shop.pk, row.pk), follow=True)
    assert "Applied." in text_of(response) and Order.objects.exists()


def test_a_back_fill_is_paused_and_goes_on(page: Client, no_worker: list[int]) -> None:
    shop = make_shop()
    for action, state in (
        ("begin", "waiting"),
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "waiting"),
        ("x", "waiting"),
    ):
        page.post(url("shop-fill", shop.pk), {"action": action})
        shop.refresh_from_db()
        assert shop.fill_status == state
    assert AuditEntry.objects.filter(action="shop_fill_changed").count() == 3


def test_a_shop_that_is_disconnected_has_no_keys_and_takes_nothing(page: Client) -> None:
    shop = make_shop()
    assert page.get(url("shop-end", shop.pk)).status_code == 200
    page.post(url("shop-end", shop.pk))
    shop.refresh_from_db()
    assert (shop.status, shop.sealed_keys) == ("ended", "")
    assert page.get(url("shop", shop.pk)).status_code == 200
    for name in ("shop-keys", "shop-test", "shop-webhooks", "shop-fill", "shop-end"):
        assert page.post(url(name, shop.pk)).status_code == 404


@pytest.mark.parametrize("role", ["marketer", "approver", "analyst", "support", ""])
def test_only_an_admin_sees_or_changes_a_connection(role: str, make_user: MakeUser, client: Client) -> None:
    shop = make_shop()
    client.force_login(make_user("somebody", role))
    for name in ("shops", "shop-new"):
        assert client.get(url(name)).status_code == 403
    assert client.get(url("shop", shop.pk)).status_code == 403
    for name in ("shop-keys", "shop-test", "shop-webhooks", "shop-fill", "shop-end"):
        assert client.post(url(name, shop.pk)).status_code == 403
    assert client.get("/api/v1/shops/").status_code == 403


def test_the_pages_ask_the_database_as_often_for_30_as_for_3(page: Client) -> None:
    shop = make_shop()

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as context:
            assert page.get(address).status_code == 200
        return len(context)

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            make_shop(source=f"shop-{number}")
            ShopDelivery.objects.create(connection=shop, digest=str(number), received_at=NOW, status="applied")

    addresses = (url("shops"), url("shop", shop.pk), "/api/v1/shops/")
    add(0, 3)
    page.get(url("shops"))
    few = [count(address) for address in addresses]
    add(3, 24)
    assert [count(address) for address in addresses] == few

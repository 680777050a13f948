"""Payloads as Shopify and WooCommerce document them, with people and things of our own."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from customers.ingest.shops.keys import ShopKeys, keep_keys
from customers.models import ShopConnection

NOW = dt.datetime(2026, 9, 14, 12, 0, tzinfo=dt.UTC)
SECRET = "hush-9f2c"


def make_shop(kind: str = "shopify", **fields: Any) -> ShopConnection:
    """A connected shop whose webhooks are signed with SECRET."""
    given: dict[str, Any] = {
        "name": "Tarnside", "source": f"{kind}-tarnside", "status": "connected", "currency": "GBP",
        "address": "https://tarnside.myshopify.com" if kind == "shopify" else "https://shop.tarnside.test",
        "public_url": "https://tarnside.test",
    }  # fmt: skip
    shop = ShopConnection(kind=kind, **{**given, **fields})
    keep_keys(shop, ShopKeys(secret=SECRET, key="client", token="token"))
    shop.save()
    return shop


def dump(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def shopify_headers(
    topic: str, body: bytes, *, at: dt.datetime = NOW, name: str = "b54557e4", **more: str
) -> dict[str, str]:
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": sign(body),
        "X-Shopify-Shop-Domain": "tarnside.myshopify.com",
        "X-Shopify-Webhook-Id": name,
        "X-Shopify-Event-Id": f"event-{name}",
        "X-Shopify-Triggered-At": at.isoformat().replace("+00:00", "Z"),
        **more,
    }


def woo_headers(topic: str, body: bytes, *, name: str = "36e520eb") -> dict[str, str]:
    resource, _dot, event = topic.partition(".")
    return {
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": sign(body),
        "X-WC-Webhook-ID": "3",
        "X-WC-Webhook-Delivery-ID": name,
        "X-WC-Webhook-Source": "https://shop.tarnside.test/",
    }


def change(payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(payload), **fields}


CUSTOMER: dict[str, Any] = {
    "id": 706405506930370084,
    "created_at": "2026-03-02T09:11:00+00:00",
    "updated_at": "2026-09-14T11:58:00+01:00",
    "first_name": "Mei",
    "last_name": "Lin",
    "orders_count": 1,
    "state": "enabled",
    "total_spent": "84.00",
    "note": None,
    "verified_email": True,
    "tags": "VIP",
    "email": "Mei.Lin@Mail.test",
    "phone": "020 7946 0958",
    "currency": "GBP",
    "addresses": [],
    "email_marketing_consent": {
        "state": "subscribed",
        "opt_in_level": "confirmed_opt_in",
        "consent_updated_at": "2026-09-01T10:00:00+01:00",
    },
    "sms_marketing_consent": {
        "state": "not_subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": None,
        "consent_collected_from": "OTHER",
    },
    "admin_graphql_api_id": "gid://shopify/Customer/706405506930370084",
    "default_address": {
        "id": 1, "first_name": "Mei", "last_name": "Lin", "address1": "4 Harbour Street", "city": "Leith",
        "country": "United Kingdom", "country_code": "GB", "zip": "EH6 6QU", "phone": None,
    },
}  # fmt: skip


def line(number: int, sku: str, quantity: int, price: str) -> dict[str, Any]:
    return {
        "id": number, "variant_id": 4000 + number, "product_id": 7000 + number, "title": f"Ware {sku}",
        "name": f"Ware {sku}", "sku": sku, "quantity": quantity, "price": price, "total_discount": "0.00",
    }  # fmt: skip


ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "cancelled_at": None,
    "cart_token": "68778783ad298f1c80c3bafcddeea02f",
    "checkout_token": "bd5a8aa1ecd019dd3520ff791ee3a24c",
    "contact_email": "mei.lin@mail.test",
    "created_at": "2026-09-14T12:50:00+01:00",
    "processed_at": "2026-09-14T12:50:00+01:00",
    "updated_at": "2026-09-14T12:51:00+01:00",
    "currency": "GBP",
    "customer_locale": "en-GB",
    "discount_codes": [{"code": "TENOFF", "amount": "10.00", "type": "fixed_amount"}],
    "email": "mei.lin@mail.test",
    "financial_status": "paid",
    "name": "#1001",
    "taxes_included": True,
    "test": False,
    "total_discounts": "10.00",
    "total_price": "78.50",
    "token": "b1946ac92492d2347c6235b4d2611184",
    "customer": {key: CUSTOMER[key] for key in CUSTOMER if key not in {"addresses", "orders_count"}},
    "billing_address": {"first_name": "Mei", "last_name": "Lin", "country_code": "GB", "phone": None},
    "line_items": [line(1, "TENT-2", 1, "60.00"), line(2, "PEG-10", 3, "8.00")],
    "refunds": [],
}
REFUND: dict[str, Any] = {
    "id": 509562969,
    "order_id": ORDER["id"],
    "created_at": "2026-09-14T12:55:00+01:00",
    "processed_at": "2026-09-14T12:55:00+01:00",
    "note": "it broke",
    "restock": True,
    "admin_graphql_api_id": "gid://shopify/Refund/509562969",
    "order_adjustments": [],
    "transactions": [
        {"id": 179259969, "amount": "14.00", "currency": "GBP", "kind": "refund", "status": "success"},
    ],
    "refund_line_items": [
        {
            "id": 104689539, "line_item_id": 2, "quantity": 2, "restock_type": "return", "subtotal": 14.00,
            "total_tax": 0.0, "line_item": line(2, "PEG-10", 3, "8.00"),
        },
    ],
}  # fmt: skip
PRODUCT: dict[str, Any] = {
    "id": 788032119674292922,
    "title": "Two-person tent",
    "vendor": "Tarnside",
    "product_type": "Tents",
    "handle": "two-person-tent",
    "status": "active",
    "created_at": "2026-01-02T00:00:00Z",
    "updated_at": "2026-09-14T11:59:00Z",
    "admin_graphql_api_id": "gid://shopify/Product/788032119674292922",
    "variants": [
        {"id": 1001, "title": "green", "price": "189.00", "sku": "TENT-2", "inventory_quantity": 12},
        {"id": 1002, "title": "red", "price": "195.50", "sku": "", "inventory_quantity": 0},
    ],
}
CART: dict[str, Any] = {
    "id": ORDER["cart_token"],
    "token": ORDER["cart_token"],
    "line_items": [line(1, "TENT-2", 1, "60.00")],
    "note": None,
    "updated_at": "2026-09-14T11:40:00Z",
    "created_at": "2026-09-14T11:40:00Z",
}
CHECKOUT: dict[str, Any] = {
    "id": 901414060,
    "token": ORDER["checkout_token"],
    "cart_token": ORDER["cart_token"],
    "email": "mei.lin@mail.test",
    "created_at": "2026-09-14T11:45:00Z",
    "updated_at": "2026-09-14T11:46:00Z",
    "completed_at": None,
    "customer": CUSTOMER,
    "currency": "GBP",
    "total_price": "60.00",
    "abandoned_checkout_url": "https://tarnside.test/checkouts/recover?key=1",
    "line_items": [line(1, "TENT-2", 1, "60.00")],
}
WOO_CUSTOMER: dict[str, Any] = {
    "id": 25,
    "date_created_gmt": "2026-03-21T19:09:28",
    "date_modified_gmt": "2026-09-14T11:00:00",
    "email": "jo.hill@mail.test",
    "first_name": "Jo",
    "last_name": "Hill",
    "role": "customer",
    "username": "jo.hill",
    "billing": {
        "first_name": "Jo", "last_name": "Hill", "country": "DE", "email": "jo.hill@mail.test", "phone": "030 901820",
    },
    "shipping": {"country": "DE"},
    "is_paying_customer": True,
}  # fmt: skip
WOO_ORDER: dict[str, Any] = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "currency": "EUR",
    "date_created_gmt": "2026-09-14T10:00:00",
    "date_modified_gmt": "2026-09-14T10:00:10",
    "date_paid_gmt": "2026-09-14T10:00:08",
    "discount_total": "5.00",
    "shipping_total": "4.90",
    "total": "36.40",
    "total_tax": "0.00",
    "customer_id": 25,
    "billing": WOO_CUSTOMER["billing"],
    "line_items": [
        {
            "id": 315, "name": "Mug", "product_id": 93, "variation_id": 0, "quantity": 3, "subtotal": "36.50",
            "total": "31.50", "sku": "MUG", "price": 10.5,
        },
    ],
    "coupon_lines": [{"id": 1, "code": "five", "discount": "5"}],
    "refunds": [],
}  # fmt: skip
WOO_PRODUCT: dict[str, Any] = {
    "id": 93,
    "name": "Mug",
    "slug": "mug",
    "permalink": "https://shop.tarnside.test/product/mug/",
    "date_created_gmt": "2026-01-01T00:00:00",
    "date_modified_gmt": "2026-09-14T10:30:00",
    "type": "simple",
    "status": "publish",
    "sku": "MUG",
    "price": "12.17",
    "stock_quantity": 40,
    "stock_status": "instock",
    "categories": [{"id": 9, "name": "Kitchen", "slug": "kitchen"}],
}

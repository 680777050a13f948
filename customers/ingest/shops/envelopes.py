"""What stands around a webhook's body: the headers by which a shop names its topic, its delivery and its time.

Shopify: "Webhooks delivery structure" (shopify.dev/docs/apps/build/webhooks/delivery-structure). WooCommerce: the headers of
WC_Webhook::deliver.
Only the body is signed, so nothing here is believed by itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from customers.models import ShopConnection

from .signatures import Refused

_PING = re.compile(rb"webhook_id=\d{1,12}")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True)
class Envelope:
    """`triggered_at` None: this kind of shop names no time. `host` "" where the shop does not say which one it is."""

    topic: str
    delivery_id: str
    triggered_at: dt.datetime | None = None
    host: str = ""
    is_test: bool = False


def read_envelope(kind: str, headers: Mapping[str, str]) -> Envelope:
    """The headers of one webhook. Raises Refused where Shopify's time is missing or none."""
    if kind == ShopConnection.Kind.WOOCOMMERCE:
        return Envelope(
            topic=_take(headers, "X-WC-Webhook-Topic", 80),
            delivery_id=_take(headers, "X-WC-Webhook-Delivery-ID", 100),
        )
    return Envelope(
        topic=_take(headers, "X-Shopify-Topic", 80),
        delivery_id=_take(headers, "X-Shopify-Webhook-Id", 100) or _take(headers, "X-Shopify-Event-Id", 100),
        triggered_at=_read_time(headers.get("X-Shopify-Triggered-At", "")),
        host=_take(headers, "X-Shopify-Shop-Domain", 200).lower(),
        is_test=headers.get("X-Shopify-Test", "").lower() == "true",
    )


def read_claimed_topic(kind: str, headers: Mapping[str, str]) -> str:
    """What it says that it is about, whoever says it; for the list of what was refused."""
    return _take(headers, "X-WC-Webhook-Topic" if kind == ShopConnection.Kind.WOOCOMMERCE else "X-Shopify-Topic", 80)


def is_ping(kind: str, headers: Mapping[str, str], body: bytes) -> bool:
    """WooCommerce asks whether anybody is there before it saves a webhook: unsigned, and with nothing but a number."""
    is_unsigned = kind == ShopConnection.Kind.WOOCOMMERCE and "X-WC-Webhook-Signature" not in headers
    return is_unsigned and bool(_PING.fullmatch(body))


def _take(headers: Mapping[str, str], name: str, most: int) -> str:
    return _UNPRINTABLE.sub("", headers.get(name, ""))[:most]


def _read_time(text: str) -> dt.datetime:
    """RFC 3339 with nanoseconds, as Shopify writes it (2026-03-29T18:00:27.877041743Z)."""
    try:
        moment = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as error:
        raise Refused("no_time") from error
    if moment.tzinfo is None:
        raise Refused("no_time")
    return moment.astimezone(dt.UTC)

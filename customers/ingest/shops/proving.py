"""Deletions that prove nothing by themselves: WooCommerce signs `{"id": 93}` and not of what, so its own API is asked.

The same words mean a customer, an order and a product, today and after each restoring. So such a row is none that was seen
before because its body was; and nothing is deleted here that the shop still has.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from customers.models import ShopConnection, ShopDelivery

from .asking import ShopTrouble
from .doors import open_shop, say_trouble
from .woocommerce_api import WooCommerceApi

_BARE: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*[0-9]{1,19}\s*\}\s*')
_STAGES: Final = {"customer.deleted": "customers", "order.deleted": "orders", "product.deleted": "products"}


class Unproven(Exception):
    """The shop's API did not say whether the thing is gone: it is asked again later."""


def needs_proof(shop: ShopConnection, topic: str, body: bytes) -> bool:
    """Whether a webhook is nothing but the number of something that is said to be gone."""
    return shop.kind == ShopConnection.Kind.WOOCOMMERCE and topic in _STAGES and bool(_BARE.fullmatch(body))


def digest_question(topic: str, body: bytes) -> str:
    """What makes a question this one: what is asked of what."""
    return hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()


def is_gone(row: ShopDelivery) -> bool:
    """Ask the shop whether it has the thing of a deletion no more; over the network, so outside of any transaction.

    Raises Unproven where it does not say.
    """
    number = str(json.loads(row.body)["id"])
    try:
        with open_shop(row.connection) as api:
            if not isinstance(api, WooCommerceApi):
                raise Unproven("not_asked")
            return api.is_gone(_STAGES[row.topic], number)
    except ShopTrouble as trouble:
        raise Unproven(say_trouble(trouble)) from trouble

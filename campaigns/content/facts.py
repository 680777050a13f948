"""What a message may claim: the offer, the shop, and products with their prices and stock, as they are now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.models import Archetype


def build_facts(archetype: Archetype, *, now: dt.datetime) -> dict[str, Any]:
    """The facts of one archetype's message as JSON: shop, offer, code, percent, amount, currency, valid_from,
    valid_until, send_date, min_basket, products, policies, and language, shop_url, button_url."""
    raise NotImplementedError
